import { assert, assertEquals } from "@std/assert";
import { equalBytes } from "../../lib/core/bytes.ts";
import { SegmentMaker } from "../../lib/media/title/segment_maker.ts";
import { INIT_NAME, lecturePlan } from "../../lib/media/title/title_plan.ts";
import { RUNGS, segmentName } from "../support/lecture_title.ts";
import { startOrigin } from "../support/origin.ts";
import {
  portOf,
  runProgram,
  startProgram,
  temporaryFolder,
} from "../support/program.ts";

/** Sends a request as it is, unlike fetch, which tidies paths up; returns the whole answer. */
async function raw(port: number, request: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(request));
  return await new Response(connection.readable).text();
}

function rawGet(port: number, target: string): Promise<string> {
  return raw(
    port,
    `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
  );
}

Deno.test("origin serves the built-in title: manifest, init, segments, page", async () => {
  // On all addresses.
  await using program = await startProgram([
    ...["origin", "--port", "0", "--title", "A & B"],
  ]);
  const port = await portOf(program, "http");
  const url = `http://127.0.0.1:${port}`;
  const manifest = await fetch(`${url}/manifest.mpd`);
  assertEquals(manifest.headers.get("content-type"), "application/dash+xml");
  assert((await manifest.text()).includes("<Title>A &amp; B</Title>"));
  const init = await fetch(`${url}/${INIT_NAME}`);
  assertEquals(init.headers.get("content-type"), "video/mp4");
  await init.body!.cancel();
  const name = segmentName(720, 2);
  const segment = await fetch(`${url}/${name}`);
  assertEquals(segment.headers.get("content-type"), "video/iso.segment");
  const length = Number(segment.headers.get("content-length"));
  const bytes = new Uint8Array(await segment.arrayBuffer());
  assertEquals(bytes.length, length);
  assert(
    equalBytes(
      bytes,
      new SegmentMaker(lecturePlan({ title: "A & B" }), RUNGS[2]!).make(2),
    ),
  );
  const told = await program.until(
    "origin.answered",
    (event) => event.path === `/${name}`,
  );
  assertEquals([told.status, told.bytes, told.complete], [200, length, true]);
  const page = await fetch(`http://[::1]:${port}/`);
  assert((await page.text()).includes("<h1>A &amp; B</h1>"));
  const { code } = await program.stop();
  assertEquals(code, 0);
});

Deno.test("origin answers ranges, conditions, HEAD, OPTIONS and errors", async () => {
  const { program, url } = await startOrigin("--max-age", "90s");
  await using _ = program;
  const whole = await fetch(`${url}/manifest.mpd`);
  const text = await whole.text();
  const etag = whole.headers.get("etag")!;
  assert(/^"[^"]+"$/.test(etag));
  assertEquals(
    whole.headers.get("cache-control"),
    "public, max-age=90, no-transform",
  );
  const get = async (headers: Record<string, string>, method = "GET") => {
    const answer = await fetch(`${url}/manifest.mpd`, { method, headers });
    return { answer, body: await answer.text() };
  };
  const part = await get({ range: "bytes=-7" });
  assertEquals([part.answer.status, part.body], [206, text.slice(-7)]);
  const parts = await get({ range: "bytes=0-4,10-11" });
  assertEquals(parts.answer.status, 206);
  assert(parts.body.includes(`\r\n\r\n${text.slice(0, 5)}\r\n--`));
  assert(parts.body.includes(`\r\n\r\n${text.slice(10, 12)}\r\n--`));
  assertEquals((await get({ range: "bytes=9999999-" })).answer.status, 416);
  assertEquals((await get({ "if-none-match": etag })).answer.status, 304);
  const modified = whole.headers.get("last-modified")!;
  assertEquals(
    (await get({ "if-modified-since": modified })).answer.status,
    304,
  );
  assertEquals((await get({ "if-match": '"other"' })).answer.status, 412);
  const changed = await get({ range: "bytes=0-4", "if-range": '"other"' });
  assertEquals([changed.answer.status, changed.body], [200, text]);
  const head = await get({}, "HEAD");
  assertEquals([head.answer.status, head.body], [200, ""]);
  assertEquals(
    head.answer.headers.get("content-length"),
    whole.headers.get("content-length"),
  );
  const options = await get({ origin: "http://elsewhere" }, "OPTIONS");
  assertEquals(options.answer.status, 204);
  assertEquals(options.answer.headers.get("access-control-allow-origin"), "*");
  const posted = await get({}, "DELETE");
  assertEquals(posted.answer.status, 405);
  assertEquals(posted.answer.headers.get("allow"), "GET, HEAD, OPTIONS");
  assertEquals(posted.body.split("\n").length, 2);
  for (const name of ["nope", "video_720_128.m4s", "manifest.mpd/", "a/b"]) {
    const missing = await fetch(`${url}/${name}`);
    assertEquals(missing.status, 404);
    assertEquals((await missing.text()).split("\n").length, 2);
  }
});

