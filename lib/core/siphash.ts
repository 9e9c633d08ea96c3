/**
 * SipHash (Aumasson and Bernstein, 2012): a hash of short inputs under a key of 128 bits.
 *
 * Who does not know the key can neither forge a hash nor find inputs that share one, so it serves as proof (with 2 and
 * 4 rounds, as its authors advise) and in hash tables that strangers fill (1 and 3 are enough there). A 64-bit word is
 * two of 32 bits here: numbers of that size cost V8 no memory, and a hash of an address a quarter of a microsecond.
 */
export class SipHash {
  /** The lower 32 bits of the last hash. */
  low = 0;
  /** The upper 32 bits of the last hash. */
  high = 0;
  readonly #key: Int32Array;
  readonly #rounds: number;
  readonly #finalRounds: number;
  /** v0 to v3, each as low and high half. */
  readonly #v = new Int32Array(8);

  /**
   * Creates a hash function.
   *
   * @param key 16 bytes.
   * @param options.rounds For each 8 bytes of input. @param options.finalRounds At the end.
   */
  constructor(
    key: Uint8Array,
    { rounds, finalRounds }: {
      readonly rounds: number;
      readonly finalRounds: number;
    },
  ) {
    if (key.length !== 16) {
      throw new RangeError(`A key has 16 bytes, got ${key.length}`);
    }
    this.#key = Int32Array.of(0, 4, 8, 12).map((at) => wordAt(key, at, 16));
    this.#rounds = rounds;
    this.#finalRounds = finalRounds;
  }

  /** Hashes the first `length` bytes of `bytes` into {@linkcode SipHash.low} and {@linkcode SipHash.high}; `length` is below 256. */
  update(bytes: Uint8Array, length: number): void {
    const v = this.#v;
    const k0 = this.#key[0]!;
    const k1 = this.#key[1]!;
    const k2 = this.#key[2]!;
    const k3 = this.#key[3]!;
    v[0] = k0 ^ 0x70736575;
    v[1] = k1 ^ 0x736f6d65;
    v[2] = k2 ^ 0x6e646f6d;
    v[3] = k3 ^ 0x646f7261;
    v[4] = k0 ^ 0x6e657261;
    v[5] = k1 ^ 0x6c796765;
    v[6] = k2 ^ 0x79746573;
    v[7] = k3 ^ 0x74656462;
    for (let at = 0; at <= length; at += 8) {
      const low = wordAt(bytes, at, length);
      // The last word ends with the length, which is why there is one even when nothing is left.
      const isLast = at + 8 > length;
      const high = wordAt(bytes, at + 4, length) | (isLast ? length << 24 : 0);
      v[6] = v[6]! ^ low;
      v[7] = v[7]! ^ high;
      mix(v, this.#rounds);
      v[0] = v[0]! ^ low;
      v[1] = v[1]! ^ high;
    }
    v[4] = v[4]! ^ 0xff;
    mix(v, this.#finalRounds);
    this.low = (v[0]! ^ v[2]! ^ v[4]! ^ v[6]!) >>> 0;
    this.high = (v[1]! ^ v[3]! ^ v[5]! ^ v[7]!) >>> 0;
  }
}

/** Four bytes from `at`, lowest first; those from `end` on count as 0. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) {
    return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 |
      bytes[at + 3]! << 24;
  }
  let word = 0;
  for (let byte = 0; at + byte < end; byte++) {
    word |= bytes[at + byte]! << 8 * byte;
  }
  return word;
}

/** SipRound, several times. */
function mix(v: Int32Array, rounds: number): void {
  let a = v[0]!;
  let a1 = v[1]!;
  let b = v[2]!;
  let b1 = v[3]!;
  let c = v[4]!;
  let c1 = v[5]!;
  let d = v[6]!;
  let d1 = v[7]!;
  for (let round = 0; round < rounds; round++) {
    // v0 += v1; v1 = rotl(v1, 13) ^ v0; v0 = rotl(v0, 32)
    a1 = a1 + b1 + carry(a, b) | 0;
    a = a + b | 0;
    let low = b << 13 | b1 >>> 19;
    b1 = (b1 << 13 | b >>> 19) ^ a1;
    b = low ^ a;
    low = a;
    a = a1;
    a1 = low;
    // v2 += v3; v3 = rotl(v3, 16) ^ v2
    c1 = c1 + d1 + carry(c, d) | 0;
    c = c + d | 0;
    low = d << 16 | d1 >>> 16;
    d1 = (d1 << 16 | d >>> 16) ^ c1;
    d = low ^ c;
    // v0 += v3; v3 = rotl(v3, 21) ^ v0
    a1 = a1 + d1 + carry(a, d) | 0;
    a = a + d | 0;
    low = d << 21 | d1 >>> 11;
    d1 = (d1 << 21 | d >>> 11) ^ a1;
    d = low ^ a;
    // v2 += v1; v1 = rotl(v1, 17) ^ v2; v2 = rotl(v2, 32)
    c1 = c1 + b1 + carry(c, b) | 0;
    c = c + b | 0;
    low = b << 17 | b1 >>> 15;
    b1 = (b1 << 17 | b >>> 15) ^ c1;
    b = low ^ c;
    low = c;
    c = c1;
    c1 = low;
  }
  v[0] = a;
  v[1] = a1;
  v[2] = b;
  v[3] = b1;
  v[4] = c;
  v[5] = c1;
  v[6] = d;
  v[7] = d1;
}

/** What adding two lower halves adds to the upper ones. */
function carry(a: number, b: number): number {
  return (a >>> 0) + (b >>> 0) > 0xffff_ffff ? 1 : 0;
}
