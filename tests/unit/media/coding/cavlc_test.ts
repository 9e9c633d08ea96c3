import { assert, assertEquals } from "@std/assert";
import { BitWriter } from "../../../../lib/media/coding/bit_writer.ts";
import { writeBlock } from "../../../../lib/media/coding/cavlc.ts";
import {
  CHROMA_COEFF_TOKEN,
  CHROMA_TOTAL_ZEROS,
  COEFF_TOKEN,
  RUN_BEFORE,
  TOTAL_ZEROS,
} from "../../../../lib/media/coding/cavlc_tables.ts";

function written(levels: readonly number[]): string {
  const out = new BitWriter();
  writeBlock(
    out,
    Int32Array.from({ length: 16 }, (_, at) => levels[at] ?? 0),
  );
  const length = out.bitLength;
  out.bits(0, 7);
  return [...out.view()].map((byte) => byte.toString(2).padStart(8, "0"))
    .join("").slice(0, length);
}

Deno.test("writeBlock agrees with worked examples of the literature", () => {
  // I. Richardson, H.264 and MPEG-4 Video Compression, section 6.4.12.3: zig-zag levels, then the bits.
  assertEquals(written([0, 3, 0, 1, -1, -1, 0, 1]), "000010001110010111101101");
  assertEquals(
    written([-2, 4, 3, -3, 0, 0, -1]),
    "000000011010001001000010111001100",
  );
  assertEquals(written([]), "1");
});

Deno.test("writeBlock tells every large level apart, escapes included", () => {
  const seen = new Set<string>();
  for (let level = -1100; level <= 1100; level++) seen.add(written([level]));
  assertEquals(seen.size, 2201);
  const pairs = new Set<string>();
  for (let level = -1100; level <= 1100; level++) {
    pairs.add(written([level, 40]));
  }
  assertEquals(pairs.size, 2201);
});

Deno.test("code words of each table are prefixes of no other", () => {
  const tables = [
    COEFF_TOKEN,
    CHROMA_COEFF_TOKEN,
    ...TOTAL_ZEROS,
    ...CHROMA_TOTAL_ZEROS,
    ...RUN_BEFORE,
  ];
  for (const table of tables) {
    const words = [...table].filter((code) => code !== 0).map((code) =>
      (code & 0xffff).toString(2).padStart(code >>> 16, "0")
    );
    for (const [at, word] of words.entries()) {
      for (const [other, longer] of words.entries()) {
        assert(at === other || !longer.startsWith(word), `${word} ${longer}`);
      }
    }
  }
  assertEquals(COEFF_TOKEN.length, 68);
  assertEquals(TOTAL_ZEROS.map((row) => row.length), [
    ...Array.from({ length: 15 }, (_, at) => 16 - at),
  ]);
});
