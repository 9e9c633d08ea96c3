/** Seconds of history: choking compares what happened over the last 20 s. */
const WINDOW_SECONDS = 20;

/** Measures a rate over the last 20 s in one-second slots; a shorter history counts over its own length. */
export class RateMeter {
  /** Made when the first byte passes: of a peer's many connections few carry pieces. */
  #slots: number[] | null = null;
  /** Of all slots. */
  #sum = 0;
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
    this.#slots ??= new Array<number>(WINDOW_SECONDS).fill(0);
    this.#slots[this.#second % WINDOW_SECONDS]! += bytes;
    this.#sum += bytes;
  }

  /** Bytes per second over the last `seconds` full seconds and the one under way (at most 20 in all). */
  rate(nowMs: number, seconds = WINDOW_SECONDS - 1): number {
    this.#advance(nowMs);
    const full = Math.min(seconds, this.#second - this.#firstSecond);
    const bytes = seconds >= WINDOW_SECONDS - 1 ? this.#sum : this.#last(full);
    // Less than 250 ms of history would exaggerate.
    return bytes / Math.max(0.25, full + nowMs / 1000 - this.#second);
  }

  /** What passed in the second under way and the `full` before it. */
  #last(full: number): number {
    if (this.#sum === 0) return 0;
    let bytes = 0;
    for (let back = 0; back <= full; back++) {
      bytes += this.#slots![(this.#second - back) % WINDOW_SECONDS]!;
    }
    return bytes;
  }

  #advance(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second <= this.#second) return;
    if (this.#sum > 0) {
      const missed = Math.min(WINDOW_SECONDS, second - this.#second);
      for (let step = 1; step <= missed; step++) {
        const slot = (this.#second + step) % WINDOW_SECONDS;
        this.#sum -= this.#slots![slot]!;
        this.#slots![slot] = 0;
      }
    }
    this.#second = second;
  }
}
