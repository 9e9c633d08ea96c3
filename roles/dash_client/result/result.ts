import {
  counted,
  formatBitRate,
  formatBytes,
  formatMs,
} from "../../../lib/core/units.ts";
import type { Choice } from "../../../lib/dash/title.ts";
import { p1203Input } from "../../../lib/dash/qoe/p1203.ts";
import {
  rowsAsCsv,
  rowsAsJsonLines,
  segmentRows,
} from "../../../lib/dash/qoe/segment_log.ts";
import type { Hindsight } from "../../../lib/sim/abr_hindsight.ts";
import type { ReportSection } from "../../../lib/report/report.ts";
import type { RoleResult } from "../../../lib/role.ts";
import type { Played, PlayLog, Row } from "./played.ts";
import { sharingOf, sharingRow } from "./sharing_result.ts";
import { bufferChart, latencyChart, rateChart } from "./charts.ts";

/** Scores up to this have no percentage worth the name. */
const LEAST_OPTIMUM = 0.1;

/** Returns the result of a play: table, JSON, report. */
export function showPlay(played: Played): RoleResult {
  const rows = rowsOf(played);
  const { downloads, sound, abandoned, stalls, seeks, latencies, ...rest } =
    played;
  const { ladder, summary, choices: _, trace, hindsight, ...about } = rest;
  return {
    text: tableOf(rows),
    json: {
      ...about,
      ...summary,
      sharing: sharingOf(played),
      trace: trace?.name,
      ...hindsight,
      percentOfOptimum: hindsight && shareOf(hindsight),
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
    files: logsOf(played),
  };
}

/** The highest rate of a ladder, in bits per second. */
export function highestOf(ladder: readonly Choice[]): number {
  return Math.max(...ladder.map(({ bitsPerSecond }) => bitsPerSecond));
}

/** For other tools: goDASH's log and the reference program of P.1203. */
function logsOf(played: Played): NonNullable<RoleResult["files"]> {
  const { choices, summary, seeks } = played;
  const choiceOf = (id: string) => choices.get(id);
  const rows = segmentRows(played.downloads, {
    ...{ abr: played.abr, startupMs: summary.startupMs, formatOf: choiceOf },
    highestRate: highestOf(played.ladder),
    protocol: played.url.startsWith("http:") ? "HTTP/1.1" : "",
  });
  const recordsOf = (log: PlayLog["downloads"]) =>
    log.map(({ record }) => record);
  const p1203 = seeks.length > 0 ? undefined : p1203Input({
    picture: recordsOf(played.downloads),
    sound: recordsOf(played.sound),
    playedMs: summary.playedMs,
    startupMs: summary.startupMs,
    stalls: played.stalls,
    choiceOf,
  });
  return [
    { name: "segments.csv", text: rowsAsCsv(rows) },
    { name: "segments.jsonl", text: rowsAsJsonLines(rows) },
    ...p1203 === undefined ? [] : [{
      name: "p1203.json",
      text: `${JSON.stringify(p1203, null, 2)}\n`,
    }],
  ];
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
    ...sharingRow(played),
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
    ...optimumRow(played),
    [
      "lecture's QoE",
      `${summary.lectureQoe.toFixed(3)} (of 5; stalls do not count in it)`,
    ],
    [
      "Yin's QoE",
      `${
        Math.round(summary.yinQoe / Math.max(1, summary.segmentCount))
      } (kbit/s a segment, less changes, stalls and start-up)`,
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
      `${counted(abandoned.length, "segment")}, ${
        formatBytes(bytes)
      } for nothing`,
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

/** In percent; undefined where a percentage says nothing. */
function shareOf({ score, optimum }: Hindsight): number | undefined {
  return optimum.feasible < LEAST_OPTIMUM
    ? undefined
    : 100 * score / optimum.feasible;
}

/** What the rule could have reached. */
function optimumRow({ hindsight, trace }: Played): Row[] {
  if (hindsight === undefined) return [];
  const share = shareOf(hindsight);
  const { score, optimum } = hindsight;
  const scores = `score ${score.toFixed(3)}, possible ${
    optimum.feasible.toFixed(3)
  } to ${optimum.bound.toFixed(3)}`;
  return [[
    "of the optimum",
    `${share === undefined ? "-" : `${share.toFixed(1)} %`} (${scores}, ${
      trace === undefined ? "on the network as measured" : `on ${trace.name}`
    })`,
  ]];
}

/** How far behind the live edge it played. */
export function latencyOf({ latencies, targetLatencyMs }: Played) {
  const each = latencies.map(({ record }) => record.latencyMs);
  return {
    targetMs: targetLatencyMs ?? 0,
    meanMs: each.reduce((sum, ms) => sum + ms, 0) / Math.max(1, each.length),
    maxMs: each.reduce((most, ms) => Math.max(most, ms), 0),
    lastMs: each.at(-1) ?? 0,
  };
}

/** Writes rows as text, in two columns. */
export function tableOf(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`)
    .join("\n") + "\n";
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
      Math.round(record.bufferMs) / 1000,
      Math.round(record.stallMs),
      record.server,
      // Whose copy it is of stands in the events.
      record.cacheStatus.replaceAll(/; key="[^"]*"/g, ""),
      record.reason,
    ]),
  };
}
