/** Many numbers of 24 bits, in three bytes each: a million peers have one each, and half a million chains of them. */
export class Links {
  readonly #low: Uint16Array;
  readonly #high: Uint8Array;

  /** Creates so many numbers, all 0. */
  constructor(count: number) {
    this.#low = new Uint16Array(count);
    this.#high = new Uint8Array(count);
  }

  /** The number at an index. */
  at(index: number): number {
    return this.#low[index]! | this.#high[index]! << 16;
  }

  /** Sets the number at an index. */
  set(index: number, value: number): void {
    this.#low[index] = value;
    this.#high[index] = value >> 16;
  }
}
