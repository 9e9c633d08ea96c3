/**
 * A network as a function of time: so many bits per second for so long, then so many, again from the start at the end.
 *
 * A fluid model of one link with one user: bits of an answer flow at exactly the rate of the moment, and a request
 * waits a round trip first, `latencyMs` of the moment. A round trip that begins under one latency and ends under
 * another is paid in shares, as in Sabre (Spiteri, Sitaraman, Sparacio, "From Theory to Practice: Improving Bitrate
 * Adaptation in the DASH Reference Player", MMSys 2018). There is no queue, no loss and no slow start in it.
 */

/** A stretch of a {@linkcode NetworkTrace} in which nothing changes. */
export interface TracePeriod {
  /** How long it lasts, above 0. */
  readonly durationMs: number;
  /** What flows, 0 for an outage. */
  readonly bitsPerSecond: number;
  /** From a request to the first bit of its answer. */
  readonly latencyMs: number;
}

/** A network over time. Something flows in at least one period. */
export interface NetworkTrace {
  /** For reports. */
  readonly name: string;
  /** In order, at least one; after the last comes the first. */
  readonly periods: readonly TracePeriod[];
}

/** A day. No stretch of a trace is longer. */
const MAX_PERIOD_MS = 86_400_000;
const MAX_BITS_PER_SECOND = 1e13;
const MAX_LATENCY_MS = 60_000;

/**
 * Returns a stretch whose figures are possible.
 *
 * @param where Such as `line 3`.
 * @throws {SyntaxError} If one is not.
 */
export function periodOf(period: TracePeriod, where: string): TracePeriod {
  const { durationMs, bitsPerSecond, latencyMs } = period;
  const check = (ok: boolean, rule: string, got: number) => {
    if (!ok) throw new SyntaxError(`${where}: ${rule}, got ${got}`);
  };
  check(
    durationMs > 0 && durationMs <= MAX_PERIOD_MS,
    "a duration must be above 0 and at most a day",
    durationMs,
  );
  check(
    bitsPerSecond >= 0 && bitsPerSecond <= MAX_BITS_PER_SECOND,
    "a bandwidth must be from 0 to 10 Tbit/s",
    bitsPerSecond,
  );
  check(
    latencyMs >= 0 && latencyMs <= MAX_LATENCY_MS,
    "a latency must be from 0 to 60,000 ms",
    latencyMs,
  );
  return period;
}

/** Returns how long a trace is before it repeats. */
export function traceDurationMs({ periods }: NetworkTrace): number {
  return periods.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

/** What flows between two instants of a trace, read at any instant: for shaping a real link, and for charts. */
export class TraceLink {
  readonly #periods: readonly TracePeriod[];
  /** Where each period begins, and the bits that flowed until then; one entry more than there are periods. */
  readonly #startsMs: Float64Array;
  readonly #bits: Float64Array;
  readonly #loopMs: number;
  readonly #loopBits: number;

  /** Prepares a trace that begins at instant 0. */
  constructor(trace: NetworkTrace) {
    this.#periods = trace.periods;
    const count = trace.periods.length;
    this.#startsMs = new Float64Array(count + 1);
    this.#bits = new Float64Array(count + 1);
    for (const [at, period] of trace.periods.entries()) {
      const { durationMs, bitsPerSecond } = period;
      this.#startsMs[at + 1] = this.#startsMs[at]! + durationMs;
      this.#bits[at + 1] = this.#bits[at]! + durationMs * bitsPerSecond / 1000;
    }
    this.#loopMs = this.#startsMs[count]!;
    this.#loopBits = this.#bits[count]!;
  }

  /** The stretch that instant `atMs` (0 or later) lies in. */
  periodAt(atMs: number): TracePeriod {
    return this.#periods[this.#indexAt(atMs % this.#loopMs)]!;
  }

  /** When the first bit of an answer can come to a request made at `atMs`. */
  answerAtMs(atMs: number): number {
    let loopStartMs = Math.floor(atMs / this.#loopMs) * this.#loopMs;
    let at = this.#indexAt(atMs - loopStartMs);
    let nowMs = atMs;
    let left = 1;
    for (;;) {
      const endMs = loopStartMs + this.#startsMs[at + 1]!;
      const { latencyMs } = this.#periods[at]!;
      if (left * latencyMs <= endMs - nowMs) return nowMs + left * latencyMs;
      left -= (endMs - nowMs) / latencyMs;
      nowMs = endMs;
      at += 1;
      if (at < this.#periods.length) continue;
      at = 0;
      loopStartMs += this.#loopMs;
    }
  }

  /** When `bits` are through that begin to flow at `atMs` with nothing else on the link. */
  arrivalAtMs(atMs: number, bits: number): number {
    const target = this.#bitsUntil(atMs) + bits;
    const loops = Math.max(0, Math.ceil(target / this.#loopBits) - 1);
    const rest = target - loops * this.#loopBits;
    const at = firstAtLeast(this.#bits, rest) - 1;
    const rate = (this.#periods[at]?.bitsPerSecond ?? 0) / 1000;
    if (at < 0 || rate === 0) return atMs;
    const within = this.#startsMs[at]! + (rest - this.#bits[at]!) / rate;
    return Math.max(atMs, loops * this.#loopMs + within);
  }

  /** How many bits flow from `fromMs` to `untilMs`. */
  bitsBetween(fromMs: number, untilMs: number): number {
    return this.#bitsUntil(untilMs) - this.#bitsUntil(fromMs);
  }

  #bitsUntil(atMs: number): number {
    const loops = Math.floor(atMs / this.#loopMs);
    const restMs = atMs - loops * this.#loopMs;
    const at = this.#indexAt(restMs);
    const rate = this.#periods[at]!.bitsPerSecond / 1000;
    return loops * this.#loopBits + this.#bits[at]! +
      (restMs - this.#startsMs[at]!) * rate;
  }

  /** The period that `restMs` into the trace lies in; a boundary belongs to the later one. */
  #indexAt(restMs: number): number {
    let low = 0;
    let high = this.#periods.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#startsMs[middle]! <= restMs) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Index of the first value that is at least `target`; values never fall. */
function firstAtLeast(values: Float64Array, target: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! >= target) high = middle;
    else low = middle + 1;
  }
  return low;
}
