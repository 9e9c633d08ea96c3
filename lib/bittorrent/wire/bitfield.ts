import { ProtocolError } from "../../core/errors.ts";

/** Which pieces someone has: one bit for each, the first piece in the high bit of the first byte (BEP 3, "bitfield"). */
export class Bitfield {
  /** How many pieces there are. */
  readonly length: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #count = 0;

  /** Creates a field of `length` pieces that has none. */
  constructor(length: number) {
    this.length = length;
    this.#bytes = new Uint8Array(Math.ceil(length / 8));
  }

  /**
   * Reads the payload of a `bitfield` message.
   *
   * @throws {ProtocolError} `bitfield-bad-length` if it is for another number of pieces; `bitfield-spare-bits` if a bit after the last piece is set.
   */
  static fromBytes(bytes: Uint8Array, length: number): Bitfield {
    const field = new Bitfield(length);
    if (bytes.length !== field.#bytes.length) {
      throw new ProtocolError(
        "bitfield-bad-length",
        `Cannot read bitfield: ${length} pieces need ${field.#bytes.length} bytes, got ${bytes.length}`,
      );
    }
    field.#bytes.set(bytes);
    for (let index = length; index < bytes.length * 8; index++) {
      if (field.has(index)) {
        throw new ProtocolError(
          "bitfield-spare-bits",
          `Cannot read bitfield: bits after the last of ${length} pieces must be 0`,
        );
      }
    }
    for (let byte of bytes) {
      for (; byte !== 0; byte &= byte - 1) field.#count += 1;
    }
    return field;
  }

  /** How many pieces it has. */
  get count(): number {
    return this.#count;
  }

  /** Whether it has every piece: a seed's field. */
  get complete(): boolean {
    return this.#count === this.length;
  }

  /** Whether it has piece `index`; false for an index outside. */
  has(index: number): boolean {
    return ((this.#bytes[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0;
  }

  /** Adds piece `index`. Returns whether it is new. @throws {RangeError} If there is no such piece. */
  add(index: number): boolean {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) {
      throw new RangeError(
        `Cannot add piece: must be 0 to ${this.length - 1}, got ${index}`,
      );
    }
    if (this.has(index)) return false;
    this.#bytes[index >> 3]! |= 0x80 >> (index & 7);
    this.#count += 1;
    return true;
  }

  /** Adds every piece. */
  addAll(): void {
    for (let index = 0; index < this.length; index++) this.add(index);
  }

  /** The pieces it has, in order. */
  indices(): number[] {
    const all: number[] = [];
    for (let index = 0; index < this.length; index++) {
      if (this.has(index)) all.push(index);
    }
    return all;
  }

  /** The payload of a `bitfield` message: a copy. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice();
  }
}
