import type { OriginAnswered } from "../../../lib/events/origin.ts";
import { PacedLog, type PacedLogContext } from "../../../lib/io/paced_log.ts";

/** Tells of answers, at most 50 a second one by one: a class of players stays below, a load generator does not. */
export class AnswerLog implements AsyncDisposable {
  readonly #log;

  /** Creates a log that has told nothing yet. */
  constructor(ctx: PacedLogContext) {
    this.#log = new PacedLog(ctx, {
      singlesPerSecond: 50,
      nothing: () => ({ answers: 0, errors: 0, bytes: 0 }),
      summed: (sum, periodMs) => ({
        type: "origin.summarized",
        periodMs,
        ...sum,
      }),
    });
  }

  /** Tells of one answer, now or in the sum of this second. */
  add(answer: OriginAnswered): void {
    this.#log.add(() => answer, (sum) => {
      sum.answers += 1;
      sum.bytes += answer.bytes;
      if (answer.status >= 400) sum.errors += 1;
    });
  }

  /** Resolves when nothing is left to tell. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#log[Symbol.asyncDispose]();
  }
}
