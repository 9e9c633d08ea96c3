/**
 * BBA-2: the buffer alone in steady play, and a start-up that climbs while the buffer grows.
 *
 * Huang, Johari, McKeown, Trunnell, Watson, "A Buffer-Based Approach to Rate Adaptation: Evidence from a Large Video
 * Streaming Service", SIGCOMM 2014, §5 and §6. In steady play a chunk map instead of BBA-0's rate map: the buffer allows
 * a segment of so many bits, and the rung is the highest of which the coming segment has no more, with BBA-0's
 * reluctance to change. In start-up the rung goes up by one whenever the last segment added much more to the buffer than
 * it took: `0.875` of its duration while the buffer is empty, down to `0.5` where the cushion ends. Start-up is over
 * when the buffer sinks, or when the chunk map allows more than start-up does.
 */
import { formatMs } from "../../core/units.ts";
import { ArrivalBuffer, bufferRate, cushionEndMs } from "./bba0.ts";
import {
  type AbrDecision,
  type AbrDownload,
  type AbrRule,
  type AbrSession,
  type AbrState,
  sizeBitsOf,
} from "./rule.ts";

/** How much of its duration a segment has to gain in start-up: with an empty buffer, and where the cushion ends. */
const STARTUP_GAIN = { empty: 0.875, full: 0.5 };

class Bba2Session implements AbrSession {
  readonly #buffer = new ArrivalBuffer();
  #starting = true;
  #gainShare = 0;
  #bufferMs = 0;
  #sank = false;

  decide(now: AbrState): AbrDecision {
    const state = this.#buffer.asOfThen(now);
    const { ladder, bufferMs, lastIndex } = state;
    const last = Math.min(lastIndex ?? 0, ladder.length - 1);
    const held = `${formatMs(bufferMs)} held`;
    const mapped = chunkMap(state, last);
    if (lastIndex === undefined) {
      return { index: 0, waitMs: 0, reason: "nothing measured yet" };
    }
    if (!this.#starting) {
      return { index: mapped, waitMs: 0, reason: `${held}, by the chunk map` };
    }
    const share = Math.min(1, bufferMs / cushionEndMs(state));
    const wanted = STARTUP_GAIN.empty +
      share * (STARTUP_GAIN.full - STARTUP_GAIN.empty);
    const climbs = this.#gainShare > wanted;
    const next = climbs ? Math.min(last + 1, ladder.length - 1) : last;
    if (this.#sank || mapped > next) {
      this.#starting = false;
      return { index: mapped, waitMs: 0, reason: `${held}, start-up is over` };
    }
    return {
      index: next,
      waitMs: 0,
      reason: climbs ? "start-up: the buffer grew fast" : "start-up",
    };
  }

  downloaded(download: AbrDownload): void {
    const { bufferMs, downloadMs, segmentDurationMs, abandonedFor } = download;
    this.#buffer.took(download);
    this.#gainShare = 1 - downloadMs / segmentDurationMs;
    this.#sank = abandonedFor !== undefined || bufferMs < this.#bufferMs;
    this.#bufferMs = bufferMs;
  }
}

/** The rung by the size of the coming segment in each: the buffer allows what BBA-0's line is in rate. */
function chunkMap(state: AbrState, last: number): number {
  const { ladder } = state;
  const top = ladder.length - 1;
  const allowed = bufferRate(state) * state.segmentDurationMs / 1000;
  const fits = (index: number) => sizeBitsOf(state, 0, index) <= allowed;
  const highest = () => {
    for (let index = top; index > 0; index--) if (fits(index)) return index;
    return 0;
  };
  if (allowed >= ladder[top]! * state.segmentDurationMs / 1000) return top;
  if (last < top && fits(last + 1)) return highest();
  if (last > 0 && sizeBitsOf(state, 0, last - 1) >= allowed) return highest();
  return last;
}

/** See the head of this file. */
export const bba2: AbrRule = {
  summary: "BBA-2: sizes read off the buffer, with a quick start-up",
  source: "Huang et al., SIGCOMM 2014, §5 and §6",
  start: () => new Bba2Session(),
};
