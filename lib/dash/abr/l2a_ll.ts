/**
 * L2A-LL: learning to adapt, for low latency. Karagkioules, Mekuria, Griffioen, Wagenaar, "Online Learning for Low-Latency
 * Adaptive Streaming", MMSys 2020.
 *
 * Rates are chosen by lot in the theory: w is a distribution over the rungs, and each segment moves it along the gradient
 * of what it cost (online convex optimization), so that nothing has to be known of the network beforehand. Two things are
 * weighed: how long the segment of each rung would take against its duration, and Q, a multiplier that grows while more
 * is fetched than the link gives and so stands for the latency that piles up. After the step w is projected back onto
 * the simplex. Of the mean rate of w the nearest rung is taken, at most one above the last.
 *
 * Until the buffer has 1.5 s, or half of what it is to be behind a live edge, the rule is the throughput's. Meant for segments of a second or two close to a live edge; of
 * a title that is whole it plays, but a long buffer is nothing to it. One thing is settled here where the published
 * implementation leaves it open: a step up that the last segment's throughput does not carry is not made.
 */
import { formatBitRate } from "../../core/units.ts";
import {
  type AbrDecision,
  type AbrDownload,
  type AbrRule,
  type AbrSession,
  type AbrState,
  highestAtMost,
} from "./rule.ts";
import { SAFETY_FACTOR } from "./sustainable.ts";

/** Steps until the distribution has settled. */
const HORIZON = 4;
/** Caution: what going over the link costs beside Q. */
const CAUTION = HORIZON ** 0.99;
/** Step size of the descent. */
const STEP = Math.max(HORIZON, CAUTION * Math.sqrt(HORIZON));
/** Q grows by this factor when a rate is chosen that the link does not carry. */
const REACT = 2;
/** Of the link's rate at most this many times the top of the ladder counts. */
const MOST_LINK = 2;
/** With so much in the buffer learning begins. */
const TARGET_MS = 1500;

/**
 * Projects onto the simplex: the point nearest to `values` whose parts are not negative and come to 1 (Duchi et al.,
 * "Efficient Projections onto the l1-Ball", ICML 2008).
 */
export function onSimplex(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => b - a);
  let sum = 0;
  let over = 0;
  for (const [at, value] of sorted.entries()) {
    sum += value;
    const shift = (sum - 1) / (at + 1);
    if (value - shift > 0) over = shift;
  }
  return values.map((value) => Math.max(0, value - over));
}

class L2aSession implements AbrSession {
  /** Bits per second of the last segment, its round trip counted. */
  #throughput: number | undefined;
  /** A distribution over the rungs, once learning has begun. */
  #weights: readonly number[] | undefined;
  #multiplier = CAUTION;

  decide(state: AbrState): AbrDecision {
    const { ladder, bufferMs, lastIndex, throughputBitsPerSecond } = state;
    const { targetMs = Infinity } = state.live ?? {};
    const carried = this.#throughput;
    if (carried === undefined || throughputBitsPerSecond === undefined) {
      return { index: 0, waitMs: 0, reason: "nothing measured yet" };
    }
    if (this.#weights?.length !== ladder.length) {
      const safe = throughputBitsPerSecond * SAFETY_FACTOR;
      const index = highestAtMost(ladder, safe);
      if (bufferMs >= Math.min(TARGET_MS, targetMs / 2)) {
        this.#weights = ladder.map((_, at) => at === index ? 1 : 0);
        this.#multiplier = CAUTION;
      }
      const reason = `${formatBitRate(safe)} is sustainable`;
      return { index, waitMs: 0, reason };
    }
    const mean = this.#learn(state, this.#weights, carried);
    const nearest = nearestRung(ladder, mean);
    const last = Math.min(lastIndex ?? 0, ladder.length - 1);
    const index = nearest <= last
      ? nearest
      : ladder[last + 1]! <= carried
      ? last + 1
      : last;
    if (ladder[index]! >= carried) {
      this.#multiplier = REACT * Math.max(CAUTION, this.#multiplier);
    }
    return { index, waitMs: 0, reason: `${formatBitRate(mean)} learnt` };
  }

  downloaded({ bits, downloadMs }: AbrDownload): void {
    this.#throughput = bits * 1000 / Math.max(downloadMs, 0.1);
  }

  /** One step of the descent; returns the mean rate of the distribution. */
  #learn(
    { ladder, segmentDurationMs, playbackRate = 1 }: AbrState,
    weights: readonly number[],
    carried: number,
  ): number {
    const seconds = segmentDurationMs / 1000;
    const gain = seconds / (2 * STEP) * (this.#multiplier + CAUTION);
    // Far above the ladder a link is only that: fast.
    const link = Math.min(carried, MOST_LINK * ladder.at(-1)!);
    const loads = ladder.map((rate) => playbackRate * rate / link);
    const next = onSimplex(
      weights.map((weight, at) => {
        const load = loads[at]!;
        // What the link does not carry would stall.
        return weight + (load > 1 ? -gain : gain) * load;
      }),
    );
    const mean = dot(next, ladder);
    // Twice the new less the old: where the distribution is going.
    const ahead = (2 * mean - dot(weights, ladder)) * playbackRate / link;
    this.#multiplier = Math.max(0, this.#multiplier + seconds * (ahead - 1));
    this.#weights = next;
    return mean;
  }
}

function nearestRung(ladder: readonly number[], rate: number): number {
  return ladder.reduce(
    (best, each, at) =>
      Math.abs(each - rate) < Math.abs(ladder[best]! - rate) ? at : best,
    0,
  );
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * b[at]!, 0);
}

/** See the head of this file. */
export const l2aLl: AbrRule = {
  summary: "learns a distribution over the rungs, for low latency",
  source: "Karagkioules et al. (L2A-LL), MMSys 2020",
  start: () => new L2aSession(),
};
