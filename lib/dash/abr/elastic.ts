/**
 * ELASTIC: a controller that holds the buffer at a target by the rate it asks for.
 *
 * De Cicco, Caldaralo, Palmisano, Mascolo, "ELASTIC: A Client-Side Controller for Dynamic Adaptive Streaming over HTTP
 * (DASH)", Packet Video 2013, §III. Feedback linearization: `rate = estimate / (1 - k_p q - k_i q_I)` with q the distance
 * of the buffer from the target and q_I its integral over time; the estimate is the harmonic mean of the last five
 * segments. It never pauses between requests, so the target keeps the buffer from growing: here a
 * half of `--buffer`. The gains are the paper's, per second; the integral is bounded, so that a long stall is forgotten.
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

const PROPORTIONAL = 0.01;
const INTEGRAL = 0.001;
/** Share of `--buffer` that is aimed at. */
const TARGET_SHARE = 0.5;
/** The integral stays within so many seconds times seconds. */
const MOST_INTEGRAL = 300;
/** The controller multiplies the estimate by at most this. */
const MOST_GAIN = 3;

class ElasticSession implements AbrSession {
  #integral = 0;
  #targetMs: number | undefined;

  decide(state: AbrState): AbrDecision {
    const { ladder, throughputBitsPerSecond, bufferMs } = state;
    this.#targetMs = state.bufferCapMs * TARGET_SHARE;
    if (throughputBitsPerSecond === undefined) {
      return { index: 0, waitMs: 0, reason: "nothing measured yet" };
    }
    const distance = (bufferMs - this.#targetMs) / 1000;
    const share = 1 - PROPORTIONAL * distance - INTEGRAL * this.#integral;
    const wanted = throughputBitsPerSecond / Math.max(share, 1 / MOST_GAIN);
    return {
      index: highestAtMost(ladder, wanted),
      waitMs: 0,
      reason: `${formatBitRate(wanted)} brings the buffer to its target`,
    };
  }

  downloaded({ bufferMs, downloadMs }: AbrDownload): void {
    if (this.#targetMs === undefined) return;
    const distance = (bufferMs - this.#targetMs) / 1000;
    const integral = this.#integral + distance * downloadMs / 1000;
    this.#integral = Math.min(
      MOST_INTEGRAL,
      Math.max(-MOST_INTEGRAL, integral),
    );
  }
}

/** See the head of this file. */
export const elastic: AbrRule = {
  summary: "ELASTIC: steers the buffer to a target by the rate",
  source: "De Cicco, Caldaralo, Palmisano, Mascolo, Packet Video 2013",
  start: () => new ElasticSession(),
};
