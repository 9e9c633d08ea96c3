/** What the rule `auto` learns of a network, and what it does with the end of a title. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Forecast } from "../../../../lib/dash/abr/auto_forecast.ts";
import { AutoValues } from "../../../../lib/dash/abr/auto_values.ts";
import { ABR_RULES } from "../../../../lib/dash/abr/mod.ts";
import type { AbrDownload } from "../../../../lib/dash/abr/rule.ts";
import { playOverTrace } from "../../../../lib/sim/abr_play.ts";

const LADDER = [400_000, 1_000_000, 2_500_000];

/** A segment that came at `bitsPerSecond` on average. */
function came(bitsPerSecond: number, downloadMs: number): AbrDownload {
  const bits = bitsPerSecond * downloadMs / 1000;
  return {
    ...{ index: 1, sizeBits: bits, bits, downloadMs, latencyMs: 0 },
    ...{ bufferMs: 10_000, segmentDurationMs: 5000 },
    ...{ abandonedFor: undefined, nowMs: 0 },
  };
}

Deno.test("auto: the end of a segment says more of the next one than its mean", () => {
  const last = (endBitsPerSecond: number) => {
    const forecast = new Forecast();
    forecast.took(came(1_000_000, 4000));
    // 4 s at 1 Mbit/s on average, of which the last two come at a rate of their own.
    const bits = 4_000_000;
    for (let ms = 100; ms < 4000; ms += 100) {
      forecast.saw(
        ms,
        bits - endBitsPerSecond * Math.max(0, 4000 - Math.max(ms, 2000)) / 1000,
      );
    }
    forecast.took(came(1_000_000, 4000));
    assertAlmostEquals(forecast.logRate!, Math.log(1e6), 1e-9);
    return Math.exp(forecast.nextLogRate!);
  };
  assert(last(1_900_000) > 1_400_000);
  assertAlmostEquals(last(1_000_000), 1_000_000, 1);
  assert(last(100_000) < 400_000);
});

Deno.test("auto: a segment too short to have an end, or not seen coming, counts as a whole", () => {
  const forecast = new Forecast();
  forecast.took(came(1_000_000, 4000));
  forecast.saw(100, 10_000);
  forecast.took(came(3_000_000, 500));
  assertEquals(forecast.nextLogRate, forecast.logRate);
  // What was seen of it is forgotten with it.
  forecast.took(came(3_000_000, 5000));
  assertEquals(forecast.nextLogRate, forecast.logRate);
});

Deno.test("auto tells the wait for the first byte beside the rate after it: the throughput measured counts both", () => {
  const reasonAfter = (latencyMs: number) => {
    const session = ABR_RULES.auto.start();
    session.downloaded!({ ...came(2_000_000, 1000), latencyMs });
    return session.decide({
      ...{ ladder: LADDER, bufferMs: 5000, bufferCapMs: 30_000 },
      ...{ lastIndex: 0, segmentIndex: 1, segmentCount: 9 },
      ...{ smoothed: undefined, throughputBitsPerSecond: undefined },
      ...{ segmentDurationMs: 5000, nowMs: 0, fixedIndex: 0 },
    }).reason;
  };
  assertEquals(reasonAfter(0), "5.0 s held, 2.00 Mbit/s expected");
  assertEquals(
    reasonAfter(500),
    "5.0 s held, first byte expected after 500 ms, then 4.00 Mbit/s",
  );
});

Deno.test("auto: held media is worth less the nearer the end is", () => {
  const values = new AutoValues({
    ...{ ladder: LADDER, segmentDurationMs: 5000, bufferCapMs: 30_000 },
    ...{ latencyMs: 0, sigma: 0.3, usualLog: Math.log(1e6) },
    hole: { share: 0.004, ms: 5000 },
  });
  const worthOfMedia = (left: number) => {
    const logRate = Math.log(1e6);
    return values.value(1, { logRate, bufferMs: 25_000 }, left) -
      values.value(1, { logRate, bufferMs: 10_000 }, left);
  };
  assert(worthOfMedia(0) < 0.7 * worthOfMedia(10));
  assert(worthOfMedia(10) < worthOfMedia(Infinity));
  assertEquals(worthOfMedia(Infinity), worthOfMedia(100));
});

Deno.test("auto: does not stall where 3500 kbit/s become 800 for 20 s, nor on a tenth less, with rungs of 740, 1172 and 2395 kbit/s", () => {
  const ladder = [740_000, 1_172_000, 2_395_000];
  const sizesBits = Array.from(
    { length: 12 },
    () => ladder.map((rate) => rate * 5),
  );
  const durationsMs = sizesBits.map(() => 5000);
  const title = { name: "even", ladder, sizesBits, durationsMs };
  for (const share of [0.9, 0.95, 1, 1.05]) {
    for (const fromMs of [13_000, 14_000, 15_000, 16_000]) {
      for (const abandon of [false, true]) {
        const periods = [[fromMs, 3500], [20_000, 800], [60_000, 3500]].map(
          ([durationMs, kbit]) => ({
            durationMs: durationMs!,
            bitsPerSecond: share * kbit! * 1000,
            latencyMs: 20,
          }),
        );
        const { stallMs, averageBitsPerSecond } = playOverTrace(
          title,
          { name: "step", periods },
          ABR_RULES.auto,
          { bufferCapMs: 30_000, sizesKnown: false, abandon },
        );
        assertEquals(Math.round(stallMs / 100), 0);
        assert(averageBitsPerSecond > 1_000_000);
      }
    }
  }
});
