import { summarize, type Summary } from "../model/stats.ts";
import type { ReportSection } from "../report/report.ts";
import type { RoleResult } from "../role.ts";

/** What a run of pings has to say: the closing lines as `ping` prints them, the figures, a table and a chart. */
export interface PingResult extends RoleResult {
  readonly json: PingFigures;
}

/** The figures of a run of pings; times are null when nothing came back. */
export interface PingFigures {
  /** The server, as `host:port`. */
  readonly remote: string;
  /** How many messages were sent. */
  readonly sent: number;
  /** How many of them came back in time. */
  readonly received: number;
  /** Lost messages by sent ones, 0 to 1. */
  readonly lossRatio: number;
  /** The shortest round trip. */
  readonly rttMinMs: number | null;
  /** The mean of the round trips. */
  readonly rttAvgMs: number | null;
  /** The longest round trip. */
  readonly rttMaxMs: number | null;
  /** How far the round trips scatter. */
  readonly rttStddevMs: number | null;
  /** Each message's round trip in the order of sending; null for a lost one. */
  readonly rttsMs: readonly (number | null)[];
}

/** Counts what came back, and how fast; `remote` is the server as people write it. */
export function pingResult(
  remote: string,
  rttsMs: readonly (number | null)[],
): PingResult {
  const rtt = summarize(rttsMs.filter((rttMs) => rttMs !== null));
  const sent = rttsMs.length;
  const received = rtt?.count ?? 0;
  const lossRatio = sent === 0 ? 0 : (sent - received) / sent;
  return {
    text: textOf(remote, { sent, received, lossRatio, rtt }),
    json: {
      remote,
      sent,
      received,
      lossRatio,
      rttMinMs: rtt?.min ?? null,
      rttAvgMs: rtt?.avg ?? null,
      rttMaxMs: rtt?.max ?? null,
      rttStddevMs: rtt?.stddev ?? null,
      rttsMs,
    },
    report: {
      title: `Pings to ${remote}`,
      sections: [
        tableOf({ sent, received, lossRatio, rtt }),
        chartOf(rttsMs),
      ],
    },
  };
}

interface Totals {
  readonly sent: number;
  readonly received: number;
  readonly lossRatio: number;
  readonly rtt: Summary | null;
}

function textOf(remote: string, totals: Totals): string {
  const { sent, received, lossRatio, rtt } = totals;
  const lines = [
    `--- ${remote} ping statistics ---`,
    `${sent} sent, ${received} received, ${percent(lossRatio)} lost`,
  ];
  if (rtt !== null) {
    const figures = [rtt.min, rtt.avg, rtt.max, rtt.stddev].map((ms) =>
      ms.toFixed(3)
    );
    lines.push(`rtt min/avg/max/stddev = ${figures.join("/")} ms`);
  }
  return `${lines.join("\n")}\n`;
}

function tableOf({ sent, received, lossRatio, rtt }: Totals): ReportSection {
  const times = rtt === null
    ? ["–", "–", "–", "–"]
    : [rtt.min, rtt.avg, rtt.max, rtt.stddev].map((ms) =>
      `${ms.toFixed(3)} ms`
    );
  return {
    kind: "table",
    heading: "Round trips",
    columns: ["sent", "received", "lost", "min", "avg", "max", "stddev"],
    rows: [[sent, received, percent(lossRatio), ...times]],
  };
}

function chartOf(rttsMs: readonly (number | null)[]): ReportSection {
  const points = rttsMs.flatMap((rttMs, at) =>
    rttMs === null ? [] : [[at + 1, rttMs] as const]
  );
  return {
    kind: "chart",
    heading: "Round-trip time of each message",
    file: "round-trips",
    chart: {
      kind: "line",
      xLabel: "message",
      yLabel: "round-trip time (ms)",
      series: [{ name: "answered", shape: "points", points }],
    },
  };
}

function percent(ratio: number): string {
  return `${Math.round(1000 * ratio) / 10} %`;
}
