/**
 * Reads the network traces that streaming research passes around. Which format a file has is seen from its first lines:
 *
 * - JSON: `[{"duration_ms": 1013, "bandwidth_kbps": 1285, "latency_ms": 100}, …]` (Sabre, MMSys 2018).
 * - One whole number a line: mahimahi (Netravali et al., USENIX ATC 2015), the millisecond at which 1500 bytes may pass.
 * - Two numbers a line: seconds and Mbit/s, what Pensieve (Mao et al., SIGCOMM 2017) plays.
 * - Six numbers a line: instant, ms, latitude, longitude, bytes, ms: the 3G logs of Norway (Riiser et al., MMSys 2013;
 *   instants in seconds) and the 4G logs of Ghent (van der Hooft et al., IEEE Communications Letters 2016; instants in
 *   milliseconds).
 * - CSV with a line of names; see `trace_csv.ts`.
 */
import { counted } from "../core/units.ts";
import { parseCsvTrace } from "./trace_csv.ts";
import {
  type NetworkTrace,
  periodOf,
  traceDurationMs,
  type TracePeriod,
} from "./trace.ts";

/** Less than this on average, and nothing ever comes. */
const MIN_MEAN_BITS_PER_SECOND = 100;
/** A trace that is over sooner is a mistake in units, and would be gone through without end. */
const MIN_TRACE_MS = 1;
/** More periods than this are refused: at one a second it is eleven days. */
const MAX_TRACE_PERIODS = 1_000_000;

/** What mahimahi lets pass at a time, in bits. */
const MAHIMAHI_BITS = 1500 * 8;
/** Mahimahi's instants are gathered into stretches of so long. */
const MAHIMAHI_BIN_MS = 100;
/** Latency of formats that have none in them, unless the user says otherwise. */
const LATENCY_MS = {
  /** As in Sabre's copies of these logs. */
  norway: 100,
  ghent: 20,
  /** Pensieve's own simulator waits so long for each request. */
  pensieve: 80,
  mahimahi: 0,
  csv: 0,
} as const;

/** How to read a trace. */
export interface TraceOptions {
  /** For reports and messages. */
  readonly name: string;
  /** Latency of each request, instead of that in the file or of its format. */
  readonly latencyMs?: number | undefined;
}

interface Line {
  readonly number: number;
  readonly text: string;
}

/**
 * Reads a trace in any of the formats above. Empty lines and lines that begin with `#` are passed over.
 *
 * @throws {SyntaxError} If it is in none of them, with the line; the message is one line.
 *
 * @example Sabre's format
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseTrace } from "./trace_formats.ts";
 *
 * const text = '[{"duration_ms": 2000, "bandwidth_kbps": 1285, "latency_ms": 100}]';
 * assertEquals(parseTrace(text, { name: "bus" }).periods, [
 *   { durationMs: 2000, bitsPerSecond: 1_285_000, latencyMs: 100 },
 * ]);
 * ```
 */
export function parseTrace(text: string, options: TraceOptions): NetworkTrace {
  const body = text.replace(/^\uFEFF/, "");
  const periods = /^\s*[[{]/.test(body) ? parseJson(body) : parseLines(body);
  const { name, latencyMs } = options;
  const trace = {
    name,
    periods: latencyMs === undefined
      ? periods
      : periods.map((period) => ({ ...period, latencyMs })),
  };
  return checkedTrace(trace);
}

/**
 * Returns the trace if time passes and something flows in it.
 *
 * @throws {SyntaxError} If not.
 */
function checkedTrace(trace: NetworkTrace): NetworkTrace {
  const { periods } = trace;
  if (periods.length === 0) throw new SyntaxError("nothing in it");
  if (periods.length > MAX_TRACE_PERIODS) {
    throw new SyntaxError(
      `it has more than ${MAX_TRACE_PERIODS} stretches: ${periods.length}`,
    );
  }
  if (periods.every(({ bitsPerSecond }) => bitsPerSecond === 0)) {
    throw new SyntaxError("all bandwidths are 0, nothing would ever come");
  }
  // A segment of a megabyte would go round such a trace a million times.
  const durationMs = traceDurationMs(trace);
  const mean = periods.reduce(
    (sum, each) => sum + each.bitsPerSecond * each.durationMs / durationMs,
    0,
  );
  if (mean < MIN_MEAN_BITS_PER_SECOND) {
    throw new SyntaxError(
      `the mean bandwidth must be at least ${MIN_MEAN_BITS_PER_SECOND} bit/s, got ${mean}`,
    );
  }
  if (durationMs < MIN_TRACE_MS) {
    throw new SyntaxError(
      `it must last at least ${MIN_TRACE_MS} ms, got ${durationMs}`,
    );
  }
  return trace;
}

function parseJson(text: string): TracePeriod[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`no JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(value)) {
    throw new SyntaxError(
      "JSON must be a list of {duration_ms, bandwidth_kbps, latency_ms}",
    );
  }
  return value.map((entry: unknown, at) => {
    const where = `entry ${at + 1}`;
    const number = (name: string, absent?: number) => {
      const found = (entry as Record<string, unknown> | null)?.[name] ??
        absent;
      if (typeof found === "number") return found;
      throw new SyntaxError(
        `${where}: ${name} must be a number, got ${JSON.stringify(found)}`,
      );
    };
    return periodOf({
      durationMs: number("duration_ms"),
      bitsPerSecond: number("bandwidth_kbps") * 1000,
      latencyMs: number("latency_ms", 0),
    }, where);
  });
}

function parseLines(text: string): TracePeriod[] {
  const lines = text.split(/\r\n|\n|\r/)
    .map((line, at) => ({ number: at + 1, text: line.trim() }))
    .filter((line) => line.text !== "" && !line.text.startsWith("#"));
  const first = lines[0];
  if (first === undefined) throw new SyntaxError("nothing in it");
  if (lines.length > MAX_TRACE_PERIODS * 10) {
    throw new SyntaxError(`it has too many lines: ${lines.length}`);
  }
  if (/^["A-Za-z_]/.test(first.text)) {
    return parseCsvTrace(lines, LATENCY_MS.csv);
  }
  const columns = first.text.split(/\s+/).length;
  if (columns === 1 && !/[,;]/.test(first.text)) return parseMahimahi(lines);
  if (columns === 2) return parsePensieve(lines);
  if (columns === 6) return parseDriveLog(lines);
  throw new SyntaxError(
    `line ${first.number}: must be JSON, or 1 (mahimahi), 2 (Pensieve) or 6 (Ghent, Norway) numbers, or names of CSV columns such as duration_ms,bandwidth_kbps; got "${
      first.text.slice(0, 40)
    }"`,
  );
}

