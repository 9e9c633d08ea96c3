/** What the papers say, in figures worked out by hand. */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { ABR_RULES, type AbrState } from "../../../../lib/dash/abr/mod.ts";
import type { AbrSession } from "../../../../lib/dash/abr/rule.ts";

const STATE: AbrState = {
  ladder: [400_000, 1_000_000, 2_500_000],
  throughputBitsPerSecond: undefined,
  smoothed: undefined,
  bufferMs: 20_000,
  bufferCapMs: 30_000,
  segmentDurationMs: 5000,
  segmentIndex: 5,
  segmentCount: 127,
  lastIndex: 1,
  fixedIndex: 1,
  nowMs: 0,
};

/** Tells of a segment of 5 s that came at `bitsPerSecond`. */
function came(
  session: AbrSession,
  bitsPerSecond: number,
  more: { index?: number; downloadMs?: number; bufferMs?: number } = {},
): void {
  const { index = 1, downloadMs = 2000, bufferMs = 20_000 } = more;
  const bits = bitsPerSecond * downloadMs / 1000;
  session.downloaded?.({
    ...{ index, sizeBits: bits, bits, downloadMs, latencyMs: 0, bufferMs },
    ...{ segmentDurationMs: 5000, abandonedFor: undefined, nowMs: 0 },
  });
}

Deno.test("ELASTIC asks for the estimate over 1 - 0.01 q - 0.001 q_I, q the distance from the target and q_I its integral", () => {
  // The target is 15 s.
  for (
    const [bufferMs, estimate, wanted] of [
      [15_000, 2_000_000, 2_000_000],
      // q = -10 s: 2.75 / 1.1.
      [5000, 2_750_000, 2_500_000],
      // q = 10 s: 2.25 / 0.9.
      [25_000, 2_250_000, 2_500_000],
    ] as const
  ) {
    const { reason, index } = ABR_RULES.elastic.start().decide({
      ...STATE,
      ...{ bufferMs, throughputBitsPerSecond: estimate },
    });
    assertEquals(
      reason.startsWith(`${(wanted / 1e6).toFixed(2)} Mbit/s`),
      true,
    );
    assertEquals(index, wanted < 2_500_000 ? 1 : 2);
  }
  const session = ABR_RULES.elastic.start();
  const low = { bufferMs: 5000, throughputBitsPerSecond: 2_750_000 };
  session.decide({ ...STATE, ...low });
  // 2 s at q = -10 s: q_I = -20, so 2.75 / (1 + 0.1 + 0.02) = 2.455.
  came(session, 2_750_000, { bufferMs: 5000 });
  const after = session.decide({ ...STATE, ...low });
  assertEquals(after.index, 1);
  assertEquals(after.reason.startsWith("2.46 Mbit/s"), true);
});

Deno.test("FESTIVE climbs a rung after as many segments in it as its number, and down at once", () => {
  const session = ABR_RULES.festive.start();
  const seen: number[] = [];
  let last = 0;
  for (let at = 0; at < 8; at++) {
    came(session, 4_000_000, { index: last });
    last = session.decide({ ...STATE, lastIndex: last }).index;
    seen.push(last);
  }
  // One segment in the first rung, two in the second.
  assertEquals(seen, [1, 1, 2, 2, 2, 2, 2, 2]);
  // Eight at 4 Mbit/s and seven at 0.5: 15 / (8 / 4 + 7 / 0.5) = 0.94, of which 0.85 carries the lowest rung only.
  for (let at = 0; at < 7; at++) came(session, 500_000, { index: last });
  const down = session.decide({ ...STATE, lastIndex: 2 });
  assertEquals(down.index, 1);
  assertEquals(session.decide({ ...STATE, lastIndex: 1 }).index, 0);
});

Deno.test("FESTIVE changes when 12 |b / min(w, b_ref) - 1| of the old rung is more than the 1 a change costs", () => {
  for (
    const [step, follows] of [
      // 12 (1 - 1 / 1.05) = 0.57 and 12 (1 - 1 / 1.12) = 1.29.
      [1.05, false],
      [1.09, false],
      [1.1, true],
      [1.12, true],
    ] as const
  ) {
    const ladder = [1_000_000, 1_000_000 * step];
    const session = ABR_RULES.festive.start();
    came(session, 4_000_000, { index: 0 });
    const { index } = session.decide({ ...STATE, ladder, lastIndex: 0 });
    assertEquals(index, follows ? 1 : 0, `${step}`);
  }
});

