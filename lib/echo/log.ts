import type { EchoOutcome } from "../events/echo.ts";
import { PacedLog, type PacedLogContext } from "../io/paced_log.ts";

/** Tells what an echo server did with its messages, at most 20 a second one by one. */
export class EchoLog implements AsyncDisposable {
  readonly #log;

  /** Creates a log that has told nothing yet. */
  constructor(ctx: PacedLogContext) {
    this.#log = new PacedLog(ctx, {
      singlesPerSecond: 20,
      nothing: () => ({
        answered: 0,
        dropped: 0,
        failed: 0,
        receivedBytes: 0,
        sentBytes: 0,
      }),
      summed: (sum, periodMs) => ({
        type: "echo.summarized",
        periodMs,
        ...sum,
      }),
    });
  }

  /** Tells of one message, now or in the sum of this second. */
  add(outcome: EchoOutcome): void {
    this.#log.add(() => outcome, (sum) => {
      sum.receivedBytes += outcome.receivedBytes;
      if (outcome.type === "echo.answered") {
        sum.answered += 1;
        sum.sentBytes += outcome.sentBytes;
      } else if (outcome.type === "echo.dropped") sum.dropped += 1;
      else sum.failed += 1;
    });
  }

  /** Resolves when nothing is left to tell. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#log[Symbol.asyncDispose]();
  }
}
