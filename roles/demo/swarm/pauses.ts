import type { Clock } from "../../../lib/io/clock.ts";

/** How long a simulation may keep the thread to itself. */
const TURN_MS = 100;

/**
 * Pauses in a long computation, in which the program hears of Ctrl-C and shows how far it is. A sleep until now would be
 * none: it goes on before any timer or signal has had its turn.
 */
export class Pauses {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #dueAtMs: number;

  /** @param world.signal Ends the computation: {@linkcode Pauses.take} then throws its reason. */
  constructor(world: { readonly clock: Clock; readonly signal: AbortSignal }) {
    this.#clock = world.clock;
    this.#signal = world.signal;
    this.#dueAtMs = world.clock.nowMs() + TURN_MS;
  }

  /** Whether it is time for one. */
  get due(): boolean {
    return this.#clock.nowMs() >= this.#dueAtMs;
  }

  /** Makes one. */
  async take(): Promise<void> {
    await this.#clock.sleepUntil(this.#clock.nowMs() + 1, this.#signal);
    this.#dueAtMs = this.#clock.nowMs() + TURN_MS;
  }
}
