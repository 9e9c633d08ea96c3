import type { AbrProgress, SmoothedEstimate } from "./rule.ts";

/** How many segments' worth of time a request may take before it is given up (dash.js). */
const ABANDON_MULTIPLIER = 1.8;
/** No request is given up sooner than this. */
const ABANDON_GRACE_MS = 500;

/** Share of the estimate that is spent: what is left absorbs the next dip. dash.js ships with 0.9, shaka with 0.85. */
export const SAFETY_FACTOR = 0.9;

/** Share of what the buffer would allow that the insufficient buffer rule allows: at first, and after a few segments. */
const INSUFFICIENT_BUFFER = { first: 0.9, last: 0.5 };

/** Returns the highest rung a segment of which comes in its own duration, round trip counted; 0 when none does. */
export function sustainableIndex(
  ladder: readonly number[],
  estimate: SmoothedEstimate,
  segmentDurationMs: number,
): number {
  let index = 0;
  for (let next = 1; next < ladder.length; next++) {
    const flowMs = segmentDurationMs * ladder[next]! / estimate.bitsPerSecond;
    if (estimate.latencyMs + flowMs > segmentDurationMs) break;
    index = next;
  }
  return index;
}

/**
 * The insufficient buffer rule of dash.js: nothing is requested that would not come before the buffer is empty, with a
 * margin that grows from 10 % to 50 % over the first segments (Spiteri, Sitaraman, Sparacio, MMSys 2018, §4.3).
 */
export class InsufficientBuffer {
  #share = INSUFFICIENT_BUFFER.first;

  /** Returns `index`, or the highest rung below it that is safe. */
  cap(index: number, { ladder, smoothed, bufferMs, segmentDurationMs }: {
    readonly ladder: readonly number[];
    readonly smoothed: SmoothedEstimate;
    readonly bufferMs: number;
    readonly segmentDurationMs: number;
  }): number {
    const flowMs = bufferMs - smoothed.latencyMs;
    const safeBits = this.#share * flowMs * smoothed.bitsPerSecond / 1000;
    this.#share = Math.max(
      INSUFFICIENT_BUFFER.last,
      this.#share * INSUFFICIENT_BUFFER.first,
    );
    for (let lower = 0; lower < index; lower++) {
      const bits = ladder[lower + 1]! * segmentDurationMs / 1000;
      if (bits > safeBits) return lower;
    }
    return index;
  }
}

/**
 * The abandonment rule of dash.js: a segment that at the rate it comes would take longer than 1.8 times its media time
 * is given up for the rung that rate sustains, if that one is smaller than what is still to come.
 */
export function abandonSlow(progress: AbrProgress): number | undefined {
  const { ladder, index, bits, sizeBits, elapsedMs, segmentDurationMs } =
    progress;
  const flowMs = elapsedMs - progress.latencyMs;
  if (elapsedMs < ABANDON_GRACE_MS || flowMs <= 0 || bits <= 0) {
    return undefined;
  }
  const bitsPerMs = bits / flowMs;
  const leftBits = sizeBits - bits;
  const wholeMs = elapsedMs + leftBits / bitsPerMs;
  if (wholeMs <= ABANDON_MULTIPLIER * segmentDurationMs) return undefined;
  const lower = sustainableIndex(ladder, {
    bitsPerSecond: bitsPerMs * SAFETY_FACTOR * 1000,
    latencyMs: progress.smoothed?.latencyMs ?? progress.latencyMs,
  }, segmentDurationMs);
  const lowerBits = sizeBits * ladder[lower]! / ladder[index]!;
  return lower < index && lowerBits < leftBits ? lower : undefined;
}
