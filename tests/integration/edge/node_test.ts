/** What makes an edge a node of a CDN beside its cache: purging, metrics, logs, and what players say. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { countingOrigin } from "../../support/counting_origin.ts";
import { startEdge } from "../../support/edge.ts";
import { runProgram, temporaryFolder } from "../../support/program.ts";
import { answerOf } from "../../support/small_title.ts";

async function get(url: string, init: RequestInit = {}) {
  const response = await fetch(url, init);
  return {
    status: response.status,
    text: (await response.text()).trim(),
    headers: response.headers,
  };
}

Deno.test("edge purges by URL, prefix and tag, for those who know the token", async () => {
  await using origin = countingOrigin((path) =>
    new Response(path, {
      headers: {
        "cache-control": "max-age=600",
        ...(path.startsWith("/films") ? { "cache-tag": "film, all" } : {
          "surrogate-key": "page all",
        }),
      },
    })
  );
  await using folder = await temporaryFolder();
  const file = `${folder.path}/access.log`;
  const { program, url } = await startEdge([origin.url], [
    "--access-log",
    file,
    "--purge-token",
    "sesame",
    "--admin",
    "0",
  ]);
  await using _edge = program;
  const admin = await program.until("admin.listening");
  const adminUrl = `http://127.0.0.1:${admin.port}`;
  const paths = ["/films/1", "/films/2", "/films?x=1", "/page"];
  const fill = async () => {
    for (const path of paths) await get(url + path);
  };
  const purge = async (path: string, fields: Record<string, string> = {}) => {
    const { status, text } = await get(url + path, {
      method: "PURGE",
      headers: { authorization: "Bearer sesame", ...fields },
    });
    return `${status} ${text}`;
  };
  /** Which paths have to be fetched again. */
  const gone = async () => {
    const before = paths.map((path) => origin.count(path));
    await fill();
    return paths.filter((path, at) => origin.count(path) > before[at]!);
  };
  await fill();
  assertEquals(await gone(), []);
  assertEquals(await purge("/films/1"), "200 Purged 1");
  assertEquals(await gone(), ["/films/1"]);
  assertEquals(await purge("/films/*"), "200 Purged 2");
  assertEquals(await gone(), ["/films/1", "/films/2"]);
  assertEquals(await purge("/", { "cache-tag": "film" }), "200 Purged 3");
  assertEquals(await gone(), paths.slice(0, 3));
  assertEquals(await purge("/", { "surrogate-key": "page" }), "200 Purged 1");
  assertEquals(await gone(), ["/page"]);
  const post = (query: string, token: string) =>
    get(`${adminUrl}/purge?${query}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
    });
  assertEquals((await post("tag=all", "sesame")).text, "Purged 4");
  assertEquals(await gone(), paths);
  assertEquals((await post("url=/page", "sesame")).text, "Purged 1");
  assertEquals((await post("prefix=/f", "sesame")).text, "Purged 3");
  assertEquals((await post("nothing=1", "sesame")).status, 400);
  assertEquals((await get(`${adminUrl}/purge?tag=all`)).status, 405);
  // Nobody else.
  await fill();
  assertEquals((await post("tag=all", "sesam")).status, 403);
  const wrong = { authorization: "Bearer Sesame" };
  assertEquals(
    await purge("/page", wrong),
    "403 That is not the token",
  );
  const without = await get(`${url}/page`, { method: "PURGE" });
  assertEquals(without.status, 401);
  assertMatch(without.headers.get("www-authenticate")!, /^Bearer/);
  assertEquals(await gone(), []);
  // No PURGE has gone on to the origin.
  assert(origin.requests.every(({ method }) => method === "GET"));
  const metrics = (await get(`${adminUrl}/metrics`)).text;
  assertMatch(
    metrics,
    /^rolecall_events_total\{type="purge.refused",status="403"\} 2$/m,
  );
  assertMatch(
    metrics,
    /^rolecall_events_total\{type="purge.refused",status="401"\} 1$/m,
  );
  assertEquals((await program.stop()).code, 0);
  const log = await Deno.readTextFile(file);
  assertEquals(
    log.match(/"PURGE [^"]+" \d+ \d+/g),
    [["/films/1", 200, 9], ["/films/*", 200, 9], ["/", 200, 9], ["/", 200, 9]]
      .concat([["/page", 403, 22], ["/page", 401, 51]])
      .map(([path, status, bytes]) =>
        `"PURGE ${path} HTTP/1.1" ${status} ${bytes}`
      ),
  );
});

Deno.test("edge without a token lets nobody purge", async () => {
  await using origin = countingOrigin(() => new Response("x"));
  const { program, url } = await startEdge([origin.url]);
  await using _edge = program;
  const headers = { authorization: "Bearer undefined" };
  assertEquals(
    (await get(`${url}/`, { method: "PURGE", headers })).status,
    403,
  );
});

Deno.test("edge takes CMCD out of the key, tells what players say, and answers with CMSD", async () => {
  await using origin = countingOrigin((path) =>
    new Response(path, {
      headers: {
        "cache-control": "max-age=600",
        "access-control-allow-origin": "*",
        // "age" is in it, but not that field.
        ...(path === "/2"
          ? { "access-control-expose-headers": "X-Image" }
          : {}),
      },
    })
  );
  await using folder = await temporaryFolder();
  const file = `${folder.path}/access.log`;
  const { program, url } = await startEdge([origin.url], [
    "--admin",
    "0",
    "--name",
    "edge-1",
    "--access-log",
    file,
    "--access-log-format",
    "common",
    "--limit-rate-per-client",
    "1MB/s",
  ]);
  await using _edge = program;
  const said = (text: string) => `CMCD=${encodeURIComponent(text)}`;
  const first = await get(
    `${url}/1?a=b&${said('bl=4000,br=900,ot=v,sid="s-1",su')}`,
  );
  assertEquals(first.text, "/1?a=b");
  const second = await get(
    `${url}/1?${said('bl=0,br=900,bs,ot=v,sid="s-1",mtp=8000')}&a=b`,
  );
  assertMatch(second.headers.get("cache-status")!, /; hit; /);
  assertMatch(
    second.headers.get("server-timing")!,
    /^edge;desc=hit;dur=[\d.]+$/,
  );
  assertMatch(
    second.headers.get("cmsd-dynamic")!,
    /^"edge-1";etp=8000;rd=\d+$/,
  );
  assertEquals(
    second.headers.get("access-control-expose-headers"),
    "Age, Cache-Status, CMSD-Dynamic, Server-Timing",
  );
  const plain = await get(`${url}/1?a=b`);
  assertEquals(plain.headers.get("server-timing"), null);
  const exposing = await get(`${url}/2`, {
    headers: { "cmcd-session": 'sid="s-2"' },
  });
  assertEquals(
    exposing.headers.get("access-control-expose-headers"),
    "X-Image, Age, Cache-Status, CMSD-Dynamic, Server-Timing",
  );
  assertEquals(origin.count("/1?a=b"), 1);
  const heard = await program.until("player.reported", (e) => e.stalled);
  assertEquals(
    [heard.player, heard.bufferMs, heard.bitsPerSecond, heard.stalls],
    ["s-1", 0, 900_000, 1],
  );
  const { port } = await program.until("admin.listening");
  const status = JSON.parse(
    (await get(`http://127.0.0.1:${port}/status`)).text,
  );
  assertEquals(
    status.players.map((player: { id: string; stalls: number }) => [
      player.id,
      player.stalls,
    ]),
    [["s-1", 1], ["s-2", 0]],
  );
  const page = await get(`http://127.0.0.1:${port}/`);
  assertMatch(page.text, /<td>s-1<\/td>/);
  const metrics = (await get(`http://127.0.0.1:${port}/metrics`)).text;
  for (
    const line of [
      'rolecall_edge_requests_total{cache="hit"} 2',
      'rolecall_edge_requests_total{cache="miss"} 2',
      'rolecall_edge_responses_total{code="2xx"} 4',
      "rolecall_edge_cache_bytes_total 12",
      `rolecall_edge_origin_bytes_total{origin="${origin.url}"} 8`,
      "rolecall_edge_objects 2",
      'rolecall_edge_request_duration_seconds_count{cache="hit"} 2',
      'rolecall_edge_player_stalls_total{player="s-1"} 1',
      `rolecall_edge_origin_up{origin="${origin.url}"} 1`,
    ]
  ) assert(metrics.split("\n").includes(line), `${line}\n${metrics}`);
  assertEquals((await program.stop()).code, 0);
  const lines = (await Deno.readTextFile(file)).trim().split("\n");
  assertEquals(lines.length, 4);
  assertMatch(
    lines[0]!,
    /^127\.0\.0\.1 - - \[\S+ \+0000\] "GET \/1\?a=b&CMCD=bl%3D4000\S+ HTTP\/1\.1" 200 6$/,
  );
});

