import { formatBitRate } from "../../core/units.ts";
import {
  type AbrDecision,
  type AbrRule,
  type AbrState,
  highestAtMost,
} from "./rule.ts";
import { SAFETY_FACTOR } from "./sustainable.ts";

function decide({ ladder, throughputBitsPerSecond }: AbrState): AbrDecision {
  if (throughputBitsPerSecond === undefined) {
    return { index: 0, waitMs: 0, reason: "nothing measured yet" };
  }
  const sustainable = throughputBitsPerSecond * SAFETY_FACTOR;
  const index = highestAtMost(ladder, sustainable);
  return {
    index,
    waitMs: 0,
    reason: (ladder[index] ?? 0) > sustainable
      ? `lowest, though only ${formatBitRate(sustainable)} is sustainable`
      : `${formatBitRate(sustainable)} is sustainable`,
  };
}

/** The slide's rule: the highest rate sustainable at the measured throughput; the lowest until something is measured. */
export const throughput: AbrRule = {
  summary: "the highest rate below 0.9 of the measured throughput",
  source:
    'slide "DASH": maximum coding rate sustainable; harmonic mean as in FESTIVE (Jiang et al., CoNEXT 2012)',
  start: () => ({ decide }),
};
