/** Live titles whose segments come in chunks while they are made. */
import { assert, assertEquals } from "@std/assert";
import { ABR_RULES } from "../../../../lib/dash/abr/mod.ts";
import type { PlayerOutput } from "../../../../lib/dash/player/messages.ts";
import { Player } from "../../../../lib/dash/player/player.ts";
import type { PlayerOptions } from "../../../../lib/dash/player/player_options.ts";
import type { Track } from "../../../../lib/dash/title.ts";
import { testTitle } from "./_simulated_play.ts";

const RATES = [400_000, 1_000_000];
const SEGMENT_MS = 2000;
const CHUNK_MS = 500;
/** Where the live edge is when playing begins: within the sixth segment. */
const EDGE_MS = 10_700;
const TIMES = { timescale: 1000, sampleTicks: 40 };

interface Network {
  /** From when a chunk has been made, and the one before it has come, to its arrival. */
  readonly chunkMs?: number;
  /** Until then nothing comes that is asked for from there on. */
  readonly outageMs?: readonly [number, number];
  /** The segment's request that fails when half of it has come. */
  readonly breaks?: number;
  readonly untilMs?: number;
  /** The last segment is cut there, as `--duration` does. */
  readonly endMs?: number;
}

/** Plays at the live edge, with a server that sends each chunk when it has been made. */
function play(
  options: Partial<PlayerOptions> & {
    readonly media?: readonly Track["media"][];
  },
  {
    chunkMs = 20,
    outageMs = [0, 0],
    breaks,
    untilMs = 20_000,
    endMs = Infinity,
  }: Network,
) {
  const titles = (options.media ?? ["video"]).map((media) => ({
    media,
    positions: testTitle(60, SEGMENT_MS, RATES, {
      hosts: [media],
      initialization: true,
    }).filter(({ startMs }) => startMs < endMs).map((each) => ({
      ...each,
      durationMs: Math.min(SEGMENT_MS, endMs - each.startMs),
    })),
  }));
  const tracksAt = (nowMs: number): Track[] =>
    titles.map(({ media, positions }) => ({
      media,
      positions: positions.filter(({ startMs }) =>
        startMs + CHUNK_MS <= EDGE_MS + nowMs
      ),
    }));
  const player = new Player(tracksAt(0), {
    ...{ startMs: 250, resumeMs: 0, capMs: 30_000, speed: 1, fixedIndex: 1 },
    ...{ rule: ABR_RULES.fixed, fromMs: EDGE_MS - 1500 },
    live: {
      edgeMs: EDGE_MS,
      targetMs: 1500,
      maxChange: 0.1,
      chunkMs: CHUNK_MS,
    },
    ...options,
  });
  const log: { atMs: number; output: PlayerOutput }[] = [];
  const coming: { atMs: number; give: (nowMs: number) => PlayerOutput[] }[] =
    [];
  let broken = false;
  const fetch = (
    { fetchId, segmentNumber, location, read }: Extract<
      PlayerOutput,
      { kind: "fetch" }
    >,
    nowMs: number,
  ) => {
    const measured = {
      ...{ server: "", cacheStatus: "", ageSeconds: 0, ttfbMs: 1 },
      bytes: 50_000,
    };
    const isInit = location.urls[0]!.endsWith("/init");
    assertEquals(read, isInit ? "times" : TIMES);
    const heldMs = nowMs >= outageMs[0] && nowMs < outageMs[1]
      ? outageMs[1]
      : 0;
    let atMs = Math.max(nowMs, heldMs) + 1;
    if (isInit) {
      const fetched = { kind: "fetched", fetchId, ...measured } as const;
      coming.push({
        atMs,
        give: (nowMs) =>
          player.handle({ ...fetched, downloadMs: 1, times: TIMES }, nowMs),
      });
      return;
    }
    let idleMs = 0;
    for (let mediaMs = CHUNK_MS; mediaMs <= SEGMENT_MS; mediaMs += CHUNK_MS) {
      const madeAtMs = (segmentNumber - 1) * SEGMENT_MS + mediaMs - EDGE_MS;
      idleMs += Math.max(0, madeAtMs - atMs);
      atMs = Math.max(atMs, madeAtMs) + chunkMs;
      const arrived = { kind: "arrived", fetchId, mediaMs } as const;
      coming.push({ atMs, give: (nowMs) => player.handle(arrived, nowMs) });
      if (segmentNumber !== breaks || broken || mediaMs < 1000) continue;
      broken = true;
      const problem = { url: "u", problem: "it broke", absent: false };
      const failed = { kind: "failed", fetchId, ...problem } as const;
      coming.push({ atMs, give: (nowMs) => player.handle(failed, nowMs) });
      return;
    }
    const downloadMs = atMs - nowMs;
    const fetched = { kind: "fetched", fetchId, ...measured } as const;
    coming.push({
      atMs,
      give: (nowMs) => player.handle({ ...fetched, downloadMs, idleMs }, nowMs),
    });
  };
  const take = (outputs: PlayerOutput[], atMs: number) => {
    for (const output of outputs) {
      log.push({ atMs, output });
      if (output.kind === "fetch") fetch(output, atMs);
    }
  };
  take(player.handle({ kind: "start" }, 0), 0);
  let known = "";
  for (let nowMs = 0; nowMs < untilMs; nowMs += 5) {
    const tracks = tracksAt(nowMs);
    const lengths = tracks.map(({ positions }) => positions.length).join();
    if (lengths !== known) {
      known = lengths;
      const ended = tracks[0]!.positions.length === titles[0]!.positions.length;
      take(player.handle({ kind: "grown", tracks, ended }, nowMs), nowMs);
    }
    for (;;) {
      const at = coming.findIndex((each) => each.atMs <= nowMs);
      if (at < 0) break;
      take(coming.splice(at, 1)[0]!.give(nowMs), nowMs);
    }
    while (player.deadlineMs <= nowMs) {
      take(player.handle({ kind: "timeout" }, nowMs), nowMs);
    }
  }
  const outputs = log.map(({ output }) => output);
  return {
    ...{ player, log, outputs },
    latencies: outputs.flatMap((each) =>
      each.kind === "latency" ? [each.record] : []
    ),
    downloads: outputs.flatMap((each) =>
      each.kind === "downloaded" ? [each.record] : []
    ),
  };
}

