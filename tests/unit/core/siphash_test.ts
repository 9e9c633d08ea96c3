import { assertEquals, assertThrows } from "@std/assert";
import { SipHash } from "../../../lib/core/siphash.ts";

function hashOf(hash: SipHash, length: number): string {
  hash.update(Uint8Array.from({ length: length + 3 }, (_, at) => at), length);
  const hex = (word: number) => word.toString(16).padStart(8, "0");
  return hex(hash.high) + hex(hash.low);
}

const KEY = Uint8Array.from({ length: 16 }, (_, at) => at);

Deno.test("SipHash-2-4 gives the vectors of its authors, input 00 01 02 … under the key 00 … 0f", () => {
  const hash = new SipHash(KEY, { rounds: 2, finalRounds: 4 });
  // From vectors.h of the reference implementation (lowest byte first there), and Appendix A of the paper for 15.
  const vectors: readonly (readonly [number, string])[] = [
    [0, "726fdb47dd0e0e31"],
    [1, "74f839c593dc67fd"],
    [7, "ab0200f58b01d137"],
    [8, "93f5f5799a932462"],
    [15, "a129ca6149be45e5"],
  ];
  for (const [length, expected] of vectors) {
    assertEquals([length, hashOf(hash, length)], [length, expected]);
  }
});

Deno.test("SipHash refuses a key of another length", () => {
  assertThrows(
    () => new SipHash(new Uint8Array(15), { rounds: 1, finalRounds: 3 }),
    RangeError,
  );
});
