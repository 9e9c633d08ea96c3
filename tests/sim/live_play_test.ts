import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { ABR_NAMES, ABR_RULES } from "../../lib/dash/abr/mod.ts";
import { liveQoe } from "../../lib/dash/live_qoe.ts";
import { namedTrace } from "../../lib/model/trace_catalog.ts";
import type { NetworkTrace } from "../../lib/model/trace.ts";
import type { AbrTitle } from "../../lib/sim/abr_play.ts";
import { playLive } from "../../lib/sim/live_play.ts";

function evenTrace(bitsPerSecond: number, latencyMs = 0): NetworkTrace {
  const period = { durationMs: 1000, bitsPerSecond, latencyMs };
  return { name: "even", periods: [period] };
}

function titleOf(count: number, segmentMs = 1000): AbrTitle {
  const ladder = [400_000, 1_000_000, 2_500_000];
  const sizes = ladder.map((rate) => rate * segmentMs / 1000);
  return {
    name: "even",
    ladder,
    durationsMs: Array(count).fill(segmentMs),
    sizesBits: Array(count).fill(sizes),
  };
}

const TITLE = titleOf(60);
const HOW = { targetMs: 3000, maxChange: 0.05, bufferCapMs: 30_000 };

Deno.test("playLive asks for no segment before its end, and the edge leaves a play behind by its target and what it lost", () => {
  // 2 Mbit/s with a round trip of 50 ms: a segment of 1 Mbit takes 550 ms.
  const result = playLive(TITLE, evenTrace(2_000_000, 50), ABR_RULES.fixed, {
    ...HOW,
    maxChange: 0,
    fixedIndex: 1,
  });
  assertEquals(result.segments.length, 60);
  assertEquals(result.startupMs, 550);
  for (const { segmentIndex, requestedAtMs, arrivedAtMs } of result.segments) {
    const madeAtMs = (segmentIndex + 1) * 1000 - 3000;
    // The first three are there; from the fourth on the player is faster than they are made.
    const askedAtMs = segmentIndex < 3 ? 550 * segmentIndex : 1650;
    const fromMs = segmentIndex < 3 ? askedAtMs : Math.max(askedAtMs, madeAtMs);
    if (segmentIndex < 3 || segmentIndex > 5) {
      assertAlmostEquals(requestedAtMs, fromMs, 1e-6, `${segmentIndex}`);
    }
    assert(requestedAtMs >= madeAtMs - 1e-6, `${segmentIndex}`);
    assertAlmostEquals(arrivedAtMs - requestedAtMs, 550, 1e-6);
  }
  assertEquals(result.stallCount, 0);
  assertAlmostEquals(result.meanLatencyMs, 3550, 1e-6);
  assertAlmostEquals(result.maxLatencyMs, 3550, 1e-6);
  assertEquals(result.averageBitsPerSecond, 1_000_000);
});

Deno.test("playLive comes back to its target by its pace, and leaves that alone when it may not change it", () => {
  const net = evenTrace(2_000_000, 50);
  const how = { ...HOW, fixedIndex: 1 };
  const { latencies, paceChange } = playLive(TITLE, net, ABR_RULES.fixed, how);
  // 550 ms at 5 % faster: within 50 ms of the target after 10 s.
  assert(latencies.at(-1)!.record.latencyMs < 3060);
  assert(paceChange > 0 && paceChange < 0.05);
  const never = playLive(TITLE, net, ABR_RULES.fixed, { ...how, maxChange: 0 });
  assertEquals(never.paceChange, 0);
});

