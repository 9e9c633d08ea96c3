/**
 * Segments of a live title that are there later than the manifest promises: an encoder that is slow to write, a node that
 * is slow to hear of it, or two clocks that disagree. A server then says 404 to what it will have in a moment.
 *
 * To take that for a hole, or for a rung that is not to be had, would skip what is just about to come, or play it in the
 * lowest rate. So what was listed a short while ago is asked for again, in whatever rate; and as lateness lasts, the next
 * ones are asked for that much later. What is learned goes up by half a segment at most, so that one hiccup of an encoder
 * does not make all later ones late, and goes down slowly, to see whether it has got better.
 *
 * One that does not come for two segments is taken for a hole and left out. If the next one is not there either, then not
 * a segment is missing but a clock is wrong, or the encoder stands still: that one is waited for.
 */
import type { Position } from "../title.ts";

/** What was listed less than so many segments ago may be late. */
const TOLERANCE_SEGMENTS = 2;
const LEAST_TOLERANCE_MS = 3000;
/** Between two questions, a share of how late it is, and its bounds. */
const WAIT_SHARE = 1 / 8;
const LEAST_WAIT_MS = 250;
const MOST_WAIT_MS = 2000;
/** With each segment that is there when it is asked for, so much of it is forgotten of what was learned. */
const FORGOTTEN_SHARE = 0.04;

type Listed = Pick<Position, "number" | "durationMs">;

/** A track, the segment that is next on it, and how many before it were left out. */
interface Next {
  readonly index: number;
  readonly position: Listed | undefined;
  readonly holes: number;
}

/** See the head of this file. Times are the player's. */
export class Lateness {
  readonly #giveUpMs: number;
  /** Of each track, by number: when each segment that is to come was listed first. */
  readonly #listed: Map<number, number>[] = [];
  /** When to ask for what was not there again; of each track. */
  readonly #again: { readonly number: number; readonly atMs: number }[] = [];
  #lateMs = 0;
  #isAnyHere = false;
  /** Of each track: since when what may be late has not come. */
  readonly #missingSinceMs: (number | undefined)[] = [];

  /** @param giveUpMs How long to wait at most where nothing tells how late segments are. */
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

  /** No server has the next segment. Returns when to ask again; undefined if it is a hole. */
  missed({ index, position, holes }: Next, nowMs: number): number | undefined {
    const isRecent = this.isRecent(index, position!, nowMs);
    if (isRecent) this.#missingSinceMs[index] ??= nowMs;
    const sinceMs = this.#missingSinceMs[index];
    if (sinceMs === undefined || !isRecent && holes === 0) return undefined;
    if (nowMs >= sinceMs + this.#giveUpMs) return undefined;
    const { number } = position!;
    const lateMs = nowMs - this.#listedAtMs(index, number);
    const waitMs = Math.max(LEAST_WAIT_MS, lateMs * WAIT_SHARE);
    const atMs = nowMs + Math.min(MOST_WAIT_MS, waitMs);
    this.#again[index] = { number, atMs };
    return atMs;
  }

  /** The next segment was there when it was asked for at `askedAtMs`. */
  came({ index, position, holes }: Next, askedAtMs: number): void {
    const { number, durationMs } = position!;
    const isTold = this.#isAnyHere && holes === 0;
    this.#isAnyHere = true;
    this.#missingSinceMs[index] = undefined;
    if (this.#again[index]?.number !== number) {
      const forgottenMs = durationMs * FORGOTTEN_SHARE;
      this.#lateMs = Math.max(0, this.#lateMs - forgottenMs);
      return;
    }
    const lateMs = askedAtMs - this.#listedAtMs(index, number);
    const most = isTold ? this.#lateMs + durationMs / 2 : Infinity;
    this.#lateMs = Math.min(lateMs, most);
  }

  #listedAtMs(track: number, number: number): number {
    return this.#listed[track]?.get(number) ?? -Infinity;
  }
}
