/** Bytes of a peer id that name the program and its version. */
export const PREFIX_BYTES = 8;
/** In place of a number: the prefix has none. */
export const NO_PREFIX = 0xffff;
/** Most prefixes that get a number: some hundred versions of clients are in use. */
const MAX_PREFIXES = 2048;
/** Places of the hash table. A power of two. */
const PLACES = 2 * MAX_PREFIXES;
/** So many places are looked at: whoever chooses prefixes that meet in one makes nothing slow. */
const MAX_PROBES = 16;

/**
 * The beginnings of peer ids, as numbers of 16 bits: a million peers share those of a few programs.
 *
 * A number is given for good. Whoever invents prefixes until there is no more room has the others' kept in full.
 */
export class IdPrefixes {
  readonly #bytes = new Uint8Array(MAX_PREFIXES * PREFIX_BYTES);
  /** Numbers plus one; 0 is free. */
  readonly #places = new Uint16Array(PLACES);
  #count = 0;

  /** Creates the numbers: 0 is that of eight zeros, which an empty record has. */
  constructor() {
    this.numberOf(new Uint8Array(PREFIX_BYTES));
  }

  /** The number of an id's prefix, or {@linkcode NO_PREFIX}. */
  numberOf(id: Uint8Array): number {
    let hash = 0;
    for (let at = 0; at < PREFIX_BYTES; at++) {
      hash = Math.imul(hash ^ id[at]!, 0x01000193);
    }
    hash ^= hash >>> 15;
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const place = (hash + probe) & (PLACES - 1);
      const known = this.#places[place]!;
      if (known === 0) return this.#add(place, id);
      if (this.isOf(known - 1, id)) return known - 1;
    }
    return NO_PREFIX;
  }

  /** Whether an id begins with the prefix of that number. */
  isOf(number: number, id: Uint8Array): boolean {
    const from = number * PREFIX_BYTES;
    for (let at = 0; at < PREFIX_BYTES; at++) {
      if (this.#bytes[from + at] !== id[at]) return false;
    }
    return true;
  }

  /** Copies the prefix of that number to `into` at `offset`. */
  copy(number: number, into: Uint8Array, offset: number): void {
    const from = number * PREFIX_BYTES;
    for (let at = 0; at < PREFIX_BYTES; at++) {
      into[offset + at] = this.#bytes[from + at]!;
    }
  }

  #add(place: number, id: Uint8Array): number {
    if (this.#count === MAX_PREFIXES) return NO_PREFIX;
    const number = this.#count++;
    this.#places[place] = number + 1;
    this.#bytes.set(id.subarray(0, PREFIX_BYTES), number * PREFIX_BYTES);
    return number;
  }
}
