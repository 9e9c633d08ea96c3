import type { Clock } from "./clock.ts";

/**
 * A clock on which nobody oversleeps: who wakes late finds that it is the time it wanted, and all later times are put
 * off by as much.
 *
 * For experiments that compare waits: a busy machine whose timers are late would otherwise measure itself. It falls
 * behind the real one by all the time that was overslept; what is not slept, such as waiting for a server, counts.
 */
export class SteadyClock implements Clock {
  readonly #clock: Clock;
  #behindMs = 0;

  /** Begins with the time of `clock`. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What was overslept so far. */
  get behindMs(): number {
    return this.#behindMs;
  }

  /** See {@linkcode Clock.nowMs}. */
  nowMs(): number {
    return this.#clock.nowMs() - this.#behindMs;
  }

  /** The real one. */
  wallMs(): number {
    return this.#clock.wallMs();
  }

  /** See {@linkcode Clock.bootedAtWallMs}. */
  bootedAtWallMs(): number {
    return this.#clock.bootedAtWallMs();
  }

  /** See {@linkcode Clock.sleepUntil}. */
  async sleepUntil(atMs: number, signal?: AbortSignal): Promise<void> {
    // Others who slept less and woke late have put this off.
    for (let first = true; first || this.nowMs() < atMs; first = false) {
      const isPast = this.nowMs() >= atMs;
      await this.#clock.sleepUntil(atMs + this.#behindMs, signal);
      if (!isPast) this.#behindMs += Math.max(0, this.nowMs() - atMs);
    }
  }
}
