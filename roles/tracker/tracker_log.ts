import { toHex } from "../../lib/core/bytes.ts";
import type { TrackerOutcome } from "../../lib/events/tracker.ts";
import { PacedLog, type PacedLogContext } from "../../lib/io/paced_log.ts";

/** Tells what the tracker did, at most 50 outcomes a second one by one: a class may announce at once. */
export class TrackerLog implements AsyncDisposable {
  readonly #log;

  /** Creates a log that has told nothing yet. */
  constructor(ctx: PacedLogContext) {
    this.#log = new PacedLog(ctx, {
      singlesPerSecond: 50,
      nothing: () => ({ announced: 0, scraped: 0, refused: 0, expired: 0 }),
      summed: (sum, periodMs) => ({
        type: "tracker.summarized",
        periodMs,
        ...sum,
      }),
    });
  }

  /** Tells of one outcome, now or in the sum of this second. Takes a function, so that a flood builds no events. */
  add(kind: "announced" | "scraped" | "refused", tell: () => TrackerOutcome) {
    this.#log.add(tell, (sum) => {
      sum[kind] += 1;
    });
  }

  /** Tells that peers of a swarm were forgotten. */
  addExpired(infoHash: Uint8Array, peers: number) {
    this.#log.add(
      () => ({ type: "tracker.expired", infoHash: toHex(infoHash), peers }),
      (sum) => {
        sum.expired += peers;
      },
    );
  }

  /** Resolves when nothing is left to tell. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#log[Symbol.asyncDispose]();
  }
}
