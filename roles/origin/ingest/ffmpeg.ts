import { fromUtf8 } from "../../../lib/core/bytes.ts";
import { ByteCollector } from "../../../lib/core/byte_collector.ts";
import { InputError, RunError } from "../../../lib/core/errors.ts";
import type { Processes, RunningTool } from "../../../lib/io/processes.ts";

/** Codecs a movie can be encoded with. */
export const CODECS = ["h264", "h265", "vp9", "av1"] as const;
/** See {@linkcode CODECS}. */
export type Codec = typeof CODECS[number];

/** What is known of a movie before it is encoded. */
export interface Movie {
  readonly seconds: number;
  /** As a fraction, such as 30000/1001. */
  readonly frameRate: { readonly frames: number; readonly perSeconds: number };
  readonly hasSound: boolean;
  /** When the last picture and the sound end, in seconds, as far as the file says so. */
  readonly picturesEnd: number | undefined;
  readonly soundEnd: number | undefined;
}

/** Starts ffmpeg or ffprobe. @throws {RunError} With how to get it, if there is none. */
export function startFfmpeg(
  processes: Processes,
  command: "ffmpeg" | "ffprobe",
  args: readonly string[],
): RunningTool {
  try {
    return processes.startTool(command, args);
  } catch (error) {
    if (!(error instanceof RunError) || error.code !== "not-found") throw error;
    throw new RunError(
      "no-ffmpeg",
      `Cannot ingest: there is no ${command} on the PATH; get it with "apt install ffmpeg", "brew install ffmpeg", "winget install ffmpeg" or from https://ffmpeg.org/download.html`,
      { cause: error },
    );
  }
}

/** How ffmpeg is told of a file: what stands before a colon is a protocol to it, and what begins with a hyphen a flag. */
function fileUrl(path: string): string {
  return `file:${path}`;
}

/** Most that ffprobe's answer may be. */
const MAX_ANSWER_BYTES = 2 ** 20;

/**
 * Asks ffprobe what a movie is.
 *
 * @throws {InputError} If it is no movie with pictures and a length.
 */
export async function probeMovie(
  movie: string,
  processes: Processes,
): Promise<Movie> {
  await using tool = startFfmpeg(processes, "ffprobe", [
    ...["-v", "error", "-of", "json", "-show_entries"],
    "stream=codec_type,avg_frame_rate,start_time,duration:stream_disposition=attached_pic:stream_tags=DURATION:format=duration",
    fileUrl(movie),
  ]);
  const answer = new ByteCollector();
  for await (const part of tool.output) {
    if (answer.length < MAX_ANSWER_BYTES) answer.push(part);
  }
  const { code, said } = await tool.exited;
  if (code !== 0) {
    const why = said.split("\n").at(-1)!.replace(`${fileUrl(movie)}: `, "");
    throw new InputError(`Cannot ingest ${movie}: ${why}`);
  }
  const { streams = [], format = {} } = JSON.parse(fromUtf8(answer.bytes));
  // Not the cover of a record.
  const video = streams.find((one: Probed) =>
    one["codec_type"] === "video" && one.disposition?.["attached_pic"] !== 1
  );
  const seconds = Number(format.duration ?? video?.duration);
  if (video === undefined || !(seconds > 0)) {
    throw new InputError(
      `Cannot ingest ${movie}: it must have pictures and a length`,
    );
  }
  const sound = streams.find((one: Probed) => one["codec_type"] === "audio");
  return {
    seconds,
    frameRate: frameRateOf(video),
    hasSound: sound !== undefined,
    picturesEnd: endOf(video),
    soundEnd: sound && endOf(sound),
  };
}

/** A stream as ffprobe tells of it. */
interface Probed extends Readonly<Record<string, unknown>> {
  readonly disposition?: Readonly<Record<string, number>>;
  readonly tags?: Readonly<Record<string, string>>;
}

/** When a stream ends, in seconds: MP4 has its length, Matroska its end, as 00:01:02.5. */
function endOf(stream: Probed): number | undefined {
  const end = Number(stream["start_time"] ?? 0) + Number(stream["duration"]);
  if (end > 0) return end;
  const parts = stream.tags?.["DURATION"]?.split(":").map(Number) ?? [];
  const seconds = parts.reduce((sum, part) => 60 * sum + part, 0);
  return seconds > 0 ? seconds : undefined;
}

const USUAL_RATES = [
  [24_000, 1001],
  [24, 1],
  [25, 1],
  [30_000, 1001],
  [30, 1],
  [48, 1],
  [50, 1],
  [60_000, 1001],
  [60, 1],
] as const;

