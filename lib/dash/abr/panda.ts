/**
 * PANDA: probes for bandwidth as TCP does, additively up and multiplicatively down.
 *
 * Li, Zhu, Gahm, Pan, Hu, Begen, Oran, "Probe and Adapt: Rate Adaptation for HTTP Video Streaming At Scale", IEEE JSAC
 * 32(4), 2014, §V. The share aimed at moves by `kappa (w - max(0, x - measured + w))` per second of time between
 * requests; its exponential mean is quantized with a dead zone (a higher rung needs a margin, a lower one does not); and
 * requests are spaced so that the buffer settles at its minimum: `rate / share` of a segment's duration, corrected by
 * `beta` times the distance. kappa 0.28, w 0.3 Mbit/s, alpha 0.2, beta 0.2, margin 0.15 as in the paper.
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

const KAPPA = 0.28;
const PROBE_BITS_PER_SECOND = 300_000;
const ALPHA = 0.2;
const BETA = 0.2;
const MARGIN = 0.15;
/** Share of `--buffer` that the buffer settles at: the paper's 26 s of 30 or more. */
const LEAST_BUFFER_SHARE = 0.6;

class PandaSession implements AbrSession {
  #share: number | undefined;
  #smooth = 0;
  #measured = 0;
  #askedAtMs: number | undefined;

  decide(state: AbrState): AbrDecision {
    const { ladder, nowMs, bufferMs, segmentDurationMs } = state;
    if (this.#measured === 0) {
      return { index: 0, waitMs: 0, reason: "nothing measured yet" };
    }
    const elapsed = (nowMs - (this.#askedAtMs ?? nowMs)) / 1000;
    this.#askedAtMs = nowMs;
    this.#probe(elapsed);
    const last = Math.min(state.lastIndex ?? 0, ladder.length - 1);
    const up = highestAtMost(ladder, this.#smooth * (1 - MARGIN));
    const down = highestAtMost(ladder, this.#smooth);
    const index = last < up ? up : last > down ? down : last;
    const leastMs = state.bufferCapMs * LEAST_BUFFER_SHARE;
    const spacingMs = ladder[index]! * segmentDurationMs / this.#smooth +
      BETA * (bufferMs - leastMs);
    const spentMs = elapsed * 1000;
    // Never so long that the buffer falls below a segment.
    const roomMs = Math.max(0, bufferMs - segmentDurationMs);
    return {
      index,
      waitMs: Math.min(roomMs, Math.max(0, spacingMs - spentMs)),
      reason: `${formatBitRate(this.#smooth)} probed for`,
    };
  }

  downloaded({ bits, downloadMs }: AbrDownload): void {
    this.#measured = bits * 1000 / Math.max(downloadMs, 0.1);
  }

  #probe(elapsed: number): void {
    if (this.#share === undefined) {
      this.#share = this.#measured;
      this.#smooth = this.#measured;
      return;
    }
    const w = PROBE_BITS_PER_SECOND;
    const excess = Math.max(0, this.#share - this.#measured + w);
    // A step is never past what was measured: the paper's is for short times between requests.
    const step = KAPPA * Math.min(elapsed, 1 / KAPPA) * (w - excess);
    this.#share = Math.max(1000, this.#share + step);
    const kept = Math.exp(-ALPHA * elapsed);
    this.#smooth = kept * this.#smooth + (1 - kept) * this.#share;
  }
}

/** See the head of this file. */
export const panda: AbrRule = {
  summary: "PANDA: probes for bandwidth, a little more each time",
  source: "Li et al., IEEE JSAC 32(4), 2014",
  start: () => new PandaSession(),
};
