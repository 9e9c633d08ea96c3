import {
  counted,
  formatBitRate,
  formatBytes,
  formatMs,
} from "../../../lib/core/units.ts";
import {
  rowsAsCsv,
  rowsAsJsonLines,
  segmentRows,
} from "../../../lib/dash/qoe/segment_log.ts";
import {
  seconds,
  toMbits,
  traceSteps,
} from "../../../lib/dash/qoe/play_lines.ts";
import { instability, jainIndex } from "../../../lib/model/fairness.ts";
import type { NetworkTrace } from "../../../lib/model/trace.ts";
import type { ReportSection } from "../../../lib/report/report.ts";
import type { RoleResult } from "../../../lib/role.ts";
import {
  peerPercent,
  peerShare,
  SHARING_COLUMNS,
  sharingCells,
  sharingOf,
  sharingTogether,
} from "../result/sharing_result.ts";
import type { Played } from "../result/played.ts";
import { highestOf, latencyOf } from "../result/result.ts";
import type { PlayedOnce } from "./play_one.ts";

/** One of several players. */
export interface PlayedClient extends PlayedOnce {
  /** From 1. */
  readonly number: number;
  /** After the start of the first, in the player's time. */
  readonly beganAtMs: number;
}

/** So many players have a line in the charts; more would hide each other. */
const CHARTED = 6;
/** So many have a bar. */
const MOST_BARS = 40;

const COLUMNS = [
  "client",
  "average rate",
  "switches",
  "instability",
  "stalls",
  "start-up",
  "on top",
  "fetched",
];

/** Returns the result of several players: a row each, and what they are together. */
export function showClients(
  clients: readonly PlayedClient[],
  trace: NetworkTrace | undefined,
): RoleResult {
  const sharing = clients.some(({ played }) => played.sharing !== undefined);
  const [{ played }] = clients as [PlayedClient];
  const live = played.targetLatencyMs !== undefined;
  const { columns, rows } = playersTable(clients, { live, sharing });
  const together = togetherOf(clients, trace);
  const totals = totalRows(together);
  const logs = clients.flatMap(logOf);
  return {
    text: `${tableOf([columns, ...rows])}\n${
      totals.map(([name, value]) => `${name}  ${value}\n`).join("")
    }`,
    json: {
      url: played.url,
      title: played.title,
      abr: played.abr,
      speed: played.speed,
      bufferCapMs: played.bufferCapMs,
      trace: trace?.name,
      ...together,
      clients: clients.map(({ number, beganAtMs, played }) => ({
        ...{ number, beganAtMs, complete: played.complete },
        sharing: sharingOf(played),
        latency: live ? latencyOf(played) : undefined,
        instability: instabilityOf(played),
        ...played.summary,
      })),
    },
    report: {
      title: `dash-client: ${clients.length} players of ${
        played.title === "" ? played.url : played.title
      }`,
      sections: [
        {
          kind: "table",
          heading: "Together",
          columns: ["what", "value"],
          rows: totals,
          note:
            "Jain's index is 1 when all have the same average rate and 1/n when one has everything. Instability is what the changes of rate come to, as a share of the rate (FESTIVE).",
        },
        barChart(clients),
        ...sharing ? [sharingChart(clients)] : [],
        ratesChart(clients, trace),
        buffersChart(clients),
        { kind: "table", heading: "Players", columns, rows },
      ],
    },
    files: [
      { name: "segments.csv", text: rowsAsCsv(logs) },
      { name: "segments.jsonl", text: rowsAsJsonLines(logs) },
    ],
  };
}

/** A row for each player. */
function playersTable(
  clients: readonly PlayedClient[],
  { live, sharing }: { readonly live: boolean; readonly sharing: boolean },
): { readonly columns: string[]; readonly rows: string[][] } {
  return {
    columns: [
      ...COLUMNS,
      ...live ? ["latency"] : [],
      ...sharing ? SHARING_COLUMNS : [],
    ],
    rows: clients.map((client) => [
      ...rowOf(client),
      ...live ? [formatMs(latencyOf(client.played).meanMs)] : [],
      ...sharing ? sharingCells(client.played) : [],
    ]),
  };
}

function instabilityOf({ downloads }: Played): number {
  return instability(downloads.map(({ record }) => record));
}

function rowOf({ number, played }: PlayedClient): string[] {
  const { summary } = played;
  return [
    String(number),
    formatBitRate(summary.averageBitsPerSecond),
    String(summary.switchCount),
    instabilityOf(played).toFixed(3),
    summary.stallCount === 0
      ? "none"
      : `${summary.stallCount}, ${formatMs(summary.stallMs)}`,
    formatMs(summary.startupMs),
    `${summary.highestLayerPercent.toFixed(0)} %`,
    formatBytes(summary.bytes),
  ];
}

function togetherOf(
  clients: readonly PlayedClient[],
  trace: NetworkTrace | undefined,
) {
  const rates = clients.map(({ played }) =>
    played.summary.averageBitsPerSecond
  );
  let bits = 0;
  let lastMs = 0;
  for (const { beganAtMs, played } of clients) {
    for (const { atMs, record } of [...played.downloads, ...played.sound]) {
      bits += record.bytes * 8;
      lastMs = Math.max(lastMs, beganAtMs + atMs);
    }
  }
  const stalled = clients.filter(({ played }) => played.summary.stallCount > 0);
  return {
    averageBitsPerSecond: mean(rates),
    jainIndex: jainIndex(rates),
    instability: mean(clients.map(({ played }) => instabilityOf(played))),
    stalledClients: stalled.length,
    stallMs: clients.reduce(
      (sum, { played }) => sum + played.summary.stallMs,
      0,
    ),
    /** Bits that came, over those that the trace had until the last of them. */
    efficiency: trace === undefined || lastMs === 0
      ? undefined
      : bits / bitsOf(trace, lastMs),
    sharing: sharingTogether(clients.map(({ played }) => played)),
    /** Until the last segment, in the player's time. */
    fetchedBitsPerSecond: lastMs === 0 ? 0 : bits * 1000 / lastMs,
  };
}

