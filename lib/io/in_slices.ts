import type { Clock } from "./clock.ts";

/** Work is done for so long at a time, and then rests: a datagram that comes meanwhile waits no longer. */
const SLICE_MS = 5;
const REST_MS = 1;

/**
 * Takes steps to their end, a few milliseconds' worth at a time: what else there is to do has its turn in between.
 *
 * @returns What the steps end with. Rejects with what they throw, and with the signal's reason.
 */
export async function inSlices<T>(
  steps: Generator<void, T>,
  { clock, signal }: {
    readonly clock: Pick<Clock, "nowMs" | "sleepUntil">;
    readonly signal: AbortSignal;
  },
): Promise<T> {
  for (;;) {
    const restsAtMs = clock.nowMs() + SLICE_MS;
    do {
      const next = steps.next();
      if (next.done === true) return next.value;
    } while (clock.nowMs() < restsAtMs);
    await clock.sleepUntil(clock.nowMs() + REST_MS, signal);
  }
}
