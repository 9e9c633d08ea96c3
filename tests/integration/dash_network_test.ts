import { assert, assertEquals } from "@std/assert";
import { runProgram } from "../support/program.ts";
import { answerOf, SEGMENTS } from "../support/small_title.ts";

Deno.test("dash-client --trace is no faster than its trace", async () => {
  await using site = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => answerOf(new URL(request.url).pathname),
  );
  const folder = await Deno.makeTempDir();
  const trace = `${folder}/slow.csv`;
  await Deno.writeTextFile(
    trace,
    "duration_ms,kbps,latency_ms\n1000,72,100\n1000,24,100\n",
  );
  const run = await runProgram([
    "dash-client",
    `http://127.0.0.1:${site.addr.port}/film.mpd`,
    ..."--abr fixed --quality highest --speed 20 --json --trace".split(" "),
    trace,
  ]);
  await Deno.remove(folder, { recursive: true });
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
