import { formatBytes } from "../../../../lib/core/units.ts";
import { Zipf } from "../../../../lib/model/zipf.ts";
import type { EdgeAct } from "../../scenario/edge_act.ts";
import type { Stage } from "../../stage/stage.ts";
import { LIBRARY, LIBRARY_SEGMENT_BYTES, LIBRARY_SEGMENTS } from "./library.ts";

/** An edge that begins with nothing has to fetch each object once; it may reach so much less than the best choice. */
const LEARNING = 0.4;

/** What an edge with a small cache answered itself. */
interface Popularity {
  readonly requests: number;
  readonly hitRatio: number;
  /** Of the best choice of objects that never changes. */
  readonly bestRatio: number;
}

/** What the demo reads of a load's result. */
interface LoadResult {
  readonly runs: readonly {
    readonly requests: number;
    readonly failed: number;
    readonly hitRatio: number;
  }[];
}

/** Many clients want different things, some of them more than others, and the edge has room for a part. */
export async function playPopularity(
  act: EdgeAct,
  stage: Stage,
): Promise<Popularity> {
  const { requests, zipf, cachePart } = act;
  const cacheBytes = Math.round(
    cachePart * LIBRARY_SEGMENTS * LIBRARY_SEGMENT_BYTES,
  );
  stage.part(
    `${requests} wishes by Zipf's law, and a cache for ${
      (100 * cachePart).toFixed(0)
    } % of what there is`,
  );
  const origin = stage.start("library", [
    ...["origin", "--host", stage.machine(), "--port", "0", ...LIBRARY],
  ]);
  const from = await origin.until("role.listening");
  const edge = stage.start("small-edge", [
    ...["edge", "--host", stage.machine(), "--port", "0"],
    ...["--origin", `http://${from.host}:${from.port}/`],
    // The manifest is kept there too.
    ...["--cache-size", `${cacheBytes + 2 * LIBRARY_SEGMENT_BYTES}B`],
  ]);
  const { host, port } = await edge.until("role.listening");
  const load = stage.start("wishes", [
    ...["edge", "--load", `http://${host}:${port}/manifest.mpd`, "--json"],
    ...["--requests", `${requests}`, "--zipf", `${zipf}`],
  ]);
  load.role.subscribe((event) => {
    if (event.type !== "load.progressed") return;
    const { requests, of, hits } = event;
    stage.progress("wishes", `${requests} of ${of}, ${hits} hits`);
  });
  const { runs: [run] } = await stage.result(load) as LoadResult;
  await stage.end(edge, origin);
  const room = Math.round(cachePart * LIBRARY_SEGMENTS);
  const bestRatio = new Zipf(LIBRARY_SEGMENTS, zipf).share(room);
  const measured = { requests, hitRatio: run!.hitRatio, bestRatio };
  report(act, measured, { stage, failed: run!.failed });
  return measured;
}

function report(
  { zipf, cachePart }: EdgeAct,
  { requests, hitRatio, bestRatio }: Popularity,
  { stage, failed }: { readonly stage: Stage; readonly failed: number },
): void {
  const part = `${(100 * cachePart).toFixed(0)} %`;
  stage.check(
    `a cache for ${part} of the catalogue answers far more than ${part} of the wishes`,
    failed === 0 && hitRatio >= (1 - LEARNING) * bestRatio,
    `${
      percent(hitRatio)
    } of ${requests}; the ${part} that are wanted most draw ${
      percent(bestRatio)
    }, and the edge had to find out which`,
  );
  stage.sections.push({
    kind: "chart",
    heading: "An edge with a small cache: who answered",
    file: "popularity",
    chart: {
      kind: "bar",
      xLabel: "% of the requests",
      bars: [
        {
          name: "the edge's cache",
          value: 100 * hitRatio,
          mark: {
            name: "best choice that never changes",
            value: 100 * bestRatio,
          },
        },
        { name: "the origin", value: 100 * (1 - hitRatio) },
      ],
    },
    note: `${requests} requests for ${LIBRARY_SEGMENTS} segments of ${
      formatBytes(LIBRARY_SEGMENT_BYTES)
    } by Zipf's law with exponent ${zipf}; the cache has room for ${
      Math.round(cachePart * LIBRARY_SEGMENTS)
    } of them and was empty at first.`,
  });
}

function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(1)} %`;
}
