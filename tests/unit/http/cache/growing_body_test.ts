import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type BodyReader,
  GrowingBody,
} from "../../../../lib/http/cache/growing_body.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

async function rest(reader: BodyReader, maxBytes = 2): Promise<number[]> {
  const all: number[] = [];
  for (;;) {
    const piece = await reader.next(maxBytes);
    if (piece === null) return all;
    all.push(...piece);
  }
}

for (const length of [undefined, 5]) {
  Deno.test(`GrowingBody gives every reader the same bytes while it fills, length ${length}`, async () => {
    const body = new GrowingBody(length);
    const early = body.reader();
    const late = body.reader(1, 4);
    const first = early.next(10);
    body.append(bytes(1, 2, 3));
    assertEquals([...(await first)!], [1, 2, 3]);
    const waiting = rest(early);
    body.append(bytes(4, 5));
    assertEquals(body.isWhole, false);
    assert(body.finish());
    assertEquals(await waiting, [4, 5]);
    assertEquals(await rest(late), [2, 3, 4]);
    assertEquals(body.readerCount, 0);
    assertEquals([...body.bytes], [1, 2, 3, 4, 5]);
    assertEquals(await rest(body.reader()), [1, 2, 3, 4, 5]);
  });
}

Deno.test("GrowingBody fails its readers when the rest will not come", async () => {
  const body = new GrowingBody();
  const reader = body.reader();
  body.append(bytes(1));
  const error = new Error("origin gone");
  body.fail(error);
  assertEquals([...(await reader.next(9))!], [1]);
  await assertRejects(() => reader.next(9));
  assertEquals(body.append(bytes(2)), false);
});

Deno.test("GrowingBody takes neither more nor less than was announced", () => {
  const longer = new GrowingBody(2);
  assertEquals(longer.append(bytes(1, 2, 3)), false);
  const shorter = new GrowingBody(2);
  shorter.append(bytes(1));
  assertEquals(shorter.finish(), false);
  assertEquals(shorter.state, "failed");
});

Deno.test("GrowingBody released keeps a window, waits for the fastest reader only", async () => {
  const size = 65_536;
  const piece = (value: number) => new Uint8Array(size).fill(value);
  const body = new GrowingBody();
  const fast = body.reader();
  const slow = body.reader();
  body.append(piece(0));
  body.release(2 * size);
  assert(await body.demand());
  body.append(piece(1));
  let may = false;
  const demand = body.demand().then((wanted) => may = wanted);
  await Promise.resolve();
  assertEquals(may, false);
  assertEquals(await fast.next(size), piece(0));
  await demand;
  assertEquals(may, true);
  body.append(piece(2));
  body.finish();
  assertEquals(await fast.next(size), piece(1));
  assertEquals(await fast.next(size), piece(2));
  assertEquals(await fast.next(size), null);
  // The slow one lags by more than the window: its next read fails, nobody else's does.
  await assertRejects(() => slow.next(1), RangeError);
  slow.leave();
  assertEquals(await body.demand(), false);
  assertEquals(body.isWhole, false);
});

Deno.test("GrowingBody does not keep the large buffers that small pieces lie in", async () => {
  const body = new GrowingBody();
  const early = body.reader();
  const sent: number[] = [];
  for (let count = 0; count < 300; count++) {
    const piece = new Uint8Array(65_536).subarray(0, 1 + count % 40);
    piece.fill(count);
    sent.push(...piece);
    body.append(piece);
    piece.buffer.transfer(0); // Would take the bytes away, had the body kept the buffer.
    if (count % 7 === 0) assert((await early.next(9))!.length > 0);
  }
  body.finish();
  assertEquals([...body.bytes], sent);
  const rests = await rest(early);
  assertEquals(rests, sent.slice(sent.length - rests.length));
});

Deno.test("GrowingBody gathers small pieces in a window, too", async () => {
  const body = new GrowingBody();
  const reader = body.reader();
  body.release(1000);
  const got: number[] = [];
  for (let count = 0; count < 500; count++) {
    body.append(new Uint8Array(4096).subarray(0, 3).fill(count));
    if (count % 3 === 0) got.push(...(await reader.next(1000))!);
  }
  body.finish();
  got.push(...await rest(reader, 1000));
  const expected = Array.from({ length: 1500 }, (_, at) => Math.floor(at / 3))
    .map((value) => value % 256);
  assertEquals(got, expected);
});
