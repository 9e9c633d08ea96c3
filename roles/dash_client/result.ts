import { formatBitRate, formatBytes, formatMs } from "../../lib/core/units.ts";
import type { SegmentRecord } from "../../lib/dash/player.ts";
import type { PlaySummary } from "../../lib/dash/qoe.ts";
import type { Choice } from "../../lib/dash/title.ts";
import type { ReportSection } from "../../lib/report/report.ts";
import type { RoleResult } from "../../lib/role.ts";

/** What happened while a title was played; times are the player's, from its start. */
export interface PlayLog {
  readonly downloads: { atMs: number; record: SegmentRecord }[];
  readonly stalls: { atMs: number; positionMs: number; stallMs: number }[];
  startupMs: number;
}

/** A title that was played, wholly or in part. */
export interface Played extends Readonly<PlayLog> {
  readonly url: string;
  readonly title: string;
  readonly abr: string;
  readonly speed: number;
  readonly bufferCapMs: number;
  readonly mediaMs: number;
  readonly manifestMs: number;
  readonly ladder: readonly Choice[];
  readonly complete: boolean;
  readonly summary: PlaySummary;
}

type Row = readonly [name: string, value: string];

/** Returns the result of a play: table, JSON, report. */
export function showPlay(played: Played): RoleResult {
  const rows = rowsOf(played);
  const { downloads, stalls, ladder, summary, ...about } = played;
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
      segments: downloads.map(({ atMs, record }) => ({ atMs, ...record })),
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
      `${formatMs(summary.playedMs)} of ${formatMs(played.mediaMs)}${
        played.complete ? "" : " (not to the end)"
      }`,
    ],
    [
      "fetched",
      `${formatBytes(summary.bytes)}, segments: ${summary.segmentCount}`,
    ],
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

function tableOf(rows: readonly Row[]): string {
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

function segmentTable(
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

/** A rate fetched from end to end. */
export interface Downloaded extends Pick<PlayLog, "downloads"> {
  readonly url: string;
  readonly title: string;
  readonly manifestMs: number;
  readonly mediaMs: number;
  /** From the manifest to the last byte. */
  readonly elapsedMs: number;
  /** With the initialization segment. */
  readonly bytes: number;
  readonly savedTo: string | undefined;
  /** False when it was told to stop before the last segment. */
  readonly complete: boolean;
}

/** Returns the result of a download: table, JSON, report. */
export function showDownload(downloaded: Downloaded): RoleResult {
  const { downloads, title, url, bytes, elapsedMs, savedTo } = downloaded;
  const rate = bytes * 8000 / Math.max(elapsedMs, 0.1);
  const each = downloads.map(({ record }) => record.downloadMs)
    .sort((a, b) => a - b);
  const rows: Row[] = [
    ["title", title === "" ? url : title],
    [
      "fetched",
      `${downloads.length} segments, ${formatBytes(bytes)}${
        downloaded.complete ? "" : " (not to the end)"
      }`,
    ],
    ["in", `${formatMs(elapsedMs)} (${formatBitRate(rate)})`],
    ["media", formatMs(downloaded.mediaMs)],
    [
      "per segment",
      `${formatMs(each[0] ?? 0)} to ${formatMs(each.at(-1) ?? 0)}, median ${
        formatMs(each[Math.floor(each.length / 2)] ?? 0)
      }`,
    ],
    ...(savedTo === undefined ? [] : [["saved to", savedTo] as const]),
  ];
  return {
    text: tableOf(rows),
    json: {
      ...downloaded,
      downloads: undefined,
      throughputBitsPerSecond: rate,
      segments: downloads.map(({ atMs, record }) => ({ atMs, ...record })),
    },
    report: {
      title: `dash-client --download-only: ${title === "" ? url : title}`,
      sections: [
        {
          kind: "table",
          heading: "Download",
          columns: ["what", "value"],
          rows,
        },
        segmentTable(downloaded),
      ],
    },
  };
}
