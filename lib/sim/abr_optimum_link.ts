import { type NetworkTrace, TraceLink } from "../model/trace.ts";

/** A step of the tables: as fine as the periods of most traces. */
const STEP_MS = 500;

/**
 * A trace, asked millions of times: `TraceLink` with tables in place of searches.
 *
 * Bits are counted from the beginning of the trace. Beyond its first round everything is the first round again.
 */
export class OptimumLink {
  readonly #link: TraceLink;
  /** The latency, where it never changes. */
  readonly #latencyMs: number | undefined;
  readonly #startsMs: number[] = [0];
  readonly #bits: number[] = [0];
  readonly #rates: number[];
  readonly #loopMs: number;
  readonly #loopBits: number;
  /** The period in which each step of time begins, and each step of bits. */
  readonly #byTime: Int32Array;
  readonly #byBits: Int32Array;
  readonly #stepBits: number;

  /** Makes the tables. */
  constructor(trace: NetworkTrace) {
    this.#link = new TraceLink(trace);
    const { periods } = trace;
    const latencyMs = periods[0]!.latencyMs;
    this.#latencyMs = periods.every((each) => each.latencyMs === latencyMs)
      ? latencyMs
      : undefined;
    this.#rates = periods.map(({ bitsPerSecond }) => bitsPerSecond / 1000);
    for (const [at, { durationMs }] of periods.entries()) {
      this.#startsMs.push(this.#startsMs[at]! + durationMs);
      this.#bits.push(this.#bits[at]! + durationMs * this.#rates[at]!);
    }
    this.#loopMs = this.#startsMs.at(-1)!;
    this.#loopBits = this.#bits.at(-1)!;
    const steps = Math.ceil(this.#loopMs / STEP_MS);
    this.#stepBits = this.#loopBits / steps;
    this.#byTime = table(this.#startsMs, steps, STEP_MS);
    this.#byBits = table(this.#bits, steps, this.#stepBits);
  }

  /** When the first bit of an answer comes. */
  answerAtMs(atMs: number): number {
    return this.#latencyMs === undefined
      ? this.#link.answerAtMs(atMs)
      : atMs + this.#latencyMs;
  }

  /** How many bits the link has carried until `atMs`. */
  bitsAt(atMs: number): number {
    const loops = Math.floor(atMs / this.#loopMs);
    const restMs = atMs - loops * this.#loopMs;
    let at = this.#byTime[Math.floor(restMs / STEP_MS)]!;
    while (this.#startsMs[at + 1]! < restMs) at += 1;
    return loops * this.#loopBits + this.#bits[at]! +
      (restMs - this.#startsMs[at]!) * this.#rates[at]!;
  }

  /** When the link has carried `bits`. */
  arrivalAtMs(bits: number): number {
    const loops = Math.floor(bits / this.#loopBits);
    const rest = bits - loops * this.#loopBits;
    let at = this.#byBits[Math.floor(rest / this.#stepBits)]!;
    while (this.#bits[at + 1]! < rest) at += 1;
    const rate = this.#rates[at]!;
    const withinMs = rate === 0 ? 0 : (rest - this.#bits[at]!) / rate;
    return loops * this.#loopMs + this.#startsMs[at]! + withinMs;
  }
}

/** For each of `steps` steps (and one more) the last entry of `rising` that is not past its beginning. */
function table(
  rising: readonly number[],
  steps: number,
  step: number,
): Int32Array {
  const found = new Int32Array(steps + 1);
  let at = 0;
  for (let each = 0; each <= steps; each++) {
    while (at < rising.length - 2 && rising[at + 1]! <= each * step) at += 1;
    found[each] = at;
  }
  return found;
}