function numbersOf({ number, text }: Line, count: number): number[] {
  const parts = text.split(/\s+/);
  const numbers = parts.map(Number);
  if (parts.length !== count || !numbers.every(Number.isFinite)) {
    throw new SyntaxError(
      `line ${number}: must be ${
        counted(count, "number")
      } as on the first line, got "${text.slice(0, 40)}"`,
    );
  }
  return numbers;
}

/** What passes in each 100 ms; the last stretch ends with the last instant, after which the trace repeats. */
function parseMahimahi(lines: readonly Line[]): TracePeriod[] {
  const instants: number[] = [];
  for (const line of lines) {
    const [instant = 0] = numbersOf(line, 1);
    if (!Number.isSafeInteger(instant) || instant < (instants.at(-1) ?? 0)) {
      throw new SyntaxError(
        `line ${line.number}: instants must be whole milliseconds that never fall, got "${line.text}"`,
      );
    }
    instants.push(instant);
  }
  const endMs = instants.at(-1) ?? 0;
  const bins = Math.ceil(endMs / MAHIMAHI_BIN_MS);
  if (bins === 0 || bins > MAX_TRACE_PERIODS) {
    throw new SyntaxError(
      `the last instant must be from 1 ms to ${
        MAX_TRACE_PERIODS * MAHIMAHI_BIN_MS
      } ms, got ${endMs}`,
    );
  }
  const counts = new Float64Array(bins);
  for (const instant of instants) {
    // Instant 0 is the end of the round before: it counts with the first stretch.
    const bin = Math.max(0, Math.ceil(instant / MAHIMAHI_BIN_MS) - 1);
    counts[bin]! += MAHIMAHI_BITS;
  }
  return Array.from(counts, (bits, at) => {
    const durationMs = Math.min(MAHIMAHI_BIN_MS, endMs - at * MAHIMAHI_BIN_MS);
    const bitsPerSecond = bits * 1000 / durationMs;
    return { durationMs, bitsPerSecond, latencyMs: LATENCY_MS.mahimahi };
  });
}

/** A rate holds from the instant of the line before until its own, as in Pensieve's simulator; the first line only starts the clock. */
function parsePensieve(lines: readonly Line[]): TracePeriod[] {
  let beforeMs: number | undefined;
  const periods: TracePeriod[] = [];
  for (const line of lines) {
    const [seconds = 0, megabits = 0] = numbersOf(line, 2);
    const atMs = seconds * 1000;
    if (beforeMs !== undefined) {
      periods.push(periodOf({
        durationMs: atMs - beforeMs,
        bitsPerSecond: megabits * 1e6,
        latencyMs: LATENCY_MS.pensieve,
      }, `line ${line.number}`));
    }
    beforeMs = atMs;
  }
  return periods;
}

/** Instants of today are ten digits in seconds and thirteen in milliseconds. */
function parseDriveLog(lines: readonly Line[]): TracePeriod[] {
  return lines.flatMap((line) => {
    const [instant = 0, , , , bytes = 0, durationMs = 0] = numbersOf(line, 6);
    // Two entries of one instant: what came with the second is lost to the clock.
    if (durationMs === 0) return [];
    return [periodOf({
      durationMs,
      bitsPerSecond: bytes * 8000 / durationMs,
      latencyMs: instant > 1e11 ? LATENCY_MS.ghent : LATENCY_MS.norway,
    }, `line ${line.number}`)];
  });
}
