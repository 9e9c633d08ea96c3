import { basename, extname, join } from "@std/path";
import { InputError } from "../../../lib/core/errors.ts";
import {
  counted,
  formatBitRate,
  formatBytes,
} from "../../../lib/core/units.ts";
import { readInit } from "../../../lib/media/mp4/init_codecs.ts";
import { type LadderStep, stepNames } from "../../../lib/media/ladder.ts";
import type { Addressing } from "../../../lib/media/manifests/published.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { checkSegment } from "../flags.ts";
import { type EncodedTrack, encodeTrack, type TrackJob } from "./encode.ts";
import {
  type Codec,
  type Movie,
  pictureArgs,
  probeMovie,
  SOUND_RATE,
  soundArgs,
} from "./ffmpeg.ts";
import { IngestState } from "./ingest_state.ts";
import { type FinishedTrack, publishMovie } from "./publish_movie.ts";

/** The flags of `--ingest`. */
export interface IngestFlags {
  /** The movie. */
  readonly ingest: string;
  /** Folder to write to; named after the movie without it. */
  readonly root: string | undefined;
  readonly ladder: readonly LadderStep[];
  /** Length of a segment in ms. */
  readonly segment: number;
  readonly codec: Codec;
  readonly audio: boolean;
  readonly addressing: Addressing;
  readonly hls: boolean;
}

/** Sound that goes on for less behind the last picture is not missed. */
const LONGER_SECONDS = 0.1;

/** What the state calls the manifest and all that goes with it. */
const WHOLE = "manifest";

/** What one ingest works with. */
interface Work {
  readonly flags: IngestFlags;
  readonly folder: string;
  readonly movie: Movie;
  readonly segmentFrames: number;
  readonly state: IngestState;
  readonly ctx: RoleContext;
}

/** Makes a title of a movie: every rate of the ladder in segments, and a manifest, in a folder that `--root` serves. */
export async function ingestMovie(
  flags: IngestFlags,
  ctx: RoleContext,
): Promise<void> {
  checkSegment(flags.segment);
  const stat = await ctx.files.stat(flags.ingest);
  if (stat?.kind !== "file") {
    throw new InputError(`--ingest: there is no file ${flags.ingest}`);
  }
  const stem = basename(flags.ingest, extname(flags.ingest));
  const folder = flags.root ?? stem;
  const startedAtMs = ctx.clock.nowMs();
  const movie = await probeMovie(flags.ingest, ctx.processes);
  if (flags.audio && !movie.hasSound) {
    throw new InputError(`--audio: ${flags.ingest} has no sound`);
  }
  const { frames, perSeconds } = movie.frameRate;
  const segmentFrames = Math.max(
    1,
    Math.round(flags.segment / 1000 * frames / perSeconds),
  );
  await ctx.files.makeFolder(folder);
  const { sizeBytes, modifiedAtWallMs } = stat;
  const state = await IngestState.open(folder, ctx.files, {
    movie: [basename(flags.ingest), sizeBytes, Math.floor(modifiedAtWallMs)],
    ladder: flags.ladder,
    segmentFrames,
    codec: flags.codec,
    audio: flags.audio,
    addressing: flags.addressing,
    hls: flags.hls,
  });
  if (state.isDone(WHOLE)) {
    const text = `${join(folder, "manifest.mpd")} is whole already\n`;
    return ctx.finish({ text, json: { folder, tracks: [] } });
  }
  const work = { flags, folder, movie, segmentFrames, state, ctx };
  const tracks = await encodeAll(work);
  await publishMovie({ ...work, tracks, title: stem });
  await state.setDone(WHOLE);
  const bytes = tracks.flatMap((track) => track.segments)
    .reduce((sum, segment) => sum + segment.bytes, 0);
  ctx.emit({
    type: "ingest.completed",
    folder,
    tracks: tracks.length,
    segmentCount: tracks[0]!.segments.length,
    bytes,
    durationMs: Math.round(ctx.clock.nowMs() - startedAtMs),
  });
  ctx.finish(resultOf(folder, tracks));
}

