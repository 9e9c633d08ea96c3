/** What {@linkcode summarize} says of a list of numbers, in their unit. */
export interface Summary {
  /** How many numbers there were. */
  readonly count: number;
  /** The smallest. */
  readonly min: number;
  /** The arithmetic mean. */
  readonly avg: number;
  /** The largest. */
  readonly max: number;
  /** The standard deviation of these numbers themselves (divided by n, not n - 1), as `ping` prints it. */
  readonly stddev: number;
}

/**
 * Returns the smallest, mean and largest of `values` and how far they scatter; null if there are none.
 *
 * @example Round-trip times in milliseconds
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { summarize } from "./stats.ts";
 *
 * assertEquals(summarize([2, 4, 4, 4, 5, 5, 7, 9]), {
 *   count: 8,
 *   min: 2,
 *   avg: 5,
 *   max: 9,
 *   stddev: 2,
 * });
 * ```
 */
export function summarize(values: readonly number[]): Summary | null {
  if (values.length === 0) return null;
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  const avg = sum / values.length;
  // Second pass over the differences: summing squares first would lose all digits when the scatter is small.
  let squares = 0;
  for (const value of values) squares += (value - avg) ** 2;
  return {
    count: values.length,
    min,
    avg,
    max,
    stddev: Math.sqrt(squares / values.length),
  };
}
