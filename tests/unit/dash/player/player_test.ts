import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  ABR_NAMES,
  ABR_RULES,
  type AbrName,
} from "../../../../lib/dash/abr/mod.ts";
import { Player } from "../../../../lib/dash/player/player.ts";
import type { PlayerOptions } from "../../../../lib/dash/player/player_options.ts";
import { type Link, simulatePlay, testTitle } from "./_simulated_play.ts";

const MEDIA_MS = 5000;
const RATES = [400_000, 1_000_000, 2_500_000];

function constant(bitsPerSecond: number, delayMs = 0): Link {
  return { stepMs: 1e9, bitsPerSecondAt: () => bitsPerSecond, delayMs };
}

/** Segments of exactly their rate; initialization segments of 1000 bytes. */
function sizeOf(url: string): number {
  const [rate, name] = url.split("/").slice(-2);
  return name === "init" ? 1000 : Number(rate) * MEDIA_MS / 8000;
}

function player(
  abr: AbrName,
  options: Partial<PlayerOptions> & {
    count?: number;
    rates?: readonly number[];
    hosts?: string[];
    initialization?: boolean;
  } = {},
): Player {
  const { count = 12, rates = RATES } = options;
  const positions = testTitle(count, MEDIA_MS, rates, options);
  return new Player([{ media: "video", positions }], {
    startMs: 5000,
    resumeMs: 5000,
    capMs: 30_000,
    rule: ABR_RULES[abr],
    fixedIndex: 0,
    speed: 1,
    ...options,
  });
}

type Log = ReturnType<typeof simulatePlay>;

function times(log: Log, kind: string): number[] {
  return log.filter(({ output }) => output.kind === kind)
    .map(({ atMs }) => Math.round(atMs * 1000) / 1000);
}

function records(log: Log) {
  return log.flatMap(({ output }) =>
    output.kind === "downloaded" ? [output.record] : []
  );
}

function layers(log: Log): number[] {
  return records(log).map((record) => record.layer);
}

Deno.test("Player on a link of exactly the rate starts after one segment and never stalls", () => {
  // 2 Mbit of segment over 0.4 Mbit/s take 5 s each, and 5 s of media come of it.
  const log = simulatePlay(player("fixed"), {
    link: constant(400_000),
    sizeOf,
  });
  assertEquals(times(log, "started"), [5000]);
  assertEquals(times(log, "stalled"), []);
  assertEquals(times(log, "ended"), [65_000]);
  assertEquals(records(log).map((r) => r.downloadMs), Array(12).fill(5000));
  assertEquals(records(log)[0]?.throughputBitsPerSecond, 400_000);
});

Deno.test("Player on half the rate stalls exactly where arithmetic says", () => {
  // 10 s a segment: played 5 s, dry for 5 s, again and again.
  const log = simulatePlay(player("fixed", { count: 4 }), {
    link: constant(200_000),
    sizeOf,
  });
  assertEquals(times(log, "started"), [10_000]);
  assertEquals(times(log, "stalled"), [15_000, 25_000, 35_000]);
  assertEquals(times(log, "resumed"), [20_000, 30_000, 40_000]);
  assertEquals(times(log, "ended"), [45_000]);
  assertEquals(records(log).map((r) => r.stallMs), [0, 5000, 5000, 5000]);
});

Deno.test("Player waits for the resume threshold before it goes on", () => {
  const log = simulatePlay(
    player("fixed", { count: 5, resumeMs: 10_000 }),
    { link: constant(200_000), sizeOf },
  );
  // Dry at 15 s; 10 s of media again at 30 s and one more in time at 40 s, dry at 45 s; the last one, at 50 s, is enough.
  assertEquals(times(log, "stalled"), [15_000, 45_000]);
  assertEquals(times(log, "resumed"), [30_000, 50_000]);
  assertEquals(times(log, "ended"), [55_000]);
});

