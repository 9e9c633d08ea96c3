/**
 * Low-latency live titles (chunked CMAF) between us and others, through an edge: dash.js in Chromium plays ours, our
 * player plays what ffmpeg's muxer sends while it makes it. Who waits for whole segments is never nearer to the live
 * edge than one is long.
 */
import { assert, assertEquals } from "@std/assert";
import { openPage } from "../../support/browser.ts";
import { startEdge } from "../../support/edge.ts";
import { startOrigin } from "../../support/origin.ts";
import { servePlayerPages } from "../../support/player_pages.ts";
import { startProgram } from "../../support/program.ts";
import { servePushedTitle } from "../../support/pushed_title.ts";

const SEGMENT_S = 6;
const SEGMENT_MS = SEGMENT_S * 1000;

Deno.test("Chromium with dash.js plays the test card in chunks, through an edge, nearer to the live edge than a segment", async () => {
  await using pages = servePlayerPages();
  const { program, url } = await startOrigin(
    ...`--live --segment ${SEGMENT_S}s --chunk 500ms`.split(" "),
  );
  await using _ = program;
  const { program: edge, url: edgeUrl } = await startEdge([url]);
  await using __ = edge;
  const manifestUrl = `${edgeUrl}/manifest.mpd`;
  await using page = await openPage(pages.url("dash.js", manifestUrl));
  await page.until(
    `typeof seen === "object" && (seen.errors.length > 0 ||
      video.currentTime > 0 && video.played.length > 0 &&
      video.played.end(0) - video.played.start(0) > 2 &&
      player.getCurrentLiveLatency() < ${SEGMENT_S})`,
    {
      withinMs: 90_000,
      account:
        `typeof player === "object" && ({ ...seen, at: video.currentTime, latency: player.getCurrentLiveLatency() })`,
    },
  );
  assertEquals(await page.evaluate("seen.errors"), []);
  assertEquals(await page.evaluate("player.getTargetLiveDelay()"), 1.5);
});

Deno.test("dash-client plays what ffmpeg sends while it makes it, through an edge, nearer to the live edge than a segment", async () => {
  await using title = servePushedTitle();
  await using ffmpeg = startFfmpeg(title.url);
  await title.has("/manifest.mpd");
  await title.has("/chunk-stream0-00002.m4s");
  const { program, url } = await startEdge([title.url]);
  await using _ = program;
  await using client = await startProgram([
    ...["dash-client", `${url}/manifest.mpd`, "--catch-up", "0.5"],
  ]);
  const { latencyMs, targetMs, bufferMs } = await client.until(
    "latency.measured",
    (event) => event.latencyMs < SEGMENT_MS,
  );
  assert(targetMs < SEGMENT_MS && bufferMs < latencyMs);
  const segment = await client.until(
    "segment.downloaded",
    ({ segmentNumber }) => segmentNumber > 2,
  );
  assert(segment.idleMs! > 0, JSON.stringify(segment));
  const { code, stderr } = await client.stop();
  assertEquals(code, 0, stderr);
  assert(ffmpeg.isRunning());
});

/** ffmpeg making a live title until it is disposed of. */
function startFfmpeg(
  url: string,
): AsyncDisposable & { isRunning(): boolean } {
  const child = new Deno.Command("ffmpeg", {
    args: [
      ..."-nostdin -v error -re -f lavfi -i testsrc2=size=320x180:rate=25 -t 300"
        .split(" "),
      ..."-c:v libx264 -preset ultrafast -tune zerolatency -sc_threshold 0"
        .split(" "),
      ...["-g", String(SEGMENT_S * 25), "-b:v", "300k", "-f", "dash"],
      ...["-seg_duration", String(SEGMENT_S), "-target_latency", "1.5"],
      ..."-ldash 1 -streaming 1 -use_template 1 -use_timeline 0".split(" "),
      ..."-frag_type duration -frag_duration 0.2 -window_size 10".split(" "),
      ...["-utc_timing_url", `${url}/time`, "-method", "PUT"],
      `${url}/manifest.mpd`,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let isOver = false;
  const status = child.status.then(() => isOver = true);
  return {
    isRunning: () => !isOver,
    async [Symbol.asyncDispose]() {
      if (!isOver) child.kill("SIGKILL");
      await status;
    },
  };
}