Deno.test("origin --root serves files and folders, and nothing outside", async () => {
  await using folder = await temporaryFolder();
  const root = `${folder.path}/site`;
  await Deno.mkdir(`${root}/films/.git`, { recursive: true });
  await Deno.writeTextFile(`${folder.path}/secret.txt`, "secret");
  await Deno.writeTextFile(`${root}/films/a b.mpd`, "<MPD/>");
  await Deno.writeTextFile(`${root}/films/.git/config`, "secret");
  await Deno.writeTextFile(`${root}/empty`, "");
  await Deno.symlink(`${root}/films/a b.mpd`, `${root}/inside.mpd`);
  await Deno.symlink(`${folder.path}/secret.txt`, `${root}/link.txt`);
  await Deno.symlink(folder.path, `${root}/up`);
  const { program, port, url } = await startOrigin("--root", root);
  await using _ = program;
  const film = await fetch(`${url}/films/a%20b.mpd`);
  assertEquals(film.headers.get("content-type"), "application/dash+xml");
  assertEquals(await film.text(), "<MPD/>");
  const again = await fetch(`${url}/films/a%20b.mpd`, {
    headers: { range: "bytes=1-3", "if-range": film.headers.get("etag")! },
  });
  assertEquals([again.status, await again.text()], [206, "MPD"]);
  assertEquals(await (await fetch(`${url}/inside.mpd`)).text(), "<MPD/>");
  const empty = await fetch(`${url}/empty`);
  assertEquals([empty.status, await empty.text()], [200, ""]);
  const moved = await fetch(`${url}/films`, { redirect: "manual" });
  assertEquals([moved.status, moved.headers.get("location")], [301, "/films/"]);
  await moved.body?.cancel();
  const listing = await (await fetch(`${url}/films/`)).text();
  assert(listing.includes('href="/films/a%20b.mpd"'));
  assert(!listing.includes(".git"));
  const top = await (await fetch(`${url}/`)).text();
  assert(top.includes("films/") && !top.includes("link.txt"));
  for (
    const target of [
      "/../secret.txt",
      "/films/../../secret.txt",
      "/%2e%2e/secret.txt",
      "/%2e%2e%2fsecret.txt",
      "/..%5csecret.txt",
      "/films/..\\..\\secret.txt",
      "/films%2f..%2f..%2fsecret.txt",
      "//etc/passwd",
      "/link.txt",
      "/up/secret.txt",
      "/films/.git/config",
      "/films/a%20b.mpd%00.txt",
      "/films/a%20b.mpd/",
      "/%zz",
    ]
  ) {
    const answer = await rawGet(port, target);
    assert(/^HTTP\/1\.1 (400|404) /.test(answer), `${target}: ${answer}`);
    assert(!answer.includes("secret\n") && !answer.includes("root:"), target);
  }
});

