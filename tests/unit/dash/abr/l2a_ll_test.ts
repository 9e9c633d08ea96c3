import { assertAlmostEquals, assertEquals } from "@std/assert";
import { l2aLl, onSimplex } from "../../../../lib/dash/abr/l2a_ll.ts";
import { liveState } from "./_live_state.ts";

Deno.test("onSimplex gives the nearest distribution", () => {
  for (
    const [values, nearest] of [
      [[0.5, 0.5], [0.5, 0.5]],
      [[1, 1], [0.5, 0.5]],
      [[2, 0, 0], [1, 0, 0]],
      [[-1, 0.2, 0.5], [0, 0.35, 0.65]],
      [[0.4, 0.3, 0.1], [1.4 / 3, 1.1 / 3, 0.5 / 3]],
      [[7], [1]],
    ] as const
  ) {
    const projected = onSimplex(values);
    for (const [at, value] of projected.entries()) {
      assertAlmostEquals(value, nearest[at]!, 1e-12);
    }
  }
});

/** A session that has seen one segment come at 2 Mbit/s. */
function begun() {
  const session = l2aLl.start();
  session.downloaded?.({
    ...{ index: 0, sizeBits: 400_000, bits: 400_000, downloadMs: 200 },
    ...{ latencyMs: 0, bufferMs: 2000, segmentDurationMs: 1000 },
    ...{ abandonedFor: undefined, nowMs: 0 },
  });
  return session;
}

Deno.test("L2A-LL follows the throughput until there is 1.5 s, then takes one step of descent after the other", () => {
  assertEquals(l2aLl.start().decide(liveState({})).index, 0);
  const session = begun();
  // 0.9 of 2 Mbit/s carries 1 Mbit/s; the buffer is long enough to begin learning with that rung.
  assertEquals(session.decide(liveState({ bufferMs: 1400 })).index, 1);
  assertEquals(session.decide(liveState({ bufferMs: 1600 })).index, 1);
  // By hand: caution 4^0.99 = 3.9449, step 7.8898, gain 2 * 3.9449 / (2 * 7.8898) = 0.5. Loads are 0.2, 0.5 and 1.25,
  // so w = (0, 1, 0) goes to (0.1, 1.25, -0.625), on the simplex (0, 1, 0): 1.25 - 0.25, and 0.1 is below the shift.
  const learnt = session.decide(liveState({}));
  assertEquals([learnt.index, learnt.reason], [1, "1.00 Mbit/s learnt"]);
});

Deno.test("L2A-LL begins to learn with half of what there is to be behind a near live edge", () => {
  const live = { latencyMs: 1500, targetMs: 1500 };
  const learns = (bufferMs: number) => {
    const session = begun();
    const now = liveState({ bufferMs, live });
    session.decide(now);
    return session.decide(now).reason.endsWith("learnt");
  };
  assertEquals([learns(700), learns(800)], [false, true]);
});

Deno.test("L2A-LL goes up one rung at a time, and not to one the link does not carry", () => {
  const fast = l2aLl.start();
  const came = (bitsPerSecond: number) =>
    fast.downloaded?.({
      ...{ index: 0, sizeBits: 1e6, bits: 1e6, latencyMs: 0, bufferMs: 3000 },
      ...{ downloadMs: 1e9 / bitsPerSecond, segmentDurationMs: 1000 },
      ...{ abandonedFor: undefined, nowMs: 0 },
    });
  came(450_000);
  const slow = liveState({ throughputBitsPerSecond: 450_000, lastIndex: 0 });
  assertEquals(fast.decide(slow).index, 0);
  let last = 0;
  const seen: number[] = [];
  for (let at = 0; at < 12; at++) {
    came(20_000_000);
    const now = { throughputBitsPerSecond: 20_000_000, lastIndex: last };
    last = fast.decide(liveState(now)).index;
    seen.push(last);
  }
  for (const [at, index] of seen.entries()) {
    assertEquals(index - (seen[at - 1] ?? 0) <= 1, true);
  }
  assertEquals(last, 2);
  for (let at = 0; at < 12; at++) {
    came(900_000);
    const now = { throughputBitsPerSecond: 900_000, lastIndex: last };
    last = fast.decide(liveState(now)).index;
  }
  assertEquals(last, 0);
});
