import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { bufferRate } from "../../../../lib/dash/abr/bba0.ts";
import {
  ABR_NAMES,
  ABR_RULES,
  type AbrState,
} from "../../../../lib/dash/abr/mod.ts";
import {
  harmonicMean,
  ThroughputMeter,
} from "../../../../lib/dash/abr/throughput_meter.ts";

const STATE: AbrState = {
  ladder: [400_000, 1_000_000, 2_500_000],
  throughputBitsPerSecond: undefined,
  smoothed: undefined,
  bufferMs: 0,
  bufferCapMs: 30_000,
  segmentDurationMs: 5000,
  segmentIndex: 0,
  segmentCount: 127,
  lastIndex: undefined,
  fixedIndex: 1,
  nowMs: 0,
};

Deno.test("harmonicMean is the rate of equal parts together", () => {
  assertEquals(harmonicMean([]), undefined);
  assertEquals(harmonicMean([3, 6]), 4);
  assertAlmostEquals(harmonicMean([1, 1, 1, 1, 1000]) ?? 0, 5 / 4.001);
});

Deno.test("ThroughputMeter forgets what is older than its window", () => {
  const meter = new ThroughputMeter(2);
  meter.add(0, 100);
  assertEquals(meter.bitsPerSecond, undefined);
  meter.add(1000, 1);
  meter.add(1000, 1000);
  meter.add(1000, 1000);
  assertEquals(meter.bitsPerSecond, 8000);
});

Deno.test("rule throughput takes the highest rate below 0.9 of the estimate", () => {
  const index = (throughputBitsPerSecond: number | undefined) =>
    ABR_RULES.throughput.start().decide({ ...STATE, throughputBitsPerSecond })
      .index;
  assertEquals(
    [undefined, 1, 444_445, 1_111_111, 1_111_112, 2_777_777, 2_777_778, 1e9]
      .map(index),
    [0, 0, 0, 0, 1, 1, 2, 2],
  );
});

Deno.test("rule fixed keeps the rung, or the highest there is", () => {
  assertEquals(ABR_RULES.fixed.start().decide(STATE).index, 1);
  assertEquals(
    ABR_RULES.fixed.start().decide({ ...STATE, fixedIndex: Infinity }).index,
    2,
  );
});

Deno.test("rule bba0 follows the paper: reservoir, straight line, cushion", () => {
  // The fullest buffer at a decision is 25 s: reservoir 9.375 s, top of the cushion 22.5 s.
  assertEquals(bufferRate({ ...STATE, bufferMs: 9375 }), 400_000);
  assertAlmostEquals(
    bufferRate({ ...STATE, bufferMs: 15_937.5 }),
    1_450_000,
    1e-3,
  );
  assertAlmostEquals(
    bufferRate({ ...STATE, bufferMs: 22_500 }),
    2_500_000,
    1e-3,
  );
  const index = (bufferMs: number, lastIndex: number | undefined) =>
    ABR_RULES.bba0.start().decide({ ...STATE, bufferMs, lastIndex }).index;
  assertEquals(index(9000, 2), 0);
  assertEquals(index(23_000, 0), 2);
  // Going up f(B) has to reach the next rate, 1 Mbit/s at 13.125 s.
  assertEquals(index(13_000, 0), 0);
  assertEquals(index(13_200, 0), 1);
  // Going down from the top it has to fall to the rate below.
  assertEquals(index(13_200, 2), 2);
  assertEquals(index(13_100, 2), 1);
  assertEquals(index(13_000, 1), 1);
});

/** What a rule chooses after a segment with which `cameMs` were held, and a wait until `bufferMs` are. */
function afterArrival(
  name: "bba0" | "bba2",
  cameMs: number,
  { bufferMs, ...more }: Partial<AbrState> & { readonly bufferMs: number },
): number {
  const session = ABR_RULES[name].start();
  const state = { ...STATE, lastIndex: 0, bufferMs, ...more };
  session.decide({ ...state, lastIndex: undefined });
  // Twice, so that the buffer sinks and the start-up of BBA-2 is over.
  for (const heldMs of [cameMs + 1, cameMs]) {
    session.downloaded?.({
      ...{ index: 0, sizeBits: 1, bits: 1, downloadMs: 1000, latencyMs: 0 },
      ...{ bufferMs: heldMs, segmentDurationMs: 5000, nowMs: 0 },
      abandonedFor: undefined,
    });
  }
  const { nowMs = Math.max(0, cameMs - bufferMs) } = more;
  return session.decide({ ...state, nowMs }).index;
}

