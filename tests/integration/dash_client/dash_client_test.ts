import { assert, assertEquals } from "@std/assert";
import { runProgram, startProgram } from "../../support/program.ts";

const SEGMENT_BYTES = [12_000, 30_000, 75_000];
const HEIGHTS = [360, 480, 720];

/** What our small site does with one path: a status, or nothing at all. */
type Fault = number | "silence" | "break";

interface Site extends AsyncDisposable {
  readonly port: number;
  /** Paths asked for, in order. */
  readonly asked: string[];
}

function manifest(segments: number): string {
  const rungs = HEIGHTS.map((height, at) =>
    `<Representation id="${height}" mimeType="video/mp4" codecs="avc3.64001f" height="${height}" bandwidth="${
      SEGMENT_BYTES[at]! * 8
    }">
<SegmentList timescale="1000" duration="1000">${
      Array.from(
        { length: segments },
        (_, n) => `<SegmentURL media="video_${height}_${n + 1}.m4s"/>`,
      ).join("")
    }</SegmentList></Representation>`
  ).join("\n");
  return `<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT${segments}S" minBufferTime="PT1S">
<ProgramInformation><Title>Numbers</Title></ProgramInformation>
<Period><AdaptationSet><SegmentList><Initialization sourceURL="init.mp4"/></SegmentList>
${rungs}</AdaptationSet></Period></MPD>`;
}

/** A server that promises 1000 bytes, sends 10 and hangs up. */
function startBreaking(): { readonly port: number; close(): void } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4096));
      await connection.write(
        new TextEncoder().encode(
          "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789",
        ),
      );
      connection.close();
    }
  };
  serve();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    close: () => listener.close(),
  };
}

/** A site with a title of `segments` seconds, and faults by path. */
function startSite(
  { segments = 8, faults = {}, hostname = "127.0.0.1" }: {
    readonly segments?: number;
    readonly hostname?: string;
    readonly faults?: Readonly<Record<string, Fault>>;
  } = {},
): Site {
  const asked: string[] = [];
  const never = Promise.withResolvers<Response>();
  const breaking = startBreaking();
  const server = Deno.serve(
    { hostname, port: 0, onListen: () => {} },
    (request) => {
      const path = new URL(request.url).pathname.slice(1);
      asked.push(path);
      const fault = faults[path];
      if (fault === "silence") return never.promise;
      if (fault === "break") {
        return Response.redirect(`http://127.0.0.1:${breaking.port}/`, 302);
      }
      if (fault !== undefined) {
        return new Response("no", {
          status: fault,
          ...(fault === 302 ? { headers: { location: `/moved/${path}` } } : {}),
        });
      }
      if (path.endsWith("manifest.mpd")) {
        return new Response(manifest(segments));
      }
      if (path === "page.html") return new Response("<html>\n<p>no</html>");
      if (path === "live.mpd") return new Response('<MPD type="dynamic"/>');
      const at = HEIGHTS.findIndex((height) => path.includes(`_${height}_`));
      return new Response(new Uint8Array(SEGMENT_BYTES[at] ?? 800), {
        headers: { "cache-status": "edge; hit", age: "7" },
      });
    },
  );
  return {
    port: server.addr.port,
    asked,
    [Symbol.asyncDispose]: async () => {
      never.resolve(new Response("late"));
      breaking.close();
      await server.shutdown();
    },
  };
}

function urlOf(site: Site, path = "manifest.mpd"): string {
  return `http://127.0.0.1:${site.port}/${path}`;
}

Deno.test("dash-client plays a title to its end and prints its figures as JSON", async () => {
  await using site = startSite();
  const run = await runProgram([
    "dash-client",
    urlOf(site),
    "--speed",
    "20",
    "--start-buffer",
    "2s",
    "--json",
  ]);
  assertEquals(run.code, 0, run.stderr);
  const result = JSON.parse(run.stdout);
  assertEquals(result.title, "Numbers");
  assertEquals(result.complete, true);
  assertEquals(Math.round(result.playedMs), 8000);
  assertEquals(result.segments.length, 8);
  assertEquals(result.segments[0].bytes, SEGMENT_BYTES[0]);
  assertEquals(result.segments[7].cacheStatus, "edge; hit");
  assertEquals(result.segments[7].ageSeconds, 7);
  assertEquals(result.segments[7].server, `127.0.0.1:${site.port}`);
  assertEquals(
    result.ladder.map((rung: { height: number }) => rung.height),
    HEIGHTS,
  );
  assertEquals(site.asked.slice(0, 3), [
    "manifest.mpd",
    "init.mp4",
    "video_360_1.m4s",
  ]);
  // One initialization segment for all rates is fetched once.
  assertEquals(site.asked.filter((path) => path === "init.mp4").length, 1);
});