Deno.test("edge --adapt chooses the rate for a player that sees one, and logs as a course project does", async () => {
  await using origin = countingOrigin((path) =>
    path === "/watch/film.mpd"
      ? new Response("<!DOCTYPE html>", {
        headers: { "content-type": "text/html; charset=utf-8" },
      })
      : answerOf(path)
  );
  await using folder = await temporaryFolder();
  const file = `${folder.path}/course.log`;
  const access = `${folder.path}/access.log`;
  const { program, url } = await startEdge([origin.url], [
    "--access-log",
    access,
    "--adapt",
    "1",
    "--course-log",
    "cuhk",
    "--course-log-file",
    file,
  ]);
  await using _edge = program;
  const manifest = await get(`${url}/film.mpd`);
  assertEquals(manifest.text.match(/bandwidth="\d+"/g), [
    'bandwidth="800000"',
    'bandwidth="64000"',
  ]);
  // Where there is none, the player hears what the origin says; and a page is none, whatever it is called.
  assertEquals((await get(`${url}/no.mpd`)).status, 404);
  assertEquals((await get(`${url}/watch/film.mpd`)).text, "<!DOCTYPE html>");
  for (const number of [1, 2]) {
    const headers = { "x-489-uuid": "browser-1" };
    await get(`${url}/800000-${number}.m4s`, { headers });
    // What it says counts, however busy this machine is.
    const report = await get(`${url}/on-fragment-received`, {
      method: "POST",
      headers: {
        ...headers,
        "x-fragment-size": "1000000",
        "x-timestamp-start": "1700000000000",
        "x-timestamp-end": "1700000000500",
      },
    });
    assertEquals(report.status, 200);
    await program.until(
      "rate.adapted",
      (e) => e.path.endsWith(`-${number}.m4s`),
    );
  }
  await get(`${url}/64000-1.m4s`);
  const rates = program.events.flatMap((e) =>
    e.type === "rate.adapted" ? [e.bitsPerSecond] : []
  );
  // The first in the lowest rate, the second in what 16 Mbit/s allow.
  assertEquals(rates, [800_000, 2_400_000]);
  assertEquals(origin.count("/2400000-2.m4s"), 1);
  assertEquals((await program.stop()).code, 0);
  const lines = (await Deno.readTextFile(file)).trim().split("\n");
  assertMatch(
    lines[0]!,
    /^127\.0\.0\.1 \/800000-1\.m4s 127\.0\.0\.1 [\d.]+ [\d.]+ [\d.]+ 800$/,
  );
  assertEquals(lines.length, 2);
  const logged = await Deno.readTextFile(access);
  assertMatch(logged, /"GET \/film\.mpd HTTP\/1\.1" 200 [1-9]\d+ /);
  assertEquals(logged.match(/"POST \/on-fragment-received /g)?.length, 2);
});

Deno.test("edge lets no client decide what others get by fields that are in no key", async () => {
  const named = ["x-forwarded-host", "x-original-url", "x-rewrite-url"]
    .concat([
      "x-forwarded-proto",
      "x-forwarded-prefix",
      "x-forwarded-ssl",
      "front-end-https",
      "x-http-method-override",
      "forwarded",
      "x-host",
    ]);
  await using origin = countingOrigin((_, { headers }) =>
    new Response(
      `see ${named.map((name) => headers.get(name) ?? "").join("|")}`,
      { headers: { "cache-control": "max-age=60" } },
    )
  );
  const { program, url } = await startEdge([origin.url]);
  await using _edge = program;
  const evil = Object.fromEntries(
    named.map((
      name,
    ) => [name, name === "forwarded" ? "host=evil.test" : "evil.test"]),
  );
  for (const headers of [evil, {}]) {
    const { text } = await get(`${url}/page`, { headers });
    assertEquals(text.includes("evil.test"), false, text);
  }
  // Nor by a host of their own: it is not ours to answer for, and the origin never hears it.
  for (const headers of [{ host: "evil.test" }, {}] as HeadersInit[]) {
    assertEquals(
      (await get(`${url}/host`, { headers })).text.includes("evil"),
      false,
    );
  }
  assertEquals(origin.requests.length, 2);
});

Deno.test("edge refuses flags that would do nothing, or let nothing through", async () => {
  const origin = ["--origin", "http://127.0.0.1:9/"];
  const cases: readonly (readonly string[])[] = [
    [...origin, "--course-log-file", "log.txt"],
    [...origin, "--workers", "2", "--course-log", "cmu"],
    [...origin, "--origin-timeout", "0s"],
    [...origin, "--cache-size", "0", "--cache-dir", "never-made"],
    [...origin, "--cache-size", "0", "--prefetch"],
    [...origin, "--cache-size", "0", "--prefill", "http://127.0.0.1:9/m.mpd"],
    ["--origin", "http://127.0.0.1:9/?title=1"],
    ["--origin", "http://me:secret@127.0.0.1:9/"],
    [...origin, "--origin", "HTTP://127.0.0.1:9"],
  ];
  await Promise.all(cases.map(async (flags) => {
    const run = await runProgram(["edge", "--port", "0", ...flags]);
    assertEquals(run.code, 2, flags.join(" "));
    assertMatch(
      run.stderr,
      /^rolecall: --(course-log|origin|cache-dir|pre)[^\n]+\n$/,
    );
    assert(!run.stderr.includes("secret"));
  }));
});
