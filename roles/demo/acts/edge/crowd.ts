import { equalBytes } from "../../../../lib/core/bytes.ts";
import { RunError } from "../../../../lib/core/errors.ts";
import { counted, formatBytes, formatMs } from "../../../../lib/core/units.ts";
import { LinkedAbort } from "../../../../lib/io/linked_abort.ts";
import type { EdgeAct } from "../../scenario/edge_act.ts";
import type { Player, Stage } from "../../stage/stage.ts";

/** One segment of four seconds at 2.5 Mbit/s is what all want. */
const TITLE = ["--ladder", "720p@2500k", "--segment", "4s", "--duration", "8s"];
const PATH = "/video_720_1.m4s";
/** The built-in title's segments have their nominal size. */
const SEGMENT_BYTES = 1_250_000;
/** Through the edge the last client waits for less than this part of the time; of two clients it is half. */
const MOST_PART = 0.8;
/** A client that has nothing after so many times the time that all copies take has failed. */
const PATIENCE = 3;
const LEAST_PATIENCE_MS = 20_000;

/** When a client had its first byte and its last, in seconds since all asked. */
interface Copy {
  readonly firstSeconds: number;
  readonly lastSeconds: number;
  readonly bytes: Uint8Array;
}

/** What came of one way to ask. */
interface Crowd {
  readonly way: string;
  /** Copies that the origin sent. */
  readonly fetches: number;
  readonly firstSeconds: number;
  readonly lastSeconds: number;
  readonly boundSeconds: number;
}

/** All want the same segment at the same moment: from the origin, through an edge that has nothing yet, and again. */
export async function playCrowd(
  act: EdgeAct,
  stage: Stage,
): Promise<readonly Crowd[]> {
  stage.part(`${act.clients} clients want the same segment at once`);
  const origin = stage.start("origin", [
    ...["origin", "--host", stage.machine(), "--port", "0", ...TITLE],
    ...["--limit-rate", `${act.serverBytesPerSecond}B/s`],
  ]);
  const source = urlOf(await origin.until("role.listening"));
  const edge = stage.start("edge", [
    ...["edge", "--host", stage.machine(), "--port", "0", "--origin", source],
  ]);
  const near = urlOf(await edge.until("role.listening"));
  const { clients, serverBytesPerSecond } = act;
  const ask = (name: string, base: string, copies: number) =>
    askTogether(`${base}${PATH.slice(1)}`, {
      ...{ clients, name, stage },
      timeoutMs: Math.max(
        LEAST_PATIENCE_MS,
        PATIENCE * 1000 * copies * SEGMENT_BYTES / serverBytesPerSecond,
      ),
    });
  const direct = await ask("from the origin", source, clients);
  const cold = await ask("through the edge", near, clients);
  const coldFetches = await fetchesSoFar(near, { edge, stage });
  const warm = await ask("through the edge again", near, clients);
  await stage.end(edge);
  const allFetches = countFetches(edge);
  const [first] = direct;
  const oneSeconds = first!.bytes.length / serverBytesPerSecond;
  const rows = [
    rowOf("from the origin", direct, clients, clients * oneSeconds),
    rowOf("through the edge", cold, coldFetches, oneSeconds),
    rowOf("again", warm, allFetches - coldFetches, 0),
  ];
  report(act, rows, { stage, copies: [...direct, ...cold, ...warm] });
  await stage.end(origin);
  return rows;
}

function countFetches(edge: Player): number {
  return edge.all("edge.fetched").filter(({ path }) => path === PATH).length;
}

/** How often the edge has asked the origin for the segment. What it tells comes in order: something else that it fetches after that tells that all was heard. */
async function fetchesSoFar(
  edgeUrl: string,
  { edge, stage }: { readonly edge: Player; readonly stage: Stage },
): Promise<number> {
  const path = "/manifest.mpd";
  const { signal, net } = stage.ctx;
  const answer = await net.fetch(`${edgeUrl}${path.slice(1)}`, { signal });
  await answer.body?.cancel();
  await edge.until("edge.fetched", (event) => event.path === path);
  return countFetches(edge);
}

