/**
 * LoL+: low on latency, with a map that learns. Lim, Akcay, Bentaleb, Begen, Zimmermann, "When They Go High, We Go Low:
 * Low-Latency Live Streaming in dash.js with LoL", MMSys 2020; Bentaleb, Akcay, Lim, Begen, Zimmermann, "Catching the
 * Moment With LoL+ in Twitch-Like Low-Latency Live Streaming Platforms", IEEE Transactions on Multimedia 24, 2022.
 *
 * Each rung is a neuron of a self-organizing map: what was met with it, as throughput, latency, stall and change of
 * rate. Wanted is the throughput of now with none of the other three, and the rung is taken whose neuron is nearest to
 * that. Then the neuron of the last rung, and all as far as they are like it, move a hundredth of the way to what it
 * met; that of the new rung to what is wanted of it.
 *
 * Nearest in which direction is chosen anew for each segment: of all weights of a grid those with which some rung's QoE
 * would be greatest, if its latency and buffer allow it; else those of before (`liveQoe`). Throughput and change of rate
 * have no part in it with a weight, so theirs is the least. Of a rung that is more than the link carries, or that leaves
 * less than 0.3 s, the distance in throughput counts a hundredfold.
 *
 * The third part of the papers is the pace (`catch_up.ts`, the shape `sigmoid`), which goes with this rule. Settled
 * here, since the published implementation draws the weights of the beginning and leaves the other open: they are all
 * the least; with too little held, and no lower rung that the link carries, it is the lowest.
 */
import { formatBitRate } from "../../core/units.ts";
import { liveQoe } from "../live_qoe.ts";
import {
  type AbrDecision,
  type AbrRule,
  type AbrSession,
  type AbrState,
  byChunk,
} from "./rule.ts";
import { SAFETY_FACTOR } from "./sustainable.ts";

/** What is to be held at least. */
const LEAST_BUFFER_S = 0.3;
/** Aimed for when the title is not live, as in the papers. */
const TARGET_LATENCY_MS = 1500;
/** A latency of so many seconds is 1 on the map. */
const LATENCY_UNIT_S = 100;
/** How far a neuron moves to what it met, and how like another must be to move with it. */
const LEARNING_RATE = 0.01;
const NEIGHBOURHOOD = 0.1;
/** The link is to carry so many bits per second more than the rate. */
const MARGIN = 10_000;
/** Weights that are tried, and of a rung that is too much. */
const WEIGHTS: readonly number[] = [0.2, 0.4, 0.6, 0.8, 1];
const TOO_MUCH = 100;
/** No stall is quite none: so the weight of one always counts. */
const LEAST_STALL_S = 1e-5;

/** Throughput, latency, stall, change of rate. */
type Point = readonly [number, number, number, number];

/** How a rung would do. */
interface Outlook {
  readonly downloadS: number;
  readonly bufferS: number;
}

class LolPlusSession implements AbrSession {
  #map: Point[] = [];
  /** Length of the ladder as a vector: the unit of throughput. */
  #unit = 1;
  #weights: Point = [0.2, 0.2, 0.2, 0.2];
  #latencyMs = 0;

  decide(asked: AbrState): AbrDecision {
    const state = byChunk(asked);
    const { ladder, throughputBitsPerSecond } = state;
    if (throughputBitsPerSecond === undefined) {
      return { index: 0, waitMs: 0, reason: "nothing measured yet" };
    }
    if (this.#map.length !== ladder.length) this.#begin(ladder);
    const carried = throughputBitsPerSecond * SAFETY_FACTOR;
    const last = Math.min(state.lastIndex ?? 0, ladder.length - 1);
    const outlooks = ladder.map((rate) => outlookOf(state, rate, carried));
    const bufferS = state.bufferMs / 1000;
    const { downloadS } = outlooks[last]!;
    if (bufferS - downloadS < LEAST_BUFFER_S) {
      const lower = ladder.findLastIndex((rate, at) =>
        at < last && rate < carried
      );
      const reason = "too little would be left of the buffer";
      return { index: Math.max(0, lower), waitMs: 0, reason };
    }
    this.#weigh(state, outlooks);
    const wanted: Point = [this.#normalized(carried), 0, 0, 0];
    const index = this.#nearest(
      wanted,
      ladder.map((rate, at) =>
        at > 0 &&
        (rate > carried - MARGIN || outlooks[at]!.bufferS < LEAST_BUFFER_S)
      ),
    );
    const change = Math.abs(ladder[last]! - ladder[index]!) / this.#unit;
    const latency = (state.live?.latencyMs ?? 0) / 1000 / LATENCY_UNIT_S;
    const stallS = Math.max(0, downloadS - bufferS);
    this.#learn(last, [wanted[0], latency, stallS, change]);
    this.#learn(index, [wanted[0], 0, 0, change]);
    const [, latencyWeight, stallWeight] = this.#weights;
    return {
      index,
      waitMs: 0,
      reason: `nearest to ${formatBitRate(carried)}, latency weighed ` +
        `${latencyWeight} and stalls ${stallWeight}`,
    };
  }

  #begin(ladder: readonly number[]): void {
    this.#unit = Math.hypot(...ladder);
    this.#map = ladder.map((rate) => [rate / this.#unit, 0, 0, 0]);
  }

