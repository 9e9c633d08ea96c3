import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { seededRng } from "../../../lib/core/rng.ts";
import { SharedLink } from "../../../lib/model/shared_link.ts";
import type { NetworkTrace } from "../../../lib/model/trace.ts";
import { TraceCursor } from "../../../lib/model/trace_cursor.ts";

/** 1 byte a millisecond, round trips of 30 ms. */
const EVEN: NetworkTrace = {
  name: "even",
  periods: [{ durationMs: 1000, bitsPerSecond: 8000, latencyMs: 30 }],
};

function randomTrace(rng: () => number): NetworkTrace {
  return {
    name: "random",
    periods: Array.from({ length: 1 + Math.floor(rng() * 12) }, (_, at) => ({
      durationMs: 1 + Math.floor(rng() * 2000),
      bitsPerSecond: at > 0 && rng() < 0.3 ? 0 : 1000 + rng() * 1e6,
      latencyMs: rng() < 0.3 ? 0 : rng() * 900,
    })),
  };
}

Deno.test("SharedLink holds an answer for a round trip, then lets it through at the link's rate", () => {
  const link = new SharedLink(EVEN, 100);
  const id = link.request(1000);
  assertEquals(link.readyAtMs(id), 1030);
  link.offer(id, 500, 1001);
  assertEquals(link.passedBytes(id, 1030), 0);
  assertEquals(link.passedBytes(id, 1130), 100);
  assertEquals(link.drainedAtMs(id, 1130), 1530);
  // Looked at late, it is through when it was.
  assertEquals(link.passedBytes(id, 9000), 500);
  assertEquals(link.drainedAtMs(id, 9000), 1530);
});

Deno.test("SharedLink saves no time up while nothing was offered", () => {
  const link = new SharedLink(EVEN, 0);
  const id = link.request(0);
  link.offer(id, 100, 10);
  link.offer(id, 100, 5000);
  assertEquals(link.passedBytes(id, 5000), 100);
  assertEquals(link.drainedAtMs(id, 5000), 5100);
});

Deno.test("SharedLink makes up for what an answer was late, but only for its grace", () => {
  const late = (ms: number, graceMs: number) => {
    const link = new SharedLink(EVEN, 0, { graceMs });
    const id = link.request(0);
    const begunAtMs = link.answeredAtMs(id, 30 + ms);
    link.offer(id, 100, 30 + ms);
    const first = link.drainedAtMs(id, 30 + ms);
    // The second half is late by as much again.
    link.offer(id, 100, first + ms);
    return [begunAtMs, first, link.drainedAtMs(id, first + ms)];
  };
  assertEquals(late(40, 50), [30, 130, 230]);
  assertEquals(late(40, 0), [70, 170, 310]);
  assertEquals(late(80, 50), [110, 160, 290]);
});

Deno.test("SharedLink makes up for nothing that others have used, nor for time before a request", () => {
  const link = new SharedLink(EVEN, 0, { graceMs: 50 });
  const first = link.request(0);
  link.offer(first, 200, 0);
  const second = link.request(100);
  // Ready at 130 ms, offered at 170: the first has had all of the link until then.
  link.offer(second, 100, 170);
  assertEquals(link.passedBytes(first, 170), 140);
  assertEquals(link.drainedAtMs(second, 170), 330);
  const later = new SharedLink(EVEN, 0, { graceMs: 50 });
  const only = later.request(1000);
  later.offer(only, 100, 1000);
  assertEquals(later.drainedAtMs(only, 1000), 1130);
});

Deno.test("SharedLink gives answers that flow at the same time equal shares", () => {
  const link = new SharedLink(EVEN, 0);
  const first = link.request(0);
  link.offer(first, 200, 0);
  const second = link.request(100);
  link.offer(second, 1000, 101);
  // Alone from 30 to 130 ms, then the two of them until the first is through, then the second alone.
  assertEquals(link.drainedAtMs(first, 130), 330);
  assertEquals(link.passedBytes(second, 230), 50);
  assertEquals(link.passedBytes(first, 330), 200);
  assertEquals(link.drainedAtMs(second, 330), 1230);
  link.end(first, 400);
  assertEquals(link.transferCount, 1);
});

Deno.test("SharedLink gives the share of an answer that is given up to the others", () => {
  const link = new SharedLink(EVEN, 0);
  const first = link.request(0);
  const second = link.request(0);
  link.offer(first, 1000, 0);
  link.offer(second, 1000, 0);
  assertEquals(link.passedBytes(first, 230), 100);
  link.end(second, 230);
  assertEquals(link.drainedAtMs(first, 230), 1130);
});

Deno.test("SharedLink has TraceCursor's times for one request after the other, however late it is looked at", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const rng = seededRng(seed);
    const trace = randomTrace(rng);
    const cursor = new TraceCursor(trace);
    const link = new SharedLink(trace, 0);
    for (let at = 0; at < 20; at++) {
      const bytes = 1 + Math.floor(rng() * 50_000);
      const id = link.request(cursor.nowMs);
      let offered = 0;
      while (offered < bytes) {
        const part = Math.min(bytes - offered, 1 + Math.floor(rng() * 20_000));
        link.offer(id, part, cursor.nowMs);
        offered += part;
      }
      cursor.request();
      assertAlmostEquals(link.readyAtMs(id), cursor.nowMs, 1e-4);
      cursor.receive(bytes * 8);
      assertEquals(link.passedBytes(id, cursor.nowMs + 0.01), bytes);
      const doneAtMs = link.drainedAtMs(id, cursor.nowMs + 0.01);
      assertAlmostEquals(doneAtMs, cursor.nowMs, 1e-4, `seed ${seed}`);
      cursor.idle(0.01 + rng() * 500);
      link.end(id, cursor.nowMs);
    }
  }
});

Deno.test("SharedLink lets through what the trace carries, however many share it", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const rng = seededRng(seed);
    const trace = randomTrace(rng);
    const link = new SharedLink(trace, 0);
    const cursor = new TraceCursor({
      ...trace,
      periods: trace.periods.map((each) => ({ ...each, latencyMs: 0 })),
    });
    const ids = Array.from({ length: 5 }, () => link.request(0));
    const readyAtMs = Math.max(...ids.map((id) => link.readyAtMs(id)));
    cursor.idle(readyAtMs);
    const sizes = ids.map(() => 1 + Math.floor(rng() * 40_000));
    for (const [at, id] of ids.entries()) {
      link.offer(id, sizes[at]!, readyAtMs);
    }
    cursor.receive(sizes.reduce((sum, each) => sum + each, 0) * 8);
    const lastMs = () =>
      Math.max(...ids.map((id) => link.drainedAtMs(id, readyAtMs)));
    assertAlmostEquals(lastMs(), cursor.nowMs, 1e-4, `seed ${seed}`);
    // Of equal answers a larger one is never through before a smaller one.
    for (const [at, id] of ids.entries()) {
      const mine = link.drainedAtMs(id, cursor.nowMs + 1);
      for (const [other, otherId] of ids.entries()) {
        if (sizes[other]! <= sizes[at]!) continue;
        assert(link.drainedAtMs(otherId, cursor.nowMs + 1) >= mine - 1e-6);
      }
    }
  }
});
