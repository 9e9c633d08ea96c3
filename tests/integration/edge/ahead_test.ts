/** What an edge fetches before anyone asks. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { countingOrigin } from "../../support/counting_origin.ts";
import { startEdge, statusesOf } from "../../support/edge.ts";
import { runProgram } from "../../support/program.ts";
import { answerOf, SEGMENTS } from "../../support/small_title.ts";

async function take(url: string, init: RequestInit = {}): Promise<number> {
  const response = await fetch(url, init);
  assertEquals(response.status, 200, url);
  return (await response.bytes()).length;
}

Deno.test("edge prefetches for a lone player: after segment 2 nothing but hits, and not a byte too many", async () => {
  let originBytes = 0;
  await using origin = countingOrigin(async (path) => {
    const answer = answerOf(path);
    originBytes += (await answer.clone().bytes()).length;
    return answer;
  });
  const { program, url } = await startEdge([`${origin.url}/t/`], [
    "--prefetch",
  ]);
  await using _edge = program;
  let bytes = await take(`${url}/film.mpd`);
  await program.until("title.learned");
  bytes += await take(`${url}/init-800000.mp4`);
  const play = async (rate: number, number: number, isLast = false) => {
    bytes += await take(`${url}/${rate}-${number}.m4s`);
    if (number >= 2 && !isLast) {
      await program.until(
        "segment.prefetched",
        ({ path }) => path === `/${rate}-${number + 1}.m4s`,
      );
    }
  };
  await play(800_000, 1);
  for (let number = 2; number < SEGMENTS; number++) await play(800_000, number);
  await play(800_000, SEGMENTS, true);
  const statuses = Array.from(
    { length: SEGMENTS },
    (_, at) => statusesOf(program, `/800000-${at + 1}.m4s`).join(),
  );
  assertEquals(
    statuses,
    Array.from({ length: SEGMENTS }, (_, at) => at < 2 ? "miss" : "hit"),
  );
  assert(originBytes <= bytes, `${originBytes} for ${bytes}`);
  // A change of the rate: the place counts.
  await take(`${url}/800000-4.m4s`);
  await take(`${url}/2400000-5.m4s`);
  await program.until(
    "segment.prefetched",
    ({ path }) => path === "/2400000-6.m4s",
  );
});

Deno.test("edge prefetches for a player of HLS", async () => {
  const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:4\n${
    [1, 2, 3, 4].map((n) => `#EXTINF:4,\nlow-${n}.ts\n`).join("")
  }#EXT-X-ENDLIST\n`;
  const master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n";
  await using origin = countingOrigin((path) =>
    new Response(
      path === "/low.m3u8" ? playlist : path === "/a.m3u8" ? master : path,
      {
        headers: {
          "cache-control": "max-age=60",
          "content-type": path.startsWith("/watch/") ? "text/html" : "x/y",
        },
      },
    )
  );
  const { program, url } = await startEdge([origin.url], ["--prefetch"]);
  await using _edge = program;
  // A page for people is no playlist, whatever it is called.
  await take(`${url}/watch/a.m3u8`);
  for (const name of ["a.m3u8", "low.m3u8"]) {
    await take(`${url}/${name}`);
    await program.until("title.learned", ({ path }) => path === `/${name}`);
  }
  await take(`${url}/low-1.ts`);
  for (const number of [2, 3]) {
    await take(`${url}/low-${number}.ts`);
    const next = `/low-${number + 1}.ts`;
    await program.until("segment.prefetched", ({ path }) => path === next);
  }
  await take(`${url}/low-4.ts`);
  assertEquals(statusesOf(program, "/low-3.ts"), ["hit"]);
  assertEquals(statusesOf(program, "/low-4.ts"), ["hit"]);
  assertEquals(origin.requests.length, 7);
  assert(program.events.every(({ type }) => type !== "title.refused"));
});

Deno.test("edge prefetches what a player names with CMCD nor, and nothing elsewhere", async () => {
  await using origin = countingOrigin(answerOf);
  const { program, url } = await startEdge([origin.url], ["--prefetch"]);
  await using _edge = program;
  const next = (name: string) => ({
    headers: { "CMCD-Request": `nor="${encodeURIComponent(name)}"` },
  });
  await take(`${url}/a/800000-1.m4s`, next("//192.0.2.1/x"));
  await take(`${url}/a/800000-2.m4s`, next("../b/64000-3.m4s"));
  const got = await program.until("segment.prefetched");
  assertEquals([got.path, got.status], ["/b/64000-3.m4s", 200]);
  await take(`${url}/b/64000-3.m4s`);
  assertEquals(origin.requests.length, 3);
});

const PLAYLISTS: Readonly<Record<string, string>> = {
  "/hls/all.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n",
  "/hls/low.m3u8":
    '#EXTM3U\n#EXT-X-MAP:URI="init-800000.mp4"\n#EXTINF:4,\n800000-1.m4s\n#EXTINF:4,\n//192.0.2.1/x\n',
};

Deno.test("edge prefills a title, by DASH or HLS, tells how far it is, and then needs no origin", async () => {
  const origin = countingOrigin((path) =>
    PLAYLISTS[path] === undefined
      ? answerOf(path)
      : new Response(PLAYLISTS[path])
  );
  const { program, url } = await startEdge([origin.url], [
    "--prefill",
    `${origin.url}/film.mpd`,
    "--prefill",
    `${origin.url}/hls/all.m3u8`,
  ]);
  await using _edge = program;
  const started = await program.until("prefill.started");
  const done = await program.until("prefill.finished");
  const hls = await program.until(
    "prefill.finished",
    (e) => e.path === "/hls/all.m3u8",
  );
  assertEquals([hls.objects, hls.failed], [2, 0]);
  const objects = 3 * (SEGMENTS + 1);
  assertEquals([started.objects, done.done, done.failed], [
    objects,
    objects,
    0,
  ]);
  assertEquals(origin.requests.length, objects + 1 + 4);
  await origin[Symbol.asyncDispose]();
  for (
    const path of ["/film.mpd", "/2400000-7.m4s", "/64000-12.m4s"]
      .concat("/hls/800000-1.m4s")
  ) {
    await take(url + path);
    await program.until("edge.answered", (e) => e.path === path);
    assertEquals(statusesOf(program, path), ["hit"]);
  }
  assertEquals((await program.stop()).code, 0);
});

Deno.test("edge says when a manifest cannot be read, stops while it prefills, and refuses one elsewhere", async () => {
  await using origin = countingOrigin((path) =>
    path === "/bad.mpd"
      ? new Response("<MPD><Period>")
      : path === "/elsewhere.m3u8"
      ? new Response("#EXTM3U\n#EXTINF:4,\nhttp://192.0.2.1/1.m4s\n")
      : path === "/half.m3u8"
      ? new Response(
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nbad.m3u8\n" +
          "#EXT-X-STREAM-INF:BANDWIDTH=2\ngood.m3u8\n",
      )
      : path === "/good.m3u8"
      ? new Response("#EXTM3U\n#EXTINF:4,\n1.m4s\n")
      : path === "/bad.m3u8" || path === "/1.m4s"
      ? new Response("no playlist")
      : new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))
  );
  const { program } = await startEdge([origin.url], [
    "--prefill",
    `${origin.url}/bad.mpd`,
    "--prefill",
    `${origin.url}/elsewhere.m3u8`,
    "--prefill",
    `${origin.url}/half.m3u8`,
    "--prefill",
    `${origin.url}/never.mpd`,
  ]);
  await using _edge = program;
  const refused = await program.until("title.refused");
  assertMatch(refused.message, /^line 1: /);
  const half = await program.until("prefill.finished");
  assertEquals([half.path, half.done, half.failed], ["/half.m3u8", 1, 0]);
  assertEquals(
    program.events.flatMap((event) =>
      event.type === "title.refused" ? event.path : []
    ),
    ["/bad.mpd", "/elsewhere.m3u8", "/bad.m3u8"],
  );
  assertEquals((await program.stop()).code, 0);
  const elsewhere = await runProgram([
    "edge",
    "--port",
    "0",
    "--origin",
    origin.url,
    "--prefill",
    "http://192.0.2.1/film.mpd",
  ]);
  assertEquals(elsewhere.code, 2);
  assertEquals(elsewhere.stderr.trim().split("\n").length, 1);
});
