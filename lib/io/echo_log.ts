import type { EchoEvent, EchoOutcome } from "../events/echo.ts";
import type { Clock } from "./clock.ts";

/** So many messages are told one by one in each period; a person cannot read faster, and a flood would drown the log. */
const SINGLES_PER_PERIOD = 20;
const PERIOD_MS = 1000;

/** The part of a role's context that {@linkcode EchoLog} needs. */
export interface EchoLogContext {
  /** Tells when a second is over. */
  readonly clock: Clock;
  /** Aborted when the role stops. */
  readonly signal: AbortSignal;
  /** Where the events go. */
  emit(event: EchoEvent): void;
}

/** Tells what an echo server did with its messages: each by itself while they are few, in sums once they are many. */
export class EchoLog implements AsyncDisposable {
  readonly #ctx: EchoLogContext;
  #periodEndsAtMs = -Infinity;
  #singles = 0;
  #sum = noMessages();
  #summing: Promise<void> | undefined;

  /** Creates a log that has told nothing yet. */
  constructor(ctx: EchoLogContext) {
    this.#ctx = ctx;
  }

  /** Tells of one message, now or in the sum of this second. */
  add(outcome: EchoOutcome): void {
    const nowMs = this.#ctx.clock.nowMs();
    if (nowMs >= this.#periodEndsAtMs) {
      this.#periodEndsAtMs = nowMs + PERIOD_MS;
      this.#singles = 0;
    }
    if (this.#singles < SINGLES_PER_PERIOD) {
      this.#singles += 1;
      this.#ctx.emit(outcome);
      return;
    }
    const sum = this.#sum;
    sum.receivedBytes += outcome.receivedBytes;
    if (outcome.type === "echo.answered") {
      sum.answered += 1;
      sum.sentBytes += outcome.sentBytes;
    } else if (outcome.type === "echo.dropped") sum.dropped += 1;
    else sum.failed += 1;
    this.#summing ??= this.#tellSum();
  }

  /** Resolves when nothing is left to tell; the context's signal must have been aborted, or the period over. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#summing;
  }

  async #tellSum(): Promise<void> {
    const { clock, signal } = this.#ctx;
    await clock.sleepUntil(this.#periodEndsAtMs, signal).catch(() => {});
    this.#summing = undefined;
    this.#ctx.emit({
      type: "echo.summarized",
      periodMs: PERIOD_MS,
      ...this.#sum,
    });
    this.#sum = noMessages();
  }
}

function noMessages() {
  return { answered: 0, dropped: 0, failed: 0, receivedBytes: 0, sentBytes: 0 };
}
