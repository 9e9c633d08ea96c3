/** Replies are made in pieces of this much memory. */
const SLAB_BYTES = 65_536;

/**
 * Writes byte strings that are short and many, by hand: `TextEncoder` and an array of its own for each would cost more
 * than all that stands in them. They lie side by side in larger pieces of memory; none is ever written over.
 */
export class ReplyWriter {
  #slab: Uint8Array<ArrayBuffer> = new Uint8Array(SLAB_BYTES);
  #from = 0;
  #at = 0;

  /** Begins a byte string of at most `maxBytes`. */
  begin(maxBytes: number): void {
    if (this.#at + maxBytes > this.#slab.length) {
      this.#slab = new Uint8Array(Math.max(SLAB_BYTES, maxBytes));
      this.#at = 0;
    }
    this.#from = this.#at;
  }

  /** Returns what was written since {@linkcode ReplyWriter.begin}. */
  end(): Uint8Array<ArrayBuffer> {
    return this.#slab.subarray(this.#from, this.#at);
  }

  /** Writes ASCII text. */
  text(ascii: string): void {
    const slab = this.#slab;
    let at = this.#at;
    for (let index = 0; index < ascii.length; index++) {
      slab[at++] = ascii.charCodeAt(index);
    }
    this.#at = at;
  }

  /** Writes a whole number from 0 to 999,999,999, in digits. */
  number(value: number): void {
    let scale = 1;
    while (10 * scale <= value) scale *= 10;
    let rest = value;
    for (; scale >= 1; scale /= 10) {
      const digit = Math.floor(rest / scale);
      this.#slab[this.#at++] = 0x30 + digit;
      rest -= digit * scale;
    }
  }

  /** Writes the first `count` of `bytes`, with their length before them (BEP 3). */
  string(bytes: Uint8Array, count: number): void {
    this.number(count);
    this.text(":");
    const slab = this.#slab;
    const to = this.#at;
    for (let at = 0; at < count; at++) slab[to + at] = bytes[at]!;
    this.#at = to + count;
  }
}
