import { collectGarbage } from "../garbage.ts";

/** How long nothing must have come before it counts as a pause. */
const QUIET_MS = 5000;
/** Between two collections. */
const INTERVAL_MS = 60_000;

/** Of the process: another server of it may have collected. */
let lastMs = -Infinity;

/**
 * Collects garbage while nobody waits for an answer. V8's own way to give memory back (its memory reducer, which the
 * executable for Linux is without) begins in a pause and ends, with 20 to 50 ms, at the first requests after it.
 */
export class IdleCollector {
  readonly #collect: () => void;
  #sinceMs: number | undefined;

  /** By `collect`: the runtime's own way if not given. */
  constructor(collect: () => void = collectGarbage) {
    this.#collect = collect;
  }

  /** Something came: there will be garbage. */
  served(nowMs: number): void {
    this.#sinceMs = nowMs;
  }

  /** Nothing came for a while. */
  rested(nowMs: number): void {
    if (this.#sinceMs === undefined || nowMs < this.#sinceMs + QUIET_MS) return;
    if (nowMs < lastMs + INTERVAL_MS) return;
    lastMs = nowMs;
    this.#sinceMs = undefined;
    this.#collect();
  }
}
