/** Steps a doubling of the size has: 0.07 % from one to the next. */
const STEPS = 1024;

/** Returns a size of 0 to 2^64 bytes as 16 bits, for people to read again: exact up to 700, then to 0.04 %. Only 0 becomes 0. */
export function roughSize(bytes: number): number {
  return Math.min(0xffff, Math.round(Math.log2(1 + bytes) * STEPS));
}

/** Returns the size that {@linkcode roughSize} made `code` of. */
export function sizeOfRough(code: number): number {
  return Math.round(2 ** (code / STEPS) - 1);
}
