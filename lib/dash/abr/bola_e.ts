/**
 * BOLA-E: BOLA that starts at the rate of the network and is not misled by a short buffer.
 *
 * Spiteri, Sitaraman, Sparacio, "From Theory to Practice: Improving Bitrate Adaptation in the DASH Reference Player",
 * MMSys 2018, §4.1 (and ACM TOMM 15(2s), 2019). Media that is not there, the *placeholder*, counts as buffer when
 * the rung is chosen: as much as makes BOLA choose what the throughput sustains at start-up; it grows while the player
 * waits for room, and gives way whenever BOLA would wait. A higher rung is taken only as far as the throughput
 * sustains it (BOLA-E-O) or one above (BOLA-E). The insufficient buffer rule bounds what is requested.
 */
import { formatMs } from "../../core/units.ts";
import { BolaCurve, logUtilities } from "./bola_curve.ts";
import type {
  AbrDecision,
  AbrDownload,
  AbrProgress,
  AbrRule,
  AbrSession,
  AbrState,
  SmoothedEstimate,
} from "./rule.ts";
import { InsufficientBuffer, sustainableIndex } from "./sustainable.ts";

/** BOLA is tuned to a buffer of at least 10 s and 2 s more for each rung, however small the real one. */
const LEAST_BUFFER_MS = 10_000;
const LEAST_BUFFER_PER_RUNG_MS = 2000;

class BolaESession implements AbrSession {
  readonly #avoidsOscillation: boolean;
  readonly #insufficient = new InsufficientBuffer();
  #curve: BolaCurve | undefined;
  #steady = false;
  #placeholderMs = 0;
  #last = 0;

  constructor(avoidsOscillation: boolean) {
    this.#avoidsOscillation = avoidsOscillation;
  }

  decide(state: AbrState): AbrDecision {
    const { ladder, smoothed, bufferMs } = state;
    if (ladder.length === 1) {
      return { index: 0, waitMs: 0, reason: "there is only one rung" };
    }
    if (smoothed === undefined) {
      return { index: this.#last, waitMs: 0, reason: "nothing measured yet" };
    }
    const curve = this.#curveFor(state);
    const sustainable = sustainableIndex(
      ladder,
      smoothed,
      state.segmentDurationMs,
    );
    if (this.#steady) return this.#choose(state, smoothed, sustainable);
    this.#steady = true;
    this.#placeholderMs = Math.max(0, curve.leastMs(sustainable) - bufferMs);
    return { index: sustainable, waitMs: 0, reason: "start-up: sustainable" };
  }

  #choose(
    state: AbrState,
    smoothed: SmoothedEstimate,
    sustainable: number,
  ): AbrDecision {
    const curve = this.#curve!;
    const { ladder, bufferMs } = state;
    const held = `${formatMs(bufferMs)} held`;
    let index = curve.best(bufferMs + this.#placeholderMs);
    let reason = `${held}, best utility per bit`;
    if (index > this.#last && index > sustainable) {
      const raised = this.#avoidsOscillation ? 0 : 1;
      index = Math.max(this.#last, sustainable) + raised;
      reason = `${held}, bounded by what is sustainable`;
    }
    index = Math.min(index, ladder.length - 1);
    let waitMs = this.#wait(bufferMs, curve.mostMs(index));
    if (index === ladder.length - 1) waitMs = 0;
    const capped = this.#insufficient.cap(index, { ...state, smoothed });
    if (capped === index) return { index, waitMs, reason };
    const mostMs = Math.max(0, curve.leastMs(capped) - bufferMs);
    this.#placeholderMs = Math.min(this.#placeholderMs, mostMs);
    return { index: capped, waitMs: 0, reason: "too little held for more" };
  }

  /** Time to hold a request back so that the level sinks to `mostMs`; the placeholder sinks first. */
  #wait(bufferMs: number, mostMs: number): number {
    const overMs = Math.max(0, bufferMs + this.#placeholderMs - mostMs);
    const fromPlaceholderMs = Math.min(overMs, this.#placeholderMs);
    this.#placeholderMs -= fromPlaceholderMs;
    return overMs - fromPlaceholderMs;
  }

  waited(waitedMs: number): void {
    this.#placeholderMs += waitedMs;
  }

  downloaded(download: AbrDownload): void {
    this.#last = download.index;
    const curve = this.#curve;
    const { bufferMs, abandonedFor } = download;
    if (curve === undefined) return;
    if (abandonedFor !== undefined) {
      // Something went wrong: be as careful as the lower rung asks.
      const levelMs = abandonedFor > 0
        ? curve.leastMs(abandonedFor)
        : LEAST_BUFFER_MS;
      const mostMs = Math.max(0, levelMs - bufferMs);
      this.#placeholderMs = Math.min(this.#placeholderMs, mostMs);
      return;
    }
    const wasMs = bufferMs + download.downloadMs;
    const mostMs = Math.max(0, curve.mostMs(download.index) - wasMs);
    this.#placeholderMs = Math.min(this.#placeholderMs, mostMs);
    // Not while standing still: an empty buffer is to be felt.
    if (bufferMs > 0) {
      this.#placeholderMs = Math.max(
        this.#placeholderMs,
        curve.leastMs(download.index) - wasMs,
      );
    }
  }

  abandon(progress: AbrProgress): number | undefined {
    const curve = this.#curve;
    const { ladder, index, sizeBits, bits, latencyMs } = progress;
    const flowMs = progress.elapsedMs - latencyMs;
    if (curve === undefined || bits <= 0 || flowMs <= 0) return undefined;
    // Asking anew costs a round trip: how things stand after it is compared.
    const levelMs = Math.max(
      0,
      progress.bufferMs + this.#placeholderMs - latencyMs,
    );
    const leftBits = sizeBits - bits - latencyMs * bits / flowMs;
    if (leftBits <= 0) return undefined;
    let best = curve.score(index, levelMs, leftBits);
    let lower: number | undefined;
    for (let at = 0; at < index; at++) {
      const otherBits = sizeBits * ladder[at]! / ladder[index]!;
      const score = curve.score(at, levelMs, otherBits);
      if (otherBits >= leftBits || score <= best) continue;
      best = score;
      lower = at;
    }
    return lower;
  }

  #curveFor({ ladder, bufferCapMs }: AbrState): BolaCurve {
    if (this.#curve?.rungs === ladder.length) return this.#curve;
    const utilities = logUtilities(ladder, 1);
    const leastMs = LEAST_BUFFER_MS + LEAST_BUFFER_PER_RUNG_MS * ladder.length;
    const bufferMs = Math.max(leastMs, bufferCapMs);
    const gp = (utilities.at(-1)! - 1) / (bufferMs / LEAST_BUFFER_MS - 1);
    const vMs = LEAST_BUFFER_MS / gp;
    this.#curve = new BolaCurve(ladder, { utilities, gp, vMs });
    return this.#curve;
  }
}

const source = "Spiteri, Sitaraman, Sparacio, MMSys 2018, §4.1";

/** See the head of this file. */
export const bolaE: AbrRule = {
  summary: "BOLA-E: BOLA with a start at the network's rate",
  source,
  start: () => new BolaESession(false),
};

/** See the head of this file. */
export const bolaEO: AbrRule = {
  summary: "BOLA-E-O: the same, waiting rather than flicker",
  source,
  start: () => new BolaESession(true),
};
