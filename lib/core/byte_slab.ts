/** Small, so that somebody who keeps one array keeps little else. */
const SLAB_BYTES = 4096;

/**
 * Gives out short arrays that lie side by side in larger ones. An array of 20 bytes with memory of its own takes ten
 * times as long to make, and then the garbage collector has to give that memory back.
 */
export class ByteSlab {
  #slab: Uint8Array<ArrayBuffer> = new Uint8Array(SLAB_BYTES);
  #at = 0;

  /** Returns `count` bytes that nobody else has, all 0; `count` is at most 4096. */
  take(count: number): Uint8Array<ArrayBuffer> {
    if (this.#at + count > SLAB_BYTES) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#at = 0;
    }
    const from = this.#at;
    this.#at += count;
    return this.#slab.subarray(from, this.#at);
  }
}
