/**
 * BBA-0: the rate is read off the buffer, the network is not measured at all.
 *
 * Huang, Johari, McKeown, Trunnell, Watson, "A Buffer-Based Approach to Rate Adaptation: Evidence from a Large Video
 * Streaming Service", SIGCOMM 2014, algorithm 1. Below the reservoir the lowest rate, above the cushion the highest, a
 * straight line f(B) between them; the rate changes only when f(B) has passed the next rate up or down, so that small
 * movements of the buffer do not make the picture flicker. The paper has 90 s of reservoir and 126 s of cushion in a
 * buffer of 240 s; the same shares are used here. A request needs room for its segment, so the fullest the buffer can
 * be at a decision is the cap less one segment, and the shares are of that; of a live title, which has no more than what
 * lies before its edge, the wanted latency stands for the cap.
 *
 * The paper's buffer holds sixty segments, and its shares are many of them. In a small one two things are kept that these
 * are there for. The reservoir is what plays while the next segment comes in the lowest rate: it is a whole segment at
 * least. And the buffer moves by segments: the cushion is at least as wide as in a buffer of three, or one of them would
 * take it from end to end. What is read is the buffer as the last segment came, as the paper's player asks for the next one
 * then: after a wait for room a buffer of two segments holds one, whatever the network.
 */
import { formatMs } from "../../core/units.ts";
import type {
  AbrDecision,
  AbrDownload,
  AbrRule,
  AbrSession,
  AbrState,
} from "./rule.ts";

/** Reservoir and reservoir with cushion, as shares of the fullest buffer (90/240 and 216/240). */
const RESERVOIR = 90 / 240;
const UPPER = 216 / 240;
/** The narrowest cushion, in segments: that of a buffer of three, of which two can be there at a decision. */
const LEAST_CUSHION = UPPER * 2 - 1;

/** Where the line f(B) begins and ends. */
interface Cushion {
  readonly fromMs: number;
  readonly toMs: number;
}

function cushionOf(
  { bufferCapMs, segmentDurationMs, live }: AbrState,
): Cushion {
  const capMs = Math.min(bufferCapMs, live?.targetMs ?? Infinity);
  const fullestMs = Math.max(capMs - segmentDurationMs, segmentDurationMs);
  const fromMs = Math.max(RESERVOIR * fullestMs, segmentDurationMs);
  const leastMs = LEAST_CUSHION * segmentDurationMs;
  return { fromMs, toMs: Math.max(UPPER * fullestMs, fromMs + leastMs) };
}

/** Returns where the cushion ends: with so much in the buffer the highest rate is allowed. */
export function cushionEndMs(state: AbrState): number {
  return cushionOf(state).toMs;
}

/** Returns f(B): the rate the buffer allows, in bits per second. */
export function bufferRate(state: AbrState): number {
  const lowest = state.ladder[0] ?? 0;
  const highest = state.ladder.at(-1) ?? 0;
  const { fromMs, toMs } = cushionOf(state);
  const share = (state.bufferMs - fromMs) / (toMs - fromMs);
  return lowest + Math.min(1, Math.max(0, share)) * (highest - lowest);
}

/** The buffer as the last segment came. */
export class ArrivalBuffer {
  #came: Pick<AbrDownload, "bufferMs" | "nowMs"> | undefined;

  /** A segment came. */
  took({ bufferMs, nowMs }: AbrDownload): void {
    this.#came = { bufferMs, nowMs };
  }

  /** The state with that buffer: what was played while there was no room counts; what a seek dropped does not. */
  asOfThen(state: AbrState): AbrState {
    const came = this.#came;
    if (came === undefined) return state;
    const { segmentDurationMs, nowMs } = state;
    const waitedMs = Math.min(nowMs - came.nowMs, segmentDurationMs);
    const bufferMs = Math.min(came.bufferMs, state.bufferMs + waitedMs);
    return { ...state, bufferMs };
  }
}

class Bba0Session implements AbrSession {
  readonly #buffer = new ArrivalBuffer();

  decide(state: AbrState): AbrDecision {
    return decide(this.#buffer.asOfThen(state));
  }

  downloaded(download: AbrDownload): void {
    this.#buffer.took(download);
  }
}

function decide(state: AbrState): AbrDecision {
  const { ladder } = state;
  const top = ladder.length - 1;
  const rate = bufferRate(state);
  const held = formatMs(state.bufferMs);
  if (rate >= (ladder[top] ?? 0)) {
    return { index: top, waitMs: 0, reason: `${held} held, above the cushion` };
  }
  if (rate <= (ladder[0] ?? 0)) {
    return { index: 0, waitMs: 0, reason: `${held} held, in the reservoir` };
  }
  const last = Math.min(state.lastIndex ?? 0, top);
  const index = rate >= (ladder[Math.min(last + 1, top)] ?? 0)
    ? ladder.findLastIndex((each) => each < rate)
    : rate <= (ladder[Math.max(last - 1, 0)] ?? 0)
    ? ladder.findIndex((each) => each > rate)
    : last;
  return {
    index,
    waitMs: 0,
    reason: index === last
      ? `${held} held, no rate passed`
      : `${held} held, on the cushion`,
  };
}

/** See the head of this file. */
export const bba0: AbrRule = {
  summary: "BBA-0: the rate is read off the buffer, nothing is measured",
  source: "Huang et al., SIGCOMM 2014, algorithm 1",
  start: () => new Bba0Session(),
};