/** A track, and where its pictures or sound come from. */
interface PlannedTrack {
  readonly job: TrackJob;
  readonly height: number | undefined;
}

function picturesOf(work: Work): PlannedTrack[] {
  const { flags, movie, segmentFrames, ctx } = work;
  const { ladder, codec } = flags;
  const names = stepNames(ladder);
  const place = placeOf(flags);
  const { cores } = ctx.processes;
  const threads = Math.max(1, Math.floor(cores / ladder.length));
  const shared = codec === "h264" ? "manifest_set1_init.mp4" : undefined;
  return ladder.map(({ height, bitsPerSecond }, at): PlannedTrack => {
    const name = `video_${names[at]}`;
    return {
      height,
      job: {
        name,
        initName: shared ?? `${name}_init.mp4`,
        mediaName: `${name}_${place}.m4s`,
        sound: undefined,
        args: (fromSeconds) =>
          pictureArgs({
            movie: flags.ingest,
            codec,
            height,
            bitsPerSecond,
            frameRate: movie.frameRate,
            segmentFrames,
            threads,
            fromSeconds,
            standsUntil: standsUntil(work),
          }),
      },
    };
  });
}

/** The sound of pictures that last so long: with them it ends. */
function soundOf(
  { flags, movie, segmentFrames }: Work,
  seconds: number,
): PlannedTrack {
  const { frames, perSeconds } = movie.frameRate;
  return {
    height: undefined,
    job: {
      name: "audio",
      initName: "manifest_set2_init.mp4",
      mediaName: `audio_${placeOf(flags)}.m4s`,
      sound: {
        segmentTicks: SOUND_RATE * segmentFrames * perSeconds / frames,
        ticks: SOUND_RATE * seconds,
      },
      args: () => soundArgs(flags.ingest, seconds),
    },
  };
}

function placeOf({ addressing }: IngestFlags): string {
  return addressing === "time" ? "t$Time$" : "$Number$";
}

/** Until when the last picture stands because there is sound to be heard; undefined: the film ends with it, or does not say. */
function standsUntil({ flags, movie }: Work): number | undefined {
  const { picturesEnd = Infinity, soundEnd = 0 } = movie;
  return flags.audio && soundEnd - picturesEnd >= LONGER_SECONDS
    ? soundEnd
    : undefined;
}

/** Encodes what is not there yet: the pictures, and then, as long as they came out, the sound. */
async function encodeAll(work: Work): Promise<FinishedTrack[]> {
  const planned = picturesOf(work);
  const { audio } = work.flags;
  const progress = new Progress(work, planned.length + (audio ? 1 : 0));
  const pictures = await encodePictures(planned, work, progress);
  if (!audio) return pictures;
  const { job } = soundOf(work, Math.max(...pictures.map(secondsOf)));
  const sound = await encodeOne(job, work, progress);
  return [...pictures, { ...job, ...sound }];
}

