import { join } from "@std/path";
import { utf8 } from "../../../lib/core/bytes.ts";
import { indexBytes, segmentIndex } from "../../../lib/media/mp4/fmp4.ts";
import {
  MASTER_NAME,
  playlistName,
  writeMaster,
  writePlaylist,
} from "../../../lib/media/manifests/hls_writer.ts";
import { readInit } from "../../../lib/media/mp4/init_codecs.ts";
import { writeMpd } from "../../../lib/media/manifests/mpd_writer.ts";
import {
  type Addressing,
  type Published,
  type PublishedSet,
  type Rendition,
  segmentNameOf,
  trueBandwidth,
} from "../../../lib/media/manifests/published.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { RunError } from "../../../lib/core/errors.ts";
import type { EncodedTrack, TrackJob } from "./encode.ts";
import { type Movie, SOUND_CHANNELS, SOUND_RATE } from "./ffmpeg.ts";

/** A track that has all its segments. */
export type FinishedTrack = TrackJob & EncodedTrack;

/** What {@linkcode publishMovie} needs. */
export interface PublishOptions {
  readonly flags: { readonly addressing: Addressing; readonly hls: boolean };
  readonly folder: string;
  readonly movie: Movie;
  readonly segmentFrames: number;
  readonly title: string;
  /** Pictures first, lowest rate first. */
  readonly tracks: readonly FinishedTrack[];
  readonly ctx: RoleContext;
}

/** Writes initialisation segments, one file a rate where it is asked for, playlists, and last the manifest: with it the title is whole. */
export async function publishMovie(options: PublishOptions): Promise<void> {
  const { folder, tracks, flags, ctx } = options;
  const base = flags.addressing === "base";
  const title = describe(options);
  for (const track of tracks) {
    // Of rates that share a name the highest comes last, and is what stays.
    if (base) await writeWholeFile(track, options);
    else {
      await ctx.files.writeAtomic(join(folder, track.initName), track.init);
    }
  }
  if (flags.hls) {
    for (const set of title.sets) {
      for (const rendition of set.renditions) {
        await ctx.files.writeAtomic(
          join(folder, playlistName(rendition)),
          utf8(writePlaylist(title, set, rendition)),
        );
      }
    }
    await ctx.files.writeAtomic(
      join(folder, MASTER_NAME),
      utf8(writeMaster(title)),
    );
  }
  await ctx.files.writeAtomic(
    join(folder, "manifest.mpd"),
    utf8(writeMpd(title)),
  );
  if (!base) return;
  for (const track of tracks) await removeSegments(track, options);
}

function describe(options: PublishOptions): Published {
  const { flags, movie, segmentFrames, title, tracks } = options;
  const { frames, perSeconds } = movie.frameRate;
  const segmentSeconds = segmentFrames * perSeconds / frames;
  const pictures = tracks.filter((track) => track.sound === undefined);
  const counts = new Set(pictures.map(({ segments }) => segments.length));
  if (counts.size > 1) {
    throw new RunError(
      "encoder-failed",
      `Cannot publish: ffmpeg made rates of different lengths, ${
        [...counts].join(" and ")
      } segments`,
    );
  }
  const minBufferSeconds = 2 * segmentSeconds;
  const sets = [
    setOf("video", pictures, { ...options, segmentSeconds, minBufferSeconds }),
    ...tracks.filter((track) => track.sound !== undefined)
      .map((track) =>
        setOf("audio", [track], {
          ...options,
          segmentSeconds,
          minBufferSeconds,
        })
      ),
  ];
  const [video] = sets;
  const ticks = video!.segmentTicks.reduce((sum, one) => sum + one, 0);
  return {
    title,
    source: "rolecall --ingest",
    addressing: flags.addressing,
    durationSeconds: ticks / video!.timescale,
    minBufferSeconds,
    sets,
  };
}

interface SetOptions extends PublishOptions {
  readonly segmentSeconds: number;
  readonly minBufferSeconds: number;
}

function setOf(
  contentType: "video" | "audio",
  tracks: readonly FinishedTrack[],
  options: SetOptions,
): PublishedSet {
  const [first] = tracks;
  const { timescale } = readInit(first!.init);
  const names = new Set(tracks.map(({ initName }) => initName));
  const shared = names.size === 1 && tracks.length > 1;
  return {
    contentType,
    timescale,
    segmentTicks: first!.segments.map(({ ticks }) => ticks),
    firstNumber: 1,
    nominalTicks: Math.round(options.segmentSeconds * timescale),
    sharedInitName: shared && options.flags.addressing !== "base"
      ? first!.initName
      : undefined,
    renditions: tracks.map((track, at) =>
      renditionOf(track, contentType === "audio" ? "audio" : String(at + 1), {
        ...options,
        timescale,
      })
    ),
  };
}

function renditionOf(
  track: FinishedTrack,
  id: string,
  options: SetOptions & { readonly timescale: number },
): Rendition {
  const { name, initName, mediaName, segments, init } = track;
  const { codecs, width, height } = readInit(init);
  const { frames, perSeconds } = options.movie.frameRate;
  return {
    id,
    name,
    codecs,
    initName,
    mediaName,
    bitsPerSecond: trueBandwidth(
      segments.map(({ bytes, ticks }) => ({
        bytes,
        seconds: ticks / options.timescale,
      })),
      options.minBufferSeconds,
    ),
    ...(width === 0
      ? { audio: { sampleRate: SOUND_RATE, channels: SOUND_CHANNELS } }
      : {
        video: {
          width,
          height,
          frameRate: perSeconds === 1
            ? String(frames)
            : `${frames}/${perSeconds}`,
        },
      }),
    ...(options.flags.addressing !== "base" ? {} : {
      file: {
        name: `${name}.mp4`,
        initBytes: init.length,
        indexBytes: indexBytes(segments.length),
        segmentBytes: segments.map(({ bytes }) => bytes),
      },
    }),
  };
}

/** Largest segment read: a minute in 8K has less. */
const MAX_SEGMENT_BYTES = 512 * 2 ** 20;

/** Puts a rate's segments into one file, behind their index. */
async function writeWholeFile(
  track: FinishedTrack,
  { folder, ctx }: PublishOptions,
): Promise<void> {
  const { init, segments, name } = track;
  const { timescale } = readInit(init);
  await using file = await ctx.files.open(join(folder, `${name}.mp4`), {
    write: true,
    create: true,
  });
  let at = 0;
  const put = async (bytes: Uint8Array) => {
    await file.writeAt(at, bytes);
    at += bytes.length;
  };
  await put(init);
  await put(segmentIndex(timescale, segments));
  let ticks = 0;
  for (const [index, segment] of segments.entries()) {
    const place = segmentNameOf(track, { number: index + 1, ticks });
    await put(
      await ctx.files.read(join(folder, place), {
        maxBytes: MAX_SEGMENT_BYTES,
      }),
    );
    ticks += segment.ticks;
  }
  await file.truncate(at);
  await file.sync();
}

/** Removes the segments that a rate's one file holds. */
async function removeSegments(
  track: FinishedTrack,
  { folder, ctx }: PublishOptions,
): Promise<void> {
  let ticks = 0;
  for (const [index, segment] of track.segments.entries()) {
    const name = segmentNameOf(track, { number: index + 1, ticks });
    await ctx.files.remove(join(folder, name));
    ticks += segment.ticks;
  }
}
