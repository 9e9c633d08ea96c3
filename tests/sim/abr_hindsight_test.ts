import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { ABR_RULES } from "../../lib/dash/abr/mod.ts";
import { Player } from "../../lib/dash/player/player.ts";
import type { SegmentRecord } from "../../lib/dash/player/messages.ts";
import { type Hindsight, inHindsight } from "../../lib/sim/abr_hindsight.ts";
import {
  simulatePlay,
  testTitle,
} from "../unit/dash/player/_simulated_play.ts";

const LADDER = [400_000, 1_000_000, 2_500_000];

/** Plays 20 segments of 5 s with a rule and judges it; `bytesOf` says what came of each. */
function judged(
  rule: keyof typeof ABR_RULES,
  speed = 1,
  bytesOf: (record: SegmentRecord) => number = ({ bytes }) => bytes,
): Hindsight | undefined {
  const player = new Player(
    [{ media: "video", positions: testTitle(20, 5000, LADDER) }],
    {
      ...{ startMs: 0, resumeMs: 0, capMs: 25_000, fixedIndex: 2, speed: 1 },
      rule: ABR_RULES[rule],
    },
  );
  const log = simulatePlay(player, {
    link: { stepMs: 1000, bitsPerSecondAt: () => 1_500_000, delayMs: 50 },
    sizeOf: (url) => Number(url.split("/")[3]) * 5 / 8,
  });
  const downloads = log.flatMap(({ atMs, output }) => {
    if (output.kind !== "downloaded") return [];
    const { downloadMs, ttfbMs } = output.record;
    const record: SegmentRecord = {
      ...output.record,
      bytes: bytesOf(output.record),
      downloadMs: downloadMs / speed,
      ttfbMs: ttfbMs / speed,
    };
    return [{ atMs, record }];
  });
  const started = log.find(({ output }) => output.kind === "started");
  return inHindsight({
    ...{ ladder: LADDER, downloads, bufferCapMs: 25_000, speed },
    startupMs: started!.atMs,
    stallMs: player.playout.stalledMs,
    playedMs: player.playout.playedMs,
  });
}

Deno.test("inHindsight says what a rule reached of what the network it met allowed, whatever the speed", () => {
  const steady = judged("bola-e")!;
  assert(steady.score > 0.5 && steady.score <= steady.optimum.bound + 1e-9);
  assert(steady.optimum.bound - steady.optimum.feasible < 0.03);
  const greedy = judged("fixed")!;
  assert(greedy.score < 0, String(greedy.score));
  assertAlmostEquals(judged("bola-e", 10)!.score, steady.score, 1e-9);
  assertAlmostEquals(
    judged("bola-e", 10)!.optimum.feasible,
    steady.optimum.feasible,
    0.02,
  );
});

Deno.test("inHindsight comes to an end with segments that are empty", () => {
  assertEquals(judged("fixed", 1, () => 0), undefined);
  const some = judged(
    "fixed",
    1,
    ({ segmentNumber, bytes }) => segmentNumber % 3 === 0 ? 0 : bytes,
  );
  assert(some !== undefined && Number.isFinite(some.optimum.bound));
});

Deno.test("inHindsight has nothing to say of one rate or one segment", () => {
  const play = {
    ...{ ladder: [1], downloads: [], startupMs: 0, stallMs: 0, playedMs: 0 },
    ...{ bufferCapMs: 1, speed: 1 },
  };
  assertEquals(inHindsight(play), undefined);
});
