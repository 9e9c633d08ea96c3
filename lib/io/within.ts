import { RunError } from "../core/errors.ts";
import type { Clock } from "./clock.ts";
import { LinkedAbort, OVER } from "./linked_abort.ts";

/**
 * Waits for `work`, but no longer than `limitMs`. The work itself goes on: its owner ends it, for instance by closing
 * the socket it reads from.
 *
 * @throws {RunError} `timed-out`; `signal`'s reason if it aborts; whatever `work` rejects with.
 */
export async function within<T>(
  work: Promise<T>,
  { clock, limitMs, signal }: {
    readonly clock: Clock;
    /** `Infinity` waits for the work or the signal. */
    readonly limitMs: number;
    readonly signal?: AbortSignal;
  },
): Promise<T> {
  const timer = new LinkedAbort(signal);
  const late = clock.sleepUntil(clock.nowMs() + limitMs, timer.signal).then(
    () => {
      throw new RunError(
        "timed-out",
        `Cannot wait any longer: not done within ${limitMs} ms`,
      );
    },
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort(OVER);
  }
}
