/** A movie made by ffmpeg becomes a title: in every form, decoded by ffmpeg and valid by MPEG's schema, played by our own player. */
import { assert, assertEquals } from "@std/assert";
import {
  runProgram,
  runTool,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";

const SECONDS = 5;
const FRAMES = 25 * SECONDS;

/** Has ffmpeg make a small movie with sound. */
async function makeMovie(folder: string): Promise<string> {
  const file = `${folder}/movie.mp4`;
  const { code, stderr } = await runTool("ffmpeg", [
    ..."-v error -y -f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine"
      .split(" "),
    ...["-t", String(SECONDS), "-c:v", "libx264", "-preset", "ultrafast"],
    ...["-c:a", "aac", file],
  ]);
  assertEquals(code, 0, stderr);
  return file;
}

function schemaFile(): string {
  const file = Deno.env.get("ROLECALL_DASH_XSD");
  assert(file, "ROLECALL_DASH_XSD must name MPEG's DASH-MPD.xsd");
  return file;
}

const SMALL = "--ladder 90p@60k,180p@200k --segment 2s".split(" ");

async function ingest(movie: string, root: string, ...flags: string[]) {
  const run = await runProgram(
    ["origin", "--ingest", movie, "--root", root, ...SMALL, ...flags, "--json"],
    { timeoutMs: 120_000 },
  );
  assertEquals(run.code, 0, run.stderr);
  return JSON.parse(run.stdout);
}

/** Pictures that ffmpeg decodes of what a URL lists, without a word. */
async function decode(url: string, streams: string): Promise<number> {
  const { code, stdout, stderr } = await runTool("ffmpeg", [
    ...["-v", "error", "-i", url, "-map", streams, "-fps_mode", "passthrough"],
    ...["-f", "framecrc", "-"],
  ]);
  assertEquals([code, stderr], [0, ""]);
  return stdout.split("\n").filter((line) => /^\d/.test(line)).length;
}

const FORMS: readonly (readonly [string, readonly string[]])[] = [
  ["list", []],
  ["number", []],
  ["time", ["--codec", "h265"]],
  ["base", ["--codec", "vp9"]],
];

for (const [addressing, more] of FORMS) {
  Deno.test(`origin --ingest --addressing ${addressing} ${more.join(" ")} makes a title that ffmpeg decodes, xmllint validates and dash-client plays`, async () => {
    await using folder = await temporaryFolder();
    const movie = await makeMovie(folder.path);
    const root = `${folder.path}/title`;
    const result = await ingest(
      movie,
      root,
      ...["--audio", "--hls", "--addressing", addressing, ...more],
    );
    assertEquals(
      result.tracks.map((track: { segmentCount: number }) =>
        track.segmentCount
      ),
      [3, 3, 3],
    );
    const manifest = `${root}/manifest.mpd`;
    const { code, stderr } = await runTool("xmllint", [
      ...["--noout", "--nonet", "--schema", schemaFile(), manifest],
    ]);
    assertEquals([code, stderr.trim()], [0, `${manifest} validates`]);
    await using origin = await startProgram([
      ..."origin --host 127.0.0.1 --port 0 --root".split(" "),
      root,
    ]);
    const { port } = await origin.until("role.listening");
    const url = `http://127.0.0.1:${port}`;
    // ffmpeg 5.1 asks for one segment more than there is by number, and of two rates at once it forgets a last picture.
    for (const streams of addressing === "number" ? [] : ["0:v:0", "0:v:1"]) {
      assertEquals(await decode(`${url}/manifest.mpd`, streams), FRAMES);
    }
    assertEquals(await decode(`${url}/master.m3u8`, "0:v"), 2 * FRAMES);
    const play = await runProgram([
      "dash-client",
      `${url}/manifest.mpd`,
      ..."--speed 10 --start-buffer 5s --json".split(" "),
    ]);
    assertEquals(play.code, 0, play.stderr);
    const { complete, stallCount, segments } = JSON.parse(play.stdout);
    assertEquals([complete, stallCount], [true, 0]);
    assertEquals(segments.length, 3);
  });
}

Deno.test("origin --ingest keeps sound and pictures together when the sound begins late or pauses, and tells the shape of upright pictures", async () => {
  await using folder = await temporaryFolder();
  const movie = `${folder.path}/movie.mkv`;
  // 1 s without a sound, 1 s of a tone, 1 s without a packet, and a tone again.
  const made = await runTool("ffmpeg", [
    ..."-v error -y -f lavfi -i testsrc2=size=180x320:rate=25:duration=5"
      .split(" "),
    ..."-f lavfi -i sine=duration=4 -af".split(" "),
    "aselect='not(between(t,1,2))',asetpts=PTS+1/TB",
    ..."-map 0:v -map 1:a -c:v libx264 -preset ultrafast -c:a pcm_s16le"
      .split(" "),
    movie,
  ]);
  assertEquals(made.code, 0, made.stderr);
  const root = `${folder.path}/title`;
  await ingest(movie, root, "--audio");
  const heard = await runTool("ffmpeg", [
    ...["-v", "info", "-i", `${root}/manifest.mpd`, "-map", "0:a"],
    ..."-af silencedetect=noise=-40dB:d=0.3 -f null -".split(" "),
  ]);
  const times = [...heard.stderr.matchAll(/silence_(?:start|end): ([\d.]+)/g)]
    .map(([, seconds]) => Math.round(10 * Number(seconds)) / 10);
  assertEquals(times.slice(0, 4), [0, 1, 2, 3], heard.stderr);
  const manifest = await Deno.readTextFile(`${root}/manifest.mpd`);
  assertEquals(/ par="([^"]*)"/.exec(manifest)?.[1], "9:16");
});

