import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { ABR_RULES } from "../../../../lib/dash/abr/mod.ts";
import { Player } from "../../../../lib/dash/player/player.ts";
import type { PlayerOptions } from "../../../../lib/dash/player/player_options.ts";
import type { Position, Track } from "../../../../lib/dash/title.ts";
import { type Link, simulatePlay, testTitle } from "./_simulated_play.ts";

const MEDIA_MS = 5000;
const RATES = [400_000, 1_000_000, 2_500_000];

/** Sound in pieces of its own length, in 64 and 128 kbit/s. */
function sound(count: number, mediaMs: number): Track {
  const positions = testTitle(count, mediaMs, [64_000, 128_000], {
    hosts: ["sound"],
  }).map((each): Position => ({ ...each, contentType: "audio" }));
  return { media: "audio", positions };
}

function steady(bitsPerSecond: number, delayMs = 0): Link {
  return { stepMs: 1e9, bitsPerSecondAt: () => bitsPerSecond, delayMs };
}

function sizeOf(url: string): number {
  const [host, rate] = url.split("/").slice(2);
  return Number(rate) * (host === "sound" ? 4000 : MEDIA_MS) / 8000;
}

function player(options: Partial<PlayerOptions> & {
  count?: number;
  audio?: Track;
} = {}): Player {
  const positions = testTitle(options.count ?? 12, MEDIA_MS, RATES);
  const { audio } = options;
  return new Player(
    [{ media: "video", positions }, ...audio === undefined ? [] : [audio]],
    {
      ...{ startMs: 0, resumeMs: 0, capMs: 30_000, fixedIndex: 0, speed: 1 },
      rule: ABR_RULES.fixed,
      ...options,
    },
  );
}

type Log = ReturnType<typeof simulatePlay>;

function all<Kind extends Log[number]["output"]["kind"]>(log: Log, kind: Kind) {
  return log.flatMap(({ atMs, output }) =>
    output.kind === kind
      ? [{
        ...output as Extract<typeof output, { kind: Kind }>,
        toldAtMs: Math.round(atMs),
      }]
      : []
  );
}

function requests(log: Log): string[] {
  return all(log, "fetch").map(({ location }) =>
    location.urls[0]!.slice("http://".length)
  );
}

Deno.test("Player fetches sound and picture so that neither is far ahead, and plays what both have", () => {
  // 60 s of picture in 5 s, 60 s of sound in 4 s; a picture takes 500 ms, a piece of sound 128 ms.
  const log = simulatePlay(player({ audio: sound(15, 4000) }), {
    link: steady(4_000_000),
    sizeOf,
  });
  assertEquals(requests(log).slice(0, 6), [
    "a/400000/1",
    "sound/128000/1",
    "sound/128000/2",
    "a/400000/2",
    "sound/128000/3",
    "a/400000/3",
  ]);
  // Nothing is shown before there is sound to it.
  assertEquals(all(log, "started").map(({ atMs }) => Math.round(atMs)), [628]);
  assertEquals(all(log, "stalled"), []);
  assertAlmostEquals(all(log, "ended")[0]!.atMs, 60_628, 1);
  assertEquals(new Set(requests(log)).size, 27);
  const records = all(log, "downloaded").map(({ record }) => record);
  assertEquals(records.filter(({ media }) => media === "audio").length, 15);
});

Deno.test("Player stalls when sound is missing although there is picture, and ends with the longer of both", () => {
  const slow: Link = {
    stepMs: 1000,
    // Nothing comes from 2 s to 12 s but a trickle: 5 s of picture are there by then, and 4 s of sound.
    bitsPerSecondAt: (atMs) => atMs >= 2000 && atMs < 12_000 ? 1000 : 4e6,
  };
  const one = player({ count: 2, audio: sound(2, 4000), capMs: 4000 });
  const log = simulatePlay(one, { link: slow, sizeOf });
  assertAlmostEquals(all(log, "stalled")[0]!.positionMs, 4000, 1e-6);
  assertAlmostEquals(one.playout.playedMs, 10_000, 1e-6);
  assertEquals(one.playout.state, "ended");
});

