/**
 * The player against what others make and serve: titles by ffmpeg's DASH muxer in all its forms, behind Python's
 * web server; and our own origin.
 */
import { assert, assertEquals } from "@std/assert";
import { startOrigin } from "../../support/origin.ts";
import { runProgram, runTool, temporaryFolder } from "../../support/program.ts";

const MEDIA_S = 12;
const SEGMENT_S = 2;
const HEIGHTS = [180, 270, 360];

/** Has ffmpeg make a title of three rates in `folder`. */
async function makeTitle(
  folder: string,
  options: readonly string[],
): Promise<void> {
  const rates = ["60k", "150k", "400k"];
  const { code, stderr } = await runTool("ffmpeg", [
    ..."-v error -y -f lavfi -i testsrc=size=640x360:rate=12 -f lavfi -i sine"
      .split(" "),
    ...["-t", String(MEDIA_S), "-filter_complex"],
    "[0:v]split=3[a][b][c];[a]scale=320:180[x];[b]scale=480:270[y];[c]null[z]",
    ..."-map [z] -map [x] -map [y] -map 1:a".split(" "),
    ..."-c:v libx264 -preset ultrafast -g 24 -keyint_min 24 -sc_threshold 0"
      .split(" "),
    ...["-b:v:0", rates[2]!, "-b:v:1", rates[0]!, "-b:v:2", rates[1]!],
    ..."-c:a aac -b:a 64k -f dash -adaptation_sets".split(" "),
    "id=0,streams=v id=1,streams=a",
    ...["-seg_duration", String(SEGMENT_S), ...options],
    `${folder}/manifest.mpd`,
  ]);
  assertEquals(code, 0, stderr);
}

/** Python's web server for `folder`; its port is read from what it says. */
async function servePython(
  folder: string,
): Promise<AsyncDisposable & { readonly port: number }> {
  const child = new Deno.Command("python3", {
    args: ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
    cwd: folder,
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!/port \d+/.test(said)) {
    const { value, done } = await reader.read();
    assert(!done, "python3 -m http.server did not start");
    said += value;
  }
  return {
    port: Number(/port (\d+)/.exec(said)![1]),
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await reader.cancel();
      await child.status;
    },
  };
}

const FORMS: readonly (readonly [name: string, options: readonly string[]])[] =
  [
    ["SegmentTemplate with SegmentTimeline", []],
    ["SegmentTemplate@duration", ["-use_timeline", "0"]],
    ["SegmentList", ["-use_template", "0"]],
    [
      "SegmentList of byte ranges",
      ["-use_template", "0", "-single_file", "1"],
    ],
  ];

for (const [name, options] of FORMS) {
  Deno.test(`dash-client plays ffmpeg's ${name} from Python's server`, async () => {
    await using folder = await temporaryFolder();
    await makeTitle(folder.path, options);
    await using server = await servePython(folder.path);
    const ranges = options.includes("-single_file");
    const run = await runProgram([
      "dash-client",
      `http://127.0.0.1:${server.port}/manifest.mpd`,
      ..."--speed 10 --start-buffer 5s --json".split(" "),
    ]);
    if (ranges) {
      // Python's server knows no ranges and sends whole files: said in one line, not played wrongly.
      assertEquals(run.code, 1);
      assert(run.stderr.includes("byte ranges"));
      return;
    }
    assertEquals(run.code, 0, run.stderr);
    const result = JSON.parse(run.stdout);
    assertEquals(
      result.ladder.map((rung: { height: number }) => rung.height),
      HEIGHTS,
    );
    assertEquals(result.segments.length, MEDIA_S / SEGMENT_S);
    assertEquals([result.complete, result.stallCount], [true, 0]);
    assertEquals(Math.round(result.playedMs / 100), MEDIA_S * 10);
    assertEquals(result.segments.at(-1).height, 360);
  });
}

Deno.test("dash-client --download-only saves a file that ffprobe counts every frame of", async () => {
  await using folder = await temporaryFolder();
  await makeTitle(folder.path, []);
  await using server = await servePython(folder.path);
  const file = `${folder.path}/saved.mp4`;
  const run = await runProgram([
    "dash-client",
    `http://127.0.0.1:${server.port}/manifest.mpd`,
    ..."--download-only --quality 270p --save".split(" "),
    file,
  ]);
  assertEquals(run.code, 0, run.stderr);
  const probe = await runTool("ffprobe", [
    ..."-v error -count_frames -of csv=p=0 -show_entries stream=height,nb_read_frames"
      .split(" "),
    file,
  ]);
  assertEquals([probe.stdout.trim(), probe.stderr], [
    `270,${MEDIA_S * 12}`,
    "",
  ]);
});

Deno.test("dash-client plays byte ranges of ffmpeg's single files from our origin", async () => {
  await using folder = await temporaryFolder();
  await makeTitle(folder.path, ["-use_template", "0", "-single_file", "1"]);
  const origin = await startOrigin("--root", folder.path);
  await using _ = origin.program;
  const file = `${folder.path}/saved.mp4`;
  const url = `${origin.url}/manifest.mpd`;
  const run = await runProgram([
    "dash-client",
    url,
    ..."--download-only --quality 360p --save".split(" "),
    file,
  ]);
  assertEquals(run.code, 0, run.stderr);
  const [saved, whole] = await Promise.all([
    Deno.readFile(file),
    Deno.readFile(`${folder.path}/${singleFileOf(folder.path, "360")}`),
  ]);
  // The ranges of a rate, one after the other, are the start of its file (an index may follow).
  assertEquals(saved, whole.subarray(0, saved.length));
  assert(saved.length > whole.length / 2);
  const play = await runProgram(["dash-client", url, "--speed", "10"]);
  assertEquals(play.code, 0, play.stderr);
});

/** The file that holds the rate of a height in a single-file title. */
function singleFileOf(folder: string, height: string): string {
  const mpd = Deno.readTextFileSync(`${folder}/manifest.mpd`);
  const start = mpd.indexOf(`height="${height}"`);
  return /<BaseURL>([^<]+)<\/BaseURL>/.exec(mpd.slice(start))![1]!;
}

Deno.test("dash-client plays our origin's own title", async () => {
  const { program, url } = await startOrigin();
  await using _ = program;
  const run = await runProgram([
    "dash-client",
    `${url}/manifest.mpd`,
    ..."--duration 30s --speed 10 --json".split(" "),
  ]);
  assertEquals(run.code, 0, run.stderr);
  const result = JSON.parse(run.stdout);
  assertEquals(result.segments.length, 6);
  assertEquals(
    result.ladder.map((rung: { height: number }) => rung.height),
    [360, 480, 720],
  );
  assertEquals(Math.round(result.playedMs), 30_000);
});
