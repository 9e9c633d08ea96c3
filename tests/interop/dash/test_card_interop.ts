/** Other people's programs at our origin: ffmpeg and ffprobe decode the test card, xmllint checks the manifest, curl asks for parts. */
import { assert, assertEquals } from "@std/assert";
import { concat, equalBytes } from "../../../lib/core/bytes.ts";
import { seededRng } from "../../../lib/core/rng.ts";
import {
  macroblocksOf,
  pictureParameterSet,
  sequenceParameterSet,
} from "../../../lib/media/coding/h264.ts";
import {
  createMosaic,
  type Mosaic,
} from "../../../lib/media/picture/mosaic.ts";
import { MosaicEncoder } from "../../../lib/media/coding/mosaic_encoder.ts";
import {
  INIT_NAME,
  lecturePlan,
  segmentFrames,
} from "../../../lib/media/title/title_plan.ts";
import {
  RUNGS,
  SEGMENT_COUNT,
  segmentName,
  TITLE_FRAMES,
} from "../../support/lecture_title.ts";
import { startOrigin } from "../../support/origin.ts";
import { runTool, temporaryFolder } from "../../support/program.ts";

/** MPEG's DASH-MPD.xsd with the XLink schema it imports beside it. Not ours to ship: the public repository MPEGGroup/DASHSchema has it. */
function schemaFile(): string {
  const file = Deno.env.get("ROLECALL_DASH_XSD");
  assert(file, "ROLECALL_DASH_XSD must name MPEG's DASH-MPD.xsd");
  return file;
}

/** Runs a tool that must succeed without a word on stderr. */
async function silently(
  command: string,
  args: readonly string[],
  timeoutMs = 120_000,
): Promise<string> {
  const { code, stdout, stderr } = await runTool(command, args, { timeoutMs });
  assertEquals([code, stderr], [0, ""]);
  return stdout;
}

/** A mosaic as planar YUV, cropped to the picture: what a decoder should put out. */
function planar(mosaic: Mosaic, width: number, height: number): Uint8Array {
  const planes = [
    { cells: mosaic.luma, stride: 4 * mosaic.columns, width, height },
    ...[mosaic.cb, mosaic.cr].map((cells) => ({
      cells,
      stride: 2 * mosaic.columns,
      width: width / 2,
      height: height / 2,
    })),
  ];
  return concat(...planes.map((plane) =>
    Uint8Array.from(
      { length: plane.width * plane.height },
      (_, at) => {
        const x = (at % plane.width) >> 2;
        const y = Math.floor(at / plane.width) >> 2;
        return plane.cells[y * plane.stride + x]!;
      },
    )
  ));
}

Deno.test("ffmpeg decodes any mosaic to exactly what the encoder says it shows", async () => {
  await using folder = await temporaryFolder();
  const rng = seededRng(264);
  const startCode = Uint8Array.of(0, 0, 0, 1);
  // 854 needs cropping to the right, 360 at the bottom; a level for each is enough.
  const format = { width: 214, height: 120, framesPerSecond: 24, levelIdc: 30 };
  const { columns, rows } = macroblocksOf(format);
  const picture = createMosaic(columns, rows);
  const encoder = new MosaicEncoder(columns, rows);
  const stream: Uint8Array[] = [];
  const shown: Uint8Array[] = [];
  for (let index = 0; index < 80; index++) {
    const key = index % 40 === 0;
    // From wild noise, where every code is escaped, to a few cells that change a little.
    const span = [256, 64, 16, 4][index % 4]!;
    for (const plane of [picture.luma, picture.cb, picture.cr]) {
      for (let at = 0; at < plane.length; at++) {
        if (key || rng() < 0.1) plane[at] = 128 + span * (rng() - 0.5);
      }
    }
    if (key) stream.push(startCode, sequenceParameterSet(format));
    if (key) stream.push(startCode, pictureParameterSet());
    stream.push(
      startCode,
      key
        ? encoder.encodeKey(picture, index / 40)
        : encoder.encodeChanges(picture),
    );
    shown.push(planar(encoder.shown, format.width, format.height));
  }
  const input = `${folder.path}/mosaic.h264`;
  const output = `${folder.path}/mosaic.yuv`;
  await Deno.writeFile(input, concat(...stream));
  await silently("ffmpeg", [
    ...["-v", "error", "-xerror", "-err_detect", "explode", "-i", input],
    ...["-f", "rawvideo", "-pix_fmt", "yuv420p", output],
  ]);
  assert(equalBytes(await Deno.readFile(output), concat(...shown)));
});

Deno.test("ffmpeg decodes every rate of manifest.mpd to the end without a word", async () => {
  const { program, url } = await startOrigin();
  await using _ = program;
  // framecrc prints a line for each picture: stream, dts, pts, duration, size, checksum.
  const lines = await silently("ffmpeg", [
    ...["-v", "error", "-i", `${url}/manifest.mpd`, "-map", "0"],
    ...["-f", "framecrc", "-"],
  ], 120_000);
  const pictures = RUNGS.map((_, stream) =>
    lines.split("\n").filter((line) => line.startsWith(`${stream},`))
  );
  assertEquals(pictures.map((some) => some.length), [
    TITLE_FRAMES,
    TITLE_FRAMES,
    TITLE_FRAMES,
  ]);
  // Something moves in every picture.
  const sums = pictures[2]!.map((line) => line.split(",").at(-1)!.trim());
  assertEquals(new Set(sums).size, TITLE_FRAMES);
});

