/**
 * Segments of a live title that are there later than the manifest promises: an encoder that is slow to write, a node that
 * is slow to hear of it, or two clocks that disagree. A server then says 404 to what it will have in a moment.
 *
 * To take that for a hole, or for a rung that is not to be had, would skip what is just about to come, or play it in the
 * lowest rate. So what was listed a short while ago is asked for again, in whatever rate; and as lateness lasts, the next
 * ones are asked for that much later. What is learned goes up by half a segment at most, so that one hiccup of an encoder
 * does not make all later ones late, and goes down slowly, to see whether it has got better.
 */
import type { Position } from "../title.ts";

/** What was listed less than so many segments ago may be late; then it is taken for a hole. */
const TOLERANCE_SEGMENTS = 3;
const LEAST_TOLERANCE_MS = 5000;
/** Between two questions, a share of how late it is, and its bounds. */
const WAIT_SHARE = 1 / 8;
const LEAST_WAIT_MS = 250;
const MOST_WAIT_MS = 2000;
/** With each segment that is there when it is asked for, so much of it is forgotten of what was learned. */
const FORGOTTEN_SHARE = 0.04;

type Listed = Pick<Position, "number" | "durationMs">;

/** See the head of this file. Times are the player's. */
export class Lateness {
  readonly #giveUpMs: number;
  /** Of each track, by number: when each segment that is to come was listed first. */
  readonly #listed: Map<number, number>[] = [];
  /** When to ask for what was not there again; of each track. */
  readonly #again: { readonly number: number; readonly atMs: number }[] = [];
  #lateMs = 0;
  #isAnyHere = false;
  #firstMissAtMs: number | undefined;

  /** @param giveUpMs How long to wait for the very first segment: nothing tells yet how late they are. */
  constructor(giveUpMs: number) {
    this.#giveUpMs = giveUpMs;
  }

  /** What there is of a track now. */
  list(track: number, positions: readonly Listed[], nowMs: number): void {
    const before = this.#listed[track];
    const now = new Map<number, number>();
    // Of those that were there from the start, each came a segment before the next one.
    let atMs = nowMs;
    for (const { number, durationMs } of positions.toReversed()) {
      now.set(number, before?.get(number) ?? atMs);
      if (before === undefined) atMs -= durationMs;
    }
    this.#listed[track] = now;
  }

  /** When a segment can be asked for. */
  dueAtMs(track: number, { number }: Listed): number {
    const again = this.#again[track];
    if (again?.number === number) return again.atMs;
    return (this.#listed[track]?.get(number) ?? -Infinity) + this.#lateMs;
  }

  /** Whether a segment that is not there may just be late. */
  isRecent(track: number, { number, durationMs }: Listed, nowMs: number) {
    const toleranceMs = this.#isAnyHere
      ? this.#lateMs +
        Math.max(TOLERANCE_SEGMENTS * durationMs, LEAST_TOLERANCE_MS)
      : Infinity;
    return nowMs < this.#listedAtMs(track, number) + toleranceMs;
  }

  /** No server has a segment. Returns when to ask again; undefined if it is a hole. */
  missed(track: number, position: Listed, nowMs: number): number | undefined {
    this.#firstMissAtMs ??= nowMs;
    const isTooLong = !this.#isAnyHere &&
      nowMs >= this.#firstMissAtMs + this.#giveUpMs;
    if (isTooLong || !this.isRecent(track, position, nowMs)) return undefined;
    const { number } = position;
    const lateMs = nowMs - this.#listedAtMs(track, number);
    const waitMs = Math.max(LEAST_WAIT_MS, lateMs * WAIT_SHARE);
    const atMs = nowMs + Math.min(MOST_WAIT_MS, waitMs);
    this.#again[track] = { number, atMs };
    return atMs;
  }

  /** A segment was there when it was asked for at `askedAtMs`. */
  came(
    track: number,
    { number, durationMs }: Listed,
    askedAtMs: number,
  ): void {
    this.#isAnyHere = true;
    if (this.#again[track]?.number !== number) {
      const forgottenMs = durationMs * FORGOTTEN_SHARE;
      this.#lateMs = Math.max(0, this.#lateMs - forgottenMs);
      return;
    }
    const lateMs = askedAtMs - this.#listedAtMs(track, number);
    this.#lateMs = Math.min(lateMs, this.#lateMs + durationMs / 2);
  }

  #listedAtMs(track: number, number: number): number {
    return this.#listed[track]?.get(number) ?? -Infinity;
  }
}
