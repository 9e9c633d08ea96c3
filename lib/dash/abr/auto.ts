/**
 * `auto`, our default: the rung whose expected worth is greatest, stalls and the buffer left behind counted in.
 *
 * A player that knows how uncertain its forecast is. Of what comes it keeps an expectation, what is usual, how far the
 * expectation was off, and how often nothing came (`auto_forecast.ts`). From these and the ladder follows, once, what
 * any buffer is worth (`auto_values.ts`); the worth of each rung for the next segment, with its true size where that is
 * known, is then a sum of a few terms. Model predictive control (Yin, Jindal, Sekar, Sinopoli, SIGCOMM 2015) plans five
 * segments for one forecast; this reckons with many outcomes and to the end. A change of rung has its price, so that the
 * picture does not flicker; a segment on its way is given up when starting anew in a lower rung is worth clearly more.
 * Parameters were set on traces drawn by `lib/model/trace_generator.ts`, not on those it is measured with
 * (docs/design/abr_auto.md).
 */
import { RecentMap } from "../../core/recent_map.ts";
import { formatBitRate, formatMs } from "../../core/units.ts";
import { Forecast } from "./auto_forecast.ts";
import { AutoValues } from "./auto_values.ts";
import {
  type AbrDecision,
  type AbrDownload,
  type AbrProgress,
  type AbrRule,
  type AbrSession,
  type AbrState,
  sizeBitsOf,
} from "./rule.ts";

/** While a segment is on its way, what was expected before counts half after so long. */
const PROGRESS_HALF_LIFE_MS = 1050;
/** Share of the error's deviation that counts: each segment is a new chance, in the table, to be off by it. */
const SIGMA_SHARE = 0.135;
/** A change that is worth less than this is not made; a segment is given up for more than this. In segments' worth of utility. */
const LEAST_GAIN = 0.05;
const LEAST_ABANDON_GAIN = 0.5;
/** No segment is given up before bits have come for so long. */
const LEAST_FLOW_MS = 300;
/** So many segments ahead are looked at, and their being larger than usual counts as a network so much slower. */
const AHEAD = { segments: 4, share: 1.6 };

/** What tables there are, by their parameters rounded: deviation, usual rate (a factor of 1.8), holes and latency. */
const SIGMAS: readonly number[] = [0.08, 0.16, 0.3, 0.5];
const USUAL_STEP = 0.6;
const HOLE_SHARES: readonly number[] = [0.004, 0.01, 0.025];
const HOLES_MS: readonly number[] = [3000, 6000];
const LATENCY_STEP_MS = 100;
const MAX_LATENCY_MS = 1000;
/** Tables kept for other plays of the same ladder; the oldest goes first. Each has 8680 numbers a rung, of 4 bytes. */
const MAX_TABLES = 100;

/** The same parameters give the same table, so that keeping it changes no choice. */
const TABLES = new RecentMap<string, AutoValues>(MAX_TABLES);

/** What is expected, in words. A rate alone would be taken for that of a whole download, the wait for its first byte included. */
function forecastText(logRate: number, latencyMs: number): string {
  const rate = formatBitRate(Math.exp(logRate));
  return latencyMs < 1
    ? `${rate} expected`
    : `first byte expected after ${formatMs(latencyMs)}, then ${rate}`;
}

class AutoSession implements AbrSession {
  readonly #forecast = new Forecast();
  #state: AbrState | undefined;
  #values: AutoValues | undefined;
  /** Segments after the one chosen last. */
  #left = 0;

  decide(state: AbrState): AbrDecision {
    this.#state = state;
    this.#left = state.segmentCount - state.segmentIndex - 1;
    const { nextLogRate: logRate, latencyMs } = this.#forecast;
    if (logRate === undefined) {
      return { index: 0, waitMs: 0, reason: "nothing measured yet" };
    }
    const { bufferMs, ladder } = state;
    const values = this.#valuesFor(state);
    const from = {
      logRate,
      bufferMs,
      latencyMs,
      aheadLog: AHEAD.share * aheadLog(state),
      left: this.#left,
    };
    const last = Math.min(state.lastIndex ?? 0, ladder.length - 1);
    const worth = ladder.map((_, index) =>
      values.expect(index, sizeBitsOf(state, 0, index), from) -
      values.changeCost(last, index)
    );
    const most = Math.max(...worth);
    const keeps = most - worth[last]! < LEAST_GAIN;
    return {
      index: keeps ? last : worth.indexOf(most),
      waitMs: 0,
      reason: `${formatMs(bufferMs)} held, ${forecastText(logRate, latencyMs)}`,
    };
  }

