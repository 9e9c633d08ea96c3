/**
 * FESTIVE: fair, efficient and stable among players that share a link.
 *
 * Jiang, Sekar, Zhang, "Improving Fairness, Efficiency, and Stability in HTTP-based Adaptive Video Streaming with
 * FESTIVE", CoNEXT 2012, §4. The target is one rung up after as many segments in a rung as its number, one
 * down at once when 0.85 of the harmonic mean (of 20 segments) does not carry it. Whether to follow the target is a
 * matter of score, the lower the better: stability (2^n for n changes lately, and one more if it follows) plus 12 times
 * efficiency (how far the rate is from the target's, or from what the link carries if that is less). The paper also draws the instant of a request by lot
 * around a target buffer; a rule of this project must not throw dice, so requests go out as the buffer has room.
 */
import { formatBitRate } from "../../core/units.ts";
import { harmonicMean } from "./throughput_meter.ts";
import {
  type AbrDecision,
  type AbrDownload,
  type AbrRule,
  type AbrSession,
  type AbrState,
} from "./rule.ts";

const WINDOW = 20;
const SAFETY = 0.85;
const EFFICIENCY_WEIGHT = 12;
const CHANGE_COST = 1;

class FestiveSession implements AbrSession {
  #rates: number[] = [];
  /** The rung of the last segment, and of how many before it in a row. */
  #rung: number | undefined;
  #inRung = 0;

  decide({ ladder, lastIndex }: AbrState): AbrDecision {
    const estimate = harmonicMean(this.#rates);
    if (estimate === undefined || lastIndex === undefined) {
      return { index: 0, waitMs: 0, reason: "nothing measured yet" };
    }
    const carried = SAFETY * estimate;
    const last = Math.min(lastIndex, ladder.length - 1);
    const target = this.#target(ladder, last, carried);
    const reason = `${formatBitRate(carried)} is carried`;
    if (target === last) return { index: last, waitMs: 0, reason };
    // How often it changed lately (2^n) counts on both sides.
    const follow = CHANGE_COST;
    const aim = Math.min(estimate, ladder[target]!);
    const keep = EFFICIENCY_WEIGHT * Math.abs(ladder[last]! / aim - 1);
    const off = EFFICIENCY_WEIGHT * Math.abs(ladder[target]! / aim - 1);
    return follow + off < keep
      ? { index: target, waitMs: 0, reason }
      : { index: last, waitMs: 0, reason: `${reason}, stability goes first` };
  }

  downloaded({ index, bits, downloadMs, abandonedFor }: AbrDownload): void {
    this.#rates.push(bits * 1000 / Math.max(downloadMs, 0.1));
    if (this.#rates.length > WINDOW) this.#rates.shift();
    if (abandonedFor !== undefined) return;
    this.#inRung = this.#rung === index ? this.#inRung + 1 : 1;
    this.#rung = index;
  }

  #target(
    ladder: readonly number[],
    last: number,
    carried: number,
  ): number {
    if (ladder[last]! > carried) return Math.max(0, last - 1);
    const next = last + 1;
    const mayClimb = next < ladder.length && ladder[next]! <= carried;
    // Rung 1 is left after one segment, rung 2 after two: lower rates climb sooner.
    return mayClimb && this.#inRung >= next ? next : last;
  }
}

/** See the head of this file. */
export const festive: AbrRule = {
  summary: "FESTIVE: climbs a rung at a time, the more patiently the higher",
  source: "Jiang, Sekar, Zhang, CoNEXT 2012",
  start: () => new FestiveSession(),
};
