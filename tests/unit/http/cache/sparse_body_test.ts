import { assertEquals, assertThrows } from "@std/assert";
import { fromUtf8, utf8 } from "../../../../lib/core/bytes.ts";
import { seededRng } from "../../../../lib/core/rng.ts";
import { SparseBody } from "../../../../lib/http/cache/sparse_body.ts";

const ALL = "0123456789abcdefghij";

function part(firstByte: number, end: number) {
  return { firstByte, bytes: utf8(ALL.slice(firstByte, end)) };
}

async function textOf(body: SparseBody, begin: number, end: number) {
  const reader = body.reader(begin, end);
  let text = "";
  for (;;) {
    const piece = await reader.next(3);
    if (piece === null) return text;
    text += fromUtf8(piece);
  }
}

Deno.test("SparseBody knows what it has and reads across pieces that touch", async () => {
  const body = new SparseBody(20)
    .with(part(10, 15), 100)
    .with(part(0, 5), 100)
    .with(part(5, 11), 100);
  assertEquals(body.filledBytes, 15);
  assertEquals(body.prefixBytes, 15);
  assertEquals(fromUtf8(body.prefix()), ALL.slice(0, 15));
  assertEquals(await textOf(body, 3, 14), ALL.slice(3, 14));
  const cases: readonly (readonly [string | null, boolean])[] = [
    ["bytes=0-14", true],
    ["bytes=2-3, 9-12", true],
    ["bytes=0-15", false],
    ["bytes=-1", false],
    ["bytes=14-", false],
    // No byte of it can be had anywhere.
    ["bytes=20-", true],
    ["bytes=x", false],
    [null, false],
  ];
  for (const [range, expected] of cases) {
    assertEquals(body.satisfies(range), expected, String(range));
  }
  assertThrows(() => body.bytes, TypeError);
});

Deno.test("SparseBody put together from any parts in any order is what the parts were", () => {
  const rng = seededRng(5);
  const upTo = (most: number) => Math.floor(rng() * most);
  for (let round = 0; round < 200; round++) {
    let body = new SparseBody(20);
    const has = new Set<number>();
    while (!body.isComplete) {
      const first = upTo(20);
      const end = first + 1 + upTo(20 - first);
      body = body.with(part(first, end), 100);
      for (let at = first; at < end; at++) has.add(at);
      assertEquals(body.filledBytes, has.size);
      for (let at = 0; at < 20; at++) {
        const range = { firstByte: at, lastByte: at };
        assertEquals(body.covers(range), has.has(at));
      }
    }
    assertEquals(fromUtf8(body.joined()), ALL);
  }
});

Deno.test("SparseBody keeps the newest part alone when all would be too much", () => {
  const body = new SparseBody(20).with(part(0, 8), 10).with(part(10, 15), 10);
  assertEquals(body.filledBytes, 5);
  assertEquals(body.covers({ firstByte: 10, lastByte: 14 }), true);
});
