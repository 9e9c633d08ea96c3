import { assertEquals } from "@std/assert";
import { ByteCollector } from "../../../lib/core/byte_collector.ts";
import { concat } from "../../../lib/core/bytes.ts";
import { seededRng } from "../../../lib/core/rng.ts";

Deno.test("ByteCollector has the pieces one after the other, whatever their sizes", () => {
  const rng = seededRng(5);
  const collector = new ByteCollector();
  const pieces: Uint8Array[] = [];
  assertEquals(collector.bytes.length, 0);
  for (let count = 0; count < 200; count++) {
    const piece = Uint8Array.from(
      { length: Math.floor(rng() * 50) },
      () => Math.floor(rng() * 256),
    );
    pieces.push(piece);
    collector.push(piece);
    assertEquals(collector.bytes, concat(...pieces));
    assertEquals(collector.length, collector.bytes.length);
  }
});

Deno.test("ByteCollector keeps a copy, not the buffer a piece lies in", () => {
  const buffer = new Uint8Array(65_536).fill(1);
  const collector = new ByteCollector();
  collector.push(buffer.subarray(0, 1));
  buffer.fill(2);
  assertEquals([...collector.bytes], [1]);
  assertEquals(collector.bytes.buffer.byteLength < 65_536, true);
});