  /** Beyond the map a link is as fast as the fastest neuron. */
  #normalized(bitsPerSecond: number): number {
    const value = bitsPerSecond / this.#unit;
    return value <= 1 ? value : Math.max(...this.#map.map(([rate]) => rate));
  }

  /** Chooses the weights. */
  #weigh(state: AbrState, outlooks: readonly Outlook[]): void {
    const { latencyMs = 0, targetMs = TARGET_LATENCY_MS } = state.live ?? {};
    const movedMs = Math.abs(latencyMs - this.#latencyMs);
    this.#latencyMs = latencyMs;
    if (latencyMs > targetMs + movedMs) return;
    const { ladder, segmentDurationMs, playbackRate = 1 } = state;
    const about = {
      lowestBitsPerSecond: ladder[0]!,
      highestBitsPerSecond: ladder.at(-1)!,
      ...{ segmentDurationMs, playbackRate, changeBitsPerSecond: 0 },
    };
    let most = -Infinity;
    for (const [at, outlook] of outlooks.entries()) {
      if (outlook.bufferS < LEAST_BUFFER_S) continue;
      const latencyS = this.#map[at]![1] * LATENCY_UNIT_S;
      const stallS = Math.max(
        LEAST_STALL_S,
        outlook.downloadS - outlook.bufferS,
      );
      for (const latency of WEIGHTS) {
        for (const stall of WEIGHTS) {
          // What weighs more is to be near 0: of that less is reckoned with.
          const quality = liveQoe({
            ...about,
            bitsPerSecond: ladder[at]!,
            latencyMs: 1000 * latencyS / latency,
            stallMs: 1000 * stallS / stall,
          });
          if (quality <= most) continue;
          most = quality;
          this.#weights = [WEIGHTS[0]!, latency, stall, WEIGHTS[0]!];
        }
      }
    }
  }

  #nearest(wanted: Point, tooMuch: readonly boolean[]): number {
    const distances = this.#map.map((neuron, at) => {
      const [throughput, ...others] = this.#weights;
      const weights = [tooMuch[at]! ? TOO_MUCH : throughput, ...others];
      return squared(neuron, wanted, weights);
    });
    return distances.indexOf(Math.min(...distances));
  }

  /** Moves the neuron of rung `index`, and those like it, to what it met. */
  #learn(index: number, met: Point): void {
    const centre = this.#map[index]!;
    this.#map = this.#map.map((neuron) => {
      const near = Math.exp(
        -squared(neuron, centre) / (2 * NEIGHBOURHOOD ** 2),
      );
      const moved = (at: 0 | 1 | 2 | 3) =>
        neuron[at] + LEARNING_RATE * near * (met[at] - neuron[at]);
      return [moved(0), moved(1), moved(2), moved(3)];
    });
  }
}

/** What is held after a segment; one that the link does not carry is taken to cost its whole duration. */
function outlookOf(
  { segmentDurationMs, bufferMs }: AbrState,
  rate: number,
  carried: number,
): Outlook {
  const seconds = segmentDurationMs / 1000;
  const downloadS = rate * seconds / carried;
  const gainS = downloadS > seconds ? -seconds : seconds - downloadS;
  return { downloadS, bufferS: bufferMs / 1000 + gainS };
}

/** Square of the distance, each part weighed. */
function squared(a: Point, b: Point, weights?: readonly number[]): number {
  return a.reduce(
    (sum, value, at) => sum + (weights?.[at] ?? 1) * (value - b[at]!) ** 2,
    0,
  );
}

/** See the head of this file. */
export const lolPlus: AbrRule = {
  summary: "a self-organizing map of the rungs, for low latency",
  source: "Lim et al. (LoL), MMSys 2020; Bentaleb et al. (LoL+), TMM 2022",
  catchUp: "sigmoid",
  start: () => new LolPlusSession(),
};