Deno.test("PANDA adds 0.28 times 0.3 Mbit/s a second while it gets more than it aims at, and takes off what it gets less", () => {
  const probed = (bitsPerSecond: number) => {
    const session = ABR_RULES.panda.start();
    came(session, 2_000_000);
    assertEquals(session.decide(STATE).index, 1);
    came(session, bitsPerSecond);
    return session.decide({ ...STATE, nowMs: 2000 });
  };
  // Two seconds later. x = 2 + 0.28 * 2 * 0.3 = 2.168; y = 2 e^-0.4 + 2.168 (1 - e^-0.4) = 2.0554.
  const more = probed(3_000_000);
  assertEquals(more.reason, "2.06 Mbit/s probed for");
  // The next request is r tau / y + 0.2 (B - B_min) = 2.4326 + 0.4 s after the one before, of which 2 s have gone.
  assertAlmostEquals(more.waitMs, 832.6, 0.1);
  // What it aims at is what it gets: it stays.
  assertEquals(probed(2_000_000).reason, "2.00 Mbit/s probed for");
  // x = 2 + 0.28 * 2 (0.3 - (2 - 1 + 0.3)) = 1.44; y = 1.8154.
  assertEquals(probed(1_000_000).reason, "1.82 Mbit/s probed for");
});

Deno.test("PANDA goes up only with a margin of 15 %, and down without", () => {
  for (
    const [bitsPerSecond, lastIndex, index] of [
      [2_900_000, 1, 1],
      [2_950_000, 1, 2],
      [2_900_000, 2, 2],
      [2_499_000, 2, 1],
      [1_100_000, 0, 0],
      [1_180_000, 0, 1],
    ] as const
  ) {
    const session = ABR_RULES.panda.start();
    came(session, bitsPerSecond);
    const decision = session.decide({ ...STATE, lastIndex });
    assertEquals(decision.index, index, `${bitsPerSecond} from ${lastIndex}`);
  }
});

Deno.test("BBA-2 climbs in start-up when a segment gains 0.875 of its duration with an empty buffer, 0.5 where the cushion ends", () => {
  // At a decision the buffer is at most 25 s, so the cushion ends at 22.5 s.
  for (
    const [bufferMs, downloadMs, climbs] of [
      [0, 620, true],
      [0, 630, false],
      // Half way: 0.6875, so a download of at most 1562.5 ms; the chunk map is not above that rung yet.
      [11_250, 1550, true],
      [11_250, 1570, false],
    ] as const
  ) {
    const session = ABR_RULES.bba2.start();
    session.decide({ ...STATE, bufferMs: 0, lastIndex: undefined });
    came(session, 8e6, { index: 0, downloadMs, bufferMs });
    const state = { ...STATE, bufferMs, lastIndex: 0 };
    assertEquals(session.decide(state).index, climbs ? 1 : 0, `${downloadMs}`);
  }
});

Deno.test("BBA-2 leaves start-up when the buffer sinks, and then takes the largest segment the chunk map allows", () => {
  // f(B) goes from 0.4 at 9.375 s to 2.5 Mbit/s at 22.5 s; at 18.75 s it is 1.9, so a segment may have 9.5 Mbit.
  const sizes = (bits: readonly number[]) => (ahead: number, index: number) =>
    ahead === 0 ? bits[index] : undefined;
  for (
    const [bits, lastIndex, index] of [
      [[2e6, 5e6, 12.5e6], 1, 1],
      // A small one of the highest rate fits.
      [[1.6e6, 4e6, 9.4e6], 1, 2],
      // A large one of the middle does not.
      [[3e6, 9.6e6, 20e6], 2, 0],
    ] as const
  ) {
    const session = ABR_RULES.bba2.start();
    session.decide({ ...STATE, lastIndex: undefined });
    came(session, 1e6, { bufferMs: 20_000 });
    came(session, 1e6, { bufferMs: 18_750 });
    const state = { ...STATE, bufferMs: 18_750, lastIndex };
    const sizeBits = sizes(bits);
    assertEquals(session.decide({ ...state, sizeBits }).index, index);
  }
});
