import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { ABR_RULES } from "../../../../lib/dash/abr/mod.ts";
import {
  Player,
  type PlayerOptions,
} from "../../../../lib/dash/player/player.ts";
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

/** A live title of 1 s segments whose edge is at 10 s when playing begins. */
function live(options: Partial<PlayerOptions> = {}) {
  const positions = testTitle(60, 1000, RATES);
  const track = (untilMs: number): Track => ({
    media: "video",
    positions: positions.filter(({ startMs }) => startMs + 1000 <= untilMs),
  });
  const one = new Player([track(10_000)], {
    ...{ startMs: 1000, resumeMs: 1000, capMs: 30_000, speed: 1 },
    ...{ fixedIndex: 0, rule: ABR_RULES.fixed, fromMs: 7000 },
    live: { edgeMs: 10_000, targetMs: 3000, maxChange: 0.1 },
    ...options,
  });
  return { one, track };
}

/** Plays until 20 s later; each segment takes `fetchMs` and is known `lateMs` after the live edge; until `hereMs` after its end the server says 404. */
function playLive(
  { one, track }: ReturnType<typeof live>,
  { fetchMs, idleMs, lateMs = 0, outageMs = [0, 0], hereMs = () => 0 }: {
    fetchMs: number;
    /** Of that, what the server waited for the encoder. */
    idleMs?: number | undefined;
    lateMs?: number;
    outageMs?: readonly [number, number];
    hereMs?: (segmentNumber: number) => number;
  },
) {
  const outputs: ReturnType<Player["handle"]> = [];
  let fetched:
    | { fetchId: number; atMs: number; absent: boolean }
    | undefined;
  const take = (some: ReturnType<Player["handle"]>, nowMs: number) => {
    for (const output of some) {
      outputs.push(output);
      if (output.kind !== "fetch") continue;
      const atMs = nowMs >= outageMs[0] && nowMs < outageMs[1]
        ? outageMs[1]
        : nowMs + fetchMs;
      const { fetchId, segmentNumber } = output;
      const absent = 10_000 + nowMs <
        1000 * segmentNumber + hereMs(segmentNumber);
      fetched = { fetchId, atMs, absent };
    }
  };
  take(one.handle({ kind: "start" }, 0), 0);
  let grownMs = 10_000;
  for (let nowMs = 0; nowMs < 20_000; nowMs += 5) {
    if (10_000 + nowMs - lateMs >= grownMs + 1000) {
      grownMs += 1000;
      const tracks = [track(grownMs)];
      take(one.handle({ kind: "grown", tracks, ended: false }, nowMs), nowMs);
    }
    if (fetched !== undefined && nowMs >= fetched.atMs) {
      const { fetchId, absent } = fetched;
      fetched = undefined;
      if (absent) {
        const why = { url: "u", problem: "404", absent: true };
        take(one.handle({ kind: "failed", fetchId, ...why }, nowMs), nowMs);
        continue;
      }
      const measured = {
        ...{ bytes: 50_000, ttfbMs: 1, downloadMs: fetchMs },
        ...idleMs === undefined ? {} : { idleMs },
        ...{ server: "", cacheStatus: "", ageSeconds: 0 },
      };
      take(one.handle({ kind: "fetched", fetchId, ...measured }, nowMs), nowMs);
    }
    while (one.deadlineMs <= nowMs) {
      take(one.handle({ kind: "timeout" }, nowMs), nowMs);
    }
  }
  return outputs;
}

Deno.test("Player waits for live segments that are later than promised, in the rate it chose, and asks for the next ones later", () => {
  const options = { fixedIndex: 2, giveUpMs: 60_000 };
  for (const [hereMs, most] of [[700, 10], [2500, 20]] as const) {
    const log = playLive(live(options), { fetchMs: 20, hereMs: () => hereMs });
    const missed = log.flatMap((each) =>
      each.kind === "missed" ? [each.next] : []
    );
    assert(missed.length > 0 && missed.length <= most, String(missed));
    assertEquals(new Set(missed), new Set(["again"]));
    const got = log.flatMap((each) =>
      each.kind === "downloaded" ? [each.record] : []
    );
    assertEquals(new Set(got.map(({ layer }) => layer)), new Set([3]));
    const numbers = got.map(({ segmentNumber }) => segmentNumber);
    assertEquals(numbers, numbers.map((_, at) => numbers[0]! + at));
    assert(numbers.at(-1)! > 24, String(numbers));
  }
});

