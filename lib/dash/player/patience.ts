/** How long to be patient. */
export interface PatienceOptions {
  /** By the wall clock, from when no rate was to be had anywhere; 0, and without it, not at all. */
  readonly giveUpMs?: number | undefined;
  /** Of the player's clock: so many times as fast. */
  readonly speed: number;
}

/** Wait before a segment that is to be had nowhere is asked for again, doubled with each further time. */
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 8000;

/**
 * What a player does when servers fail wherever it asks: the picture may stand still, but a server may be back, or
 * another one known by then. It asks again after 1 s, 2 s, 4 s, and then every 8 s, until it has been too long. Times
 * are the player's, unless said otherwise.
 */
export class Patience {
  readonly #giveUpMs: number;
  readonly #speed: number;
  #sinceMs: number | undefined;
  #waitMs = FIRST_WAIT_MS;
  #retryAtMs: number | undefined;

  /** Creates one that nothing tries. */
  constructor({ giveUpMs = 0, speed }: PatienceOptions) {
    this.#giveUpMs = giveUpMs * speed;
    this.#speed = speed;
  }

  /** When to ask again; undefined when all is well. */
  get retryAtMs(): number | undefined {
    return this.#retryAtMs;
  }

  /** Nothing was to be had anywhere. Returns how long to wait, by the wall clock; undefined when it has been too long. */
  failed(nowMs: number): number | undefined {
    this.#sinceMs ??= nowMs;
    const leftMs = this.#sinceMs + this.#giveUpMs - nowMs;
    if (leftMs <= 0) return undefined;
    // The last time is at the end of it.
    const waitMs = Math.min(this.#waitMs, leftMs / this.#speed);
    this.#waitMs = Math.min(MAX_WAIT_MS, 2 * this.#waitMs);
    this.#retryAtMs = nowMs + waitMs * this.#speed;
    return waitMs;
  }

  /** Something came, or something else is wanted. */
  relieved(): void {
    this.#sinceMs = undefined;
    this.#retryAtMs = undefined;
    this.#waitMs = FIRST_WAIT_MS;
  }
}
