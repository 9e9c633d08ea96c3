import { assert, assertEquals } from "@std/assert";
import { concat, fromUtf8 } from "../../../lib/core/bytes.ts";
import { HttpBuffers } from "../../../lib/io/http_buffers.ts";

const HEAD = "HTTP/1.1 200 OK\r\n\r\n";

/** What one answer puts into the queue. */
function filled(buffers: HttpBuffers, body: Uint8Array): Uint8Array[] {
  const queue: Uint8Array[] = [];
  buffers.fill(queue, HEAD, body);
  return queue;
}

for (const length of [0, 1000, 16_384, 65_536]) {
  Deno.test(`HttpBuffers puts a head and a body of ${length} bytes into one piece`, () => {
    const body = new Uint8Array(length).fill(7);
    const queue = filled(new HttpBuffers(), body);
    assertEquals(queue.length, 1);
    assertEquals(fromUtf8(queue[0]!.subarray(0, HEAD.length)), HEAD);
    assertEquals(queue[0]!.subarray(HEAD.length), body);
  });
}

Deno.test("HttpBuffers passes a large body on as it is", () => {
  const body = new Uint8Array(1_000_000).fill(7);
  const queue = filled(new HttpBuffers(), body);
  assertEquals(queue.length, 2);
  assert(queue[1] === body);
  assertEquals(concat(...queue).length, HEAD.length + body.length);
});

Deno.test("HttpBuffers gives memory out again when it is written, and never while it is not", () => {
  const buffers = new HttpBuffers();
  for (const length of [10, 65_536]) {
    const [one] = filled(buffers, new Uint8Array(length).fill(1));
    const [other] = filled(buffers, new Uint8Array(length).fill(2));
    assert(one!.buffer !== other!.buffer);
    assertEquals(one!.at(-1), 1);
    buffers.giveWrite(one!);
    const [next] = filled(buffers, new Uint8Array(length).fill(3));
    assert(next!.buffer === one!.buffer);
    // What is not ours is left alone.
    buffers.giveWrite(new Uint8Array(length));
    const [last] = filled(buffers, new Uint8Array(length).fill(4));
    assert(last!.buffer !== next!.buffer && last!.buffer !== other!.buffer);
  }
});

Deno.test("HttpBuffers copies for 256 clients at most: what others wait for stays the cache's", () => {
  const buffers = new HttpBuffers();
  const body = new Uint8Array(60_000);
  const held = Array.from({ length: 256 }, () => filled(buffers, body));
  assert(held.every((queue) => queue.length === 1));
  assert(filled(buffers, body)[1] === body);
  buffers.lose(held[0]!);
  assertEquals(filled(buffers, body).length, 1);
  assert(filled(buffers, body)[1] === body);
  buffers.giveWrite(held[1]![0]!);
  assertEquals(filled(buffers, body).length, 1);
});
