/**
 * FESTIVE: fair, efficient and stable among players that share a link.
 *
 * Jiang, Sekar, Zhang, "Improving Fairness, Efficiency, and Stability in HTTP-based Adaptive Video Streaming with
 * FESTIVE", CoNEXT 2012, §4. The target is one rung up after as many segments in a rung as its number, one
 * down at once when 0.85 of the harmonic mean (of 20 segments) does not carry it. Whether to follow the target is a
 * matter of score: stability (2^n for n changes in the last 20 segments, one more if it follows) plus 12 times
 * efficiency (how far the rate is from what the link carries). The paper also draws the instant of a request by lot
 * around a target buffer; a rule of this project must not throw dice, so requests go out as the buffer has room.
 */
import { formatBitRate } from "../../core/units.ts";
import { harmonicMean } from "../throughput.ts";
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

class FestiveSession implements AbrSession {
  #rates: number[] = [];
  /** Rungs of the last segments, newest last. */
  #rungs: number[] = [];
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
    const follow = this.#score(ladder, target, { carried, last });
    const keep = this.#score(ladder, last, { carried, last });
    return follow < keep
      ? { index: target, waitMs: 0, reason }
      : { index: last, waitMs: 0, reason: `${reason}, stability goes first` };
  }

  downloaded({ index, bits, downloadMs, abandonedFor }: AbrDownload): void {
    this.#rates.push(bits * 1000 / Math.max(downloadMs, 0.1));
    if (this.#rates.length > WINDOW) this.#rates.shift();
    if (abandonedFor !== undefined) return;
    this.#inRung = this.#rungs.at(-1) === index ? this.#inRung + 1 : 1;
    this.#rungs.push(index);
    if (this.#rungs.length > WINDOW) this.#rungs.shift();
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

  #score(
    ladder: readonly number[],
    index: number,
    { carried, last }: { readonly carried: number; readonly last: number },
  ): number {
    const changes =
      this.#rungs.filter((rung, at) => at > 0 && rung !== this.#rungs[at - 1])
        .length;
    const stability = 2 ** changes + (index === last ? 0 : 1);
    const aim = Math.min(carried, ladder.at(-1)!);
    return stability + EFFICIENCY_WEIGHT * Math.abs(ladder[index]! / aim - 1);
  }
}

/** See the head of this file. */
export const festive: AbrRule = {
  summary: "FESTIVE: climbs a rung at a time, the more patiently the higher",
  source: "Jiang, Sekar, Zhang, CoNEXT 2012",
  start: () => new FestiveSession(),
};