Deno.test("Player is where the manifest says, behind a gap", () => {
  const positions = testTitle(6, MEDIA_MS, RATES).map((each, at) => ({
    ...each,
    startMs: each.startMs + (at < 3 ? 0 : 7000),
  }));
  const options = { startMs: 0, resumeMs: 0, capMs: 30_000, speed: 1 };
  const gapped = new Player([{ media: "video", positions }], {
    ...options,
    rule: ABR_RULES.fixed,
    fixedIndex: 0,
  });
  const log = simulatePlay(gapped, { link: constant(4_000_000), sizeOf });
  const places = log.flatMap(({ output }) =>
    output.kind === "ended" ? [output.positionMs] : []
  );
  assertEquals(places, [37_000]);
  assertEquals(gapped.playout.playedMs, 30_000);
});

Deno.test("Player on a fast link fills the buffer and then keeps pace with the clock", () => {
  const log = simulatePlay(
    player("throughput", { count: 20 }),
    { link: constant(25_000_000), sizeOf },
  );
  // 80 ms for the first segment, then 500 ms each: 6 fit in 30 s, the 7th request waits until 5 s have been played.
  assertEquals(times(log, "started"), [80]);
  assertEquals(layers(log), [1, ...Array(19).fill(3)]);
  assertEquals(
    times(log, "fetch").slice(0, 9),
    [0, 80, 580, 1080, 1580, 2080, 5080, 10_080, 15_080],
  );
  assert(records(log).every((record) => record.bufferMs <= 30_000));
  assertEquals(times(log, "ended"), [100_080]);
});

Deno.test("Player with rule throughput goes down with a step of the network and up again", () => {
  const link: Link = {
    stepMs: 1000,
    bitsPerSecondAt: (atMs) =>
      atMs >= 30_000 && atMs < 90_000 ? 600_000 : 4_000_000,
  };
  const log = simulatePlay(player("throughput", { count: 40 }), {
    link,
    sizeOf,
  });
  const seen = layers(log);
  assertEquals(seen[0], 1);
  assertEquals(seen[1], 3);
  const lowest = seen.indexOf(1, 1);
  assert(lowest > 4, "goes down after the step only");
  assertEquals(seen.at(-1), 3);
});

Deno.test("Player on a sawtooth plays without stalls where the buffer rules say so", () => {
  // 0.5 to 3.5 Mbit/s and back to 0.5, every 20 s: 2 Mbit/s on average.
  const link: Link = {
    stepMs: 500,
    bitsPerSecondAt: (atMs) =>
      500_000 + 3_000_000 * (Math.floor(atMs / 500) % 40) / 39,
  };
  for (const abr of ["bba0", "bola-u"] as const) {
    const log = simulatePlay(player(abr, { count: 60 }), { link, sizeOf });
    assertEquals(times(log, "stalled"), [], abr);
    assert(Math.max(...layers(log)) === 3, abr);
  }
});

Deno.test("Player counts the round trip in what it measures", () => {
  const log = simulatePlay(player("fixed", { count: 1 }), {
    link: constant(2_000_000, 1000),
    sizeOf,
  });
  const [record] = records(log);
  assertEquals([record?.ttfbMs, record?.downloadMs], [1000, 2000]);
  assertEquals(record?.throughputBitsPerSecond, 1_000_000);
});

Deno.test("Player at speed 4 takes a fourth of the throughput for its own", () => {
  // What comes in 1 s of the wall is played in 1 s of the wall: 2.7 Mbit/s sustain 0.6 Mbit/s.
  const fast = player("throughput", { speed: 4 });
  fast.handle({ kind: "start" }, 0);
  const measured = {
    bytes: 250_000,
    ttfbMs: 0,
    server: "",
    cacheStatus: "",
    ageSeconds: 0,
  };
  const outputs = fast.handle({
    kind: "fetched",
    fetchId: 1,
    downloadMs: 740,
    ...measured,
  }, 2960);
  const next = outputs.find((output) => output.kind === "fetch");
  assertEquals(
    next?.kind === "fetch" && next.location.urls[0],
    "http://a/400000/2",
  );
  const again = fast.handle({
    kind: "fetched",
    fetchId: 2,
    downloadMs: 200,
    ...measured,
  }, 3760);
  // Harmonic mean of 2.70 and 10 Mbit/s is 4.26, a fourth 1.06, 0.9 of it 0.96: the lowest again.
  assertEquals(
    again.flatMap((output) =>
      output.kind === "fetch" ? [output.location.urls[0]] : []
    ),
    ["http://a/400000/3"],
  );
});

