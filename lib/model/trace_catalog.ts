import { seededRng } from "../core/rng.ts";
import type { NetworkTrace, TracePeriod } from "./trace.ts";
import { generateTrace, type LinkModel } from "./trace_generator.ts";

/** How long the drawn traces are before they repeat: longer than the slide's film of 10 min 35 s. */
const DRAWN_MS = 660_000;

/** Mobile links as drawn from a seed. Their rates span the ladder of the built-in title, 0.4 to 2.5 Mbit/s. */
const DRAWN: Readonly<
  Record<"lte" | "3g" | "wifi", { readonly seed: number } & LinkModel>
> = {
  // A passenger: good cells, edges of cells, short handovers.
  lte: {
    seed: 1,
    latencyMs: 50,
    maxBitsPerSecond: 20_000_000,
    states: [
      { bitsPerSecond: 4_000_000, sigma: 0.45, memory: 0.9, stayMs: 40_000 },
      { bitsPerSecond: 1_600_000, sigma: 0.5, memory: 0.85, stayMs: 20_000 },
      { bitsPerSecond: 600_000, sigma: 0.6, memory: 0.7, stayMs: 8000 },
    ],
  },
  "3g": {
    seed: 3,
    latencyMs: 100,
    maxBitsPerSecond: 6_000_000,
    states: [
      { bitsPerSecond: 1_500_000, sigma: 0.35, memory: 0.9, stayMs: 40_000 },
      { bitsPerSecond: 600_000, sigma: 0.5, memory: 0.85, stayMs: 25_000 },
      { bitsPerSecond: 0, sigma: 0, memory: 0.5, stayMs: 4000 },
    ],
  },
  // A room: fast and even, now and then somebody else's download.
  wifi: {
    seed: 2,
    latencyMs: 8,
    maxBitsPerSecond: 40_000_000,
    states: [
      { bitsPerSecond: 15_000_000, sigma: 0.15, memory: 0.6, stayMs: 45_000 },
      { bitsPerSecond: 2_500_000, sigma: 0.5, memory: 0.5, stayMs: 8000 },
    ],
  },
};

/** Rates that are easy to reckon with: one stretch after the other. */
const DRAFTED: Readonly<
  Record<"step" | "sawtooth", readonly TracePeriod[]>
> = {
  // The link on which this project compares players: 3500, 800, 3500 kbit/s, changing at 15 s and 35 s.
  step: ([[15_000, 3500], [20_000, 800], [25_000, 3500]] as const).map((
    [durationMs, kbit],
  ) => ({ durationMs, bitsPerSecond: kbit * 1000, latencyMs: 20 })),
  sawtooth: Array.from({ length: 30 }, (_, at) => ({
    durationMs: 2000,
    bitsPerSecond: 4_000_000 - 125_000 * at,
    latencyMs: 20,
  })),
};

/** The names of the traces that ship with the program. */
export type TraceName = keyof typeof DRAWN | keyof typeof DRAFTED;

/** The names in the order of the documentation. */
export const TRACE_NAMES: readonly TraceName[] = [
  "lte",
  "3g",
  "wifi",
  "step",
  "sawtooth",
];

/** Returns the trace that ships under `name`; null when none does. */
export function namedTrace(name: string): NetworkTrace | null {
  if (name === "step" || name === "sawtooth") {
    return { name, periods: DRAFTED[name] };
  }
  if (name !== "lte" && name !== "3g" && name !== "wifi") return null;
  const { seed, ...model } = DRAWN[name];
  const rng = seededRng(seed);
  return generateTrace(name, model, { durationMs: DRAWN_MS, rng });
}
