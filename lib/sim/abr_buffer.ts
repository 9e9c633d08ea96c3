/** What was seen: weighed by media time played. */
export interface Watched {
  /** Media played. */
  playedMs: number;
  /** Standing still after the start, and how often. */
  stallMs: number;
  stallCount: number;
  /** Sum of utility times media time; a segment counts whole once its first picture is shown. */
  utilityMs: number;
  /** Sum of rate times media time. */
  bits: number;
  /** Media time of the highest rung. */
  highestMs: number;
  /** How often the rung changed from one segment shown to the next, and by how many bits per second in all. */
  switchCount: number;
  changeBitsPerSecond: number;
}

interface Held {
  readonly index: number;
  readonly durationMs: number;
}

/** What playing needs to know of a ladder. */
export interface Rated {
  /** Rates of the ladder in bits per second. */
  readonly ladder: readonly number[];
  /** What each rung is worth. */
  readonly utilities: readonly number[];
}

/**
 * The playout buffer of a simulated player: which rung each segment in it has, and what is seen of them.
 *
 * As `lib/dash/player/playout.ts`, but it knows what it plays; that one only knows how much.
 */
export class AbrBuffer {
  readonly #rated: Rated;
  readonly #queue: Held[] = [];
  #levelMs = 0;
  /** How much of the first segment has been played. */
  #playedMs = 0;
  #last: number | undefined;
  readonly watched: Watched = {
    playedMs: 0,
    stallMs: 0,
    stallCount: 0,
    utilityMs: 0,
    bits: 0,
    highestMs: 0,
    switchCount: 0,
    changeBitsPerSecond: 0,
  };

  /** Creates an empty one. */
  constructor(rated: Rated) {
    this.#rated = rated;
  }

  /** Media ready to play. */
  get levelMs(): number {
    return this.#levelMs - this.#playedMs;
  }

  /** Takes a segment in. */
  push(index: number, durationMs: number): void {
    this.#queue.push({ index, durationMs });
    this.#levelMs += durationMs;
  }

  /** Plays for `elapsedMs`, standing still when there is nothing. Returns how long it stood still. */
  play(elapsedMs: number): number {
    let leftMs = elapsedMs;
    const first = this.#queue[0];
    if (first !== undefined && this.#playedMs > 0) {
      if (leftMs + this.#playedMs < first.durationMs) {
        this.#playedMs += leftMs;
        this.watched.playedMs += leftMs;
        return 0;
      }
      leftMs -= first.durationMs - this.#playedMs;
      this.watched.playedMs += first.durationMs - this.#playedMs;
      this.#drop(first);
    }
    const began = this.#queue.length > 0 || first !== undefined;
    while (leftMs > 0) {
      const next = this.#queue[0];
      if (next === undefined) break;
      this.#show(next);
      if (leftMs >= next.durationMs) {
        leftMs -= next.durationMs;
        this.watched.playedMs += next.durationMs;
        this.#drop(next);
      } else {
        this.#playedMs = leftMs;
        this.watched.playedMs += leftMs;
        return 0;
      }
    }
    if (leftMs <= 0) return 0;
    this.watched.stallMs += leftMs;
    if (began) this.watched.stallCount += 1;
    return leftMs;
  }

  #drop({ durationMs }: Held): void {
    this.#queue.shift();
    this.#levelMs -= durationMs;
    this.#playedMs = 0;
  }

  #show({ index, durationMs }: Held): void {
    const { ladder, utilities } = this.#rated;
    const rate = ladder[index]!;
    this.watched.utilityMs += utilities[index]! * durationMs;
    this.watched.bits += rate * durationMs / 1000;
    if (index === ladder.length - 1) this.watched.highestMs += durationMs;
    if (this.#last !== undefined && this.#last !== index) {
      this.watched.switchCount += 1;
      this.watched.changeBitsPerSecond += Math.abs(
        rate - ladder[this.#last]!,
      );
    }
    this.#last = index;
  }
}
