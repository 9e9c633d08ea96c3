import { assertEquals, assertRejects } from "@std/assert";
import { utf8 } from "../../../../lib/core/bytes.ts";
import { InputError } from "../../../../lib/core/errors.ts";
import type { Processes } from "../../../../lib/io/processes.ts";
import {
  pictureArgs,
  probeMovie,
  soundArgs,
} from "../../../../roles/origin/ingest/ffmpeg.ts";

/** Tools that answer with `output`, and were started with `started`. */
function toolsOf(output: string, { code = 0, said = "" } = {}) {
  const started: string[][] = [];
  const processes = {
    startTool(_: string, args: string[]) {
      started.push(args);
      return {
        output: (async function* () {
          yield await Promise.resolve(utf8(output));
        })(),
        exited: Promise.resolve({ code, said }),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    },
  } as unknown as Processes;
  return { processes, started };
}

Deno.test("ffmpeg gets a movie as a file, whatever its name looks like", async () => {
  const frameRate = { frames: 25, perSeconds: 1 };
  for (const movie of ["part 1: dogs.mp4", "-i.mp4"]) {
    const { processes, started } = toolsOf(JSON.stringify({
      streams: [{ codec_type: "video", avg_frame_rate: "25/1" }],
      format: { duration: "8" },
    }));
    const found = await probeMovie(movie, processes);
    assertEquals(found, {
      ...{ seconds: 8, frameRate, hasSound: false },
      ...{ picturesEnd: undefined, soundEnd: undefined },
    });
    assertEquals(started[0]!.at(-1), `file:${movie}`);
    const picture = pictureArgs({
      ...{ movie, codec: "h264", height: 90, bitsPerSecond: 1e5, frameRate },
      ...{ segmentFrames: 50, threads: 1, fromSeconds: 0 },
      standsUntil: undefined,
    });
    for (const args of [picture, soundArgs(movie, 8)]) {
      assertEquals(args[args.indexOf("-i") + 1], `file:${movie}`);
    }
  }
});

Deno.test("probeMovie says why a file is no movie, and takes no cover for one", async () => {
  const { processes } = toolsOf("", { code: 1, said: "file:a.txt: Invalid" });
  const error = await assertRejects(
    () => probeMovie("a.txt", processes),
    InputError,
  );
  assertEquals(error.message, "Cannot ingest a.txt: Invalid");
  const record = toolsOf(JSON.stringify({
    streams: [{ codec_type: "audio" }, {
      codec_type: "video",
      disposition: { attached_pic: 1 },
    }],
    format: { duration: "8" },
  }));
  await assertRejects(
    () => probeMovie("a.mp3", record.processes),
    InputError,
    "pictures",
  );
});

Deno.test("probeMovie says when pictures and sound end, as MP4 and as Matroska tell it", async () => {
  const streams = [
    [
      { codec_type: "video", start_time: "0.5", duration: "8.000000" },
      { codec_type: "audio", start_time: "0", duration: "9.25" },
    ],
    [
      { codec_type: "video", tags: { DURATION: "00:00:08.500000000" } },
      { codec_type: "audio", tags: { DURATION: "01:02:09.250000000" } },
    ],
    [{ codec_type: "video", duration: "N/A" }, { codec_type: "audio" }],
  ];
  const ends = [];
  for (const each of streams) {
    const format = { duration: "8" };
    const { processes } = toolsOf(JSON.stringify({ streams: each, format }));
    const { picturesEnd, soundEnd } = await probeMovie("a", processes);
    ends.push([picturesEnd, soundEnd]);
  }
  assertEquals(ends, [[8.5, 9.25], [8.5, 3729.25], [undefined, undefined]]);
});

Deno.test("pictureArgs lets the last picture stand until a moment, from wherever it begins", () => {
  const job = {
    movie: "a.mp4",
    codec: "h264",
    height: 90,
    bitsPerSecond: 1e5,
    frameRate: { frames: 25, perSeconds: 1 },
    segmentFrames: 50,
    threads: 1,
    standsUntil: 9.01,
  } as const;
  for (const [fromSeconds, frames] of [[0, "226"], [4, "126"]] as const) {
    const args = pictureArgs({ ...job, fromSeconds });
    assertEquals(args[args.indexOf("-frames:v") + 1], frames);
  }
});
