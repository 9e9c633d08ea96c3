import type { Media, Position } from "./title.ts";

/** Two positions this near are the same: timelines are rounded. */
export const SAME_MS = 50;

/** A segment that was seen. */
interface Seen {
  readonly startMs: number;
  readonly number: number;
}

/**
 * One medium of a live title as it grows. A segment keeps the number it had when it was first seen, through every
 * refresh: it is known again by its place in the presentation, also when a manifest that lags behind (of another node,
 * or of an encoder that began anew) had left it out meanwhile.
 */
export class GrowingTrack {
  readonly media: Media;
  #positions: readonly Position[] = [];
  /** In playing order; those before all that is listed are forgotten. */
  #seen: readonly Seen[] = [];
  #count = 0;
  #reachMs = -Infinity;

  /** Creates one of which nothing is known. */
  constructor(media: Media) {
    this.media = media;
  }

  /** In playing order. */
  get positions(): readonly Position[] {
    return this.#positions;
  }

  /** Where what was listed ends in the presentation: the farthest so far. */
  get reachMs(): number {
    return this.#count === 0 ? 0 : this.#reachMs;
  }

  /** Takes in what the manifest lists now. */
  learn(planned: readonly Position[]): void {
    const before = this.#seen;
    let at = 0;
    const known: Position[] = [];
    const seen: Seen[] = [];
    for (const position of planned) {
      const { startMs } = position;
      while (at < before.length && before[at]!.startMs < startMs - SAME_MS) {
        if (seen.length > 0) seen.push(before[at]!);
        at += 1;
      }
      const same = before[at];
      if (same !== undefined && same.startMs <= startMs + SAME_MS) {
        known.push({ ...position, number: same.number });
        seen.push({ startMs, number: same.number });
        at += 1;
      } else if (startMs >= this.#reachMs - SAME_MS) {
        this.#count += 1;
        known.push({ ...position, number: this.#count });
        seen.push({ startMs, number: this.#count });
      } // Else a refresh has put it before what is there: nobody goes back for it.
    }
    seen.push(...before.slice(at));
    this.#positions = known;
    this.#seen = seen;
    const last = known.at(-1);
    if (last === undefined) return;
    this.#reachMs = Math.max(this.#reachMs, last.startMs + last.durationMs);
  }
}
