import { assertEquals } from "@std/assert";
import { BitWriter } from "../../../../lib/media/coding/bit_writer.ts";

/** What `write` wrote, as ones and zeros. */
export function bitsOf(write: (out: BitWriter) => void): string {
  const out = new BitWriter();
  write(out);
  const length = out.bitLength;
  out.bits(0, 7); // pushes the last bits into whole bytes
  return [...out.view()].map((byte) => byte.toString(2).padStart(8, "0"))
    .join("").slice(0, length);
}

Deno.test("BitWriter.unsigned writes the codes of table 9-2", () => {
  const codes = [
    [0, "1"],
    [1, "010"],
    [2, "011"],
    [3, "00100"],
    [7, "0001000"],
    [8, "0001001"],
    [4094, "00000000000111111111111"],
  ] as const;
  for (const [value, code] of codes) {
    assertEquals(bitsOf((out) => out.unsigned(value)), code);
  }
});

Deno.test("BitWriter.signed maps 0, 1, -1, 2, -2 to 0 … 4", () => {
  assertEquals(
    [0, 1, -1, 2, -2].map((value) => bitsOf((out) => out.signed(value))),
    ["1", "010", "011", "00100", "00101"],
  );
});

Deno.test("BitWriter.trailingBits ends on a whole byte with a one and zeros", () => {
  for (let count = 0; count < 17; count++) {
    const written = bitsOf((out) => {
      for (let at = 0; at < count; at++) out.bits(0, 1);
      out.trailingBits();
    });
    assertEquals(written.length % 8, 0);
    assertEquals(written, "0".repeat(count) + "1".padEnd(8 - count % 8, "0"));
  }
});

Deno.test("BitWriter grows past its first memory and forgets on reset", () => {
  const out = new BitWriter();
  for (let at = 0; at < 100_000; at++) out.bits(at & 0xff, 8);
  assertEquals(out.bitLength, 800_000);
  assertEquals(out.view().every((byte, at) => byte === (at & 0xff)), true);
  out.reset();
  out.bits32(0xdeadbeef);
  assertEquals([...out.view()], [0xde, 0xad, 0xbe, 0xef]);
});
