/**
 * BOLA: quality as utility, the buffer as a queue, the best trade between them in closed form.
 *
 * Spiteri, Urgaonkar, Sitaraman, "BOLA: Near-Optimal Bitrate Adaptation for Online Videos", INFOCOM 2016. Utility is
 * ln(rate / lowest rate), gamma p = 5, and V such that requests stop just when there is no room for another segment.
 * A rung above the last one is taken only as far as the throughput sustains it; then the two variants differ:
 * BOLA-O takes the sustainable rung and waits until the buffer calls for it (no oscillation); BOLA-U takes the one
 * above it (utility first). BOLA-BASIC here is BOLA-O with the whole buffer from the start and without abandonment, as
 * in Sabre (`-a bola -ab -ao`); the others ramp V up over the first segments and down towards the last ones (§V,
 * BOLA-FINITE), and give up a segment on its way when a lower rung is worth more per bit still to come (§IV).
 */
import { formatMs } from "../../core/units.ts";
import { BolaCurve, logUtilities } from "./bola_curve.ts";
import type {
  AbrDecision,
  AbrProgress,
  AbrRule,
  AbrSession,
  AbrState,
} from "./rule.ts";
import { sustainableIndex } from "./sustainable.ts";

/** How much playing without stalls is worth beside quality. */
const GAMMA_P = 5;
/** BOLA-FINITE reckons with at least so many segments of buffer. */
const LEAST_SEGMENTS = 3;

/** Which BOLA. */
export interface BolaVariant {
  /** Whether it would rather wait than go above what is sustainable (BOLA-O). */
  readonly avoidsOscillation: boolean;
  /** Whether V is that of a film without beginning and end, and nothing is given up. */
  readonly basic: boolean;
}

/** One play with BOLA; {@linkcode dynamic} has one inside. */
export class BolaSession implements AbrSession {
  readonly #variant: BolaVariant;
  #curve: BolaCurve | undefined;
  #last = 0;

  /** Begins a play. */
  constructor(variant: BolaVariant) {
    this.#variant = variant;
  }

  /** See {@linkcode AbrSession.decide}. */
  decide(state: AbrState): AbrDecision {
    const { ladder, smoothed, bufferMs, segmentDurationMs } = state;
    if (smoothed === undefined) {
      return { index: 0, waitMs: 0, reason: "nothing measured yet" };
    }
    const curve = this.#curveFor(state);
    const wanted = curve.best(bufferMs);
    const held = formatMs(bufferMs);
    const before = this.#last;
    const sustainable = sustainableIndex(ladder, smoothed, segmentDurationMs);
    this.#last = wanted;
    if (wanted <= Math.max(before, sustainable)) {
      return {
        index: wanted,
        waitMs: 0,
        reason: `${held} held, best utility per bit`,
      };
    }
    if (before > sustainable) {
      this.#last = before;
      return { index: before, waitMs: 0, reason: "no higher than it was" };
    }
    if (!this.#variant.avoidsOscillation) {
      this.#last = sustainable + 1;
      return {
        index: sustainable + 1,
        waitMs: 0,
        reason: `${held} held, one above what is sustainable`,
      };
    }
    this.#last = sustainable;
    const overMs = bufferMs - curve.mostMs(sustainable);
    return {
      index: sustainable,
      waitMs: sustainable === ladder.length - 1 ? 0 : Math.max(0, overMs),
      reason: `${held} held, no higher than sustainable`,
    };
  }

  /** See {@linkcode AbrSession.abandon}. */
  abandon(progress: AbrProgress): number | undefined {
    const curve = this.#curve;
    const { ladder, index, sizeBits, bits, bufferMs } = progress;
    const leftBits = sizeBits - bits;
    if (this.#variant.basic || curve === undefined) return undefined;
    if (bits <= 0 || leftBits <= 0) return undefined;
    let best = curve.score(index, bufferMs, leftBits);
    if (best < 0) return undefined;
    let lower: number | undefined;
    for (let at = 0; at < index; at++) {
      const otherBits = sizeBits * ladder[at]! / ladder[index]!;
      const score = curve.score(at, bufferMs, otherBits);
      if (otherBits >= leftBits || score <= best) continue;
      best = score;
      lower = at;
    }
    if (lower !== undefined) this.#last = lower;
    return lower;
  }

  #curveFor(state: AbrState): BolaCurve {
    const { ladder, bufferCapMs, segmentDurationMs } = state;
    let roomMs = bufferCapMs;
    if (!this.#variant.basic) {
      const nearEnd = Math.min(
        state.segmentIndex,
        state.segmentCount - state.segmentIndex,
      );
      const segments = Math.max(nearEnd / 2, LEAST_SEGMENTS);
      roomMs = Math.min(bufferCapMs, segments * segmentDurationMs);
    }
    const utilities = logUtilities(ladder, 0);
    // A buffer of one segment or less leaves nothing to steer by: then the lowest level counts as full.
    const steeringMs = Math.max(roomMs - segmentDurationMs, 1);
    const vMs = steeringMs / (utilities.at(-1)! + GAMMA_P);
    this.#curve = new BolaCurve(ladder, { utilities, gp: GAMMA_P, vMs });
    return this.#curve;
  }
}

const source = "Spiteri, Urgaonkar, Sitaraman, INFOCOM 2016";

/** See the head of this file. */
export const bolaBasic: AbrRule = {
  summary: "BOLA-BASIC: most utility per bit for the buffer there is",
  source,
  start: () => new BolaSession({ avoidsOscillation: true, basic: true }),
};

/** See the head of this file. */
export const bolaO: AbrRule = {
  summary: "BOLA-O: waits rather than flicker between rungs",
  source,
  start: () => new BolaSession({ avoidsOscillation: true, basic: false }),
};

/** See the head of this file. */
export const bolaU: AbrRule = {
  summary: "BOLA-U: takes the higher rung rather than wait",
  source,
  start: () => new BolaSession({ avoidsOscillation: false, basic: false }),
};