/** As many rates at a time as there are processors. */
async function encodePictures(
  planned: readonly PlannedTrack[],
  work: Work,
  progress: Progress,
): Promise<FinishedTrack[]> {
  const results = new Map<PlannedTrack, EncodedTrack>();
  // The largest first: they take longest.
  const waiting = planned.toSorted((a, b) => (b.height ?? 0) - (a.height ?? 0));
  let failed = false;
  const worker = async () => {
    for (;;) {
      const next = failed ? undefined : waiting.shift();
      if (next === undefined) return;
      try {
        results.set(next, await encodeOne(next.job, work, progress));
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const count = Math.min(planned.length, Math.max(1, work.ctx.processes.cores));
  const workers = await Promise.allSettled(
    Array.from({ length: count }, worker),
  );
  for (const one of workers) if (one.status === "rejected") throw one.reason;
  return planned.map((track) => ({ ...track.job, ...results.get(track)! }));
}

async function encodeOne(
  job: TrackJob,
  work: Work,
  progress: Progress,
): Promise<EncodedTrack> {
  const { folder, state, ctx } = work;
  const all = await state.earlier(job);
  const isDone = all !== undefined && state.isDone(job.name);
  const earlier = isDone ? all : all && beforeTheLast(all, work);
  if (earlier !== undefined) {
    const { timescale } = readInit(earlier.init);
    for (const { ticks } of earlier.segments) progress.had(ticks / timescale);
    if (isDone) return earlier;
  }
  const sound = job.sound !== undefined;
  const encoded = await encodeTrack(job, {
    folder,
    ctx,
    // Sound is quickly made anew, and its segments are put together from the start.
    earlier: sound || earlier?.segments.length === 0 ? undefined : earlier,
    timescaleOf: (init) => readInit(init).timescale,
    wrote: ({ ticks, bytes }) => progress.wrote(job.name, ticks, bytes),
  });
  await state.setDone(job.name);
  return encoded;
}

/** Where the last picture has to stand, an encoder has to see it: the segments before the one it is in. */
function beforeTheLast(earlier: EncodedTrack, work: Work): EncodedTrack {
  const { movie: { frameRate, picturesEnd }, segmentFrames } = work;
  if (standsUntil(work) === undefined) return earlier;
  const segmentSeconds = segmentFrames * frameRate.perSeconds /
    frameRate.frames;
  // One more, for films that do not keep to what they say.
  const count = Math.floor(picturesEnd! / segmentSeconds) - 1;
  const segments = earlier.segments.slice(0, Math.max(0, count));
  return { ...earlier, segments };
}

function secondsOf({ init, segments }: EncodedTrack): number {
  const ticks = segments.reduce((sum, one) => sum + one.ticks, 0);
  return ticks / readInit(init).timescale;
}

/** Tells how far an ingest is. */
class Progress {
  readonly #ctx: RoleContext;
  readonly #totalSeconds: number;
  readonly #startedAtMs: number;
  readonly #segmentSeconds: number;
  /** Of media, over all tracks. */
  #hadSeconds = 0;
  #madeSeconds = 0;

  constructor({ ctx, movie, segmentFrames }: Work, tracks: number) {
    this.#ctx = ctx;
    this.#totalSeconds = movie.seconds * tracks;
    this.#startedAtMs = ctx.clock.nowMs();
    const { frames, perSeconds } = movie.frameRate;
    this.#segmentSeconds = segmentFrames * perSeconds / frames;
  }

  /** So much was there before. */
  had(seconds: number): void {
    this.#hadSeconds += seconds;
  }

  /** A segment is in its file; the last one of a track may be shorter, which nobody sees. */
  wrote(track: string, _ticks: number, bytes: number): void {
    this.#madeSeconds += this.#segmentSeconds;
    const elapsedMs = this.#ctx.clock.nowMs() - this.#startedAtMs;
    const leftSeconds = Math.max(
      0,
      this.#totalSeconds - this.#hadSeconds - this.#madeSeconds,
    );
    this.#ctx.emit({
      type: "ingest.progressed",
      track,
      bytes,
      percent: Math.round(
        1000 * (1 - leftSeconds / this.#totalSeconds),
      ) / 10,
      etaMs: Math.round(elapsedMs * leftSeconds / this.#madeSeconds),
    });
  }
}

function resultOf(folder: string, tracks: readonly FinishedTrack[]) {
  const rows = tracks.map(({ name, init, segments }) => {
    const { codecs, width, height } = readInit(init);
    const bytes = segments.reduce((sum, one) => sum + one.bytes, 0);
    const seconds = secondsOf({ init, segments });
    const bitsPerSecond = Math.round(8 * bytes / seconds);
    const segmentCount = segments.length;
    return { name, codecs, width, height, segmentCount, bytes, bitsPerSecond };
  });
  const lines = rows.map((row) =>
    [
      row.name.padEnd(14),
      (row.width === 0 ? "" : `${row.width}x${row.height}`).padEnd(10),
      row.codecs.padEnd(18),
      counted(row.segmentCount, "segment").padEnd(14),
      formatBytes(row.bytes).padEnd(10),
      formatBitRate(row.bitsPerSecond),
    ].join(" ")
  );
  return {
    text: `${lines.join("\n")}\nin ${
      join(folder, "manifest.mpd")
    }; serve it with: rolecall origin --root ${folder}\n`,
    json: { folder, tracks: rows },
  };
}
