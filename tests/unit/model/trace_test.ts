import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { seededRng } from "../../../lib/core/rng.ts";
import { TraceCursor } from "../../../lib/model/trace_cursor.ts";
import { type NetworkTrace, TraceLink } from "../../../lib/model/trace.ts";

/** 8 kbit/s for 1 s, nothing for 1 s, 80 kbit/s for 0.5 s; round trips of 100, 400 and 0 ms. */
const TRACE: NetworkTrace = {
  name: "three",
  periods: [
    { durationMs: 1000, bitsPerSecond: 8000, latencyMs: 100 },
    { durationMs: 1000, bitsPerSecond: 0, latencyMs: 400 },
    { durationMs: 500, bitsPerSecond: 80_000, latencyMs: 0 },
  ],
};

function randomTrace(seed: number): NetworkTrace {
  const rng = seededRng(seed);
  return {
    name: `seed ${seed}`,
    periods: Array.from({ length: 1 + Math.floor(rng() * 12) }, (_, at) => ({
      durationMs: 1 + Math.floor(rng() * 2000),
      bitsPerSecond: at > 0 && rng() < 0.3 ? 0 : 1000 + rng() * 1e6,
      latencyMs: rng() < 0.3 ? 0 : rng() * 900,
    })),
  };
}

Deno.test("TraceLink says when bits are through", () => {
  const link = new TraceLink(TRACE);
  assertEquals(link.arrivalAtMs(0, 8000), 1000);
  assertEquals(link.arrivalAtMs(0, 8080), 2001);
  assertEquals(link.arrivalAtMs(1500, 40_000), 2500);
  assertEquals(link.arrivalAtMs(1500, 40_008), 2501);
  assertEquals(link.arrivalAtMs(2500, 48_000), 5000);
  assertEquals(link.arrivalAtMs(700, 0), 700);
  assertEquals(link.bitsBetween(500, 2100), 4000 + 8000);
  assertEquals(link.periodAt(2500).latencyMs, 100);
});

Deno.test("TraceLink takes a round trip in shares when the latency changes under way", () => {
  const link = new TraceLink(TRACE);
  assertEquals(link.answerAtMs(0), 100);
  assertEquals(link.answerAtMs(900), 1000);
  // Half of it at 100 ms, half at 400 ms.
  assertEquals(link.answerAtMs(950), 1200);
  // Half of it at 400 ms; where the latency is 0 the rest takes no time.
  assertEquals(link.answerAtMs(1800), 2000);
  assertEquals(link.answerAtMs(2500), 2600);
});

Deno.test("TraceCursor and TraceLink agree on every trace", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const trace = randomTrace(seed);
    const rng = seededRng(seed + 1000);
    const link = new TraceLink(trace);
    const cursor = new TraceCursor(trace);
    for (let step = 0; step < 20; step++) {
      const idleMs = rng() * 3000;
      const bits = rng() * 1e6;
      const startMs = cursor.nowMs + idleMs;
      cursor.idle(idleMs);
      cursor.request();
      const answerMs = link.answerAtMs(startMs);
      assertAlmostEquals(cursor.nowMs, answerMs, 1e-5, `seed ${seed}`);
      cursor.receive(bits);
      const arrivalMs = link.arrivalAtMs(answerMs, bits);
      assertAlmostEquals(cursor.nowMs, arrivalMs, 1e-5, `seed ${seed}`);
      assertAlmostEquals(link.bitsBetween(answerMs, arrivalMs), bits, 1e-3);
    }
  }
});

Deno.test("TraceCursor.receivePart gets both the bits and the time asked for, and in the end everything", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const trace = randomTrace(seed);
    const whole = new TraceCursor(trace);
    const parts = new TraceCursor(trace);
    const bits = 300_000;
    whole.receive(bits);
    let got = 0;
    for (;;) {
      const part = parts.receivePart(bits - got, { bits: 12_000, ms: 50 });
      got += part.bits;
      if (got >= bits) break;
      assert(part.bits >= 12_000 - 1e-6 && part.ms >= 50 - 1e-6);
    }
    assertAlmostEquals(parts.nowMs, whole.nowMs, 1e-5, `seed ${seed}`);
  }
});