Deno.test("Player fetches an initialization segment before the first segment of each rung, once", () => {
  const log = simulatePlay(
    player("throughput", { count: 4, initialization: true }),
    { link: constant(4_000_000), sizeOf },
  );
  const urls = log.flatMap(({ output }) =>
    output.kind === "fetch" ? [output.location.urls[0]] : []
  );
  assertEquals(urls, [
    "http://a/400000/init",
    "http://a/400000/1",
    "http://a/2500000/init",
    "http://a/2500000/2",
    "http://a/2500000/3",
    "http://a/2500000/4",
  ]);
});

Deno.test("Player asks for the rung below when a segment cannot be had, then for what the rule says", () => {
  const log = simulatePlay(
    player("fixed", { count: 3, fixedIndex: 1, hosts: ["a", "b"] }),
    {
      link: constant(100_000_000),
      sizeOf,
      statusOf: (url) => url.endsWith("1000000/2") ? 503 : 200,
    },
  );
  const fetches = log.flatMap(({ output }) =>
    output.kind === "fetch" ? [output] : []
  );
  assertEquals(
    fetches.map(({ location, fallback }) => [location.urls, fallback]),
    [
      [["http://a/1000000/1", "http://b/1000000/1"], false],
      [["http://a/1000000/2", "http://b/1000000/2"], false],
      [["http://a/400000/2", "http://b/400000/2"], true],
      [["http://a/1000000/3", "http://b/1000000/3"], false],
    ],
  );
  assertEquals(layers(log), [2, 1, 2]);
  assertEquals(times(log, "gave-up"), []);
});

Deno.test("Player leaves out a segment that no server knows, and plays to the end", () => {
  const log = simulatePlay(player("fixed", { fixedIndex: 1, count: 6 }), {
    link: constant(10_000_000),
    sizeOf,
    statusOf: (url) => url.endsWith("/3") ? 404 : 200,
  });
  assertEquals(records(log).map(({ segmentNumber }) => segmentNumber), [
    1,
    2,
    4,
    5,
    6,
  ]);
  const missed = log.flatMap(({ output }) =>
    output.kind === "missed" ? [output.next] : []
  );
  assertEquals(missed, ["lower-rate", "skip"]);
  assertEquals(times(log, "ended").length, 1);
});

Deno.test("Player gives up after three holes in a row, and at once when servers fail", () => {
  for (const [status, holes] of [[404, 3], [503, 0]] as const) {
    const log = simulatePlay(player("fixed", { fixedIndex: Infinity }), {
      link: constant(10_000_000),
      sizeOf,
      statusOf: (url) => Number(url.split("/").at(-1)) >= 3 ? status : 200,
      untilMs: 60_000,
    });
    const [last, ...others] = log.flatMap(({ output }) =>
      output.kind === "gave-up" ? [output] : []
    );
    assertEquals(others, []);
    assertEquals(last?.segmentNumber, 3 + holes);
    assertEquals(last?.url, `http://a/400000/${3 + holes}`);
    assertEquals(records(log).length, 2);
    // At the three rungs of each hole and, of the last one, at the two above the lowest.
    assertEquals(times(log, "missed").length, 3 * holes + 2);
  }
});

