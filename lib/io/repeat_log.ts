import type { RolecallEvent } from "../events/mod.ts";
import { PacedLog, type PacedLogContext } from "./paced_log.ts";

/** An event that may stand for several. */
type Repeatable = Extract<RolecallEvent, { readonly times?: number }>;

/** Tells of what may happen again and again: in each second the first of a kind at once, and how many times more it was at the end. */
export class RepeatLog {
  readonly #ctx: PacedLogContext;
  readonly #kinds = new Map<
    string,
    PacedLog<{ times: number; last: Repeatable }>
  >();

  /** Creates a log that has told nothing yet. */
  constructor(ctx: PacedLogContext) {
    this.#ctx = ctx;
  }

  /** Tells of one, now or in the sum of this second, which says what the last of it said. There must be few kinds. */
  tell(kind: string, event: Repeatable): void {
    let log = this.#kinds.get(kind);
    if (log === undefined) {
      log = new PacedLog(this.#ctx, {
        singlesPerSecond: 1,
        nothing: () => ({ times: 0, last: event }),
        summed: ({ times, last }) => ({ ...last, times }),
      });
      this.#kinds.set(kind, log);
    }
    log.add(() => event, (sum) => {
      sum.times += 1;
      sum.last = event;
    });
  }
}
