/**
 * Writes numbers of any number of bits, first bit first, and the Exp-Golomb codes of H.264 (ISO/IEC 14496-10 §9.1).
 *
 * One writer is used for many pictures: {@linkcode BitWriter.reset} keeps the memory.
 */
export class BitWriter {
  #bytes = new Uint8Array(1 << 16);
  #length = 0;
  /** Bits that do not fill a byte yet, in the low end. */
  #pending = 0;
  #pendingBits = 0;

  /** How many bits were written. */
  get bitLength(): number {
    return 8 * this.#length + this.#pendingBits;
  }

  /** Forgets everything written. */
  reset(): void {
    this.#length = 0;
    this.#pending = 0;
    this.#pendingBits = 0;
  }

  /** Writes the low `count` bits of `value`; at most 24, so that they fit beside 7 pending ones. */
  bits(value: number, count: number): void {
    let pending = (this.#pending << count) | value;
    let left = this.#pendingBits + count;
    if (this.#length + 4 > this.#bytes.length) this.#grow();
    while (left >= 8) {
      left -= 8;
      this.#bytes[this.#length++] = pending >>> left;
    }
    pending &= (1 << left) - 1;
    this.#pending = pending;
    this.#pendingBits = left;
  }

  /** Writes 32 bits. */
  bits32(value: number): void {
    this.bits(value >>> 16, 16);
    this.bits(value & 0xffff, 16);
  }

  /** ue(v): an unsigned Exp-Golomb code, for values below 4095. */
  unsigned(value: number): void {
    const coded = value + 1;
    this.bits(coded, 2 * (31 - Math.clz32(coded)) + 1);
  }

  /** se(v): a signed Exp-Golomb code: 0, 1, -1, 2, -2 … are 0, 1, 2, 3, 4 … */
  signed(value: number): void {
    this.unsigned(value > 0 ? 2 * value - 1 : -2 * value);
  }

  /** rbsp_trailing_bits(): a one, then zeros up to the next whole byte. */
  trailingBits(): void {
    this.bits(1, 1);
    if (this.#pendingBits > 0) this.bits(0, 8 - this.#pendingBits);
  }

  /** The whole bytes written so far, as a view that the next write may change. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(): void {
    const larger = new Uint8Array(2 * this.#bytes.length);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
