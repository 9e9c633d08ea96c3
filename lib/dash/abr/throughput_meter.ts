import type { SmoothedEstimate } from "./rule.ts";

/** How many segments the harmonic mean looks back. */
const THROUGHPUT_WINDOW = 5;

/** After so much download time a value counts half: dash.js and Sabre take both and believe the worse. */
const HALF_LIVES_MS = [3000, 8000];

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

/**
 * An exponentially weighted mean that is right from the first value on: what the weights of the values not yet seen
 * would have come to is divided out.
 */
class Ewma {
  readonly #halfLife: number;
  #sum = 0;
  #weight = 0;

  /** Creates a mean in which a value counts half once values of `halfLife` weight have come after it. */
  constructor(halfLife: number) {
    this.#halfLife = halfLife;
  }

  /** Takes a value in. */
  add(value: number, weight: number): void {
    const kept = 0.5 ** (weight / this.#halfLife);
    this.#sum = kept * this.#sum + (1 - kept) * value;
    this.#weight += weight;
  }

  /** The mean; NaN before the first value. */
  get mean(): number {
    return this.#sum / (1 - 0.5 ** (this.#weight / this.#halfLife));
  }
}

/** Remembers how fast the newest segments came: "periodically measures server-to-client bandwidth" on the slide. */
export class ThroughputMeter {
  readonly #window: number;
  #samples: number[] = [];
  #smoothers: readonly { readonly rate: Ewma; readonly latency: Ewma }[] = [];
  #smoothed: SmoothedEstimate | undefined;

  /** Creates a meter whose harmonic mean is over the newest `window` segments. */
  constructor(window: number = THROUGHPUT_WINDOW) {
    this.#window = window;
  }

  /**
   * Takes a segment of `bytes` that took `downloadMs` from request to last byte.
   *
   * @param latency.latencyMs From request to first byte, a part of `downloadMs`.
   * @param latency.segmentDurationMs Of media in it: a latency is remembered for as many segments as their media time says.
   */
  add(
    bytes: number,
    downloadMs: number,
    latency: {
      readonly latencyMs: number;
      readonly segmentDurationMs: number;
    } = { latencyMs: 0, segmentDurationMs: 5000 },
  ): void {
    if (bytes <= 0) return;
    // A loopback download can take less than a clock tick.
    this.#samples.push(bytes * 8000 / Math.max(downloadMs, 0.1));
    if (this.#samples.length > this.#window) this.#samples.shift();
    const { latencyMs, segmentDurationMs } = latency;
    const flowMs = Math.max(downloadMs - latencyMs, 0.1);
    if (this.#smoothers.length === 0) {
      this.#smoothers = HALF_LIVES_MS.map((halfLifeMs) => ({
        rate: new Ewma(halfLifeMs),
        latency: new Ewma(halfLifeMs / segmentDurationMs),
      }));
    }
    let bitsPerSecond = Infinity;
    let slowestMs = 0;
    for (const smoother of this.#smoothers) {
      smoother.rate.add(bytes * 8000 / flowMs, flowMs);
      smoother.latency.add(latencyMs, 1);
      bitsPerSecond = Math.min(bitsPerSecond, smoother.rate.mean);
      slowestMs = Math.max(slowestMs, smoother.latency.mean);
    }
    this.#smoothed = { bitsPerSecond, latencyMs: slowestMs };
  }

  /** Harmonic mean in bits per second, round trips counted, as the player feels them; undefined before the first segment. */
  get bitsPerSecond(): number | undefined {
    return harmonicMean(this.#samples);
  }

  /**
   * Exponentially weighted by download time with half-lives of 3 s and 8 s, the lower rate and the longer latency of
   * the two (dash.js; Spiteri, Sitaraman, Sparacio, MMSys 2018, §5.1); undefined before the first segment.
   */
  get smoothed(): SmoothedEstimate | undefined {
    return this.#smoothed;
  }
}
