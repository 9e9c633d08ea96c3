import { formatBitRate, formatMs } from "../../../lib/core/units.ts";
import type { SegmentRecord } from "../../../lib/dash/player/messages.ts";
import { lectureQoe } from "../../../lib/dash/qoe/qoe.ts";
import {
  rowsAsCsv,
  rowsAsJsonLines,
  segmentRows,
} from "../../../lib/dash/qoe/segment_log.ts";
import {
  type NetworkTrace,
  traceDurationMs,
} from "../../../lib/model/trace.ts";
import type { ReportSection } from "../../../lib/report/report.ts";
import type { RoleResult } from "../../../lib/role.ts";
import type { AbrOptimum } from "../../../lib/sim/abr_optimum.ts";
import type {
  AbrPlayResult,
  AbrTitle,
  PlayedSegment,
} from "../../../lib/sim/abr_play.ts";

/** What the charts show of one rule's play. */
export interface ChartedPlay {
  readonly name: string;
  readonly segments: readonly PlayedSegment[];
}

/** One rule's play. */
export interface SimulatedPlay extends ChartedPlay {
  readonly result: AbrPlayResult;
}

/** Plays of one title over one network. */
export interface Comparison {
  readonly title: AbrTitle;
  readonly trace: NetworkTrace;
  readonly bufferCapMs: number;
  readonly plays: readonly SimulatedPlay[];
  /** What a player that knew title and network beforehand could have reached. */
  readonly optimum: AbrOptimum;
}

/** Scores up to this have no percentage worth the name: the score of standing still half the time may well be 0. */
const LEAST_OPTIMUM = 0.1;

/** So many rules have a line in the charts; more would hide each other. */
export const CHARTED = 3;

const COLUMNS = [
  "rule",
  "score",
  "of optimum",
  "average rate",
  "switches",
  "stalls",
  "start-up",
  "on top",
  "QoE",
];

/** Returns the result of a simulation: table, JSON, report; the best score first. */
export function showComparison(comparison: Comparison): RoleResult {
  const plays = [...comparison.plays].sort((a, b) =>
    b.result.score - a.result.score
  );
  const rows = plays.map((play) => rowOf(play, comparison.optimum));
  const about = aboutOf(comparison);
  return {
    text: `${about}\n\n${tableOf([COLUMNS, ...rows])}\n${
      possible(plays[0]!, comparison.optimum)
    }\n`,
    json: {
      title: comparison.title.name,
      segmentCount: comparison.title.sizesBits.length,
      bitsPerSecond: comparison.title.ladder,
      trace: comparison.trace.name,
      traceDurationMs: traceDurationMs(comparison.trace),
      bufferCapMs: comparison.bufferCapMs,
      optimum: comparison.optimum,
      rules: plays.map(({ name, result, segments }) => ({
        name,
        ...result,
        percentOfOptimum: shareOf(result, comparison.optimum),
        lectureQoe: qoeOf(result),
        ...(plays.length === 1 ? { segments } : {}),
      })),
    },
    report: {
      title:
        `dash-client: ${comparison.title.name} over ${comparison.trace.name}`,
      sections: [
        {
          kind: "table",
          heading: "Rules, the best score first",
          columns: COLUMNS,
          rows,
          note: `${about}. ${possible(plays[0]!, comparison.optimum)}`,
        },
        rateChart(comparison.trace, plays),
        bufferChart(plays),
      ],
    },
    files: segmentLogs(
      comparison.title,
      comparison.plays.map(({ name, segments, result: { startupMs } }) => ({
        ...{ name, segments, startupMs },
      })),
    ),
  };
}

/** goDASH's log of all plays, the rule in its column. */
export function segmentLogs(
  title: AbrTitle,
  plays: readonly (ChartedPlay & { readonly startupMs: number })[],
): NonNullable<RoleResult["files"]> {
  const rows = plays.flatMap(({ name, segments, startupMs }) => {
    const downloads = segments.map((segment) => ({
      atMs: segment.arrivedAtMs,
      record: recordOf(segment, title),
    }));
    return segmentRows(downloads, {
      ...{ abr: name, startupMs, protocol: "" },
      highestRate: title.ladder.at(-1)!,
      formatOf: (id) => title.formats?.[Number(id) - 1],
    });
  });
  return [
    { name: "segments.csv", text: rowsAsCsv(rows) },
    { name: "segments.jsonl", text: rowsAsJsonLines(rows) },
  ];
}

