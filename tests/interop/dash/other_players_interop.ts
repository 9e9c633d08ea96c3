/**
 * dash.js and shaka in headless Chromium play what the origin makes: the test card with sound, live, as one file a
 * rate, and an ingested movie; straight from the origin and through an edge. Both come from the folder `ROLECALL_NPM`.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { openPage } from "../../support/browser.ts";
import { startOrigin } from "../../support/origin.ts";
import {
  type PlayerName,
  type PlayerPages,
  servePlayerPages,
} from "../../support/player_pages.ts";
import {
  runProgram,
  runTool,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";

/** Longest wait until enough has played. */
const PLAY_MS = 180_000;

/** Seconds that the page's video has played, whatever places it jumped to. */
const PLAYED =
  "Array.from(video.played, (_, at) => video.played.end(at) - video.played.start(at)).reduce((sum, one) => sum + one, 0)";

/** Plays two seconds and more of a manifest, with pictures and, where there is any, sound. */
async function play(
  name: PlayerName,
  manifestUrl: string,
  { pages, sound }: { readonly pages: PlayerPages; readonly sound: boolean },
): Promise<void> {
  await using page = await openPage(pages.url(name, manifestUrl));
  // A live title begins anywhere but at 0, and players jump before they play; the browser counts sound a little later.
  await page.until(
    `typeof seen === "object" && (seen.errors.length > 0 ||
      ${PLAYED} > 2 && (${!sound} || video.webkitAudioDecodedByteCount > 0))`,
    {
      withinMs: PLAY_MS,
      account:
        `typeof seen === "object" && ({ ...seen, played: ${PLAYED}, at: video.currentTime, state: video.readyState, sound: video.webkitAudioDecodedByteCount, end: video.buffered.length && video.buffered.end(0) })`,
    },
  );
  const folder = Deno.env.get("ROLECALL_PICTURES");
  if (folder !== undefined) {
    const file = `${name}-${new URL(manifestUrl).port}.png`;
    await Deno.writeFile(join(folder, file), await page.screenshot());
  }
  assertEquals(await page.evaluate("seen.errors"), []);
  assert(await page.evaluate<number>("video.videoHeight") >= 180);
  const soundBytes = await page.evaluate<number>(
    "video.webkitAudioDecodedByteCount",
  );
  assertEquals(soundBytes > 0, sound);
}

const TITLES: readonly (readonly [PlayerName, string])[] = [
  ["dash.js", "--audio --vbr 0.4 --addressing time --segment 2s"],
  ["shaka", "--audio --addressing base --segment 2s --duration 60s"],
  ["dash.js", "--live --segment 1s"],
  ["shaka", "--live --audio --segment 1s --addressing time"],
];

for (const [name, flags] of TITLES) {
  Deno.test(`Chromium with ${name} plays the test card of origin ${flags}`, async () => {
    await using pages = servePlayerPages();
    const { program, url } = await startOrigin(...flags.split(" "));
    await using _ = program;
    const sound = flags.includes("--audio");
    await play(name, `${url}/manifest.mpd`, { pages, sound });
  });
}

Deno.test("Chromium with dash.js and shaka plays an ingested movie, through an edge", async () => {
  await using folder = await temporaryFolder();
  const movie = `${folder.path}/movie.mp4`;
  const made = await runTool("ffmpeg", [
    ..."-v error -f lavfi -i testsrc2=size=640x360:rate=24 -f lavfi -i sine -t 8 -c:v libx264 -preset ultrafast -c:a aac"
      .split(" "),
    movie,
  ]);
  assertEquals(made.code, 0, made.stderr);
  const run = await runProgram([
    ..."origin --ladder 180p@100k,360p@400k --segment 2s --audio --ingest"
      .split(" "),
    ...[movie, "--root", `${folder.path}/title`],
  ]);
  assertEquals(run.code, 0, run.stderr);
  await using pages = servePlayerPages();
  const { program, url } = await startOrigin("--root", `${folder.path}/title`);
  await using _ = program;
  await using edge = await startProgram(
    ["edge", "--host", "127.0.0.1", "--port", "0", "--origin", `${url}/`],
  );
  const { port } = await edge.until("role.listening");
  for (const name of ["dash.js", "shaka"] as const) {
    await play(name, `http://127.0.0.1:${port}/manifest.mpd`, {
      pages,
      sound: true,
    });
  }
});
