import type { AbrState } from "../../../../lib/dash/abr/mod.ts";

/** As a vector 2.7221 Mbit/s long: for LoL+ its rungs are at 0.1469, 0.3674 and 0.9184 of the map. */
const LADDER = [400_000, 1_000_000, 2_500_000];

/** What a rule for live titles knows when it plays the middle of three rungs with 2 s in the buffer. */
export function liveState(more: Partial<AbrState>): AbrState {
  return {
    ...{ ladder: LADDER, throughputBitsPerSecond: 2_000_000, bufferMs: 2000 },
    ...{ smoothed: undefined, bufferCapMs: 30_000, segmentDurationMs: 1000 },
    ...{ segmentIndex: 1, segmentCount: Infinity, lastIndex: 1 },
    ...{ fixedIndex: 0, nowMs: 0 },
    ...more,
  };
}