function recordOf(
  segment: PlayedSegment,
  { durationsMs, ladder, formats }: AbrTitle,
): SegmentRecord {
  const { requestedAtMs, arrivedAtMs, sizeBits, segmentIndex } = segment;
  const downloadMs = arrivedAtMs - requestedAtMs;
  return {
    media: "video",
    segmentNumber: segmentIndex + 1,
    segmentCount: durationsMs.length,
    representationId: String(segment.index + 1),
    height: formats?.[segment.index]?.height ?? 0,
    bitsPerSecond: segment.bitsPerSecond,
    layer: segment.index + 1,
    layerCount: ladder.length,
    mediaMs: durationsMs[segmentIndex]!,
    bytes: Math.round(sizeBits / 8),
    downloadMs,
    ttfbMs: segment.ttfbMs,
    throughputBitsPerSecond: sizeBits * 1000 / Math.max(downloadMs, 0.1),
    bufferMs: segment.bufferMs,
    stallMs: segment.stallMs,
    reason: segment.reason,
    ...{ server: "", cacheStatus: "", ageSeconds: 0 },
  };
}

function aboutOf({ title, trace, bufferCapMs }: Comparison): string {
  const mediaMs = title.durationsMs.reduce((sum, each) => sum + each, 0);
  return `${title.name} (${formatMs(mediaMs)}) over ${trace.name}, buffer ${
    formatMs(bufferCapMs)
  }, in virtual time`;
}

/** In percent; null where a percentage says nothing. */
function shareOf(
  { score }: AbrPlayResult,
  { feasible }: AbrOptimum,
): number | null {
  return feasible < LEAST_OPTIMUM ? null : 100 * score / feasible;
}

function percentText(result: AbrPlayResult, optimum: AbrOptimum): string {
  const share = shareOf(result, optimum);
  return share === null ? "-" : `${share.toFixed(1)} %`;
}

/** The sentence of every report. */
function possible({ name, result }: SimulatedPlay, optimum: AbrOptimum) {
  const { feasible, bound } = optimum;
  const range = `${feasible.toFixed(3)} to ${bound.toFixed(3)}`;
  return `${name} reached ${
    percentText(result, optimum)
  } of what was possible: a player that knew this network beforehand scores ${range}, begun like the others in the lowest rate`;
}

function rowOf({ name, result }: SimulatedPlay, optimum: AbrOptimum): string[] {
  return [
    name,
    result.score.toFixed(3),
    percentText(result, optimum),
    formatBitRate(result.averageBitsPerSecond),
    String(result.switchCount),
    result.stallCount === 0
      ? "none"
      : `${result.stallCount}, ${formatMs(result.stallMs)}`,
    formatMs(result.startupMs),
    `${topPercent(result).toFixed(0)} %`,
    qoeOf(result).toFixed(2),
  ];
}

function topPercent({ highestMs, playedMs }: AbrPlayResult): number {
  return Math.min(100, 100 * highestMs / playedMs);
}

function qoeOf(result: AbrPlayResult): number {
  return lectureQoe(topPercent(result));
}

/** Columns side by side: the first to the left, the others to the right. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, at) =>
    Math.max(...rows.map((row) => row[at]!.length))
  );
  return rows.map((row) =>
    row.map((cell, at) =>
      at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)
    ).join("  ") + "\n"
  ).join("");
}

/** With three digits, for a chart. */
export function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}

function toMbits(bitsPerSecond: number): number {
  return Math.round(bitsPerSecond / 1000) / 1000;
}

/** Chosen quality against available bandwidth, as on the slide "DASH example: LTE". */
export function rateChart(
  trace: NetworkTrace,
  plays: readonly ChartedPlay[],
): ReportSection {
  // A rule that is not charted may have stalled for as long as all the others played.
  const charted = plays.slice(0, CHARTED);
  const endMs = Math.max(
    ...charted.map(({ segments }) => segments.at(-1)?.arrivedAtMs ?? 0),
  );
  const network: [number, number][] = [];
  let atMs = 0;
  for (let at = 0; atMs < endMs; at = (at + 1) % trace.periods.length) {
    const { durationMs, bitsPerSecond } = trace.periods[at]!;
    network.push([seconds(atMs), toMbits(bitsPerSecond)]);
    atMs += durationMs;
  }
  return {
    kind: "chart",
    heading: "Rate chosen against what the network carries",
    file: "rates",
    chart: {
      kind: "line",
      xLabel: "time (s)",
      yLabel: "Mbit/s",
      series: [
        ...charted.map(({ name, segments }) => ({
          name,
          shape: "step" as const,
          points: segments.map((segment) =>
            [
              seconds(segment.requestedAtMs),
              toMbits(segment.bitsPerSecond),
            ] as const
          ),
        })),
        // Last, so that a rule has the same colour here as in the other charts.
        { name: trace.name, shape: "step", dashed: true, points: network },
      ],
    },
  };
}

/** What there was to play. */
export function bufferChart(plays: readonly ChartedPlay[]): ReportSection {
  return {
    kind: "chart",
    heading: "Buffer",
    file: "buffer",
    note: "Once each segment is in.",
    chart: {
      kind: "line",
      xLabel: "time (s)",
      yLabel: "buffer (s)",
      series: plays.slice(0, CHARTED).map(({ name, segments }) => ({
        name,
        shape: "line",
        points: segments.map((segment) =>
          [seconds(segment.arrivedAtMs), seconds(segment.bufferMs)] as const
        ),
      })),
    },
  };
}