Deno.test("dash-client plays only --duration and obeys --abr fixed --quality", async () => {
  await using site = startSite({ segments: 30 });
  const run = await runProgram([
    "dash-client",
    urlOf(site),
    ..."--speed 20 --duration 2500ms --abr fixed --quality 480p --json".split(
      " ",
    ),
  ]);
  assertEquals(run.code, 0, run.stderr);
  const result = JSON.parse(run.stdout);
  assertEquals(Math.round(result.playedMs), 2500);
  assertEquals(site.asked.slice(2), [1, 2, 3].map((n) => `video_480_${n}.m4s`));
});

Deno.test("dash-client emits what happens as events", async () => {
  await using site = startSite({ segments: 3 });
  await using client = await startProgram([
    "dash-client",
    urlOf(site),
    ..."--speed 10 --start-buffer 5s".split(" "),
  ]);
  const loaded = await client.until("manifest.loaded");
  assertEquals([loaded.segmentCount, loaded.mediaMs], [3, 3000]);
  await client.until("playout.ended");
  const { code } = await client.exited;
  assertEquals(code, 0);
  assertEquals(
    client.events.map((event) => event.type).filter((type) =>
      !type.startsWith("role.")
    ),
    [
      "manifest.loaded",
      "segment.downloaded",
      "segment.downloaded",
      "segment.downloaded",
      "playout.started",
      "playout.ended",
    ],
  );
});

Deno.test("dash-client goes to a lower rate when a segment is missing in the one chosen", async () => {
  await using site = startSite({
    segments: 4,
    faults: { "video_720_3.m4s": 404, "video_720_2.m4s": "break" },
  });
  const run = await runProgram([
    "dash-client",
    urlOf(site),
    ..."--speed 20 --abr fixed --json".split(" "),
  ]);
  assertEquals(run.code, 0, run.stderr);
  assertEquals(
    JSON.parse(run.stdout).segments.map((each: { height: number }) =>
      each.height
    ),
    [720, 480, 480, 720],
  );
});

Deno.test("dash-client ends with one line and exit code 1 when a segment is to be had nowhere", async () => {
  const faults = Object.fromEntries(
    HEIGHTS.map((height) => [`video_${height}_3.m4s`, 503]),
  );
  await using site = startSite({ faults });
  const run = await runProgram([
    "dash-client",
    urlOf(site),
    "--speed",
    "20",
    "--json",
    ...["--give-up-after", "300ms"],
  ]);
  assertEquals(run.code, 1);
  assertEquals(
    run.stderr.split("\n").filter((line) => line.startsWith("rolecall: "))
      .length,
    1,
  );
  assert(run.stderr.includes("video_360_3.m4s"));
  // What was played is reported all the same.
  const result = JSON.parse(run.stdout);
  assertEquals([result.complete, result.segments.length], [false, 2]);
});

Deno.test("dash-client gives up on a server that says nothing", async () => {
  await using site = startSite({ faults: { "manifest.mpd": "silence" } });
  const run = await runProgram([
    "dash-client",
    urlOf(site),
    "--timeout",
    "300ms",
  ]);
  assertEquals(run.code, 1);
  assert(run.stderr.includes(urlOf(site)));
});

Deno.test("dash-client follows redirects, and segments are beside where the manifest was in the end", async () => {
  await using site = startSite({
    segments: 2,
    faults: { "manifest.mpd": 302 },
  });
  const run = await runProgram(["dash-client", urlOf(site), "--speed", "20"]);
  assertEquals(run.code, 0, run.stderr);
  assertEquals(site.asked.slice(0, 3), [
    "manifest.mpd",
    "moved/manifest.mpd",
    "moved/init.mp4",
  ]);
});

Deno.test("dash-client --download-only fetches one rate and keeps it in one file", async () => {
  await using site = startSite({
    segments: 3,
    faults: { "video_480_2.m4s": 200 },
  });
  const file = await Deno.makeTempFile({ suffix: ".mp4" });
  try {
    const run = await runProgram([
      "dash-client",
      urlOf(site),
      ..."--download-only --quality 480p --json --save".split(" "),
      file,
    ]);
    assertEquals(run.code, 0, run.stderr);
    // Initialization segment, two segments, and the two letters of the fault that is none.
    const bytes = 800 + 2 * SEGMENT_BYTES[1]! + 2;
    assertEquals((await Deno.stat(file)).size, bytes);
    assertEquals(JSON.parse(run.stdout).bytes, bytes);
  } finally {
    await Deno.remove(file);
  }
});

