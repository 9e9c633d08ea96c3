import { counted, formatBitRate, formatMs } from "../../../lib/core/units.ts";
import type { LineChart } from "../../../lib/report/report.ts";
import type { Player, Stage } from "../stage/stage.ts";
import type { Downloaded, PlayedNetwork, Viewer } from "./viewers.ts";

/** Checks what the act promises and draws how it went. */
export function reportCdn(
  networks: readonly PlayedNetwork[],
  authority: Player,
  { stage, startedAtWallMs }: {
    readonly stage: Stage;
    readonly startedAtWallMs: number;
  },
): void {
  for (const network of networks) {
    checkDirected(network, authority, stage);
    checkFetchedOnce(network, stage);
    checkShared(network, stage);
  }
  const viewers = networks.flatMap(({ clients }) => clients);
  const seconds = (event: Downloaded) =>
    (Date.parse(event.time) - startedAtWallMs) / 1000;
  stage.sections.push(
    {
      kind: "chart",
      heading: "Video: the rate that each player chose",
      file: "bit-rates",
      chart: chartOf(viewers, "Mbit/s", "step", (event) => [
        [seconds(event), event.bitsPerSecond / 1e6],
      ]),
    },
    {
      kind: "chart",
      heading: "Video: media in each player's buffer",
      file: "buffers",
      chart: chartOf(viewers, "buffer (s)", "line", (event) => [
        [seconds(event), (event.bufferMs - event.mediaMs) / 1000],
        [seconds(event), event.bufferMs / 1000],
      ]),
      note:
        "Two points for each segment: just before and just after its last byte.",
    },
    {
      kind: "table",
      heading: "Video: what each viewer had",
      columns: [
        ...["player", "network", "edge", "from its cache", "average rate"],
        ...["switches", "stalls", "start-up", "highest layer", "QoE"],
      ],
      rows: networks.flatMap((network) =>
        network.clients.map((viewer) => rowOf(network, viewer))
      ),
      note: "QoE is the lecture's formula.",
    },
  );
}

function checkDirected(
  { network, edgeHost, cidr, clients }: PlayedNetwork,
  authority: Player,
  stage: Stage,
): void {
  const chosen = authority.all("edge.selected").filter((event) =>
    clients.some(({ address }) => event.client.startsWith(address))
  );
  const segments = clients.flatMap(({ segments }) => segments);
  const here = segments.filter(({ server }) =>
    server.startsWith(`${edgeHost}:`)
  );
  stage.check(
    `DNS sends the players of ${network.name} to the edge in it`,
    chosen.length >= clients.length &&
      chosen.every((event) => event.chosen === edgeHost) &&
      segments.length > 0 && here.length === segments.length,
    `${cidr} → ${edgeHost}: ${
      counted(chosen.length, "answer")
    }, ${here.length} of ${counted(segments.length, "segment")}`,
  );
}

function checkFetchedOnce(
  { network, edge }: PlayedNetwork,
  stage: Stage,
): void {
  const paths = edge.all("edge.fetched").map(({ path }) => path);
  const answered = edge.all("edge.answered").length;
  stage.check(
    `the edge of ${network.name} fetched nothing twice`,
    paths.length > 0 && new Set(paths).size === paths.length,
    `${counted(answered, "answer")}, ${
      counted(paths.length, "fetch", "fetches")
    } from the origin`,
  );
}

/** A later client may choose other rates; what it has in common with an earlier one must come from the edge's cache. */
function checkShared({ network, clients }: PlayedNetwork, stage: Stage): void {
  const [first, ...others] = clients;
  if (first === undefined || others.length === 0) return;
  const key = (event: Downloaded) =>
    `${event.representationId} ${event.segmentNumber}`;
  const seen = new Set(first.segments.map(key));
  const shared = others.flatMap(({ segments }) => segments).filter((event) =>
    seen.has(key(event))
  );
  const served = shared.filter(isFromCache);
  stage.check(
    `${network.name}'s later players are served from its edge's cache`,
    shared.length > 0 && served.length === shared.length,
    `${served.length} of ${shared.length} segments that an earlier player had, too`,
  );
}

/** A hit, or a wait for a fetch that another client had caused (RFC 9211: `hit`, `collapsed`). */
function isFromCache({ cacheStatus }: Downloaded): boolean {
  return /;\s*(hit|collapsed)\b/.test(cacheStatus);
}

function rowOf(
  { network, edgeHost }: PlayedNetwork,
  { player, summary, segments }: Viewer,
): readonly (string | number)[] {
  return [
    ...[player.name, network.name, edgeHost],
    `${segments.filter(isFromCache).length} of ${segments.length}`,
    formatBitRate(summary.averageBitsPerSecond),
    summary.switchCount,
    summary.stallCount === 0
      ? "none"
      : `${summary.stallCount}, ${formatMs(summary.stallMs)}`,
    formatMs(summary.startupMs),
    `${summary.highestLayerPercent.toFixed(0)} %`,
    Number(summary.lectureQoe.toFixed(2)),
  ];
}

function chartOf(
  viewers: readonly Viewer[],
  yLabel: string,
  shape: "line" | "step",
  pointsOf: (event: Downloaded) => readonly (readonly [number, number])[],
): LineChart {
  return {
    kind: "line",
    xLabel: "seconds",
    yLabel,
    series: viewers.map(({ player, segments }) => ({
      name: player.name,
      shape,
      points: segments.flatMap(pointsOf),
    })),
  };
}
