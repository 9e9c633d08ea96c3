import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { utf8 } from "../../../../lib/core/bytes.ts";
import { TraceCursor } from "../../../../lib/model/trace_cursor.ts";
import type { NetworkTrace } from "../../../../lib/model/trace.ts";
import { Link } from "../../../../roles/dash_client/network/link.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { fetcherOf } from "../_fetching.ts";

/** 800 kbit/s for 400 ms, nothing for 100 ms, 80 kbit/s for 250 ms. */
const TRACE: NetworkTrace = {
  name: "three",
  periods: [
    { durationMs: 400, bitsPerSecond: 800_000, latencyMs: 30 },
    { durationMs: 100, bitsPerSecond: 0, latencyMs: 60 },
    { durationMs: 250, bitsPerSecond: 80_000, latencyMs: 0 },
  ],
};

function body(bytes: number): Response {
  return new Response(new Uint8Array(bytes));
}

Deno.test("a Link gives a fetch the times of its trace, in the player's clock", async () => {
  for (const speed of [1, 4]) {
    const clock = new ManualClock();
    const link = new Link(TRACE, speed, clock);
    const fetcher = fetcherOf((url) => body(Number(url.split("/")[3])), {
      clock,
      link,
    });
    const cursor = new TraceCursor(TRACE);
    link.start();
    for (const bytes of [10_000, 1, 40_000, 25_000]) {
      const parts: number[] = [];
      const getting = fetcher.get(`http://a/${bytes}`, {
        sink: (part) => void parts.push(part.length),
      });
      const latencyMs = cursor.request();
      const flowMs = cursor.receive(bytes * 8);
      await clock.advanceTo(cursor.nowMs / speed + 0.001);
      const got = await getting;
      assert(got.ok);
      assertEquals(got.bytes, bytes);
      assertEquals(parts.reduce((sum, each) => sum + each, 0), bytes);
      assertAlmostEquals(got.ttfbMs * speed, latencyMs, 0.01);
      assertAlmostEquals(got.downloadMs * speed, latencyMs + flowMs, 0.01);
      // Handed on as it came: 50 ms of the best rate are 5000 bytes.
      assert(parts.every((each) => each <= 5001), parts.join());
      cursor.idle(clock.nowMs() * speed - cursor.nowMs);
    }
  }
});

Deno.test("a Link lets all pass until it is started, and starts once", async () => {
  const clock = new ManualClock();
  const link = new Link(TRACE, 1, clock);
  const fetcher = fetcherOf(() => body(100_000), { clock, link });
  const first = await fetcher.get("http://a/");
  assert(first.ok);
  assertEquals(first.downloadMs, 0);
  link.start();
  await clock.advanceTo(400);
  link.start();
  // The round trip takes the rest of the second stretch and, from the third, none.
  const getting = fetcher.get("http://a/");
  await clock.advanceTo(5000);
  const second = await getting;
  assert(second.ok);
  assertAlmostEquals(second.ttfbMs, 60, 0.01);
});

Deno.test("a Link is shared by all its requests", async () => {
  const clock = new ManualClock();
  const even = [{ durationMs: 1000, bitsPerSecond: 80_000, latencyMs: 10 }];
  const link = new Link({ name: "even", periods: even }, 1, clock);
  const fetcher = fetcherOf((url) => body(Number(url.split("/")[3])), {
    clock,
    link,
  });
  link.start();
  const both = Promise.all([
    fetcher.get("http://a/1000"),
    fetcher.get("http://a/3000"),
  ]);
  await clock.advanceTo(1000);
  const [small, large] = await both;
  assert(small.ok && large.ok);
  assertAlmostEquals(small.downloadMs, 210, 0.01);
  assertAlmostEquals(large.downloadMs, 410, 0.01);
});

Deno.test("a fetch over a Link that is given up frees its share at once", async () => {
  const clock = new ManualClock();
  const even = [{ durationMs: 1000, bitsPerSecond: 80_000, latencyMs: 10 }];
  const link = new Link({ name: "even", periods: even }, 1, clock);
  const fetcher = fetcherOf(() => body(2000), { clock, link });
  link.start();
  const giving = new AbortController();
  const given = fetcher.get("http://a/", { signal: giving.signal });
  const kept = fetcher.get("http://a/");
  await clock.advanceTo(110);
  giving.abort();
  const gone = await given;
  assert(!gone.ok);
  assertEquals(gone.abandoned, true);
  await clock.advanceTo(1000);
  const whole = await kept;
  assert(whole.ok);
  // 500 bytes while shared until 110 ms, 1500 alone.
  assertAlmostEquals(whole.downloadMs, 260, 0.01);
});

Deno.test("of chunks that are sent as they are made a Link's time is that in which it had something to pass on", async () => {
  for (const chunkBytes of [1000, 4000]) {
    const clock = new ManualClock();
    const even = [{ durationMs: 1000, bitsPerSecond: 80_000, latencyMs: 10 }];
    const link = new Link({ name: "even", periods: even }, 1, clock);
    const chunk = new Uint8Array(chunkBytes);
    new DataView(chunk.buffer).setUint32(0, chunkBytes);
    chunk.set(utf8("mdat"), 4);
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        for (let at = 0; at < 4; at++) {
          controller.enqueue(chunk);
          await clock.sleepUntil(700 * (at + 1));
        }
        controller.close();
      },
    });
    const fetcher = fetcherOf(() => new Response(body), { clock, link });
    link.start();
    const getting = fetcher.get("http://a/");
    await clock.advanceTo(10_000);
    const got = await getting;
    assert(got.ok);
    const flowMs = got.downloadMs - got.idleMs!;
    assertAlmostEquals(flowMs, 10 + 4 * chunkBytes / 10, 0.1);
  }
});

Deno.test("an answer that nothing comes of for too long ends the fetch, also over a Link", async () => {
  const clock = new ManualClock();
  const periods = [
    { durationMs: 100, bitsPerSecond: 80_000, latencyMs: 0 },
    { durationMs: 60_000, bitsPerSecond: 0, latencyMs: 0 },
  ];
  const link = new Link({ name: "outage", periods }, 1, clock);
  const fetcher = fetcherOf(() => body(20_000), {
    clock,
    link,
    timeoutMs: 2000,
  });
  link.start();
  const getting = fetcher.get("http://a/");
  await clock.advanceTo(3000);
  const got = await getting;
  assert(!got.ok);
  assertEquals(got.problem, "nothing came for 2000 ms");
});