function urlOf(
  { host, port }: { readonly host: string; readonly port: number },
) {
  return `http://${host}:${port}/`;
}

function rowOf(
  way: string,
  copies: readonly Copy[],
  fetches: number,
  boundSeconds: number,
): Crowd {
  return {
    ...{ way, fetches, boundSeconds },
    firstSeconds: Math.max(...copies.map(({ firstSeconds }) => firstSeconds)),
    lastSeconds: Math.max(...copies.map(({ lastSeconds }) => lastSeconds)),
  };
}

function report(
  { clients, serverBytesPerSecond }: EdgeAct,
  rows: readonly Crowd[],
  { stage, copies }: {
    readonly stage: Stage;
    readonly copies: readonly Copy[];
  },
): void {
  const [direct, cold, warm] = rows as readonly [Crowd, Crowd, Crowd];
  const first = copies[0]!.bytes;
  const alike = copies.filter(({ bytes }) => equalBytes(bytes, first)).length;
  const fetched = (count: number) => counted(count, "fetch", "fetches");
  stage.check(
    "a crowd at the edge causes one fetch from the origin",
    cold.fetches === 1 && warm.fetches === 0,
    `${fetched(cold.fetches)} for ${clients} clients, ${
      fetched(warm.fetches)
    } when they ask again`,
  );
  stage.check(
    "everybody got the same bytes",
    alike === copies.length,
    `${alike} of ${copies.length} copies`,
  );
  stage.check(
    "the edge turns the time of a crowd into that of one",
    Math.max(cold.lastSeconds, warm.lastSeconds) <
      MOST_PART * direct.lastSeconds,
    `the last of ${clients} had it after ${
      seconds(direct)
    } from the origin (bound ${direct.boundSeconds.toFixed(1)} s), ${
      seconds(cold)
    } through the edge (bound ${cold.boundSeconds.toFixed(1)} s), ${
      seconds(warm)
    } from its cache`,
  );
  stage.sections.push({
    kind: "chart",
    heading: "An edge and a crowd: when the last client had the segment",
    file: "crowd",
    chart: {
      kind: "bar",
      xLabel: "seconds",
      bars: rows.map(({ way, lastSeconds, boundSeconds, fetches }) => ({
        name: `${way} (${fetched(fetches)})`,
        value: lastSeconds,
        ...(boundSeconds === 0
          ? {}
          : { mark: { name: "bound", value: boundSeconds } }),
      })),
    },
    note: `${clients} clients ask at the same moment for a segment of ${
      formatBytes(first.length)
    }; the origin sends ${
      formatBytes(serverBytesPerSecond)
    }/s. The bound is what the origin's link takes for the copies that it has to send. Through the edge, the last client had its first byte after ${
      formatMs(1000 * cold.firstSeconds)
    }: it need not wait until the edge has all of it.`,
  });
}

function seconds({ lastSeconds }: Crowd): string {
  return `${lastSeconds.toFixed(1)} s`;
}

/** All ask at once. */
async function askTogether(
  url: string,
  { clients, name, stage, timeoutMs }: {
    readonly clients: number;
    readonly name: string;
    readonly stage: Stage;
    readonly timeoutMs: number;
  },
): Promise<readonly Copy[]> {
  const { clock, net } = stage.ctx;
  using end = new LinkedAbort(
    stage.ctx.signal,
    AbortSignal.timeout(timeoutMs),
  );
  const { signal } = end;
  const startedAtMs = clock.nowMs();
  const since = () => (clock.nowMs() - startedAtMs) / 1000;
  let done = 0;
  return await Promise.all(
    Array.from({ length: clients }, async () => {
      const response = await net.fetch(url, { signal, timeoutMs });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new RunError(
          "fetch-failed",
          `${url} answered ${response.status}`,
        );
      }
      const firstSeconds = since();
      const bytes = new Uint8Array(await response.arrayBuffer());
      done += 1;
      stage.progress(name, `${done} of ${clients} have it`);
      return { firstSeconds, lastSeconds: since(), bytes };
    }),
  );
}
