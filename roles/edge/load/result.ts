import { counted, formatBytes, formatMs } from "../../../lib/core/units.ts";
import type { ReportSection } from "../../../lib/report/report.ts";
import type { RoleResult } from "../../../lib/role.ts";

/** What came of asking one server. */
export interface LoadRun {
  readonly name: string;
  readonly requests: number;
  readonly failed: number;
  readonly hits: number;
  readonly bytes: number;
  readonly durationMs: number;
  /** Of each answer, rising. */
  readonly tookMs: readonly number[];
  /** Why the last one that failed did. */
  readonly lastFailure: string | undefined;
}

/** What a load run tells: a row for each server. */
export function loadResult(
  runs: readonly LoadRun[],
  load: {
    readonly url: string;
    /** In the catalogue, and how many of them were asked for at all. */
    readonly objects: number;
    readonly asked: number;
    readonly zipf: number;
  },
): RoleResult {
  const rows = runs.map(summary);
  const [edge, origin] = rows;
  const speedup = origin === undefined || rows.some(({ failed }) => failed > 0)
    ? undefined
    : origin.durationMs / edge!.durationMs;
  const columns = ["", "requests", "failed", "hits", "data", "time"]
    .concat(["per second", "rate", "median", "95 %"]);
  const cells = rows.map((row) => [
    row.name,
    String(row.requests),
    String(row.failed),
    `${(100 * row.hitRatio).toFixed(1)} %`,
    formatBytes(row.bytes),
    formatMs(row.durationMs),
    row.requestsPerSecond.toFixed(0),
    `${formatBytes(row.bytesPerSecond)}/s`,
    formatMs(row.medianMs),
    formatMs(row.p95Ms),
  ]);
  const first = `Zipf(${load.zipf}) over ${
    counted(load.objects, "object")
  }, ${load.asked} of them asked for`;
  const failures = rows.flatMap(failureOf);
  const last = origin === undefined ? failures : [
    ...failures,
    speedup === undefined
      ? "Not to be compared: an answer that failed takes no time to speak of"
      : `${speedup.toFixed(2)} times as fast as the origin alone`,
  ];
  return {
    text: [first, table([columns, ...cells]), ...last].join("\n"),
    json: {
      ...load,
      runs: rows,
      ...(speedup === undefined ? {} : { speedup }),
    },
    report: {
      title: `Load on ${load.url}`,
      sections: [
        { kind: "text", text: [first, ...last].join(". ") },
        { kind: "table", heading: "Answers", columns, rows: cells },
        timesChart(runs),
      ],
    },
  };
}

/** How many requests to a server failed, and why the last did; nothing where none has. */
function failureOf(
  { name, failed, lastFailure }: Pick<
    LoadRun,
    "name" | "failed" | "lastFailure"
  >,
): readonly string[] {
  return failed === 0 ? [] : [
    `${name}: ${counted(failed, "request")} failed; the last: ${lastFailure}`,
  ];
}

/** For each server, which part of its answers took no longer. */
function timesChart(runs: readonly LoadRun[]): ReportSection {
  return {
    kind: "chart",
    heading: "How long an answer takes",
    file: "answer_times",
    note: "Part of the answers that took no longer.",
    chart: {
      kind: "line",
      xLabel: "ms",
      yLabel: "% of the answers",
      series: runs.filter(({ tookMs }) => tookMs.length > 0)
        .map(({ name, tookMs }) => ({
          name,
          shape: "line",
          points: distribution(tookMs),
        })),
    },
  };
}

function summary({ tookMs, ...run }: LoadRun) {
  const answered = run.requests - run.failed;
  const seconds = Math.max(run.durationMs, 0.001) / 1000;
  return {
    ...run,
    hitRatio: answered === 0 ? 0 : run.hits / answered,
    requestsPerSecond: run.requests / seconds,
    bytesPerSecond: run.bytes / seconds,
    medianMs: quantile(tookMs, 0.5),
    p95Ms: quantile(tookMs, 0.95),
  };
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[
    Math.min(sorted.length - 1, Math.floor(part * sorted.length))
  ] ??
    0;
}

/** A hundred points of the distribution. */
function distribution(
  sorted: readonly number[],
): readonly (readonly [number, number])[] {
  return Array.from(
    { length: 101 },
    (_, percent) => [quantile(sorted, percent / 100), percent] as const,
  );
}

/** Columns, the first to the left and the others to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, at) =>
    Math.max(...rows.map((row) => row[at]!.length))
  );
  return rows.map((row) =>
    row.map((cell, at) =>
      at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)
    ).join("  ").trimEnd()
  ).join("\n");
}