  downloaded(download: AbrDownload): void {
    this.#forecast.took(download);
  }

  abandon(progress: AbrProgress): number | undefined {
    const values = this.#values;
    const expected = this.#forecast.logRate;
    const { index, bits, sizeBits, latencyMs, bufferMs, ladder } = progress;
    this.#forecast.saw(progress.elapsedMs, bits);
    const flowMs = progress.elapsedMs - latencyMs;
    if (
      values === undefined || expected === undefined || index === 0 ||
      bits <= 0 || flowMs < LEAST_FLOW_MS
    ) return undefined;
    // What comes now is known better than what was expected, the longer it comes.
    const kept = 0.5 ** (flowMs / PROGRESS_HALF_LIFE_MS);
    const seen = Math.log(bits * 1000 / flowMs);
    const logRate = kept * expected + (1 - kept) * seen;
    const left = this.#left;
    const goesOn = { logRate, bufferMs, latencyMs: 0, left };
    // Asked some hundred times a segment: mostly it is clear.
    if (!values.mayStall(sizeBits - bits, goesOn)) return undefined;
    let best = values.expect(index, sizeBits - bits, goesOn) +
      LEAST_ABANDON_GAIN;
    let lower: number | undefined;
    for (let at = 0; at < index; at++) {
      const otherBits = this.#state?.sizeBits?.(0, at) ??
        sizeBits * ladder[at]! / ladder[index]!;
      const anew = { logRate, bufferMs, latencyMs, left };
      const worth = values.expect(at, otherBits, anew);
      if (worth <= best) continue;
      best = worth;
      lower = at;
    }
    return lower;
  }

  #valuesFor(state: AbrState): AutoValues {
    const { ladder, segmentDurationMs, bufferCapMs } = state;
    const forecast = this.#forecast;
    const sigma = nearest(SIGMAS, SIGMA_SHARE * forecast.sigma);
    const usualLog = USUAL_STEP * Math.round(forecast.usualLog / USUAL_STEP);
    const share = nearest(HOLE_SHARES, forecast.holeShare);
    const hole = { share, ms: nearest(HOLES_MS, forecast.holeMs) };
    // First to whole ms: 50 ms give one table, whatever the last digits say.
    const wholeMs = Math.round(forecast.latencyMs);
    const latencyMs = Math.min(
      MAX_LATENCY_MS,
      Math.round(wholeMs / LATENCY_STEP_MS) * LATENCY_STEP_MS,
    );
    // The last segment of a title is shorter; its own table would be for one choice.
    const known = this.#values;
    if (known !== undefined && segmentDurationMs < known.segmentDurationMs) {
      if (known.rungs === ladder.length) return known;
    }
    const model = {
      ladder,
      segmentDurationMs,
      bufferCapMs,
      latencyMs,
      sigma,
      usualLog,
      hole,
    };
    this.#values = tableFor(model);
    return this.#values;
  }
}

function tableFor(model: ConstructorParameters<typeof AutoValues>[0]) {
  const key = JSON.stringify(model);
  let values = TABLES.get(key);
  if (values === undefined) {
    values = new AutoValues(model);
    TABLES.set(key, values);
  }
  return values;
}

/** As a quotient. */
function nearest(steps: readonly number[], value: number): number {
  const off = (step: number) => Math.abs(Math.log(step / value));
  return steps.reduce((a, b) => off(b) < off(a) ? b : a);
}

/** Logarithm of how much larger than usual the segments after the next one are; 0 where sizes are not known. */
function aheadLog(state: AbrState): number {
  const rung = state.ladder.length >> 1;
  let bits = 0;
  let count = 0;
  for (let ahead = 1; ahead <= AHEAD.segments; ahead++) {
    const size = state.sizeBits?.(ahead, rung);
    if (size === undefined) break;
    bits += size;
    count += 1;
  }
  const usualBits = state.ladder[rung]! * state.segmentDurationMs / 1000;
  return count === 0 ? 0 : Math.log(bits / count / usualBits);
}

/** See the head of this file. */
export const auto: AbrRule = {
  summary: "the greatest expected worth, stalls and buffer counted in",
  source: "ours; after Yin, Jindal, Sekar, Sinopoli (MPC), SIGCOMM 2015",
  start: () => new AutoSession(),
};