Deno.test("Player plays a hole in the picture with sound, and leaps over one when it is alone", () => {
  const statusOf = (url: string) => url.endsWith("a/400000/2") ? 404 : 200;
  const link = steady(4_000_000);
  const together = player({ count: 3, audio: sound(4, 4000) });
  const log = simulatePlay(together, { link, sizeOf, statusOf });
  assertEquals(all(log, "missed").map(({ next }) => next), ["skip"]);
  assertAlmostEquals(together.playout.playedMs, 16_000, 1e-6);
  const alone = player({ count: 3 });
  simulatePlay(alone, { link, sizeOf, statusOf });
  assertAlmostEquals(alone.playout.playedMs, 10_000, 1e-6);
});

Deno.test("Player begins in the middle of a segment and plays from there", () => {
  const one = player({ fromMs: 12_000 });
  const log = simulatePlay(one, { link: steady(4_000_000), sizeOf });
  assertEquals(requests(log)[0], "a/400000/3");
  assertEquals(all(log, "downloaded")[0]!.record.mediaMs, 3000);
  assertAlmostEquals(one.playout.playedMs, 48_000, 1e-6);
  assertAlmostEquals(one.playout.positionMs, 60_000, 1e-6);
});

Deno.test("Player leaps to what is in the buffer at once, elsewhere after a segment of it, and counts neither as a stall", () => {
  const seeks = [
    { atMs: 10_000, toMs: 13_000 },
    { atMs: 20_000, toMs: 42_000 },
    { atMs: 50_000, toMs: 1000 },
  ];
  const one = player({ seeks, capMs: 12_000 });
  const log = simulatePlay(one, { link: steady(4_000_000, 100), sizeOf });
  assertEquals(
    all(log, "seeked").map(({ atMs, fromMs, toMs, seekMs }) =>
      [atMs, fromMs, toMs, seekMs].map(Math.round)
    ),
    // 600 ms for the first; 100 ms round trip and 500 ms of bytes for each of the others.
    [[10_600, 10_000, 13_000, 0], [18_200, 20_000, 42_000, 600], [
      26_800,
      50_000,
      1000,
      600,
    ]],
  );
  assertEquals([one.playout.stallCount, one.playout.stalledMs], [0, 0]);
  assertAlmostEquals(one.playout.playedMs, 10_000 + 7000 + 8000 + 59_000, 1e-3);
});

Deno.test("Player drops a request that a seek makes useless, and does not hear its answer", () => {
  const one = player({ seeks: [{ atMs: 1000, toMs: 50_000 }] });
  const log = simulatePlay(one, { link: steady(500_000), sizeOf });
  assertEquals(all(log, "abort").map(({ fetchId }) => fetchId), [2]);
  assertEquals(requests(log), [
    "a/400000/1",
    "a/400000/2",
    "a/400000/11",
    "a/400000/12",
  ]);
  assertEquals(
    all(log, "downloaded").map(({ record }) => record.segmentNumber),
    [1, 11, 12],
  );
});

Deno.test("Player gives a segment up that would stall when it may, and fetches one that does not", () => {
  const link: Link = {
    stepMs: 1000,
    bitsPerSecondAt: (atMs) => atMs < 3125 ? 4_000_000 : 600_000,
  };
  const options = { count: 4, fixedIndex: 2 };
  const patient = player(options);
  simulatePlay(patient, { link, sizeOf });
  assert(patient.playout.stallCount > 0);
  const one = player({ ...options, abandon: true });
  const log = simulatePlay(one, { link, sizeOf });
  const given = all(log, "abandoned").map(({ record }) => record);
  assert(given.length > 0);
  for (const each of given) {
    assert(each.bytes < each.totalBytes);
    assert(each.insteadBitsPerSecond < each.bitsPerSecond);
  }
  assertEquals(all(log, "abort").length, given.length);
  assertEquals(
    all(log, "downloaded").map(({ record }) => record.segmentNumber),
    [1, 2, 3, 4],
  );
  assert(one.playout.stalledMs < patient.playout.stalledMs);
});
