import { assert, assertEquals } from "@std/assert";
import { ABR_RULES } from "../../../../lib/dash/abr/mod.ts";
import { Player } from "../../../../lib/dash/player/player.ts";
import type { PlayerOptions } from "../../../../lib/dash/player/player_options.ts";
import type { Track } from "../../../../lib/dash/title.ts";
import { testTitle } from "./_simulated_play.ts";

const RATES = [400_000, 1_000_000, 2_500_000];

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

Deno.test("Player leaves out one live segment at most when a clock is wrong by more than it has patience for", () => {
  const far = live({
    ...{ fixedIndex: 1, fromMs: 4000, giveUpMs: 60_000 },
    live: { edgeMs: 10_000, targetMs: 6000, maxChange: 0.1 },
  });
  const log = playLive(far, {
    fetchMs: 20,
    hereMs: (number) => number <= 10 ? 0 : 4500,
  });
  const got = log.flatMap((each) =>
    each.kind === "downloaded" ? [each.record.segmentNumber] : []
  );
  assert(got.at(-1)! > 22, String(got));
  const left = Array.from(
    { length: got.at(-1)! - got[0]! + 1 },
    (_, at) => got[0]! + at,
  ).filter((number) => !got.includes(number));
  assert(left.length <= 1, String(left));
  assertEquals(log.filter(({ kind }) => kind === "gave-up"), []);
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
