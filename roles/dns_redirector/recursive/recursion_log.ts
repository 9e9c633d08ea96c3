import type { RecursionEvent } from "../../../lib/events/recursion.ts";
import { PacedLog, type PacedLogContext } from "../../../lib/io/paced_log.ts";

/** So many steps a second are told one by one: a class can read them. The rest is counted. */
const TOLD_PER_SECOND = 100;

/** Tells a class the steps of a resolver, and only their number when they are too many to read. */
export class RecursionLog implements AsyncDisposable {
  readonly #log;

  /** Creates a log that has told nothing yet. */
  constructor(ctx: PacedLogContext) {
    this.#log = new PacedLog(ctx, {
      singlesPerSecond: TOLD_PER_SECOND,
      nothing: () => ({ steps: 0, finished: 0, ignored: 0, refused: 0 }),
      summed: (sum, periodMs) => ({
        type: "recursions.counted",
        periodMs,
        ...sum,
      }),
    });
  }

  /** Tells of a step, now or in the sum of this second. */
  tell(event: RecursionEvent): void {
    this.#log.add(() => event, (sum) => {
      sum.steps += 1;
      if (event.type === "recursion.finished") sum.finished += 1;
      else if (event.type === "recursion.ignored") sum.ignored += 1;
      else if (event.type === "recursion.refused") sum.refused += 1;
    });
  }

  /** Resolves when nothing is left to tell. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#log[Symbol.asyncDispose]();
  }
}
