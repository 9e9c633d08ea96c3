import { assert, assertEquals } from "@std/assert";
import { concat, fromUtf8 } from "../../../../lib/core/bytes.ts";
import { HttpBuffers } from "../../../../lib/io/http1/buffers.ts";

const HEAD = "HTTP/1.1 200 OK\r\n\r\n";

/** What one answer puts into the queue. */
function filled(
  buffers: HttpBuffers,
  bytes: Uint8Array,
  { text = HEAD, isLast = true } = {},
): Uint8Array[] {
  const queue: Uint8Array[] = [];
  buffers.fill(queue, { text, bytes, isLast, isFinal: false });
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
  let asked = 0;
  const next = () => filled(buffers, body, { text: `${asked++}\r\n\r\n` });
  const held = Array.from({ length: 256 }, next);
  assert(held.every((queue) => queue.length === 1));
  assert(next()[1] === body);
  buffers.lose(held[0]!);
  assertEquals(next().length, 1);
  assert(next()[1] === body);
  buffers.giveWrite(held[1]![0]!);
  assertEquals(next().length, 1);
});

for (const length of [1000, 65_536]) {
  Deno.test(`HttpBuffers puts ${length} bytes that many get together once, and keeps them until the last has them`, () => {
    const buffers = new HttpBuffers();
    const body = new Uint8Array(length).fill(1);
    const [one] = filled(buffers, body);
    const many = Array.from({ length: 1000 }, () => filled(buffers, body));
    assert(many.every((queue) => queue.length === 1 && queue[0] === one));
    // Another head, or another body of the same bytes, is another answer.
    const [later] = filled(buffers, body, { text: `${HEAD}later` });
    assert(later!.buffer !== one!.buffer);
    for (const queue of many) buffers.giveWrite(queue[0]!);
    const other = new Uint8Array(length).fill(2);
    assert(filled(buffers, other)[0]!.buffer !== one!.buffer);
    buffers.giveWrite(one!);
    assert(filled(buffers, other.slice())[0]!.buffer === one!.buffer);
    assertEquals(later!.at(-1), 1);
  });
}

Deno.test("HttpBuffers does not look for a body that is a part of some memory: another may stand there next", () => {
  const buffers = new HttpBuffers();
  const body = new Uint8Array(2000).subarray(0, 1000);
  const [one] = filled(buffers, body);
  body.fill(9);
  const [other] = filled(buffers, body);
  assert(one!.buffer !== other!.buffer);
  assertEquals([one!.at(-1), other!.at(-1)], [0, 9]);
});

Deno.test("HttpBuffers sends what stands in memory again once nobody writes from it, and puts others there then", () => {
  const buffers = new HttpBuffers();
  const [body, other] = [1, 2].map((n) => new Uint8Array(65_536).fill(n));
  const [one] = filled(buffers, body!);
  buffers.giveWrite(one!);
  assert(filled(buffers, body!)[0] === one);
  // It is among the spare ones, and yet in use.
  assert(filled(buffers, other!)[0]!.buffer !== one!.buffer);
  buffers.giveWrite(one!);
  assert(filled(buffers, other!.slice())[0]!.buffer === one!.buffer);
  assertEquals(filled(buffers, body!)[0]!.at(-1), 1);
});

Deno.test("HttpBuffers leaves to the others what one lost, and uses it no more", () => {
  const buffers = new HttpBuffers();
  const body = new Uint8Array(65_536).fill(1);
  const [one] = filled(buffers, body);
  const queue = filled(buffers, body);
  buffers.lose(queue);
  assert(filled(buffers, body)[0]!.buffer !== one!.buffer);
  buffers.giveWrite(one!);
  const next = filled(buffers, new Uint8Array(65_536).fill(2));
  assert(next[0]!.buffer !== one!.buffer);
  assertEquals(one!.at(-1), 1);
});

Deno.test("HttpBuffers reads pieces of a stream anew each time: their memory is used again", () => {
  const buffers = new HttpBuffers();
  for (const length of [1000, 65_536]) {
    const piece = new Uint8Array(length).fill(1);
    const text = `${length.toString(16)}\r\n`;
    const [one] = filled(buffers, piece, { text, isLast: false });
    piece.fill(2);
    const [other] = filled(buffers, piece, { text, isLast: false });
    assertEquals([one!.at(-1), other!.at(-1)], [1, 2]);
  }
});