Deno.test("Player stays nearer to the live edge than a segment when segments come in chunks, and asks when their first chunk is there", () => {
  const { player, latencies, downloads, log } = play({}, {});
  assertEquals(player.playout.stallCount, 0);
  assert(latencies.length >= 18);
  for (const { latencyMs, bufferMs } of latencies) {
    assert(Math.abs(latencyMs - 1500) < 100, String(latencyMs));
    assert(bufferMs >= 900 && bufferMs <= 1500, String(bufferMs));
  }
  const asked = log.flatMap(({ atMs, output }) =>
    output.kind === "fetch" && output.segmentNumber > 6 ? [atMs] : []
  );
  assertEquals(asked.slice(0, 3), [1800, 3800, 5800]);
  // Of the first segment the rest was played, of the others all, each once.
  const { playedMs, bufferMs } = player.playout;
  const mediaMs = downloads.reduce((sum, each) => sum + each.mediaMs, 0);
  assert(
    playedMs + bufferMs >= mediaMs && playedMs + bufferMs < mediaMs + 2000,
  );
  assertEquals(downloads[1]!.throughputBitsPerSecond > 4_000_000, true);
});

Deno.test("Player has chunks of picture and sound come at the same time", () => {
  const { player, latencies, downloads } = play(
    { media: ["video", "audio"] },
    {},
  );
  assertEquals(player.playout.stallCount, 0);
  for (const { latencyMs } of latencies) {
    assert(Math.abs(latencyMs - 1500) < 100, String(latencyMs));
  }
  const sound = downloads.filter(({ media }) => media === "audio");
  assert(sound.length >= 9 && downloads.length - sound.length >= 9);
});

Deno.test("Player plays no media twice of a segment that breaks off and comes in another rate", () => {
  const { player, outputs, downloads } = play({ giveUpMs: 60_000 }, {
    breaks: 8,
  });
  const missed = outputs.filter(({ kind }) => kind === "missed");
  assertEquals(missed.length, 1);
  const [broken] = downloads.filter((each) => each.segmentNumber === 8);
  assertEquals(broken!.layer, 1);
  assertEquals(player.playout.stallCount, 0);
  // What is played and held ends where the newest chunk does.
  const { positionMs, bufferMs } = player.playout;
  const reachedMs = positionMs + bufferMs;
  assert(reachedMs <= EDGE_MS + 20_000, String(reachedMs));
  assert(reachedMs > EDGE_MS + 20_000 - 2 * CHUNK_MS, String(reachedMs));
});

Deno.test("Player comes back to its distance in chunks after the link stood still", () => {
  const { player, latencies } = play({}, { outageMs: [3000, 7000] });
  assertEquals(player.playout.stallCount, 1);
  const worst = Math.max(...latencies.map(({ latencyMs }) => latencyMs));
  assert(worst > 3000, String(worst));
  const { latencyMs, targetMs } = latencies.at(-1)!;
  assertEquals(targetMs, 1500);
  assert(latencyMs < worst - 1000, `${latencyMs} ${worst}`);
});

Deno.test("Player that is told to stay nearer than a chunk stays where there is something to play", () => {
  const { player, latencies } = play({
    fromMs: EDGE_MS - 300,
    live: { edgeMs: EDGE_MS, targetMs: 300, maxChange: 0.1, chunkMs: CHUNK_MS },
  }, { untilMs: 40_000 });
  assert(player.playout.stallCount <= 2, String(player.playout.stallCount));
  const { latencyMs, targetMs } = latencies.at(-1)!;
  assert(targetMs > 500 && latencyMs < 1500, `${latencyMs} ${targetMs}`);
});

Deno.test("Player ends within a segment of chunks as it is told to, and still hears of all of it", () => {
  const { player, log } = play({}, { endMs: 14_600 });
  assertEquals(player.playout.stallCount, 0);
  assertEquals(player.playout.state, "ended");
  assert(Math.abs(player.playout.positionMs - 14_600) < 1);
  const at = (kind: PlayerOutput["kind"]) =>
    log.findLast(({ output }) => output.kind === kind)!.atMs;
  assert(at("downloaded") > at("ended") - 1500);
  assert(at("ended") < 14_600 - EDGE_MS + 1600, String(at("ended")));
});
