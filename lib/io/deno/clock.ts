import type { Clock } from "../clock.ts";

/** Longest delay that a timer takes in one go (2^31 - 1 ms); longer sleeps are cut into pieces. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock; `nowMs` counts from when the process started. */
export const denoClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  bootedAtWallMs: () => Date.now() - Deno.osUptime() * 1000,
  async sleepUntil(atMs, signal) {
    await new Promise<void>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      let timer: ReturnType<typeof setTimeout> | undefined;
      const wake = () => {
        const leftMs = atMs - performance.now();
        if (leftMs <= 0) {
          signal?.removeEventListener("abort", stop);
          return resolve();
        }
        if (leftMs !== Infinity) {
          timer = setTimeout(wake, Math.min(Math.ceil(leftMs), MAX_TIMER_MS));
        }
      };
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", stop, { once: true });
      wake();
    });
  },
};
