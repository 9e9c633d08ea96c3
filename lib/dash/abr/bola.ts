/**
 * BOLA-BASIC: quality as utility, the buffer as a queue, the best trade between them in closed form.
 *
 * Spiteri, Urgaonkar, Sitaraman, "BOLA: Near-Optimal Bitrate Adaptation for Online Videos", INFOCOM 2016, §III.
 * Rung m has the utility v_m = ln(S_m / S_0). With Q the buffer in segments, the rung with the greatest
 * (V (v_m + gamma p) - Q) / S_m is taken; when that is negative for all, nothing is requested until Q has sunk.
 * gamma p = 5 as in the paper's evaluation, and V = (Q_max - 1) / (v_top + gamma p), so that requests stop just when
 * there is no room for another segment.
 */
import { formatMs } from "../../core/units.ts";
import type { AbrDecision, AbrRule, AbrState } from "./rule.ts";

/** How much playing without stalls is worth beside quality. */
const GAMMA_P = 5;

function decide(state: AbrState): AbrDecision {
  const { ladder, segmentDurationMs } = state;
  const utilities = ladder.map((rate) => Math.log(rate / (ladder[0] ?? rate)));
  const queue = state.bufferMs / segmentDurationMs;
  const room = Math.max(state.bufferCapMs / segmentDurationMs - 1, 1);
  const v = room / ((utilities.at(-1) ?? 0) + GAMMA_P);
  let index = 0;
  let best = -Infinity;
  for (const [at, utility] of utilities.entries()) {
    const score = (v * (utility + GAMMA_P) - queue) / (ladder[at] ?? 1);
    // Equal scores go to the higher rung.
    if (score >= best) {
      best = score;
      index = at;
    }
  }
  const held = formatMs(state.bufferMs);
  return best >= 0
    ? { index, waitMs: 0, reason: `${held} held, best utility per bit` }
    : {
      index,
      waitMs: (queue - room) * segmentDurationMs,
      reason: `${held} held, enough`,
    };
}

/** See the head of this file. */
export const bola: AbrRule = {
  summary: "BOLA-BASIC: most utility per bit for the buffer there is",
  source: "Spiteri, Urgaonkar, Sitaraman, INFOCOM 2016",
  start: () => ({ decide }),
};