/** What a trace carries until `untilMs`. */
function bitsOf({ periods }: NetworkTrace, untilMs: number): number {
  let bits = 0;
  let leftMs = untilMs;
  for (let at = 0; leftMs > 0; at = (at + 1) % periods.length) {
    const { durationMs, bitsPerSecond } = periods[at]!;
    bits += bitsPerSecond * Math.min(leftMs, durationMs) / 1000;
    leftMs -= durationMs;
  }
  return bits;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) /
    Math.max(1, values.length);
}

function totalRows(
  together: ReturnType<typeof togetherOf>,
): (readonly [string, string])[] {
  const rows: (readonly [string, string])[] = [
    ["average rate    ", formatBitRate(together.averageBitsPerSecond)],
    ["fairness (Jain) ", together.jainIndex.toFixed(3)],
    ["instability     ", together.instability.toFixed(3)],
    [
      "stalls          ",
      together.stalledClients === 0
        ? "none"
        : `${counted(together.stalledClients, "player")}, ${
          formatMs(together.stallMs)
        } in all`,
    ],
    ["fetched together", formatBitRate(together.fetchedBitsPerSecond)],
  ];
  const { sharing } = together;
  if (sharing !== undefined) {
    rows.push([
      "from each other ",
      `${formatBytes(sharing.peerBytes)}, ${
        peerShare(sharing)
      } of all; the CDN gave ${formatBytes(sharing.cdnBytes)}`,
    ]);
  }
  if (together.efficiency !== undefined) {
    rows.push([
      "efficiency      ",
      `${(100 * together.efficiency).toFixed(1)} % of what the trace had`,
    ]);
  }
  return rows;
}

/** Columns side by side, to the right. */
function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, at) =>
    Math.max(...rows.map((row) => row[at]!.length))
  );
  return rows.map((row) =>
    `${row.map((text, at) => text.padStart(widths[at]!)).join("  ")}\n`
  ).join("");
}

/** goDASH's columns with the player's number before them. */
function logOf({ number, played }: PlayedClient) {
  const rows = segmentRows(played.downloads, {
    ...{ abr: played.abr, startupMs: played.summary.startupMs },
    highestRate: highestOf(played.ladder),
    protocol: played.url.startsWith("http:") ? "HTTP/1.1" : "",
    formatOf: (id) => played.choices.get(id),
  });
  return rows.map((row) => ({ Client: number, ...row }));
}

function barChart(clients: readonly PlayedClient[]): ReportSection {
  return {
    kind: "chart",
    heading: "Average rate",
    file: "average_rates",
    chart: {
      kind: "bar",
      xLabel: "Mbit/s",
      bars: clients.slice(0, MOST_BARS).map(({ number, played }) => ({
        name: `client ${number}`,
        value: toMbits(played.summary.averageBitsPerSecond),
      })),
    },
  };
}

function sharingChart(clients: readonly PlayedClient[]): ReportSection {
  return {
    kind: "chart",
    heading: "From other players",
    file: "from_peers",
    note: "Of what each player fetched; the rest came from the CDN.",
    chart: {
      kind: "bar",
      xLabel: "% of bytes",
      bars: clients.slice(0, MOST_BARS).map(({ number, played }) => {
        const sums = sharingOf(played);
        const value = sums === undefined ? 0 : peerPercent(sums);
        return {
          name: `client ${number}`,
          value: Math.round(10 * value) / 10,
        };
      }),
    },
  };
}

function ratesChart(
  clients: readonly PlayedClient[],
  trace: NetworkTrace | undefined,
): ReportSection {
  const lines = clients.slice(0, CHARTED).map(({ number, ...client }) => ({
    name: `client ${number}`,
    shape: "step" as const,
    points: client.played.downloads.map(({ atMs, record }) =>
      [
        seconds(client.beganAtMs + atMs),
        toMbits(record.bitsPerSecond),
      ] as const
    ),
  }));
  const endMs = 1000 *
    Math.max(0, ...lines.map(({ points }) => points.at(-1)?.[0] ?? 0));
  return {
    kind: "chart",
    heading: "Quality chosen",
    file: "bit_rate",
    note: clients.length > CHARTED ? `The first ${CHARTED} players.` : "",
    chart: {
      kind: "line",
      xLabel: "time since the first began (s)",
      yLabel: "Mbit/s",
      series: [
        ...lines,
        ...trace === undefined ? [] : [{
          name: `${trace.name}, to be shared`,
          shape: "step" as const,
          dashed: true,
          points: traceSteps(trace, endMs, Infinity),
        }],
      ],
    },
  };
}

function buffersChart(clients: readonly PlayedClient[]): ReportSection {
  return {
    kind: "chart",
    heading: "Buffer",
    file: "buffer",
    note: "As each segment came.",
    chart: {
      kind: "line",
      xLabel: "time since the first began (s)",
      yLabel: "buffer (s)",
      series: clients.slice(0, CHARTED).map(({ number, ...client }) => ({
        name: `client ${number}`,
        shape: "line",
        points: client.played.downloads.map(({ atMs, record }) =>
          [seconds(client.beganAtMs + atMs), seconds(record.bufferMs)] as const
        ),
      })),
    },
  };
}
