/** How many segments the estimate looks back. */
export const THROUGHPUT_WINDOW = 5;

/**
 * Returns the harmonic mean, or undefined of no values.
 *
 * Of rates it is what the downloads came to together when each moved the same amount, and a single fast outlier
 * (a segment from a cache next door) hardly moves it: Jiang, Sekar, Zhang, "Improving Fairness, Efficiency, and
 * Stability in HTTP-based Adaptive Video Streaming with FESTIVE", CoNEXT 2012, §4.3.
 *
 * @param values Above 0.
 */
export function harmonicMean(values: readonly number[]): number | undefined {
  let sum = 0;
  for (const value of values) sum += 1 / value;
  return values.length === 0 ? undefined : values.length / sum;
}

/** Remembers how fast the newest segments came: "periodically measures server-to-client bandwidth" on the slide. */
export class ThroughputMeter {
  readonly #window: number;
  #samples: number[] = [];

  /** Creates a meter over the newest `window` segments. */
  constructor(window: number = THROUGHPUT_WINDOW) {
    this.#window = window;
  }

  /** Takes a segment of `bytes` that took `downloadMs` from request to last byte; the round trip counts, as the player feels it. */
  add(bytes: number, downloadMs: number): void {
    if (bytes <= 0) return;
    // A loopback download can take less than a clock tick.
    this.#samples.push(bytes * 8000 / Math.max(downloadMs, 0.1));
    this.#samples = this.#samples.slice(-this.#window);
  }

  /** Harmonic mean in bits per second; undefined before the first segment. */
  get bitsPerSecond(): number | undefined {
    return harmonicMean(this.#samples);
  }
}
