/** Seconds of history: choking compares what happened over the last 20 s. */
const WINDOW_SECONDS = 20;

/** Measures a rate over the last 20 s in one-second slots; a shorter history counts over its own length. */
export class RateMeter {
  readonly #slots = new Float64Array(WINDOW_SECONDS);
  #second: number;
  readonly #firstSecond: number;

  /** Creates a meter that begins now. */
  constructor(nowMs: number) {
    this.#second = Math.floor(nowMs / 1000);
    this.#firstSecond = this.#second;
  }

  /** Counts bytes that passed now. */
  add(bytes: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#slots[this.#second % WINDOW_SECONDS]! += bytes;
  }

  /** Bytes per second over the last `seconds` full seconds and the one under way (at most 20 in all). */
  rate(nowMs: number, seconds = WINDOW_SECONDS - 1): number {
    this.#advance(nowMs);
    const full = Math.min(seconds, this.#second - this.#firstSecond);
    let bytes = 0;
    for (let back = 0; back <= full; back++) {
      bytes += this.#slots[(this.#second - back) % WINDOW_SECONDS]!;
    }
    // Less than 250 ms of history would exaggerate.
    return bytes / Math.max(0.25, full + nowMs / 1000 - this.#second);
  }

  #advance(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const missed = Math.min(WINDOW_SECONDS, second - this.#second);
    for (let step = 1; step <= missed; step++) {
      this.#slots[(this.#second + step) % WINDOW_SECONDS] = 0;
    }
    if (second > this.#second) this.#second = second;
  }
}
