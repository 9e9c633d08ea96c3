import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { SegmentRecord } from "../../../../lib/dash/player/messages.ts";
import { lectureQoe, summarizePlay } from "../../../../lib/dash/qoe/qoe.ts";

const SLIDE: readonly [number, number][] = [
  [0, 2.501],
  [50, 2.572],
  [80, 3.0],
  [90, 3.45],
  [95, 3.809],
  [100, 4.304],
];

for (const [percent, value] of SLIDE) {
  Deno.test(`lectureQoe is ${value} at ${percent} %`, () => {
    assertAlmostEquals(lectureQoe(percent), value, 6e-4);
  });
}

Deno.test("lectureQoe refuses what is no percentage", () => {
  for (const percent of [-1, 100.1, NaN]) {
    assertThrows(() => lectureQoe(percent), RangeError);
  }
});

function record(layer: number, bitsPerSecond: number): SegmentRecord {
  return {
    media: "video",
    segmentNumber: 1,
    segmentCount: 4,
    representationId: "r",
    height: 0,
    bitsPerSecond,
    layer,
    layerCount: 3,
    mediaMs: 5000,
    bytes: 1000,
    downloadMs: 500,
    ttfbMs: 1,
    throughputBitsPerSecond: 16_000,
    bufferMs: 0,
    stallMs: 0,
    reason: "",
    server: "",
    cacheStatus: "",
    ageSeconds: 0,
  };
}

Deno.test("summarizePlay weighs by media time and counts switches both ways", () => {
  const records = [
    record(1, 400),
    record(3, 2500),
    record(3, 2500),
    record(2, 1000),
  ];
  const summary = summarizePlay(records, {
    playedMs: 20_000,
    startupMs: 300,
    stallCount: 1,
    stallMs: 5000,
  });
  assertEquals(summary.bytes, 4000);
  assertEquals(summary.averageBitsPerSecond, 1600);
  assertEquals(summary.throughputBitsPerSecond, 16_000);
  assertEquals(
    [summary.switchCount, summary.switchesUp, summary.switchesDown],
    [2, 1, 1],
  );
  assertEquals(summary.switchAmplitudeLayers, 1.5);
  assertEquals(summary.switchAmplitudeBitsPerSecond, 1800);
  assertEquals(summary.highestLayerPercent, 50);
  assertEquals(summary.stallPercent, 20);
  assertEquals(summary.lectureQoe, lectureQoe(50));
});

Deno.test("summarizePlay counts what was fetched and not played as bytes only", () => {
  const summary = summarizePlay([record(3, 2500), record(1, 400)], {
    playedMs: 4000,
    startupMs: 0,
    stallCount: 0,
    stallMs: 0,
  });
  assertEquals(summary.bytes, 2000);
  assertEquals(summary.highestLayerPercent, 100);
  assertEquals(summary.switchCount, 0);
});

Deno.test("summarizePlay counts of what a seek passed over bytes only", () => {
  // 5 s each: the first was played, two dropped (3 ms late), half of the fourth played and half dropped, then 7.5 s played.
  const records = [
    record(3, 2500),
    record(1, 400),
    record(1, 400),
    record(2, 1000),
    record(3, 2500),
    record(3, 2500),
  ];
  const summary = summarizePlay(records, {
    playedMs: 15_000,
    startupMs: 0,
    stallCount: 0,
    stallMs: 0,
    skips: [{ playedMs: 5003, mediaMs: 9997 }, {
      playedMs: 7500,
      mediaMs: 2500,
    }],
  });
  assertEquals(summary.bytes, 6000);
  assertAlmostEquals(summary.averageBitsPerSecond, 2250, 1);
  assertEquals([summary.switchesDown, summary.switchesUp], [1, 1]);
  assertEquals(summary.switchAmplitudeLayers, 1);
});

Deno.test("summarizePlay of nothing is all zeros", () => {
  const summary = summarizePlay([], {
    playedMs: 0,
    startupMs: 0,
    stallCount: 0,
    stallMs: 0,
  });
  assertEquals(summary.averageBitsPerSecond, 0);
  assertEquals(summary.stallPercent, 0);
});
