import { assert, assertEquals, assertMatch } from "@std/assert";
import { startOrigin } from "../../support/origin.ts";
import { runProgram, startProgram } from "../../support/program.ts";
import { answerOf } from "../../support/small_title.ts";

/** An origin of 20 s of the built-in title, in two low rates. */
async function startTitle(...more: readonly string[]) {
  const { program, url } = await startOrigin(
    ...["--duration", "20s", "--segment", "2s"],
    ...["--ladder", "360p@200k,480p@600k", ...more],
  );
  return { origin: program, url: `${url}/manifest.mpd` };
}

/** Three players share a title of 10 segments and all play it to its end; returns the result. */
async function playByThree(url: string) {
  const run = await runProgram([
    ...["dash-client", url, "--cooperate"],
    ..."--clients 3 --stagger 2s --speed 5 --buffer 6s --abr fixed --json"
      .split(" "),
  ]);
  assertEquals(run.code, 0, run.stderr);
  const result = JSON.parse(run.stdout);
  assert(result.sharing.peerBytes > 0, run.stdout);
  for (const client of result.clients) {
    assertEquals([client.complete, client.segmentCount], [true, 10]);
  }
  return result;
}

Deno.test("dash-client --cooperate has players share what they play, and asks the CDN for the rest", async () => {
  const { origin, url } = await startTitle("--audio");
  await using _origin = origin;
  const { sharing } = await playByThree(url);
  // 10 segments of 150 kB and the sound, three times.
  const bytes = sharing.peerBytes + sharing.cdnBytes;
  assert(bytes > 3 * 10 * 149_000, String(bytes));
  assert(sharing.uploadedBytes >= sharing.peerBytes);
  const served = await runProgram([
    ...["dash-client", url, "--duration", "2s", "--speed", "10"],
    ...["--cooperate", "--json"],
  ]);
  // Alone it has everything from the CDN.
  assertEquals(JSON.parse(served.stdout).sharing.peerBytes, 0);
});

Deno.test("dash-client --cooperate has players share segments that are parts of one file", async () => {
  const { origin, url } = await startTitle("--addressing", "base", "--audio");
  await using _origin = origin;
  await playByThree(url);
});

Deno.test("dash-client --cooperate says in one line why it cannot", async () => {
  await using site = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => answerOf(new URL(request.url).pathname),
  );
  const url = `http://127.0.0.1:${site.addr.port}/film.mpd`;
  await using live = await startProgram(
    "origin --host 127.0.0.1 --port 0 --live".split(" "),
  );
  const { port } = await live.until("role.listening");
  const now = await runProgram([
    ...["dash-client", `http://127.0.0.1:${port}/manifest.mpd`, "--cooperate"],
    ...["--torrent", "film.torrent"],
  ]);
  assertEquals(now.code, 2);
  assertMatch(now.stderr, /--torrent is for titles that are whole: /);
  const [missing, lonely, none] = await Promise.all([
    runProgram(["dash-client", url, "--cooperate"]),
    runProgram(["dash-client", url, "--upload-limit", "1MiB/s"]),
    runProgram(["dash-client", url, "--cooperate", "--torrent", "/none"]),
  ]);
  assertEquals(missing.code, 1);
  assertMatch(
    missing.stderr,
    /Cannot cooperate: no torrent of the title at http:.*film\.torrent: the server answered 404; --torrent names another/,
  );
  assertEquals(lonely.code, 2);
  assertMatch(
    lonely.stderr,
    /--upload-limit has no effect without --cooperate/,
  );
  assertEquals(none.code, 2);
  assertMatch(none.stderr, /none/);
});

Deno.test("dash-client --cooperate has players of a live title share it, in one process and in two, by what the CDN vouches for", async () => {
  await using origin = await startProgram(
    "origin --host 127.0.0.1 --port 0 --live --segment 1s --audio --ladder 360p@200k,480p@600k"
      .split(" "),
  );
  const { port } = await origin.until("role.listening");
  const url = `http://127.0.0.1:${port}/manifest.mpd`;
  await using other = await startProgram([
    ...["dash-client", url, "--cooperate", "--host", "127.0.0.1"],
    ...["--duration", "30s"],
  ]);
  await other.until("segment.downloaded");
  const run = await runProgram([
    ...["dash-client", url, "--cooperate", "--host", "127.0.0.1"],
    ..."--clients 2 --stagger 500ms --duration 8s --json".split(" "),
  ]);
  assertEquals(run.code, 0, run.stderr);
  const { sharing, clients } = JSON.parse(run.stdout);
  // By the CDN alone it would be 3 copies; two of the players have at most what one of them got of it.
  assert(sharing.peerBytes > sharing.cdnBytes / 4, run.stdout);
  for (const client of clients) assertEquals(client.complete, true);
  // Of what the other process gave, the CDN was asked what it is.
  const asked = origin.events.filter((event) =>
    event.type === "origin.answered" && event.method === "HEAD"
  );
  assert(asked.length > 0, "nobody asked for a digest");
});
