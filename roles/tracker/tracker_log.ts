import type { TrackerEvent, TrackerOutcome } from "../../lib/events/tracker.ts";
import type { Clock } from "../../lib/io/clock.ts";

/** So many outcomes are told one by one in each period: a class announcing at once; a flood would drown the log. */
const SINGLES_PER_PERIOD = 50;
const PERIOD_MS = 1000;

/** The part of a role's context this needs. */
interface Context {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  emit(event: TrackerEvent): void;
}

/** Tells what the tracker did: each outcome by itself while they are few, in sums once they are many. */
export class TrackerLog implements AsyncDisposable {
  readonly #ctx: Context;
  #periodEndsAtMs = -Infinity;
  #singles = 0;
  #sum = { announced: 0, scraped: 0, refused: 0 };
  #summing: Promise<void> | undefined;

  /** Creates a log that has told nothing yet. */
  constructor(ctx: Context) {
    this.#ctx = ctx;
  }

  /** Tells of one outcome, now or in the sum of this second. Takes a function, so that a flood builds no events. */
  add(kind: "announced" | "scraped" | "refused", tell: () => TrackerOutcome) {
    const nowMs = this.#ctx.clock.nowMs();
    if (nowMs >= this.#periodEndsAtMs) {
      this.#periodEndsAtMs = nowMs + PERIOD_MS;
      this.#singles = 0;
    }
    if (this.#singles < SINGLES_PER_PERIOD) {
      this.#singles += 1;
      this.#ctx.emit(tell());
      return;
    }
    this.#sum[kind] += 1;
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
      type: "tracker.summarized",
      periodMs: PERIOD_MS,
      ...this.#sum,
    });
    this.#sum = { announced: 0, scraped: 0, refused: 0 };
  }
}
