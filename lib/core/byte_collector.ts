/**
 * Collects bytes that come in pieces, and copies them as they come.
 *
 * Keeping the pieces themselves would keep their buffers: the runtime reads a body into buffers of 64 KiB, so that a
 * server that sends single bytes makes a megabyte of text into 64 GiB of memory.
 */
export class ByteCollector {
  #bytes = new Uint8Array(0);
  #length = 0;

  /** How many bytes were collected. */
  get length(): number {
    return this.#length;
  }

  /** Adds a copy of `bytes` at the end. */
  push(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(1024, needed, 2 * this.#length));
      grown.set(this.bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = needed;
  }

  /** A view of what was collected so far. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }
}
