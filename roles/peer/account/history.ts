/** Moments that are kept: of a long share every second one, every fourth, and so on. Odd: the last one stays then, and the distance is the same. */
const MAX_MOMENTS = 1001;

/** How a share stood. */
export interface Moment {
  /** Since the swarm was joined. */
  readonly atMs: number;
  /** Payload so far; it falls by a piece that turns out to be wrong. */
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  /** What is verified. */
  readonly haveBytes: number;
}

/** The course of a share, in as many moments as a chart can show, however long it takes. */
export class History {
  #moments: Moment[] = [];
  #last: Moment | null = null;
  /** Of so many moments one is kept. */
  #stride = 1;
  #passed = 0;

  /** Takes the next moment. */
  add(moment: Moment): void {
    this.#last = moment;
    this.#passed += 1;
    if (this.#moments.length > 0 && this.#passed < this.#stride) return;
    this.#passed = 0;
    this.#moments.push(moment);
    if (this.#moments.length < MAX_MOMENTS) return;
    this.#moments = this.#moments.filter((_, at) => at % 2 === 0);
    this.#stride *= 2;
  }

  /** What is kept, and the last moment. */
  get moments(): readonly Moment[] {
    const last = this.#last;
    return last === null || this.#moments.at(-1) === last
      ? this.#moments
      : [...this.#moments, last];
  }
}
