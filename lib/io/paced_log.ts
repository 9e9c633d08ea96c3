import type { RolecallEvent } from "../events/mod.ts";
import type { Clock } from "./clock.ts";
import { pauseUntil } from "./pause.ts";

const PERIOD_MS = 1000;

/** The part of a role's context that {@linkcode PacedLog} needs. */
export interface PacedLogContext {
  /** Tells when a second is over. */
  readonly clock: Clock;
  /** Aborted when the role stops. */
  readonly signal: AbortSignal;
  /** Where the events go. */
  emit(event: RolecallEvent): void;
}

/**
 * Tells what a server did: each outcome by itself while they are few, in sums once they are many. A person cannot read
 * faster, and a flood would drown the log.
 */
export class PacedLog<Sum> implements AsyncDisposable {
  readonly #ctx: PacedLogContext;
  readonly #options: {
    readonly singlesPerSecond: number;
    readonly nothing: () => Sum;
    readonly summed: (sum: Sum, periodMs: number) => RolecallEvent;
  };
  #periodEndsAtMs = -Infinity;
  #singles = 0;
  #sum: Sum;
  #summing: Promise<void> | undefined;

  /**
   * Creates a log that has told nothing yet.
   *
   * @param options.singlesPerSecond So many outcomes of each second are told one by one.
   * @param options.nothing Makes an empty sum.
   * @param options.summed The event that tells a sum.
   */
  constructor(ctx: PacedLogContext, options: {
    readonly singlesPerSecond: number;
    readonly nothing: () => Sum;
    readonly summed: (sum: Sum, periodMs: number) => RolecallEvent;
  }) {
    this.#ctx = ctx;
    this.#options = options;
    this.#sum = options.nothing();
  }

  /** Tells of one outcome: now, as `tell` says it, or in the sum of this second, to which `count` adds it. Only one of the two is called. */
  add(tell: () => RolecallEvent, count: (sum: Sum) => void): void {
    // To ask for the time costs a busy server more than to count.
    if (this.#summing !== undefined) return count(this.#sum);
    const nowMs = this.#ctx.clock.nowMs();
    if (nowMs >= this.#periodEndsAtMs) {
      this.#periodEndsAtMs = nowMs + PERIOD_MS;
      this.#singles = 0;
    }
    if (this.#singles < this.#options.singlesPerSecond) {
      this.#singles += 1;
      this.#ctx.emit(tell());
      return;
    }
    count(this.#sum);
    this.#summing = this.#tellSum();
  }

  /** Resolves when nothing is left to tell; the context's signal must have been aborted, or the period over. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#summing;
  }

  async #tellSum(): Promise<void> {
    const { clock, signal } = this.#ctx;
    await pauseUntil(this.#periodEndsAtMs, { clock, signal });
    this.#summing = undefined;
    const sum = this.#sum;
    this.#sum = this.#options.nothing();
    this.#ctx.emit(this.#options.summed(sum, PERIOD_MS));
  }
}
