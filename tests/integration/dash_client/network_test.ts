import { assert, assertEquals, assertMatch } from "@std/assert";
import { startEdge } from "../../support/edge.ts";
import { startOrigin } from "../../support/origin.ts";
import {
  runProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";
import { answerOf, manifestOf, SEGMENTS } from "../../support/small_title.ts";

Deno.test("dash-client --trace is no faster than its trace", async () => {
  await using site = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => answerOf(new URL(request.url).pathname),
  );
  await using folder = await temporaryFolder();
  const trace = `${folder.path}/slow.csv`;
  await Deno.writeTextFile(
    trace,
    "duration_ms,kbps,latency_ms\n1000,72,100\n1000,24,100\n",
  );
  const run = await runProgram([
    "dash-client",
    `http://127.0.0.1:${site.addr.port}/film.mpd`,
    ..."--abr fixed --quality highest --tracks video --speed 20 --json --trace"
      .split(" "),
    trace,
  ]);
  assertEquals(run.code, 0, run.stderr);
  const result = JSON.parse(run.stdout);
  assertEquals(result.segments.length, SEGMENTS);
  for (const { downloadMs, ttfbMs, bytes } of result.segments) {
    // In the player's time: a round trip, then at most what the faster half of the trace gives.
    assert(ttfbMs * 20 >= 99.9, `ttfb ${ttfbMs}`);
    assert(downloadMs * 20 >= 99.9 + bytes * 8 / 72, `${downloadMs}`);
  }
  // 96 kbit: 72 of them in the first second, the rest at a third of that.
  assert(result.startupMs >= 2000, `start-up ${result.startupMs}`);
});

Deno.test("dash-client goes on from the other origin when one dies in mid-play", async () => {
  const dead = new AbortController();
  let manifest = "";
  let asked = 0;
  const first = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: dead.signal,
    onListen: () => {},
  }, (request) => {
    asked += 1;
    if (asked === 5) dead.abort();
    const { pathname } = new URL(request.url);
    return pathname.endsWith(".mpd")
      ? new Response(manifest)
      : answerOf(pathname);
  });
  await using second = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => answerOf(new URL(request.url).pathname),
  );
  const bases = [first, second].map(({ addr: { port } }, at) =>
    `<BaseURL serviceLocation="${"ab"[at]}">http://127.0.0.1:${port}/</BaseURL>`
  );
  manifest = manifestOf(undefined, bases.join(""));
  await using client = await startProgram([
    "dash-client",
    `http://127.0.0.1:${first.addr.port}/film.mpd`,
    ..."--abr fixed --quality lowest --speed 20 --tracks video"
      .split(" "),
  ]);
  await client.until("playout.ended");
  assertEquals((await client.exited).code, 0);
  const told = client.events.flatMap((event) =>
    event.type === "segment.downloaded"
      ? [event.type]
      : event.type === "location.failed"
      ? [event.location]
      : event.type === "segment.missed"
      ? [event.next]
      : []
  );
  // What failed is the first place, and the other one has each segment.
  const counts = Object.groupBy(told, (each) => each);
  assertEquals(counts["segment.downloaded"]?.length, SEGMENTS);
  assertEquals(Object.keys(counts).sort(), [
    "a",
    "next-url",
    "segment.downloaded",
  ]);
  await first.finished;
});

Deno.test("dash-client --cmcd tells our edge how it does, in the query and in headers, and the cache keeps hitting", async () => {
  await using site = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => answerOf(new URL(request.url).pathname),
  );
  const origin = `http://127.0.0.1:${site.addr.port}`;
  const { program: edge, url } = await startEdge([origin]);
  await using _stopped = edge;
  for (const by of ["query", "header"]) {
    const run = await runProgram([
      "dash-client",
      `${url}/film.mpd`,
      ..."--speed 40 --abr fixed --quality lowest --tracks video --json --cmcd"
        .split(" "),
      by,
    ]);
    assertEquals(run.code, 0, run.stderr);
    const { segments } = JSON.parse(run.stdout);
    assertEquals(segments.length, SEGMENTS);
    // What the first session fetched, the second one hits: CMCD is no part of the key.
    if (by === "header") assertMatch(segments[0].cacheStatus, /hit/);
  }
  const told = edge.events.flatMap((event) =>
    event.type === "player.reported" ? [event] : []
  );
  const players = new Set(told.map(({ player }) => player));
  assertEquals(players.size, 2);
  // Manifest, initialization, segments.
  const types = told.map(({ objectType }) => objectType);
  assertEquals(
    types,
    Array(2).fill(["m", "i", ...Array(SEGMENTS).fill("v")]).flat(),
  );
  const last = told.at(-1)!;
  assertEquals(last.bitsPerSecond, 800_000);
  assert(last.bufferMs !== undefined && last.bufferMs <= 30_000);
});