/** Of pictures and sound of a title, how many segments, and how many seconds ffmpeg finds in them. */
async function lengthsOf(root: string, names: readonly string[]) {
  const lengths = [];
  for (
    const [name, init] of names.map((name) => [
      name,
      `manifest_set${name === "audio" ? 2 : 1}_init.mp4`,
    ])
  ) {
    const file = `${root}/../whole.mp4`;
    await Deno.copyFile(`${root}/${init}`, file);
    let count = 0;
    for (;; count++) {
      const part = await Deno.readFile(`${root}/${name}_${count + 1}.m4s`)
        .catch(() => undefined);
      if (part === undefined) break;
      await Deno.writeFile(file, part, { append: true });
    }
    const { stdout } = await runTool("ffprobe", [
      ..."-v error -show_entries format=duration -of csv=p=0".split(" "),
      file,
    ]);
    lengths.push([name, count, Math.round(20 * Number(stdout)) / 20]);
  }
  return lengths;
}

for (const [pictures, sound] of [[5, 9], [9, 4]]) {
  Deno.test(`origin --ingest makes pictures of ${pictures} s and sound of ${sound} s equally long: a picture stands, or there is silence`, async () => {
    await using folder = await temporaryFolder();
    const movie = `${folder.path}/movie.mp4`;
    const made = await runTool("ffmpeg", [
      ..."-v error -y -f lavfi -i".split(" "),
      `testsrc2=size=320x180:rate=25:duration=${pictures}`,
      ...["-f", "lavfi", "-i", `sine=duration=${sound}`],
      ..."-c:v libx264 -preset ultrafast -c:a aac".split(" "),
      movie,
    ]);
    assertEquals(made.code, 0, made.stderr);
    const root = `${folder.path}/title`;
    const all = ["video_90", "video_180", "audio"];
    const number = ["--audio", "--hls", "--addressing", "number"];
    await ingest(movie, root, ...number);
    const whole = all.map((name) => [name, 5, 9]);
    assertEquals(await lengthsOf(root, all), whole);
    const manifest = await Deno.readTextFile(`${root}/manifest.mpd`);
    assertEquals(/Duration="([^"]*)"/.exec(manifest)?.[1], "PT0H0M9.000S");
    await using origin = await startProgram([
      ..."origin --host 127.0.0.1 --port 0 --root".split(" "),
      root,
    ]);
    const { port } = await origin.until("role.listening");
    const url = `http://127.0.0.1:${port}`;
    assertEquals(await decode(`${url}/master.m3u8`, "0:v"), 2 * 9 * 25);
    const play = await runProgram([
      "dash-client",
      `${url}/manifest.mpd`,
      ..."--speed 10 --start-buffer 5s --json".split(" "),
    ]);
    const { complete, stallCount, playedMs } = JSON.parse(play.stdout);
    assertEquals([complete, stallCount, playedMs], [true, 0, 9000]);
    // What was stopped where a picture stands goes on as well.
    const again = `${folder.path}/again`;
    await Deno.mkdir(again);
    for await (const { name } of Deno.readDir(root)) {
      const isLast = /_5\.m4s$|\.(mpd|m3u8)$/.test(name);
      if (!isLast) await Deno.copyFile(`${root}/${name}`, `${again}/${name}`);
    }
    const state = JSON.parse(await Deno.readTextFile(`${again}/.ingest.json`));
    await Deno.writeTextFile(
      `${again}/.ingest.json`,
      JSON.stringify({ ...state, done: [] }),
    );
    await ingest(movie, again, ...number);
    assertEquals(await lengthsOf(again, all), whole);
  });
}

