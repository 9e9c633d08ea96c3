/**
 * RobustMPC: plans the next segments for the worst that the forecast's past errors suggest.
 *
 * Yin, Jindal, Sekar, Sinopoli, "A Control-Theoretic Approach for Dynamic Adaptive Video Streaming over HTTP", SIGCOMM
 * 2015, §4 and §5. Forecast: harmonic mean of five segments, divided by one plus the largest relative error of the last
 * five forecasts. Every sequence of rungs over the horizon is tried in the mind, and the first rung of the best is
 * taken. Quality of experience is the paper's linear one: the rates, minus the changes of rate, minus the top rate
 * for each second of stall. The horizon is five segments, four with more than six rungs, three with more than ten;
 * branches that cannot beat the best so far are not followed, which changes no result.
 */
import { formatBitRate } from "../../core/units.ts";
import {
  type AbrDecision,
  type AbrDownload,
  type AbrRule,
  type AbrSession,
  type AbrState,
  sizeBitsOf,
} from "./rule.ts";

const ERRORS = 5;

class RobustMpcSession implements AbrSession {
  #forecast: number | undefined;
  #errors: number[] = [];

  decide(state: AbrState): AbrDecision {
    const { throughputBitsPerSecond, ladder, segmentCount } = state;
    if (throughputBitsPerSecond === undefined) {
      return { index: 0, waitMs: 0, reason: "nothing measured yet" };
    }
    this.#forecast = throughputBitsPerSecond;
    const worst = throughputBitsPerSecond / (1 + Math.max(0, ...this.#errors));
    const wished = ladder.length <= 6 ? 5 : ladder.length <= 10 ? 4 : 3;
    const horizon = Math.min(wished, segmentCount - state.segmentIndex);
    const index = bestFirst(state, { worst, horizon: Math.max(1, horizon) });
    return {
      index,
      waitMs: 0,
      reason: `best plan for ${formatBitRate(worst)}`,
    };
  }

  downloaded({ bits, downloadMs }: AbrDownload): void {
    if (this.#forecast === undefined) return;
    const came = bits * 1000 / Math.max(downloadMs, 0.1);
    this.#errors.push(Math.abs(this.#forecast - came) / came);
    if (this.#errors.length > ERRORS) this.#errors.shift();
  }
}

function bestFirst(
  state: AbrState,
  { worst, horizon }: { readonly worst: number; readonly horizon: number },
): number {
  const { ladder, segmentDurationMs, bufferCapMs } = state;
  const top = ladder.at(-1)!;
  const rungs = ladder.length;
  const takenMs = new Float64Array(horizon * rungs);
  for (let ahead = 0; ahead < horizon; ahead++) {
    for (let index = 0; index < rungs; index++) {
      takenMs[ahead * rungs + index] = sizeBitsOf(state, ahead, index) * 1000 /
        worst;
    }
  }
  let best = -Infinity;
  let bestIndex = 0;
  const plan = (
    at: number,
    from: { bufferMs: number; last: number; worth: number; first: number },
  ): void => {
    if (at === horizon) {
      best = from.worth;
      bestIndex = from.first;
      return;
    }
    const left = horizon - at - 1;
    for (let index = rungs - 1; index >= 0; index--) {
      const leftMs = from.bufferMs - takenMs[at * rungs + index]!;
      const rate = ladder[index]!;
      const worth = from.worth + rate - Math.abs(rate - from.last) +
        Math.min(0, leftMs) / 1000 * top;
      // A step up brings no more than the rate before it: what it brings more, the change costs.
      const most = left === 0 ? worth : worth + rate + (left - 1) * top;
      if (most <= best) continue;
      plan(at + 1, {
        bufferMs: Math.min(
          Math.max(0, leftMs) + segmentDurationMs,
          bufferCapMs,
        ),
        last: rate,
        worth,
        first: at === 0 ? index : from.first,
      });
    }
  };
  plan(0, {
    bufferMs: state.bufferMs,
    last: ladder[Math.min(state.lastIndex ?? 0, rungs - 1)]!,
    worth: 0,
    first: 0,
  });
  return bestIndex;
}

/** See the head of this file. */
export const robustMpc: AbrRule = {
  summary: "RobustMPC: the best plan for the worst forecast",
  source: "Yin, Jindal, Sekar, Sinopoli, SIGCOMM 2015",
  start: () => new RobustMpcSession(),
};