Deno.test("ffprobe reports sizes, rates, key pictures and the duration", async () => {
  await using folder = await temporaryFolder();
  const { program, url } = await startOrigin();
  await using _ = program;
  const { streams } = JSON.parse(
    await silently("ffprobe", [
      ...["-v", "error", "-of", "json", "-show_entries"],
      "stream=codec_name,profile,width,height,avg_frame_rate",
      `${url}/manifest.mpd`,
    ]),
  );
  assertEquals(
    streams,
    RUNGS.map(({ width, height }) => ({
      codec_name: "h264",
      profile: "Constrained Baseline",
      width,
      height,
      avg_frame_rate: "24/1",
    })),
  );
  const get = async (name: string) =>
    new Uint8Array(await (await fetch(`${url}/${name}`)).arrayBuffer());
  const parts = [await get(INIT_NAME)];
  for (let number = 1; number <= SEGMENT_COUNT; number++) {
    parts.push(await get(segmentName(360, number)));
  }
  const file = `${folder.path}/360.mp4`;
  await Deno.writeFile(file, concat(...parts));
  const probed = JSON.parse(
    await silently("ffprobe", [
      ...["-v", "error", "-of", "json", "-show_entries"],
      "format=duration:packet=flags,pts_time",
      file,
    ]),
  );
  assertEquals(probed.format.duration, "634.625000");
  assertEquals(probed.packets.length, TITLE_FRAMES);
  const keys: string[] = probed.packets
    .filter(({ flags }: { flags: string }) => flags.startsWith("K"))
    .map((packet: { pts_time: string }) => packet.pts_time);
  assertEquals(
    keys.map(Number),
    Array.from({ length: SEGMENT_COUNT }, (_, at) => 5 * at),
  );
});

Deno.test("ffmpeg decodes a single segment of each rate, first, middle and last", async () => {
  await using folder = await temporaryFolder();
  const { program, url } = await startOrigin();
  await using _ = program;
  const get = async (name: string) =>
    new Uint8Array(await (await fetch(`${url}/${name}`)).arrayBuffer());
  const init = await get(INIT_NAME);
  for (const { width, height } of RUNGS) {
    for (const number of [1, 64, SEGMENT_COUNT]) {
      const file = `${folder.path}/${height}_${number}.mp4`;
      const segment = await get(segmentName(height, number));
      await Deno.writeFile(file, concat(init, segment));
      const lines = await silently("ffmpeg", [
        ...["-v", "error", "-xerror", "-err_detect", "explode", "-i", file],
        ...["-f", "framecrc", "-"],
      ]);
      assert(lines.includes(`#dimensions 0: ${width}x${height}`));
      const pictures = lines.split("\n").filter((line) => /^0,/.test(line));
      assertEquals(pictures.length, segmentFrames(lecturePlan(), number));
    }
  }
});

Deno.test("xmllint finds the manifest valid against MPEG's schema, whatever the title", async () => {
  await using folder = await temporaryFolder();
  for (const title of ["Test card", `<Tom> & "Jerry" ]]> é \u0007`]) {
    const { program, url } = await startOrigin("--title", title);
    await using _ = program;
    const file = `${folder.path}/manifest.mpd`;
    await Deno.writeTextFile(
      file,
      await (await fetch(`${url}/manifest.mpd`)).text(),
    );
    const { code, stderr } = await runTool("xmllint", [
      ...["--noout", "--nonet", "--schema", schemaFile(), file],
    ]);
    assertEquals([code, stderr.trim()], [0, `${file} validates`]);
  }
});

Deno.test("curl resumes, revalidates, asks for parts and is refused what is elsewhere", async () => {
  await using folder = await temporaryFolder();
  await using work = await temporaryFolder();
  const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => at % 251);
  await Deno.writeFile(`${folder.path}/film.mp4`, bytes);
  const { program, url } = await startOrigin("--root", folder.path);
  await using _ = program;
  const file = `${work.path}/film.mp4`;
  const film = `${url}/film.mp4`;
  const curl = async (...args: string[]) =>
    (await silently("curl", ["-sS", "-w", "%{http_code}", ...args])).slice(-3);
  assertEquals(await curl("-r", "0-99999", "-o", file, film), "206");
  assertEquals(await curl("-C", "-", "-o", file, film), "206");
  assert(equalBytes(await Deno.readFile(file), bytes));
  const etag = `${work.path}/etag`;
  assertEquals(await curl("--etag-save", etag, "-o", file, film), "200");
  assertEquals(await curl("--etag-compare", etag, "-o", file, film), "304");
  assertEquals(await curl("-R", "-o", file, film), "200");
  assertEquals(await curl("-z", file, "-o", `${file}.2`, film), "304");
  assertEquals(await curl("-r", "300000-", "-o", file, film), "416");
  assertEquals(
    await curl("-r", "0-1,5-6", "-o", file, film),
    "206",
  );
  assert((await Deno.readTextFile(file)).includes("bytes 5-6/300000"));
  assertEquals(await curl("-I", "-o", file, film), "200");
  assert(/content-length: 300000\r/i.test(await Deno.readTextFile(file)));
  assertEquals(await curl("-d", "x", "-o", file, film), "405");
  assertEquals(
    await curl("--path-as-is", "-o", file, `${url}/../../etc/passwd`),
    "400",
  );
});
