/**
 * Makes network traces of our own: what mobile links do, from a seed (docs/design/network_traces.md).
 *
 * The logarithm of the rate wanders around the mean of a state, as a first-order autoregressive process:
 * `x[k] = m + phi (x[k-1] - m) + sigma sqrt(1 - phi^2) n[k]`, n standard normal, one value a second. States follow each
 * other at random (a Markov chain): of each it is known how long one stays on average and where one goes then. An
 * outage is a state of rate 0. Log-normal rates with memory and changes of state are what measurements of 3G and LTE
 * report (Riiser et al., MMSys 2013; van der Hooft et al., IEEE Communications Letters 2016); the figures are ours.
 */
import type { Rng } from "../core/rng.ts";
import type { NetworkTrace, TracePeriod } from "./trace.ts";

/** One state of a {@linkcode LinkModel}. */
export interface LinkState {
  /** The median rate, 0 for an outage. */
  readonly bitsPerSecond: number;
  /** Standard deviation of the rate's natural logarithm. */
  readonly sigma: number;
  /** How much of the deviation is left a second later, 0 to 1. */
  readonly memory: number;
  /** How long it lasts on average. */
  readonly stayMs: number;
}

/** How the rate of a link behaves. */
export interface LinkModel {
  /** At least one; the first is the one it begins in. From one it goes to any other with equal chances. */
  readonly states: readonly LinkState[];
  readonly latencyMs: number;
  /** No rate is above this. */
  readonly maxBitsPerSecond: number;
}

/** A value a second. */
const PERIOD_MS = 1000;

/** Returns `durationMs` of a link, drawn from `rng`. */
export function generateTrace(
  name: string,
  model: LinkModel,
  { durationMs, rng }: { readonly durationMs: number; readonly rng: Rng },
): NetworkTrace {
  const periods: TracePeriod[] = [];
  let at = 0;
  // The deviation from the state's median survives a change of state: what shadows the antenna stays.
  let deviation = standardNormal(rng);
  for (let atMs = 0; atMs < durationMs; atMs += PERIOD_MS) {
    const state = model.states[at]!;
    deviation = state.memory * deviation +
      Math.sqrt(1 - state.memory ** 2) * standardNormal(rng);
    const rate = state.bitsPerSecond * Math.exp(state.sigma * deviation);
    periods.push({
      durationMs: PERIOD_MS,
      bitsPerSecond: Math.round(Math.min(model.maxBitsPerSecond, rate)),
      latencyMs: model.latencyMs,
    });
    const leaves = rng() < PERIOD_MS / state.stayMs;
    if (leaves && model.states.length > 1) {
      const step = 1 + Math.floor(rng() * (model.states.length - 1));
      at = (at + step) % model.states.length;
    }
  }
  return { name, periods };
}

/** Box and Muller. */
function standardNormal(rng: Rng): number {
  const radius = Math.sqrt(-2 * Math.log(1 - rng()));
  return radius * Math.cos(2 * Math.PI * rng());
}
