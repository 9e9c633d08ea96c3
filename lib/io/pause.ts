import type { Clock } from "./clock.ts";

/**
 * Sleeps until `atMs` of the clock, or until the signal aborts, which is no error: who waits in a loop looks at the signal
 * next. `Infinity` waits for the signal alone.
 */
export async function pauseUntil(
  atMs: number,
  { clock, signal }: {
    readonly clock: Pick<Clock, "sleepUntil">;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  await clock.sleepUntil(atMs, signal).catch(() => {});
}