Deno.test("playLive of each rule: all is played, and what stands still is told and lags", () => {
  for (const traceName of ["3g", "step"] as const) {
    const trace = namedTrace(traceName)!;
    for (const name of ABR_NAMES) {
      for (const abandon of [false, true]) {
        const about = `${name} over ${traceName}, abandon ${abandon}`;
        const how = { ...HOW, abandon, fixedIndex: 1 };
        const result = playLive(TITLE, trace, ABR_RULES[name], how);
        assertEquals(result.segments.length, 60, about);
        assertAlmostEquals(result.playedMs, 60_000, 1e-3, about);
        assertEquals(abandon || result.abandonCount === 0, true, about);
        const stallMs = result.segments.reduce(
          (sum, each) => sum + each.stallMs,
          0,
        );
        assertAlmostEquals(stallMs, result.stallMs, 1e-3, about);
        for (const { segmentIndex, latencyMs, ...each } of result.segments) {
          const madeAtMs = (segmentIndex + 1) * 1000 - HOW.targetMs;
          assert(each.requestedAtMs >= madeAtMs - 1e-6, about);
          // What has arrived has been made, so nothing is played that has not.
          assert(latencyMs + 1e-6 >= each.bufferMs, about);
        }
        assertEquals(result, playLive(TITLE, trace, ABR_RULES[name], how));
      }
    }
  }
});

Deno.test("liveQoe takes off stalls, latency, changes and odd pace", () => {
  const even = {
    ...{ bitsPerSecond: 1_000_000, segmentDurationMs: 2000, stallMs: 0 },
    ...{ lowestBitsPerSecond: 400_000, highestBitsPerSecond: 2_500_000 },
    ...{ latencyMs: 0, playbackRate: 1, changeBitsPerSecond: 0 },
  };
  for (
    const [met, kbit] of [
      [{}, 2000],
      [{ stallMs: 500 }, 2000 - 1250],
      // Up to 1.1 s a second costs 0.05 of the lowest rate, then 0.1 of the highest.
      [{ latencyMs: 1000 }, 2000 - 20],
      [{ latencyMs: 2000 }, 2000 - 500],
      [{ playbackRate: 0.9 }, 2000 - 40],
      [{ changeBitsPerSecond: 600_000 }, 2000 - 600],
    ] as const
  ) {
    assertAlmostEquals(liveQoe({ ...even, ...met }), kbit, 1e-6);
  }
});

Deno.test("playLive in chunks stays nearer to the edge than a segment, asks when the first chunk has been made, and stalls by the link alone", () => {
  const title = titleOf(30, 4000);
  const how = {
    ...{ targetMs: 1500, chunkMs: 500, maxChange: 0, bufferCapMs: 30_000 },
    fixedIndex: 1,
  };
  // A chunk of half a megabit takes 200 ms, and a round trip 50 ms.
  const net = evenTrace(2_500_000, 50);
  const result = playLive(title, net, ABR_RULES.fixed, how);
  assertEquals([result.segments.length, result.stallCount], [30, 0]);
  // 250 ms until the first chunk is there.
  assertAlmostEquals(result.startupMs, 250, 1e-6);
  assertAlmostEquals(result.meanLatencyMs, 1750, 1e-6);
  for (const segment of result.segments.slice(1)) {
    const { segmentIndex, requestedAtMs, arrivedAtMs } = segment;
    const beginsAtMs = 4000 * segmentIndex - 1500;
    assertAlmostEquals(requestedAtMs, beginsAtMs + 500, 1e-6);
    // The last chunk, once it has been made.
    assertAlmostEquals(arrivedAtMs, beginsAtMs + 4000 + 200, 1e-6);
  }
  for (const name of ["lol-plus", "l2a-ll", "throughput"] as const) {
    const { topShare, stallCount } = playLive(
      title,
      evenTrace(10_000_000, 20),
      ABR_RULES[name],
      how,
    );
    assert(topShare > 0.8 && stallCount === 0, `${name} ${topShare}`);
  }
  const narrow = playLive(title, evenTrace(300_000), ABR_RULES.fixed, {
    ...how,
    fixedIndex: 0,
  });
  assert(narrow.stallCount > 0);
  assertEquals(narrow.segments.length, 30);
});