/** The usual rate nearest to the movie's mean: pictures have to be equally long for segments of all rates to begin together. */
function frameRateOf(video: Probed): Movie["frameRate"] {
  const [frames = 0, per = 0] = String(video["avg_frame_rate"] ?? "")
    .split("/").map(Number);
  const rate = per > 0 && frames > 0 ? frames / per : 25;
  const distance = ([frames, per]: readonly [number, number]) =>
    Math.abs(frames / per - rate);
  const [usual, perSeconds] = USUAL_RATES.reduce((a, b) =>
    distance(b) < distance(a) ? b : a
  );
  return { frames: usual, perSeconds };
}

/** How pictures are encoded. */
export interface PictureJob {
  readonly movie: string;
  readonly codec: Codec;
  readonly height: number;
  readonly bitsPerSecond: number;
  readonly frameRate: Movie["frameRate"];
  /** Pictures from one key picture to the next: a segment. */
  readonly segmentFrames: number;
  readonly threads: number;
  /** Where to begin in the movie. */
  readonly fromSeconds: number;
  /** Until when the last picture stands; undefined: for as long as any other. */
  readonly standsUntil: number | undefined;
}

/** The arguments that make one rate as fragmented MP4 on standard output: a fragment a segment. */
export function pictureArgs(job: PictureJob): string[] {
  const { frames, perSeconds } = job.frameRate;
  const rate = `${frames}/${perSeconds}`;
  const scale =
    `scale=w=2*round(${job.height}*dar/2):h=${job.height},setsar=1,format=yuv420p`;
  // A quarter of a picture early, so that rounding never loses the first one.
  const from = Math.max(0, job.fromSeconds - perSeconds / frames / 4);
  const { standsUntil } = job;
  const pictures = (seconds: number) =>
    Math.ceil(seconds * frames / perSeconds - 0.01);
  return [
    ...["-nostdin", "-v", "error"],
    ...(job.fromSeconds > 0 ? ["-ss", from.toFixed(6)] : []),
    ...["-i", fileUrl(job.movie), "-map", "0:V:0"],
    "-vf",
    `fps=${rate}:start_time=0,${
      standsUntil === undefined ? "" : "tpad=stop=-1:stop_mode=clone,"
    }${scale}`,
    ...(standsUntil === undefined ? [] : [
      "-frames:v",
      String(pictures(standsUntil) - pictures(job.fromSeconds)),
    ]),
    ...codecArgs(job),
    ...["-g", String(job.segmentFrames), "-threads", String(job.threads)],
    ...["-b:v", String(job.bitsPerSecond), "-map_metadata", "-1"],
    ...["-f", "mp4", "-movflags"],
    "frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets",
    "pipe:1",
  ];
}

function codecArgs({ codec, bitsPerSecond, segmentFrames }: PictureJob) {
  const size = String(segmentFrames);
  // Peaks of twice the rate for a second or so: a film is not constant, and a link is no lake.
  const peaks = [
    ...["-maxrate", String(Math.round(1.5 * bitsPerSecond))],
    ...["-bufsize", String(2 * bitsPerSecond)],
  ];
  switch (codec) {
    case "h264":
      // avc3: the parameter sets are repeated in front of each key picture, so all rates share one initialisation.
      return [
        ...["-c:v", "libx264", "-preset", "veryfast", ...peaks],
        ...["-keyint_min", size, "-sc_threshold", "0", "-tag:v", "avc3"],
        ...["-x264-params", "open-gop=0:repeat-headers=1"],
      ];
    case "h265":
      return [
        ...["-c:v", "libx265", "-preset", "veryfast", ...peaks],
        ...["-tag:v", "hvc1", "-x265-params"],
        `keyint=${size}:min-keyint=${size}:scenecut=0:open-gop=0:log-level=error`,
      ];
    case "vp9":
      return [
        ...["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "6"],
        ...["-row-mt", "1", "-keyint_min", size],
      ];
    case "av1":
      return ["-c:v", "libsvtav1", "-preset", "10"];
  }
}

/** Samples a second of encoded sound. */
export const SOUND_RATE = 48_000;
/** Samples of an AAC frame. */
export const SOUND_FRAME = 1024;
/** Channels of encoded sound. */
export const SOUND_CHANNELS = 2;

/** The arguments that make the sound, at least so long: AAC, every frame a fragment, to be put together as the pictures' segments are. */
export function soundArgs(movie: string, seconds: number): string[] {
  return [
    ...["-nostdin", "-v", "error", "-i", fileUrl(movie), "-map", "0:a:0"],
    // Segments count from 0, whatever the times in the movie: where it has no sound yet, for a while or any more, is silence.
    ...["-af", "aresample=async=1:first_pts=0,apad"],
    ...["-t", (seconds + 1).toFixed(3)],
    ...["-c:a", "aac", "-b:a", "128k", "-ac", String(SOUND_CHANNELS)],
    ...["-ar", String(SOUND_RATE), "-map_metadata", "-1", "-f", "mp4"],
    ...["-use_editlist", "0", "-movflags"],
    "frag_every_frame+empty_moov+default_base_moof",
    "pipe:1",
  ];
}
