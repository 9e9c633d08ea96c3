import { formatBitRate, formatBytes, formatMs } from "../../lib/core/units.ts";
import type {
  AbandonRecord,
  LatencyRecord,
  SegmentRecord,
} from "../../lib/dash/player_messages.ts";
import type { PlaySummary } from "../../lib/dash/qoe.ts";
import type { Choice } from "../../lib/dash/title.ts";
import type { ReportSection } from "../../lib/report/report.ts";
import type { RoleResult } from "../../lib/role.ts";

/** What happened while a title was played; times are the player's, from its start. */
export interface PlayLog {
  /** Of the main track. */
  readonly downloads: { atMs: number; record: SegmentRecord }[];
  /** What goes with the picture. */
  readonly sound: { atMs: number; record: SegmentRecord }[];
  readonly abandoned: { atMs: number; record: AbandonRecord }[];
  readonly stalls: { atMs: number; positionMs: number; stallMs: number }[];
  readonly seeks: {
    atMs: number;
    fromMs: number;
    toMs: number;
    seekMs: number;
  }[];
  readonly latencies: { atMs: number; record: LatencyRecord }[];
  startupMs: number;
}

/** A title that was played, wholly or in part. */
export interface Played extends Readonly<PlayLog> {
  readonly url: string;
  readonly title: string;
  readonly abr: string;
  readonly speed: number;
  readonly bufferCapMs: number;
  /** Media to play; undefined when that has no end. */
  readonly mediaMs: number | undefined;
  readonly manifestMs: number;
  /** How far behind the live edge it was to be; undefined when the title is whole. */
  readonly targetLatencyMs: number | undefined;
  readonly ladder: readonly Choice[];
  readonly complete: boolean;
  readonly summary: PlaySummary;
}

/** One line of a table. */
export type Row = readonly [name: string, value: string];

/** Returns the result of a play: table, JSON, report. */
export function showPlay(played: Played): RoleResult {
  const rows = rowsOf(played);
  const { downloads, sound, abandoned, stalls, seeks, latencies, ...rest } =
    played;
  const { ladder, summary, ...about } = rest;
  return {
    text: tableOf(rows),
    json: {
      ...about,
      ...summary,
      ladder: ladder.map(({ representationId, bitsPerSecond, height }) => ({
        representationId,
        bitsPerSecond,
        height,
      })),
      stalls,
      seeks,
      abandoned: abandoned.map(({ atMs, record }) => ({ atMs, ...record })),
      latency: latencies.length === 0 ? undefined : latencyOf(played),
      segments: downloads.map(({ atMs, record }) => ({ atMs, ...record })),
      sound: sound.map(({ atMs, record }) => ({ atMs, ...record })),
    },
    report: {
      title: `dash-client: ${played.title === "" ? played.url : played.title}`,
      sections: [
        {
          kind: "table",
          heading: "Session",
          columns: ["what", "value"],
          rows,
          ...(played.speed === 1 ? {} : {
            note:
              `Played ${played.speed} times as fast: start-up, buffer and stalls are in the player's time, downloads in real time.`,
          }),
        },
        rateChart(played),
        bufferChart(played),
        ...latencies.length === 0 ? [] : [latencyChart(played)],
        segmentTable(played),
      ],
    },
  };
}

function rowsOf(played: Played): Row[] {
  const { summary } = played;
  return [
    ["title", played.title === "" ? played.url : played.title],
    ["rule", played.abr],
    [
      "played",
      played.mediaMs === undefined
        ? formatMs(summary.playedMs)
        : `${formatMs(summary.playedMs)} of ${formatMs(played.mediaMs)}${
          played.complete ? "" : " (not to the end)"
        }`,
    ],
    [
      "fetched",
      `${formatBytes(summary.bytes)}, segments: ${summary.segmentCount}`,
    ],
    ...soundRow(played),
    ["manifest", formatMs(played.manifestMs)],
    ["start-up", formatMs(summary.startupMs)],
    [
      "stalls",
      summary.stallCount === 0
        ? "none"
        : `${summary.stallCount}, ${formatMs(summary.stallMs)} in all (${
          summary.stallPercent.toFixed(1)
        } %)`,
    ],
    ...eventRows(played),
    ["average rate", formatBitRate(summary.averageBitsPerSecond)],
    ["throughput", formatBitRate(summary.throughputBitsPerSecond)],
    [
      "switches",
      summary.switchCount === 0
        ? "none"
        : `${summary.switchCount} (${summary.switchesUp} up, ${summary.switchesDown} down), by ${
          summary.switchAmplitudeLayers.toFixed(1)
        } layers or ${
          formatBitRate(summary.switchAmplitudeBitsPerSecond)
        } on average`,
    ],
    [
      "highest layer",
      `${summary.highestLayerPercent.toFixed(1)} % of the time`,
    ],
    [
      "lecture's QoE",
      `${summary.lectureQoe.toFixed(3)} (of 5; stalls do not count in it)`,
    ],
  ];
}

function soundRow({ sound }: Played): Row[] {
  if (sound.length === 0) return [];
  const bytes = sound.reduce((sum, { record }) => sum + record.bytes, 0);
  const rates = [...new Set(sound.map(({ record }) => record.bitsPerSecond))];
  return [[
    "sound",
    `${formatBytes(bytes)}, segments: ${sound.length}, in ${
      rates.map(formatBitRate).join(", ")
    }`,
  ]];
}

