import type { OriginAnswered } from "../../lib/events/origin.ts";
import type { RoleContext } from "../../lib/role.ts";

/** So many answers are told one by one in each period: a class of players stays below, a load generator does not. */
const SINGLES_PER_PERIOD = 50;
const PERIOD_MS = 1000;

/** Tells of answers: each by itself while they are few, in sums once they are many. */
export class AnswerLog implements AsyncDisposable {
  readonly #ctx: Pick<RoleContext, "clock" | "signal" | "emit">;
  #periodEndsAtMs = -Infinity;
  #singles = 0;
  #sum = { answers: 0, errors: 0, bytes: 0 };
  #summing: Promise<void> | undefined;

  /** Creates a log that has told nothing yet. */
  constructor(ctx: Pick<RoleContext, "clock" | "signal" | "emit">) {
    this.#ctx = ctx;
  }

  /** Tells of one answer, now or in the sum of this second. */
  add(answer: OriginAnswered): void {
    const nowMs = this.#ctx.clock.nowMs();
    if (nowMs >= this.#periodEndsAtMs) {
      this.#periodEndsAtMs = nowMs + PERIOD_MS;
      this.#singles = 0;
    }
    if (this.#singles < SINGLES_PER_PERIOD) {
      this.#singles += 1;
      this.#ctx.emit(answer);
      return;
    }
    this.#sum.answers += 1;
    this.#sum.bytes += answer.bytes;
    if (answer.status >= 400) this.#sum.errors += 1;
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
    const sum = this.#sum;
    this.#sum = { answers: 0, errors: 0, bytes: 0 };
    this.#ctx.emit({ type: "origin.summarized", periodMs: PERIOD_MS, ...sum });
  }
}
