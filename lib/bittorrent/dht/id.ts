import type { Rng } from "../../core/rng.ts";

/** Bytes of a node id; info-hashes lie in the same space (BEP 5). */
export const ID_BYTES = 20;
/** Bits of a node id. */
export const ID_BITS = 160;

/**
 * Compares how far `a` and `b` are from `target`: negative if `a` is nearer, 0 if they are the same id.
 *
 * The distance of two ids is their XOR, read as a number (BEP 5, "Overview"; Kademlia).
 */
export function compareDistance(
  target: Uint8Array,
  a: Uint8Array,
  b: Uint8Array,
): number {
  for (let at = 0; at < ID_BYTES; at++) {
    const difference = (a[at]! ^ target[at]!) - (b[at]! ^ target[at]!);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Returns how many bits `a` and `b` have in common at their start, 0 to 160. Each one more halves the distance: with n
 * bits in common it is below 2^(160 - n).
 *
 * @example
 * ```ts
 * import { sharedBits } from "./id.ts";
 * import assert from "node:assert/strict";
 *
 * const a = new Uint8Array(20);
 * const b = new Uint8Array(20);
 * b[1] = 0b0001_0000;
 * assert.equal(sharedBits(a, b), 11);
 * ```
 */
export function sharedBits(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < ID_BYTES; at++) {
    const difference = a[at]! ^ b[at]!;
    if (difference !== 0) return 8 * at + Math.clz32(difference) - 24;
  }
  return ID_BITS;
}

/** Draws an id that has the first `bits` bits (0 to 159) of `own` and differs in the next: one of the far half of that bucket. */
export function randomIdBeside(
  own: Uint8Array,
  bits: number,
  rng: Rng,
): Uint8Array<ArrayBuffer> {
  const id = Uint8Array.from(
    { length: ID_BYTES },
    () => Math.floor(rng() * 256),
  );
  const at = bits >> 3;
  id.set(own.subarray(0, at));
  const kept = 0xff << (8 - (bits & 7)) & 0xff;
  const turned = 0x80 >> (bits & 7);
  id[at] = own[at]! & kept | ~own[at]! & turned |
    id[at]! & ~(kept | turned) & 0xff;
  return id;
}