Deno.test("Player asks again while servers fail, at longer and longer intervals, and goes on when one is back", () => {
  const one = player("fixed", { fixedIndex: 1, count: 12, giveUpMs: 60_000 });
  const log = simulatePlay(one, {
    link: constant(10_000_000),
    sizeOf,
    // Of a buffer of 30 s; a server that is back has the rest of the title.
    statusOf: (_, atMs) => atMs > 5_000 && atMs < 60_000 ? 503 : 200,
  });
  const again = log.flatMap(({ output }) =>
    output.kind === "missed" && output.next === "again" ? [output.waitMs] : []
  );
  assertEquals(again.slice(0, 5), [1000, 2000, 4000, 8000, 8000]);
  assertEquals(times(log, "stalled").length, 1);
  assertEquals(times(log, "gave-up"), []);
  assertEquals(times(log, "ended").length, 1);
  assertEquals(records(log).length, 12);
  // The lowest rate first, to play again soon; then what the rule says.
  assertEquals(layers(log).filter((layer) => layer === 1).length, 1);
});

Deno.test("Player gives up when servers have failed for as long as it was told, by the wall clock", () => {
  for (const speed of [1, 4]) {
    const one = player("fixed", { giveUpMs: 20_000, speed });
    const log = simulatePlay(one, {
      link: constant(100_000_000),
      sizeOf,
      statusOf: (url) => Number(url.split("/").at(-1)) >= 3 ? 503 : 200,
      untilMs: 1e6,
    });
    const missed = log.flatMap(({ atMs, output }) =>
      output.kind === "missed" && output.next === "again"
        ? [[atMs, output.waitMs] as const]
        : []
    );
    assertEquals(missed.map(([, waitMs]) => waitMs), [
      1000,
      2000,
      4000,
      8000,
      5000,
    ]);
    assertEquals(
      times(log, "gave-up").map((atMs) => atMs - missed[0]![0]),
      [20_000 * speed],
    );
  }
});

Deno.test("Player gives up at once what asking again will not bring", () => {
  const one = player("fixed", { fixedIndex: 0, giveUpMs: 60_000 });
  const [fetch] = one.handle({ kind: "start" }, 0);
  assert(fetch?.kind === "fetch");
  const { fetchId } = fetch;
  const why = { url: "u", problem: "no ranges", absent: false, hopeless: true };
  const told = one.handle({ kind: "failed", fetchId, ...why }, 10);
  assertEquals(told.map(({ kind }) => kind), ["gave-up"]);
});

Deno.test("Player ignores answers to requests it no longer waits for", () => {
  const one = player("fixed");
  one.handle({ kind: "start" }, 0);
  assertEquals(
    one.handle(
      { kind: "failed", fetchId: 99, url: "", absent: false, problem: "late" },
      10,
    ),
    [],
  );
});

for (const abr of ABR_NAMES) {
  Deno.test(`Player with rule ${abr} plays every segment once, in order, on every link`, () => {
    const links: Link[] = [
      constant(50_000),
      constant(1_300_000, 80),
      constant(1e12),
      {
        stepMs: 3000,
        bitsPerSecondAt: (atMs) => atMs % 6000 < 3000 ? 5e6 : 2e5,
      },
    ];
    for (const link of links) {
      for (const capMs of [1000, 12_000, 30_000]) {
        const one = player(abr, { count: 30, capMs, startMs: 9000 });
        const log = simulatePlay(one, { link, sizeOf });
        assertEquals(
          records(log).map((record) => record.segmentNumber),
          Array.from({ length: 30 }, (_, at) => at + 1),
        );
        assertEquals(times(log, "ended").length, 1);
        assertAlmostEquals(one.playout.positionMs, 150_000, 1e-3);
        // Time adds up: start-up, media, stalls.
        const startup = times(log, "started")[0] ?? NaN;
        assertAlmostEquals(
          times(log, "ended")[0] ?? NaN,
          startup + 150_000 + one.playout.stalledMs,
          1,
        );
      }
    }
  });
}
