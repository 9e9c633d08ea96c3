/**
 * The bitrate rule of the well-known proxy projects (CMU 15-441 P3, UMich EECS 489 A2, CUHK CSCI4430 A2): an average of
 * the throughput per client, `T ← α·T_new + (1 − α)·T`, and for each chunk the highest rate with `T ≥ 1.5 · rate`.
 */

/** How much throughput a rate needs. */
const HEADROOM = 1.5;

/** The average after one more chunk. @param alpha Weight of the new one, 0 to 1. */
export function averageThroughput(
  alpha: number,
  chunk: { readonly measured: number; readonly before: number },
): number {
  return alpha * chunk.measured + (1 - alpha) * chunk.before;
}

/**
 * The place of the rate to ask for.
 *
 * @param rates Lowest first, at least one, in the unit of `throughput`; the lowest is taken when none has room.
 */
export function chooseRate(
  rates: readonly number[],
  throughput: number,
): number {
  const at = rates.findLastIndex((rate) => throughput >= HEADROOM * rate);
  return Math.max(0, at);
}
