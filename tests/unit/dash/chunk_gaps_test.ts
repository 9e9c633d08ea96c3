import { assertEquals } from "@std/assert";
import { ChunkGaps } from "../../../lib/dash/chunk_gaps.ts";
import { concat, utf8 } from "../../../lib/core/bytes.ts";

/** A box of so many bytes. */
function box(type: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, size);
  bytes.set(utf8(type), 4);
  return bytes;
}

/** A chunk of 4000 bytes. */
const CHUNK = concat(box("moof", 100), box("mdat", 3900));

/** Hands over parts, each so long after the one before. */
function idleOf(parts: readonly (readonly [number, Uint8Array])[]): number {
  const gaps = new ChunkGaps();
  let atMs = 0;
  for (const [afterMs, part] of parts) gaps.push(part, atMs += afterMs);
  return gaps.idleMs;
}

Deno.test("ChunkGaps counts the time between chunks in which nothing was there to send", () => {
  assertEquals(
    idleOf([[50, CHUNK], [200, CHUNK], [190, CHUNK]]),
    390,
  );
  const halves = [CHUNK.subarray(0, 2000), CHUNK.subarray(2000)] as const;
  assertEquals(
    idleOf([[0, halves[0]], [5, halves[1]], [200, halves[0]], [5, halves[1]]]),
    200,
  );
  // Boxes before a chunk are its; a wide box is one as well.
  const wide = concat(
    new Uint8Array([0, 0, 0, 1, ...utf8("mdat"), 0, 0, 0, 0, 0, 0, 0, 20]),
    new Uint8Array(4),
  );
  assertEquals(
    idleOf([[0, box("styp", 24)], [10, wide], [100, box("prft", 24)]]),
    100,
  );
});

Deno.test("ChunkGaps takes a slow link for a slow link, however bytes are cut", () => {
  const whole = concat(CHUNK, CHUNK, CHUNK);
  for (const size of [1, 7, 100, 1000, 1448, 4000]) {
    const parts: [number, Uint8Array][] = [];
    for (let at = 0; at < whole.length; at += size) {
      parts.push([10, whole.subarray(at, at + size)]);
    }
    // A part for each chunk tells nothing of what is between two parts of one.
    assertEquals(idleOf(parts), size === 4000 ? 20 : 0, String(size));
  }
});

Deno.test("ChunkGaps has nothing to tell of what is no MP4", () => {
  for (const text of ["<?xml", "\0\0\0\0", "\0\0\0\x03abcdefgh", ""]) {
    const parts = [...utf8(text.padEnd(40, "x"))].map((byte) =>
      [10, new Uint8Array([byte])] as const
    );
    assertEquals(idleOf(parts), 0, JSON.stringify(text));
  }
});
