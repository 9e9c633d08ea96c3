/**
 * Short byte strings of a large zone, one after the other in one array. A typed array of its own costs V8 some 200
 * bytes each, which a zone of 100,000 names would pay several times per record.
 */
export class BytePool {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  #length = 0;

  /** All bytes; another array after the next {@linkcode BytePool.add}. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Adds `bytes`; returns where they stand. */
  add(bytes: ArrayLike<number>): number {
    const at = this.#length;
    this.#length += bytes.length;
    if (this.#length > this.#bytes.length) this.#resize(2 * this.#length);
    this.#bytes.set(bytes, at);
    return at;
  }

  /** Gives back the room that nothing was put in. */
  trim(): void {
    this.#resize(this.#length);
  }

  #resize(size: number): void {
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes.subarray(0, Math.min(size, this.#bytes.length)));
    this.#bytes = bytes;
  }
}