Deno.test("dash-client plays a live title with sound, and stays behind its live edge as told", async () => {
  const { program, url } = await startOrigin(
    ...["--live", "--audio", "--segment", "1s"],
  );
  await using _ = program;
  const run = await runProgram([
    ...["dash-client", `${url}/manifest.mpd`, "--json"],
    ...["--duration", "3s", "--live-delay", "3s", "--catch-up", "0"],
    ...["--abr", "fixed", "--quality", "lowest"],
  ]);
  assertEquals(run.code, 0, run.stderr);
  const result = JSON.parse(run.stdout);
  assertEquals(Math.round(result.playedMs), 3000);
  // It begins inside a segment, and so it may end inside another one.
  assert([3, 4].includes(result.segments.length), run.stdout);
  // A piece of sound may reach over the end of a picture's segment.
  assert(result.sound.length >= 3 && result.sound.length <= 5);
  // Segments can be had a second late at most; a busy machine starts late.
  assert(result.latency.meanMs >= 2900, `${result.latency.meanMs}`);
  assertEquals(result.latency.targetMs, 3000);
  const two = await runProgram([
    ...["dash-client", `${url}/manifest.mpd`, "--json"],
    ..."--clients 2 --stagger 0s --duration 1s --live-delay 3s".split(" "),
  ]);
  assertEquals(two.code, 0, two.stderr);
  for (const { latency } of JSON.parse(two.stdout).clients) {
    assertEquals(latency.targetMs, 3000);
    assert(latency.meanMs > 0);
  }
});

Deno.test("dash-client plays a title in chunks nearer to its live edge than a segment is long, with sound, through an edge", async () => {
  const { program, url } = await startOrigin(
    ..."--live --audio --segment 6s --chunk 250ms".split(" "),
  );
  await using _ = program;
  const { program: edge, url: edgeUrl } = await startEdge([url]);
  await using __ = edge;
  await using client = await startProgram([
    ...["dash-client", `${edgeUrl}/manifest.mpd`],
    ..."--live-delay 2s --catch-up 0.5".split(" "),
  ]);
  // Who waits for whole segments is never so near.
  const near = await client.until(
    "latency.measured",
    ({ latencyMs }) => latencyMs < 6000,
  );
  assert(near.bufferMs > 0);
  assert(near.bufferMs < near.latencyMs, JSON.stringify(near));
  // One that is asked for before all of it is made, and that is not the link's: the first may be whole by then.
  await client.until(
    "segment.downloaded",
    ({ segmentNumber, cacheStatus, idleMs }) =>
      segmentNumber > 1 && cacheStatus !== "" && idleMs! > 0,
  );
  const { code, stderr } = await client.stop();
  assertEquals(code, 0, stderr);
});

Deno.test("dash-client --clients plays several at once on one network and says who got what", async () => {
  await using site = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => answerOf(new URL(request.url).pathname),
  );
  const url = `http://127.0.0.1:${site.addr.port}/film.mpd`;
  const run = await runProgram([
    ...["dash-client", url, "--clients", "3", "--stagger", "200ms"],
    ..."--abr fixed --quality highest --speed 20 --json --log json".split(" "),
  ]);
  assertEquals(run.code, 0, run.stderr);
  const result = JSON.parse(run.stdout);
  assertEquals(result.clients.length, 3);
  for (const { segmentCount, complete } of result.clients) {
    assertEquals([segmentCount, complete], [SEGMENTS, true]);
  }
  assertEquals(result.jainIndex, 1);
  assert(result.clients[2].beganAtMs >= 400, result.clients[2].beganAtMs);
  const names = new Set(
    run.stderr.trim().split("\n").map((line) => JSON.parse(line))
      .filter(({ type }) => type === "segment.downloaded")
      .map(({ name }) => name),
  );
  assertEquals([...names].sort(), ["client 1", "client 2", "client 3"]);
  const bad = await runProgram(["dash-client", url, "--clients", "0"]);
  assertEquals(bad.code, 2, bad.stderr);
});

Deno.test("dash-client begins at another node when the one that the resolver names first does not answer", async () => {
  await using site = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => answerOf(new URL(request.url).pathname),
  );
  await using dns = await startProgram([
    "dns-redirector",
    ..."--host 127.0.0.1 --port 0 --domain video.example --policy round-robin"
      .split(" "),
    ..."--edge 127.0.0.1 --edge 127.0.0.2".split(" "),
  ]);
  const { port } = await dns.until("role.listening");
  // One of two is sent to the dead one.
  for (let turn = 0; turn < 2; turn++) {
    const run = await runProgram([
      "dash-client",
      `http://video.example:${site.addr.port}/film.mpd`,
      ...["--speed", "50", "--resolver", `127.0.0.1:${port}`],
    ]);
    assertEquals(run.code, 0, run.stderr);
  }
});
