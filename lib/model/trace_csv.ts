import { periodOf, type TracePeriod } from "./trace.ts";

/** Columns that say how long a rate holds, in ms a unit. */
const DURATIONS: ReadonlyMap<string, number> = new Map([
  ["duration_ms", 1],
  ["duration_s", 1000],
  ["duration", 1000],
]);
/** Columns that say from when on a rate holds, in ms a unit. */
const INSTANTS: ReadonlyMap<string, number> = new Map([
  ["time_ms", 1],
  ["timestamp_ms", 1],
  ["time_s", 1000],
  ["time", 1000],
  ["seconds", 1000],
]);
/** Columns with the rate, in bits per second a unit. */
const RATES: ReadonlyMap<string, number> = new Map([
  ["bits_per_second", 1],
  ["bps", 1],
  ["bandwidth_bps", 1],
  ["bandwidth_kbps", 1e3],
  ["kbps", 1e3],
  ["throughput_kbps", 1e3],
  // University College Cork's 4G and 5G sets (Raca et al., MMSys 2018 and 2020), which goDASH's authors replay.
  ["dl_bitrate", 1e3],
  ["bandwidth_mbps", 1e6],
  ["mbps", 1e6],
  ["throughput_mbps", 1e6],
]);
/** Columns with the latency of a request, in ms a unit. */
const LATENCIES: ReadonlyMap<string, number> = new Map([
  ["latency_ms", 1],
  ["rtt_ms", 1],
]);
/** Cork's sets have a line a second. */
const CORK_PERIOD_MS = 1000;

interface Column {
  readonly at: number;
  readonly unit: number;
}

/**
 * Reads comma, semicolon or tab separated values whose first line names the columns, in any order and case:
 * `duration_ms` or `duration_s` (how long), or `time_ms` or `time_s` (from when on), with `bandwidth_kbps`, `kbps`,
 * `mbps` or `bits_per_second`, and if need be `latency_ms`. Others are passed over. With instants the last line lasts
 * as long as the one before it. The columns `Timestamp` and `DL_bitrate` of Cork's data sets are a line a second.
 *
 * @param latencyMs Of a file without a latency column.
 * @throws {SyntaxError} If a column is missing or a value is none, with the line.
 */
export function parseCsvTrace(
  lines: readonly { readonly number: number; readonly text: string }[],
  latencyMs: number,
): TracePeriod[] {
  const [head, ...rows] = lines;
  if (head === undefined) return [];
  const separator = /[,;\t]/.exec(head.text)?.[0] ?? ",";
  const cells = (text: string) =>
    text.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
  const names = cells(head.text).map((name) => name.toLowerCase());
  const find = (known: ReadonlyMap<string, number>) => {
    const at = names.findIndex((name) => known.has(name));
    return at < 0 ? undefined : { at, unit: known.get(names[at]!)! };
  };
  const rate = find(RATES);
  const duration = find(DURATIONS);
  const instant = find(INSTANTS);
  const cork = names.includes("dl_bitrate");
  if (
    rate === undefined ||
    (duration === undefined && instant === undefined && !cork)
  ) {
    throw new SyntaxError(
      `line ${head.number}: CSV needs a column for time (duration_ms, duration_s, time_ms, time_s) and one for the rate (bandwidth_kbps, mbps, bits_per_second), got "${
        head.text.slice(0, 60)
      }"`,
    );
  }
  const read = (row: readonly string[], { at, unit }: Column, line: number) => {
    const text = row[at] ?? "";
    const value = text === "" ? NaN : Number(text) * unit;
    if (Number.isFinite(value)) return value;
    throw new SyntaxError(
      `line ${line}: ${names[at]} must be a number, got "${text}"`,
    );
  };
  const latency = find(LATENCIES);
  const table = rows.map(({ text, number }) => ({ row: cells(text), number }));
  const durationOf = (at: number): number => {
    const { row, number } = table[at]!;
    if (duration !== undefined) return read(row, duration, number);
    if (instant === undefined) return CORK_PERIOD_MS;
    const next = table[at + 1];
    if (next === undefined) return at === 0 ? 1000 : durationOf(at - 1);
    return read(next.row, instant, next.number) - read(row, instant, number);
  };
  return table.map(({ row, number }, at) =>
    periodOf({
      durationMs: durationOf(at),
      bitsPerSecond: read(row, rate, number),
      latencyMs: latency === undefined ? latencyMs : read(row, latency, number),
    }, `line ${number}`)
  );
}