/** What does not happen in every play. */
function eventRows(played: Played): Row[] {
  const { seeks, abandoned, latencies } = played;
  const rows: Row[] = [];
  if (seeks.length > 0) {
    const each = seeks.map(({ seekMs }) =>
      seekMs === 0 ? "at once" : formatMs(seekMs)
    );
    rows.push(["seeks", `${seeks.length}: picture ${each.join(", ")}`]);
  }
  if (abandoned.length > 0) {
    const bytes = abandoned.reduce((sum, { record }) => sum + record.bytes, 0);
    rows.push([
      "given up",
      `${abandoned.length} segments, ${formatBytes(bytes)} for nothing`,
    ]);
  }
  if (latencies.length > 0) {
    const { meanMs, maxMs, lastMs, targetMs } = latencyOf(played);
    rows.push([
      "latency",
      `${formatMs(meanMs)} behind the live edge on average, at most ${
        formatMs(maxMs)
      }, at last ${formatMs(lastMs)} (${formatMs(targetMs)} wanted)`,
    ]);
  }
  return rows;
}

function latencyOf({ latencies, targetLatencyMs }: Played) {
  const each = latencies.map(({ record }) => record.latencyMs);
  return {
    targetMs: targetLatencyMs ?? 0,
    meanMs: each.reduce((sum, ms) => sum + ms, 0) / Math.max(1, each.length),
    maxMs: each.reduce((most, ms) => Math.max(most, ms), 0),
    lastMs: each.at(-1) ?? 0,
  };
}

function latencyChart({ latencies, targetLatencyMs }: Played): ReportSection {
  const points = latencies.map(({ atMs, record }) =>
    [seconds(atMs), seconds(record.latencyMs)] as const
  );
  const target = seconds(targetLatencyMs ?? 0);
  const ends = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
  return {
    kind: "chart",
    heading: "Latency",
    file: "latency",
    note: "How far behind the live edge the picture was.",
    chart: {
      kind: "line",
      xLabel: "time (s)",
      yLabel: "behind the live edge (s)",
      series: [
        { name: "latency", shape: "line", points },
        {
          name: "wanted",
          shape: "line",
          dashed: true,
          points: ends.map((at) => [at, target] as const),
        },
      ],
    },
  };
}

/** Writes rows as text, in two columns. */
export function tableOf(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`)
    .join("\n") + "\n";
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}

function rateChart({ downloads, speed }: Played): ReportSection {
  const toMbits = (bits: number) => Math.round(bits / 1000) / 1000;
  return {
    kind: "chart",
    heading: "Bit rate staircase and throughput",
    file: "bit_rate",
    note: speed === 1
      ? "Each step is the rate of the segment that came then; each point how fast it came."
      : `Throughput is divided by ${speed}, the speed of playing: what the player could use.`,
    chart: {
      kind: "line",
      xLabel: "time (s)",
      yLabel: "Mbit/s",
      series: [
        {
          name: "rate chosen",
          shape: "step",
          points: downloads.map(({ atMs, record }) =>
            [seconds(atMs), toMbits(record.bitsPerSecond)] as const
          ),
        },
        {
          name: "throughput",
          shape: "points",
          points: downloads.map(({ atMs, record }) =>
            [
              seconds(atMs),
              toMbits(record.throughputBitsPerSecond / speed),
            ] as const
          ),
        },
      ],
    },
  };
}

/** The buffer as a sawtooth: up by a segment at each arrival, down with the clock in between. */
function bufferChart(
  { downloads, stalls, bufferCapMs, summary, complete }: Played,
): ReportSection {
  const points: [number, number][] = [[0, 0]];
  for (const { atMs, record } of downloads) {
    const before = Math.max(0, record.bufferMs - record.mediaMs);
    points.push([seconds(atMs), seconds(before)]);
    points.push([seconds(atMs), seconds(record.bufferMs)]);
  }
  for (const { atMs } of stalls) points.push([seconds(atMs), 0]);
  const endMs = summary.startupMs + summary.stallMs + summary.playedMs;
  if (complete) points.push([seconds(endMs), 0]);
  // A stable sort: the two points of one arrival keep their order.
  points.sort(([a], [b]) => a - b);
  return {
    kind: "chart",
    heading: "Buffer",
    file: "buffer",
    note: "Media ready to play; at 0 the picture stands still.",
    chart: {
      kind: "line",
      xLabel: "time (s)",
      yLabel: "buffer (s)",
      series: [
        { name: "buffer", shape: "line", points },
        {
          name: "cap",
          shape: "line",
          dashed: true,
          points: [[0, seconds(bufferCapMs)], [
            seconds(endMs),
            seconds(bufferCapMs),
          ]],
        },
      ],
    },
  };
}

/** The table of all segments. */
export function segmentTable(
  { downloads }: Pick<PlayLog, "downloads">,
): ReportSection {
  return {
    kind: "table",
    heading: "Segments",
    columns: [
      "no.",
      "rate",
      "bytes",
      "first byte (ms)",
      "download (ms)",
      "throughput",
      "buffer (s)",
      "stalled (ms)",
      "from",
      "cache",
      "why",
    ],
    rows: downloads.map(({ record }) => [
      record.segmentNumber,
      formatBitRate(record.bitsPerSecond),
      record.bytes,
      Math.round(record.ttfbMs),
      Math.round(record.downloadMs),
      formatBitRate(record.throughputBitsPerSecond),
      seconds(record.bufferMs),
      Math.round(record.stallMs),
      record.server,
      record.cacheStatus,
      record.reason,
    ]),
  };
}