Deno.test("origin lets caches keep live manifests for a second, its own and those of other packagers, in gzip too", async () => {
  await using folder = await temporaryFolder();
  const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:4\n${
    "#EXTINF:4,\n1.ts\n".repeat(100)
  }`;
  const files = {
    "live.mpd": `<MPD type="dynamic">${" ".repeat(2000)}</MPD>`,
    "whole.mpd": '<MPD type="static"></MPD>',
    "live.m3u8": playlist,
    "whole.m3u8": `${playlist}#EXT-X-ENDLIST\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder.path}/${name}`, text);
  }
  const others = await startOrigin("--root", folder.path);
  await using _others = others.program;
  const own = await startOrigin("--live");
  await using _own = own.program;
  const cases = [
    ...Object.keys(files).map((name) =>
      [`${others.url}/${name}`, name.startsWith("live") ? 1 : 600] as const
    ),
    [`${own.url}/manifest.mpd`, 1],
    [`${own.url}/master.m3u8`, 1],
  ] as const;
  for (const [url, seconds] of cases) {
    for (const coding of ["identity", "gzip"]) {
      const answer = await fetch(url, {
        headers: { "accept-encoding": coding },
      });
      await answer.body?.cancel();
      assertEquals(
        answer.headers.get("cache-control"),
        `public, max-age=${seconds}, no-transform`,
        `${url} ${coding}`,
      );
    }
  }
});

Deno.test("origin --root streams: a client that leaves is told of, the others go on", async () => {
  await using folder = await temporaryFolder();
  const big = await Deno.open(`${folder.path}/big.bin`, {
    create: true,
    write: true,
  });
  await big.truncate(2 ** 30);
  big.close();
  const { program, url } = await startOrigin("--root", folder.path);
  await using _ = program;
  const leaving = await fetch(`${url}/big.bin`);
  const reader = leaving.body!.getReader();
  await reader.read();
  await reader.cancel();
  const told = await program.until(
    "origin.answered",
    (event) => event.path === "/big.bin" && !event.complete,
  );
  assert(told.bytes < 2 ** 28);
  const tail = await fetch(`${url}/big.bin`, {
    headers: { range: "bytes=1073741820-" },
  });
  assertEquals((await tail.bytes()).length, 4);
});

Deno.test("origin --limit-rate holds for all answers together", async () => {
  const { program, url } = await startOrigin("--limit-rate", "400kB/s");
  await using _ = program;
  // Two segments of 260 kB: what they take is the bytes over the rate, told by the events.
  await Promise.all(["360_1", "360_6"].map(async (name) => {
    const answer = await fetch(`${url}/video_${name}.m4s`);
    assertEquals((await answer.bytes()).length, 250_000);
  }));
  const [a, b] = await Promise.all(
    ["360_1", "360_6"].map((name) =>
      program.until(
        "origin.answered",
        (event) => event.path === `/video_${name}.m4s`,
      )
    ),
  );
  // Less would break the limit; how much more, and how much later one begins than the other, is the machine's affair.
  const leastMs = 1000 * (520_000 - 400_000 * 0.05 - 2 * 8000) / 400_000;
  const beganAtMs = [a!, b!].map(({ atMs, durationMs }) => atMs - durationMs);
  assert(Math.max(a!.atMs, b!.atMs) - Math.min(...beganAtMs) >= leastMs);
});

Deno.test("origin sums up when there are many answers", async () => {
  const { program, url } = await startOrigin();
  await using _ = program;
  await Promise.all(Array.from({ length: 300 }, async () => {
    await (await fetch(`${url}/nope`)).text();
  }));
  const sum = await program.until("origin.summarized");
  assert(sum.answers > 0 && sum.errors === sum.answers);
  await program.stop();
  const singles =
    program.events.filter((event) => event.type === "origin.answered").length;
  const summed = program.events.reduce(
    (total, event) =>
      total + (event.type === "origin.summarized" ? event.answers : 0),
    0,
  );
  assertEquals(singles + summed, 300);
});

