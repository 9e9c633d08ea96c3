/**
 * What the rule `auto` expects of the network: the rate of now, what is usual, how far the forecast was off, and the
 * holes in which hardly anything comes.
 *
 * Rates are kept as logarithms: twice as much and half as much are the same distance. What is usual is the mean over time
 * all the same, all bits by all the time they took, since that is what can be played in the long run. A hole is told from
 * a slow network by being long: that much more time than was expected no noise explains. A segment takes long, too: what
 * came at its end says more of now than its mean does.
 */
import type { AbrDownload } from "./rule.ts";

/** After so much download time what was expected before counts half. */
const HALF_LIFE_MS = 2300;
/** A segment moves the expectation at least so far: after a hole segments are small and quick, and must still count. */
const LEAST_MOVE = 0.57;
/** The expectation is never taken to have been too high by more than a factor of e to this: a hole is no forecast. */
const MOST_FALL = 1.7;
/** Errors of the forecast: what is thought of them at first, much, since one segment says little; and how much of that is left after each. */
const FIRST_SIGMA = 4;
const SIGMA_KEPT = 0.88;
/** How much of the latency is new with each segment. */
const LATENCY_GAIN = 0.3;
/** The usual is taken to be a little less than the mean, as a logarithm. */
const USUAL_SHIFT = -0.14;
/** A hole: what a segment took beyond so many times what was expected, if it is so long. */
const HOLE = { over: 1.5, leastMs: 3000 };
/** What is thought of holes beforehand: one in so many segments, as if that many had been seen, and how long. */
const HOLES_BEFORE = { share: 0.0021, segments: 50, ms: 5000 };
/** The end of a segment: so long, or at least that share of it, and how much more it counts than what was expected. */
const RECENT = { ms: 900, leastShare: 0.6, weight: 0.7 };

/** No expectation is lower. */
const LEAST_BITS_PER_SECOND = 10_000;

/** What comes over a network, learnt from what came. */
export class Forecast {
  /** What had come of the segment on its way, and when. */
  readonly #seen: { readonly ms: number; readonly bits: number }[] = [];
  /** Logarithm of the rate at the end of the last segment; undefined when that was too short, or was not seen coming. */
  #recentLog: number | undefined;
  #logRate: number | undefined;
  #latencyMs = 0;
  #variance = FIRST_SIGMA ** 2;
  #bits = 0;
  #flowMs = 0;
  #segments = 0;
  #holes = 0;
  #holesMs = 0;

  /** Expected rate, as logarithm of bits per second; undefined before the first segment. */
  get logRate(): number | undefined {
    return this.#logRate;
  }

  /** The same for the next segment, what came last counting more. */
  get nextLogRate(): number | undefined {
    const logRate = this.#logRate;
    const recentLog = this.#recentLog;
    return logRate === undefined || recentLog === undefined
      ? logRate
      : logRate + RECENT.weight * (recentLog - logRate);
  }

  /** From a request to the first bit of its answer. */
  get latencyMs(): number {
    return this.#latencyMs;
  }

  /** The logarithm of the rate that is usual. */
  get usualLog(): number {
    return Math.log(this.#bits * 1000 / this.#flowMs) + USUAL_SHIFT;
  }

  /** Standard deviation of the logarithm of what came over what was expected. */
  get sigma(): number {
    return Math.sqrt(this.#variance);
  }

  /** How many of the segments meet a hole. */
  get holeShare(): number {
    const { share, segments } = HOLES_BEFORE;
    return (this.#holes + share * segments) / (this.#segments + segments);
  }

  /** How long a hole is. */
  get holeMs(): number {
    return (this.#holesMs + HOLES_BEFORE.ms) / (this.#holes + 1);
  }

  /** Takes in what has come of a segment `ms` after the request. */
  saw(ms: number, bits: number): void {
    this.#seen.push({ ms, bits });
    // Only the newest that is old enough will be asked for.
    while (ms - (this.#seen[1]?.ms ?? ms) >= RECENT.ms) this.#seen.shift();
  }

  /** Takes in a segment that came, or what came of one. */
  took({ bits, downloadMs, latencyMs }: AbrDownload): void {
    this.#recentLog = this.#endLog(downloadMs, bits);
    if (bits <= 0) return;
    const flowMs = Math.max(downloadMs - latencyMs, 0.1);
    const logRate = Math.log(bits * 1000 / flowMs);
    this.#bits += bits;
    this.#flowMs += flowMs;
    if (this.#logRate === undefined) {
      this.#logRate = logRate;
      this.#latencyMs = latencyMs;
      return;
    }
    this.#look(flowMs, bits * 1000 / Math.exp(this.#logRate));
    this.#latencyMs += LATENCY_GAIN * (latencyMs - this.#latencyMs);
    const error = Math.max(-MOST_FALL, logRate - this.#logRate);
    this.#variance += (1 - SIGMA_KEPT) * (error ** 2 - this.#variance);
    const move = Math.max(LEAST_MOVE, 1 - 0.5 ** (flowMs / HALF_LIFE_MS));
    this.#logRate += move * error;
  }

  #endLog(ms: number, bits: number): number | undefined {
    const from = this.#seen.findLast((seen) => ms - seen.ms >= RECENT.ms) ??
      this.#seen[0];
    this.#seen.length = 0;
    if (from === undefined || ms - from.ms < RECENT.leastShare * RECENT.ms) {
      return undefined;
    }
    const bitsPerSecond = (bits - from.bits) * 1000 / (ms - from.ms);
    return Math.log(Math.max(LEAST_BITS_PER_SECOND, bitsPerSecond));
  }

  /** Whether there was a hole. */
  #look(flowMs: number, expectedMs: number): void {
    this.#segments += 1;
    const holeMs = flowMs - HOLE.over * expectedMs;
    if (holeMs <= HOLE.leastMs) return;
    this.#holes += 1;
    this.#holesMs += holeMs;
  }
}
