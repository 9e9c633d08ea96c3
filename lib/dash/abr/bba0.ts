/**
 * BBA-0: the rate is read off the buffer, the network is not measured at all.
 *
 * Huang, Johari, McKeown, Trunnell, Watson, "A Buffer-Based Approach to Rate Adaptation: Evidence from a Large Video
 * Streaming Service", SIGCOMM 2014, algorithm 1. Below the reservoir the lowest rate, above the cushion the highest, a
 * straight line f(B) between them; the rate changes only when f(B) has passed the next rate up or down, so that small
 * movements of the buffer do not make the picture flicker. The paper has 90 s of reservoir and 126 s of cushion in a
 * buffer of 240 s; the same shares are used here. A request needs room for its segment, so the fullest the buffer can
 * be at a decision is the cap less one segment, and the shares are of that.
 */
import { formatMs } from "../../core/units.ts";
import type { AbrDecision, AbrRule, AbrState } from "./rule.ts";

/** Reservoir and reservoir with cushion, as shares of the fullest buffer (90/240 and 216/240). */
const RESERVOIR = 90 / 240;
const UPPER = 216 / 240;

/** Returns the fullest the buffer can be when a segment is chosen. */
function fullestMs({ bufferCapMs, segmentDurationMs }: AbrState): number {
  return Math.max(bufferCapMs - segmentDurationMs, segmentDurationMs);
}

/** Returns where the cushion ends: with so much in the buffer the highest rate is allowed. */
export function cushionEndMs(state: AbrState): number {
  return UPPER * fullestMs(state);
}

/** Returns f(B): the rate the buffer allows, in bits per second. */
export function bufferRate(state: AbrState): number {
  const lowest = state.ladder[0] ?? 0;
  const highest = state.ladder.at(-1) ?? 0;
  const share = (state.bufferMs / fullestMs(state) - RESERVOIR) /
    (UPPER - RESERVOIR);
  return lowest + Math.min(1, Math.max(0, share)) * (highest - lowest);
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
  start: () => ({ decide }),
};
