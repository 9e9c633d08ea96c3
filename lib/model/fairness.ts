/**
 * Measures of several players that share a link, as Jiang, Sekar and Zhang use them ("Improving Fairness, Efficiency, and
 * Stability in HTTP-based Adaptive Video Streaming with FESTIVE", CoNEXT 2012, §2).
 */

/**
 * Jain's index of fairness: (sum x)^2 / (n sum x^2). 1 when all have the same, 1/n when one has everything.
 *
 * Jain, Chiu, Hawe, "A Quantitative Measure of Fairness and Discrimination for Resource Allocation in Shared Computer
 * Systems", DEC-TR-301, 1984. Of nothing at all it is 1.
 *
 * @example One of four has nothing
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { jainIndex } from "./fairness.ts";
 *
 * assertEquals(jainIndex([1, 1, 1, 0]), 0.75);
 * ```
 */
export function jainIndex(values: readonly number[]): number {
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    squares += value ** 2;
  }
  return squares === 0 ? 1 : sum ** 2 / (values.length * squares);
}

/** So much media is looked back at. */
const WINDOW_MS = 20_000;

/**
 * How much a player changes its rate: the changes of the last 20 s of media over the rates of them, both weighed so that
 * what is newest counts most, and of this the mean over the play. 0 when the rate never changed.
 *
 * @param segments Rate and duration of each, in order.
 */
export function instability(
  segments: readonly {
    readonly bitsPerSecond: number;
    readonly mediaMs: number;
  }[],
): number {
  let sum = 0;
  for (let at = 1; at < segments.length; at++) {
    let changes = 0;
    let rates = 0;
    let ageMs = 0;
    for (let back = at; back >= 1 && ageMs < WINDOW_MS; back--) {
      const { bitsPerSecond, mediaMs } = segments[back]!;
      const weight = (WINDOW_MS - ageMs) / WINDOW_MS;
      changes += weight *
        Math.abs(bitsPerSecond - segments[back - 1]!.bitsPerSecond);
      rates += weight * bitsPerSecond;
      ageMs += mediaMs;
    }
    sum += changes / rates;
  }
  return segments.length < 2 ? 0 : sum / (segments.length - 1);
}
