import type { Media, Position } from "./title.ts";

/** Two positions this near are the same: timelines are rounded. */
export const SAME_MS = 50;

/**
 * One medium of a live title as it grows. A segment keeps the number it had when it was first seen, through every
 * refresh: it is known again by its place in the presentation.
 */
export class GrowingTrack {
  readonly media: Media;
  #positions: readonly Position[] = [];
  #count = 0;
  #reachMs = 0;

  /** Creates one of which nothing is known. */
  constructor(media: Media) {
    this.media = media;
  }

  /** In playing order. */
  get positions(): readonly Position[] {
    return this.#positions;
  }

  /** Where what was listed ends in the presentation. */
  get reachMs(): number {
    return this.#reachMs;
  }

  /** Takes in what the manifest lists now. */
  learn(planned: readonly Position[]): void {
    const before = this.#positions;
    const reachMs = this.#count === 0 ? -Infinity : this.#reachMs;
    let at = 0;
    const known: Position[] = [];
    for (const position of planned) {
      const { startMs } = position;
      while (at < before.length && before[at]!.startMs < startMs - SAME_MS) {
        at += 1;
      }
      const same = before[at];
      if (same !== undefined && same.startMs <= startMs + SAME_MS) {
        known.push({ ...position, number: same.number });
      } else if (startMs >= reachMs - SAME_MS) {
        this.#count += 1;
        known.push({ ...position, number: this.#count });
      } // Else a refresh has put it before what is there: nobody goes back for it.
    }
    this.#positions = known;
    const last = known.at(-1);
    if (last !== undefined) this.#reachMs = last.startMs + last.durationMs;
  }
}
