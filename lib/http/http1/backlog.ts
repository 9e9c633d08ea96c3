const NOTHING = new Uint8Array(0);

/** Bytes that came and were not read yet. Empty, as nearly always, it holds no memory. */
export class Backlog {
  #buffer = NOTHING;
  #length = 0;

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** What waits: a view, good until the next change. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Adds a copy of `bytes` at the end. */
  push(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(512, needed, 2 * this.#length));
      grown.set(this.bytes);
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = needed;
  }

  /** Makes what comes after `from` in `data` all that waits; `data` may be {@linkcode Backlog.bytes}. */
  keepRest(data: Uint8Array, from: number): void {
    if (from >= data.length) return this.clear();
    if (data.buffer !== this.#buffer.buffer) {
      this.#length = 0;
      return this.push(data.subarray(from));
    }
    if (from > 0) this.#buffer.copyWithin(0, from, data.length);
    this.#length = data.length - from;
  }

  /** Forgets all. */
  clear(): void {
    this.#buffer = NOTHING;
    this.#length = 0;
  }
}