for (const name of ["bba0", "bba2"] as const) {
  Deno.test(`rule ${name} reads a buffer of two segments: the lowest rate when one is left, the highest when the next came at once`, () => {
    const chosen = (cameMs: number, lastIndex: number) =>
      afterArrival(name, cameMs, {
        ...{ bufferCapMs: 10_000, bufferMs: 5000, lastIndex },
      });
    // The reservoir is 5 s, the cushion ends at 9 s.
    assertEquals(chosen(5000, 2), 0);
    // f is 0.4 + 2.1 * 2 / 4 Mbit/s.
    assertEquals(chosen(7000, 0), 1);
    assertEquals(chosen(7000, 2), 2);
    assertEquals(chosen(9000, 0), 2);
  });
}

Deno.test("rule bba0 goes by the buffer that there is: after a seek, and behind a live edge", () => {
  // A seek has dropped it.
  const seek = { bufferMs: 0, nowMs: 20_000 };
  assertEquals(afterArrival("bba0", 29_000, seek), 0);
  // At 15 s behind a live edge there is never more than that.
  const live = { latencyMs: 15_000, targetMs: 15_000 };
  assertEquals(afterArrival("bba0", 14_000, { bufferMs: 9500 }), 1);
  assertEquals(afterArrival("bba0", 14_000, { bufferMs: 9500, live }), 2);
});

Deno.test("rule bola-basic climbs with the buffer", () => {
  const smoothed = { bitsPerSecond: 1e9, latencyMs: 0 };
  const index = (bufferMs: number) =>
    ABR_RULES["bola-basic"].start().decide({ ...STATE, smoothed, bufferMs })
      .index;
  const v = 5 / (Math.log(2500 / 400) + 5);
  // The level at which two rungs score the same, in segments.
  const level = (low: number, high: number) => {
    const [a, b] = [STATE.ladder[low]!, STATE.ladder[high]!];
    const gain = (rate: number) => v * (Math.log(rate / STATE.ladder[0]!) + 5);
    return (gain(a) * b - gain(b) * a) / (b - a);
  };
  assertEquals(index(0), 0);
  assertEquals(index(5000 * level(0, 1) - 1), 0);
  assertEquals(index(5000 * level(0, 1) + 1), 1);
  assertEquals(index(5000 * level(1, 2) - 1), 1);
  assertEquals(index(5000 * level(1, 2) + 1), 2);
});

for (const name of ABR_NAMES) {
  Deno.test(`rule ${name} stays on the ladder and gives a reason`, () => {
    const { start, summary, source } = ABR_RULES[name];
    assert(summary !== "" && source !== "");
    for (const ladder of [[1], [5, 5], [400_000, 1_000_000, 2_500_000]]) {
      for (const bufferMs of [0, 1, 5000, 24_999, 30_000, 90_000]) {
        for (const throughputBitsPerSecond of [undefined, 0.01, 1e6, 1e12]) {
          for (const lastIndex of [undefined, 0, 9]) {
            for (const bufferCapMs of [1000, 30_000]) {
              const { index, waitMs, reason } = start().decide({
                ...STATE,
                ladder,
                bufferMs,
                bufferCapMs,
                throughputBitsPerSecond,
                smoothed: throughputBitsPerSecond === undefined ? undefined : {
                  bitsPerSecond: throughputBitsPerSecond,
                  latencyMs: 50,
                },
                lastIndex,
              });
              assert(index >= 0 && index < ladder.length);
              assert(waitMs >= 0 && waitMs <= bufferMs && reason !== "");
            }
          }
        }
      }
    }
  });
}