Deno.test("origin stops although one client idles and another reads on and on", async () => {
  const { program, port } = await startOrigin("--limit-rate", "100KiB/s");
  await using _ = program;
  using _idle = await Deno.connect({ hostname: "127.0.0.1", port });
  const segment = raw( // Fifteen seconds' worth.
    port,
    `GET /${segmentName(720, 1)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  ).catch(() => "cut");
  using busy = await Deno.connect({ hostname: "127.0.0.1", port });
  await busy.write(
    new TextEncoder().encode("GET /nope HTTP/1.1\r\nHost: x\r\n\r\n"),
  );
  await program.until("origin.answered", (event) => event.path === "/nope");
  const { code, stderr } = await program.stop();
  assertEquals([code, stderr], [0, ""]);
  assert((await segment).length < 1_000_000);
});

Deno.test("origin says in one line what is wrong with its flags", async () => {
  for (
    const flags of [
      ["--root", "no-such-folder"],
      ["--root", "deno.json"],
      ["--limit-rate", "0"],
      ["--max-age", "soon"],
    ]
  ) {
    const { code, stderr } = await runProgram(["origin", ...flags]);
    assertEquals(code, 2, flags.join(" "));
    assertEquals(stderr.trimEnd().split("\n").length, 1);
    assertEquals(/is a file$/m.test(stderr), flags[1] === "deno.json");
  }
});

Deno.test("origin compresses texts for whom asks, under an entity tag of their own, and media for nobody", async () => {
  const { program, port } = await startOrigin();
  await using _ = program;
  const get = (target: string, fields: string) =>
    raw(
      port,
      `GET ${target} HTTP/1.1\r\nHost: x\r\n${fields}Connection: close\r\n\r\n`,
    );
  const field = (answer: string, name: string) =>
    new RegExp(`^${name}: (.*)\r$`, "mi").exec(answer)?.[1];
  const plain = await get("/manifest.mpd", "");
  const coded = await get("/manifest.mpd", "Accept-Encoding: br, gzip\r\n");
  assertEquals(field(plain, "content-encoding"), undefined);
  assertEquals(field(coded, "content-encoding"), "gzip");
  for (const answer of [plain, coded]) {
    assertEquals(field(answer, "vary"), "Accept-Encoding");
  }
  const size = (answer: string) => Number(field(answer, "content-length"));
  assert(size(coded) * 4 < size(plain));
  const tag = field(coded, "etag")!;
  assert(tag !== field(plain, "etag"));
  const again = await get(
    "/manifest.mpd",
    `Accept-Encoding: gzip\r\nIf-None-Match: ${tag}\r\n`,
  );
  assert(again.startsWith("HTTP/1.1 304 "));
  // fetch asks for gzip and undoes it.
  const text = await (await fetch(`http://127.0.0.1:${port}/manifest.mpd`))
    .text();
  assert(text.endsWith("</MPD>\n"));
  const media = await get(
    `/${segmentName(360, 1)}`,
    "Accept-Encoding: gzip\r\n",
  );
  assertEquals(field(media, "content-encoding"), undefined);
  assertEquals(field(media, "vary"), undefined);
});

Deno.test("origin has a page for each manifest below /watch/, and for nothing else", async () => {
  const { program, url } = await startOrigin();
  await using _ = program;
  const get = async (path: string) => {
    const { status, headers, body } = await fetch(`${url}${path}`);
    await body?.cancel();
    return `${status} ${headers.get("content-type")}`;
  };
  const html = "200 text/html; charset=utf-8";
  const script = "200 text/javascript; charset=utf-8";
  const nothing = "404 text/plain; charset=utf-8";
  assertEquals(await get("/watch/manifest.mpd"), html);
  assertEquals(await get("/watch/dash.js"), script);
  assertEquals(await get("/watch/watch.js"), script);
  assertEquals(await get("/watch/other.mpd"), nothing);
  assertEquals(await get("/watch/"), nothing);
  assertEquals(await get(`/watch/${INIT_NAME}`), nothing);
});
