/** Returns a number of 32 bits that looks random, the same in every run. */
export function scramble(value: number): number {
  let mixed = Math.imul(value ^ 0x9e3779b9, 0x85ebca6b);
  mixed = Math.imul(mixed ^ mixed >>> 13, 0xc2b2ae35);
  return (mixed ^ mixed >>> 16) >>> 0;
}

/** Returns the info-hash of torrent number `at` of bench/tracker.ts. */
export function infoHashOf(at: number): Uint8Array {
  return Uint8Array.from({ length: 20 }, (_, byte) => scramble(at * 20 + byte));
}