const BAD: readonly (readonly [what: string, path: string, code: number])[] = [
  ["a manifest that is not there", "gone.mpd", 1],
  ["a manifest that is no XML", "page.html", 2],
  ["a live manifest", "live.mpd", 2],
];

for (const [what, path, code] of BAD) {
  Deno.test(`dash-client says one line about ${what}: exit code ${code}`, async () => {
    await using site = startSite({ faults: { "gone.mpd": 404 } });
    const run = await runProgram(["dash-client", urlOf(site, path)]);
    assertEquals(run.code, code);
    assertEquals(run.stdout, "");
    assertEquals(run.stderr.trimEnd().split("\n").length, 1);
    assert(run.stderr.includes(urlOf(site, path)));
  });
}

const BAD_USE: readonly (readonly string[])[] = [
  [],
  ["manifest.mpd"],
  ["http://127.0.0.1:9/m.mpd", "--abr", "best"],
  ["http://127.0.0.1:9/m.mpd", "--speed", "0"],
  ["http://127.0.0.1:9/m.mpd", "--host", "127.1.0.5"],
];

for (const args of BAD_USE) {
  Deno.test(`dash-client ${args.join(" ") || "without a URL"} is bad usage`, async () => {
    const run = await runProgram(["dash-client", ...args]);
    assertEquals(run.code, 2);
    assertEquals(run.stderr.trimEnd().split("\n").length, 1);
  });
}

Deno.test("dash-client says that the resolver does not answer", async () => {
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  try {
    const { port } = socket.addr as Deno.NetAddr;
    const run = await runProgram([
      "dash-client",
      "http://video.example/manifest.mpd",
      "--resolver",
      `127.0.0.1:${port}`,
    ]);
    assertEquals(run.code, 1);
    assert(run.stderr.includes(`127.0.0.1:${port}`));
  } finally {
    socket.close();
  }
});

Deno.test("dash-client asks the resolver again when the TTL is over and moves with the answer", async () => {
  await using site = startSite({ segments: 12, hostname: "0.0.0.0" });
  await using dns = await startProgram([
    "dns-redirector",
    ..."--host 127.0.0.1 --port 0 --ttl 1s --domain video.example".split(" "),
    ..."--edge 127.0.0.1 --edge 127.0.0.2 --policy round-robin".split(" "),
  ]);
  const { port } = await dns.until("role.listening");
  await using client = await startProgram([
    "dash-client",
    `http://video.example:${site.port}/manifest.mpd`,
    ..."--buffer 3s --start-buffer 1s --speed 4 --resolver".split(" "),
    `127.0.0.1:${port}`,
  ]);
  const { code } = await client.exited;
  assertEquals(code, 0);
  // 12 s of media at four times the pace take 3 s: two TTLs.
  const moves = client.events.filter((event) =>
    event.type === "name.resolved" && event.moved
  );
  assert(moves.length > 0);
  const servers = new Set(
    client.events.flatMap((event) =>
      event.type === "segment.downloaded" ? [event.server] : []
    ),
  );
  assertEquals([...servers].sort(), [
    `127.0.0.1:${site.port}`,
    `127.0.0.2:${site.port}`,
  ]);
});

Deno.test("dash-client is sent to its network's edge, by the address it asks from and by client subnet", async () => {
  await using site = startSite({ segments: 1, hostname: "0.0.0.0" });
  await using dns = await startProgram([
    "dns-redirector",
    ..."--host 127.0.0.1 --port 0 --domain video.example --policy geo".split(
      " ",
    ),
    ..."--edge 127.0.0.3 --site 127.1.0.0/16=127.0.0.3".split(" "),
    ..."--edge 127.0.0.4 --site 127.2.0.0/16=127.0.0.4".split(" "),
  ]);
  const { port } = await dns.until("role.listening");
  const serverSeen = async (flag: string, value: string) => {
    const run = await runProgram([
      "dash-client",
      `http://video.example:${site.port}/manifest.mpd`,
      "--speed",
      "50",
      "--json",
      "--resolver",
      `127.0.0.1:${port}`,
      flag,
      value,
    ]);
    assertEquals(run.code, 0, run.stderr);
    return JSON.parse(run.stdout).segments[0].server;
  };
  assertEquals(
    [
      await serverSeen("--host", "127.1.0.5"),
      await serverSeen("--host", "127.2.0.5"),
      await serverSeen("--client-subnet", "127.2.0.0/24"),
    ],
    [3, 4, 4].map((last) => `127.0.0.${last}:${site.port}`),
  );
});
