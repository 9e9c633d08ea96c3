import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromUtf8, utf8 } from "../../../../lib/core/bytes.ts";
import {
  type BodyEnd,
  streamBody,
} from "../../../../roles/origin/answer/body.ts";
import {
  memoryResource,
  type Resource,
} from "../../../../roles/origin/site/site.ts";
import { Throttle } from "../../../../lib/io/throttle.ts";
import { bytesOf } from "../../../support/http_exchange.ts";
import { ManualClock } from "../../../support/manual_clock.ts";

const ABOUT = {
  mediaType: "video/mp4",
  entityTag: { weak: false, opaque: "v1" },
  modifiedAtWallMs: 0,
} as const;

async function open(
  resource: Resource,
  clock = new ManualClock(),
  rate = Infinity,
) {
  const ends: BodyEnd[] = [];
  const leaving = new AbortController();
  const stream = streamBody(await resource.open(), {
    pieces: [utf8("<"), { firstByte: 1, lastByte: resource.sizeBytes - 1 }],
    throttle: new Throttle(rate, clock),
    signal: leaving.signal,
    ended: (end) => void ends.push(end),
  });
  return { stream, ends, leaving };
}

Deno.test("streamBody sends literal bytes and parts in order and tells once how it ended", async () => {
  const { stream, ends } = await open(
    memoryResource(utf8("0123456789"), ABOUT),
  );
  assertEquals(fromUtf8(await bytesOf(stream)), "<123456789");
  assertEquals(ends, [{ bytes: 10, complete: true }]);
});

Deno.test("streamBody reads only what the client takes, and closes the content when it leaves", async () => {
  let reads = 0;
  let closed = 0;
  const resource: Resource = {
    ...ABOUT,
    sizeBytes: 2 ** 40,
    open: () =>
      Promise.resolve({
        read: (_offset, length) => {
          reads += 1;
          return Promise.resolve(new Uint8Array(length));
        },
        [Symbol.asyncDispose]: () => {
          closed += 1;
          return Promise.resolve();
        },
      }),
  };
  const { stream, ends } = await open(resource);
  await stream.next(65_536);
  const value = await stream.next(65_536);
  assertEquals(reads, 1);
  stream.leave();
  await new Promise((turn) => setTimeout(turn));
  assertEquals(closed, 1);
  assertEquals(ends, [{ bytes: 1 + value!.length, complete: false }]);
});

Deno.test("streamBody fails when the content does, and closes it, also for a client that left before anything was read", async () => {
  let closed = 0;
  const resource: Resource = {
    ...ABOUT,
    sizeBytes: 10,
    open: () =>
      Promise.resolve({
        read: () => Promise.reject(new Error("gone")),
        [Symbol.asyncDispose]: () => {
          closed += 1;
          return Promise.resolve();
        },
      }),
  };
  const { stream, ends } = await open(resource);
  await stream.next(65_536);
  await assertRejects(() => stream.next(65_536));
  stream.leave();
  await new Promise((turn) => setTimeout(turn));
  assertEquals([ends, closed], [[{ bytes: 1, complete: false }], 1]);
  const other = await open(resource);
  other.stream.leave();
  await new Promise((turn) => setTimeout(turn));
  assertEquals([other.ends, closed], [[{ bytes: 0, complete: false }], 2]);
});

Deno.test("Throttle lets answers share the rate and take turns", async () => {
  const clock = new ManualClock();
  const throttle = new Throttle(200_000, clock);
  assertEquals(throttle.chunkBytes, 2000);
  const taken = [0, 0];
  let running = true;
  const take = async (who: number) => {
    while (running) {
      await throttle.take(throttle.chunkBytes, new AbortController().signal);
      taken[who]! += throttle.chunkBytes;
    }
  };
  const both = [take(0), take(1)];
  for (let atMs = 50; atMs <= 2000; atMs += 50) await clock.advanceTo(atMs);
  assert(Math.abs(taken[0]! - taken[1]!) <= 2000);
  // Two seconds, the bucket's depth of 25 ms, a piece for each that may be under way.
  const sum = taken[0]! + taken[1]!;
  assert(sum >= 394_000 && sum <= 411_000, String(sum));
  running = false;
  await clock.advanceTo(3000);
  await Promise.all(both);
});

Deno.test("Throttle lets a client that waits leave, and goes on with the next", async () => {
  const clock = new ManualClock();
  const throttle = new Throttle(1000, clock);
  const leaving = new AbortController();
  const staying = new AbortController();
  const first = throttle.take(1000, staying.signal);
  await clock.advanceTo(0);
  await first;
  const left = throttle.take(1000, leaving.signal);
  const next = throttle.take(1000, staying.signal);
  await clock.advanceTo(1);
  leaving.abort(new Error("left"));
  await assertRejects(() => left);
  await clock.advanceTo(3000);
  await next;
});