Deno.test("origin --ingest does not take the cover of a record for a film", async () => {
  await using folder = await temporaryFolder();
  const record = `${folder.path}/record.mp3`;
  const made = await runTool("ffmpeg", [
    ..."-v error -y -f lavfi -i sine=duration=1 -f lavfi -i testsrc2=size=64x64:duration=1"
      .split(" "),
    ..."-map 0 -map 1 -frames:v 1 -c:v png -disposition:v attached_pic".split(
      " ",
    ),
    record,
  ]);
  assertEquals(made.code, 0, made.stderr);
  const { code, stderr } = await runProgram(
    ["origin", "--ingest", record, "--root", `${folder.path}/title`],
  );
  assertEquals([code, /must have pictures/.test(stderr)], [2, true], stderr);
});

Deno.test("origin --ingest goes on where it was stopped, and does not touch another title", async () => {
  await using folder = await temporaryFolder();
  const movie = await makeMovie(folder.path);
  const root = `${folder.path}/title`;
  const stopped = await startProgram([
    ...["origin", "--ingest", movie, "--root", root, ...SMALL],
  ]);
  await stopped.until("ingest.progressed");
  await stopped.stop();
  const kept = await Deno.stat(`${root}/video_180_1.m4s`)
    .catch(() => Deno.stat(`${root}/video_90_1.m4s`));
  await ingest(movie, root);
  // What was there is there still: it was not encoded again.
  const after = await Deno.stat(`${root}/video_180_1.m4s`);
  const other = await Deno.stat(`${root}/video_90_1.m4s`);
  assert(
    [after, other].some(({ mtime }) =>
      mtime!.getTime() === kept.mtime!.getTime()
    ),
  );
  for (const height of [90, 180]) {
    const parts = [`${root}/manifest_set1_init.mp4`];
    for (const at of [1, 2, 3]) parts.push(`${root}/video_${height}_${at}.m4s`);
    const file = `${folder.path}/${height}.mp4`;
    for (const part of parts) {
      await Deno.writeFile(file, await Deno.readFile(part), { append: true });
    }
    const { stdout } = await runTool("ffprobe", [
      ..."-v error -count_frames -show_entries stream=nb_read_frames,height -of csv=p=0"
        .split(" "),
      file,
    ]);
    assertEquals(stdout.trim(), `${height},${FRAMES}`);
  }
  const run = await runProgram([
    ..."origin --ladder 90p --ingest".split(" "),
    ...[movie, "--root", root],
  ]);
  assertEquals([run.code, run.stderr.trim().split("\n").length], [2, 1]);
});

Deno.test("origin --ingest says in one line that ffmpeg is missing, or that a file is no movie", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/notes.mp4`;
  await Deno.writeTextFile(file, "not a movie");
  const bad = await runProgram([
    "origin",
    "--ingest",
    file,
    "--root",
    `${folder.path}/t`,
  ]);
  assertEquals([bad.code, bad.stderr.trim().split("\n").length], [2, 1]);
  const without = await runProgram(
    ["origin", "--ingest", file, "--root", `${folder.path}/t`],
    { env: { PATH: folder.path } },
  );
  assertEquals(without.code, 1);
  assert(without.stderr.includes("apt install ffmpeg"), without.stderr);
});
