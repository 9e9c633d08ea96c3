import { assertEquals } from "@std/assert";
import { ByteSlab } from "../../../lib/core/byte_slab.ts";

Deno.test("ByteSlab gives out bytes that nobody else has, all 0, over many slabs", () => {
  const slab = new ByteSlab();
  const taken = Array.from({ length: 1000 }, (_, at) => {
    const bytes = slab.take(at % 40);
    assertEquals(bytes, new Uint8Array(at % 40));
    return bytes.fill(at % 255 + 1);
  });
  for (const [at, bytes] of taken.entries()) {
    assertEquals(bytes, new Uint8Array(at % 40).fill(at % 255 + 1));
  }
  assertEquals(slab.take(4096).length, 4096);
});
