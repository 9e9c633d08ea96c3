import type { NetworkTrace, TracePeriod } from "./trace.ts";

/**
 * A place in a trace that only moves forward: what one player on the link does, request by request.
 *
 * Beside `TraceLink`, which answers for any instant, this is the quick way to simulate: no searching.
 */
export class TraceCursor {
  readonly #periods: readonly TracePeriod[];
  #at = 0;
  #leftMs: number;
  /** Bits per millisecond. */
  #rate: number;
  #nowMs = 0;

  /** Stands at the beginning of `trace`. */
  constructor(trace: NetworkTrace) {
    this.#periods = trace.periods;
    const first = trace.periods[0]!;
    this.#leftMs = first.durationMs;
    this.#rate = first.bitsPerSecond / 1000;
  }

  /** Time since the beginning. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Lets time pass with nothing under way. */
  idle(elapsedMs: number): void {
    let leftMs = elapsedMs;
    while (leftMs > this.#leftMs) {
      leftMs -= this.#leftMs;
      this.#toNext();
    }
    this.#pass(leftMs);
  }

  /** Waits from a request to the first bit of its answer; returns how long that was. */
  request(): number {
    let waitedMs = 0;
    // The share of the round trip that is still to come, each part at the latency of its time.
    let share = 1;
    for (;;) {
      const { latencyMs } = this.#periods[this.#at]!;
      const wholeMs = share * latencyMs;
      if (wholeMs <= this.#leftMs) {
        this.#pass(wholeMs);
        return waitedMs + wholeMs;
      }
      waitedMs += this.#leftMs;
      share -= this.#leftMs / latencyMs;
      this.#toNext();
    }
  }

  /** Receives `bits`; returns how long that took. */
  receive(bits: number): number {
    let elapsedMs = 0;
    let leftBits = bits;
    while (leftBits > 0) {
      if (leftBits <= this.#leftMs * this.#rate) {
        const lastMs = leftBits / this.#rate;
        this.#pass(lastMs);
        return elapsedMs + lastMs;
      }
      elapsedMs += this.#leftMs;
      leftBits -= this.#leftMs * this.#rate;
      this.#toNext();
    }
    return elapsedMs;
  }

  /**
   * Receives a first part of `bits`: at least `least.bits` and for at least `least.ms`, so that both are reached.
   * Returns what came, and how long it took.
   */
  receivePart(
    bits: number,
    least: { readonly bits: number; readonly ms: number },
  ): { bits: number; ms: number } {
    let gotBits = 0;
    let gotMs = 0;
    let leastBits = least.bits;
    let leastMs = least.ms;
    while (bits - gotBits > 0 && (leastBits > 0 || leastMs > 0)) {
      const enough = Math.max(leastBits, leastMs * this.#rate);
      const flowing = this.#leftMs * this.#rate;
      const wanted = Math.min(bits - gotBits, enough);
      if (this.#rate > 0 && wanted <= flowing) {
        const lastMs = wanted / this.#rate;
        this.#pass(lastMs);
        return { bits: gotBits + wanted, ms: gotMs + lastMs };
      }
      if (this.#rate === 0 && leastBits <= 0 && leastMs <= this.#leftMs) {
        this.#pass(leastMs);
        return { bits: gotBits, ms: gotMs + leastMs };
      }
      gotBits += flowing;
      leastBits -= flowing;
      gotMs += this.#leftMs;
      leastMs -= this.#leftMs;
      this.#toNext();
    }
    return { bits: gotBits, ms: gotMs };
  }

  #pass(elapsedMs: number): void {
    this.#leftMs -= elapsedMs;
    this.#nowMs += elapsedMs;
  }

  #toNext(): void {
    this.#nowMs += this.#leftMs;
    this.#at += 1;
    if (this.#at === this.#periods.length) this.#at = 0;
    const next = this.#periods[this.#at]!;
    this.#leftMs = next.durationMs;
    this.#rate = next.bitsPerSecond / 1000;
  }
}
