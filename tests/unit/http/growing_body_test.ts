import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type BodyReader,
  GrowingBody,
} from "../../../lib/http/growing_body.ts";

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
  const body = new GrowingBody();
  const fast = body.reader();
  const slow = body.reader();
  body.append(bytes(0, 1, 2, 3));
  body.release(8);
  assert(await body.demand());
  body.append(bytes(4, 5, 6, 7));
  let may = false;
  const demand = body.demand().then((wanted) => may = wanted);
  await Promise.resolve();
  assertEquals(may, false);
  assertEquals([...(await fast.next(4))!], [0, 1, 2, 3]);
  await demand;
  assertEquals(may, true);
  body.append(bytes(8, 9, 10, 11));
  body.finish();
  assertEquals(await rest(fast), [4, 5, 6, 7, 8, 9, 10, 11]);
  // The slow one lags by more than the window: its next read fails, nobody else's does.
  await assertRejects(() => slow.next(1), RangeError);
  slow.leave();
  assertEquals(await body.demand(), false);
  assertEquals(body.isWhole, false);
});