Deno.test("Player takes a live segment that never comes for a hole, and one that is late once teaches it little", () => {
  const lost = playLive(live({ fixedIndex: 1, giveUpMs: 60_000 }), {
    fetchMs: 20,
    hereMs: (number) => number === 14 ? Infinity : 0,
  });
  const got = lost.flatMap((each) =>
    each.kind === "downloaded" ? [each.record.segmentNumber] : []
  );
  assert(!got.includes(14) && got.includes(15), String(got));
  const skipped = lost.filter((each) =>
    each.kind === "missed" && each.next === "skip"
  );
  assertEquals(skipped.length, 1);
  const once = playLive(live({ giveUpMs: 60_000 }), {
    fetchMs: 20,
    hereMs: (number) => number === 14 ? 2500 : 0,
  });
  const last = once.findLast((each) => each.kind === "latency");
  assert(last!.record.bufferMs > 1000, JSON.stringify(last));
});

Deno.test("Player does not take the wait for an encoder for the link, and stays where it need not stall for it", () => {
  const options = {
    ...{ rule: ABR_RULES.throughput, fromMs: 9000, startMs: 0, resumeMs: 0 },
    live: { edgeMs: 10_000, targetMs: 1000, maxChange: 0.1 },
  };
  const play = (idleMs?: number) => {
    const log = playLive(live(options), { fetchMs: 900, idleMs });
    const layer = log.flatMap((each) =>
      each.kind === "downloaded" ? [each.record.layer] : []
    ).at(-1);
    const target = log.flatMap((each) =>
      each.kind === "latency" ? [each.record.targetMs] : []
    ).at(-1)!;
    const stalls = log.filter(({ kind }) => kind === "stalled").length;
    return { layer, target, stalls };
  };
  const made = play(890);
  assertEquals(made.layer, RATES.length);
  assert(made.target > 1900 && made.stalls <= 2, JSON.stringify(made));
  assertEquals(play().layer, 1);
});

Deno.test("Player counts no segment of a live title against a total, not even when it has ended", () => {
  const { one, track } = live();
  const [fetchId = 0] = one.handle({ kind: "start" }, 0).flatMap((each) =>
    each.kind === "fetch" ? [each.fetchId] : []
  );
  one.handle({ kind: "grown", tracks: [track(10_000)], ended: true }, 5);
  const got = one.handle({
    kind: "fetched",
    fetchId,
    ...{ bytes: 50_000, ttfbMs: 1, downloadMs: 10 },
    ...{ server: "", cacheStatus: "", ageSeconds: 0 },
  }, 10);
  const counts = got.flatMap((each) =>
    each.kind === "downloaded" ? [each.record.segmentCount] : []
  );
  assertEquals(counts, [0]);
});

Deno.test("Player stays at its distance from the live edge, and comes back to it after a stall by playing faster", () => {
  const calm = playLive(live(), { fetchMs: 100 });
  const told = calm.flatMap((each) =>
    each.kind === "latency" ? [each.record] : []
  );
  assert(told.length >= 18);
  for (const { latencyMs } of told) assert(Math.abs(latencyMs - 3000) < 200);
  const { one, track } = live();
  const stalled = playLive({ one, track }, {
    fetchMs: 100,
    outageMs: [4000, 8000],
  });
  const after = stalled.flatMap((each) =>
    each.kind === "latency" ? [each.record] : []
  );
  assertEquals(one.playout.stallCount, 1);
  const worst = Math.max(...after.map(({ latencyMs }) => latencyMs));
  assert(worst > 3500, String(worst));
  assert(after.at(-1)!.latencyMs < worst - 600);
  assert(Math.max(...after.map((each) => each.playbackRate)) > 1.05);
});

Deno.test("Player keeps the distance that it was made to take by segments that come late, and hurries back to no stall", () => {
  for (const keptMs of [Infinity, 3600]) {
    const edge = { edgeMs: 10_000, targetMs: 3000, maxChange: 0.1 };
    const { one, track } = live({ live: { ...edge, keptMs } });
    const late = playLive({ one, track }, { fetchMs: 100, lateMs: 2500 });
    const told = late.flatMap((each) =>
      each.kind === "latency" ? [each.record] : []
    );
    assertEquals(one.playout.stallCount, 1);
    const { latencyMs, targetMs } = told.at(-1)!;
    assert(
      targetMs > 3500 && targetMs <= Math.min(keptMs, 4200),
      `${targetMs}`,
    );
    assert(Math.abs(latencyMs - targetMs) < 200, `${latencyMs}`);
  }
});

Deno.test("Player goes on at what is still there when the next segment of a live title is gone", () => {
  const { one, track } = live();
  one.handle({ kind: "start" }, 0);
  const positions = track(60_000).positions.slice(30, 40);
  const outputs = one.handle({
    ...{ kind: "grown", ended: true },
    tracks: [{ media: "video", positions }],
  }, 100);
  assertEquals(outputs.map(({ kind }) => kind), ["abort", "fetch"]);
  assertEquals(requestedIn(outputs), ["a/400000/31"]);
  assertEquals(one.playout.positionMs, 30_000);
});

function requestedIn(outputs: ReturnType<Player["handle"]>): string[] {
  return outputs.flatMap((each) =>
    each.kind === "fetch" ? [each.location.urls[0]!.slice(7)] : []
  );
}
