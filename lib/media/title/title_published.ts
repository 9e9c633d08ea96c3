import { FLAC_CODECS, SAMPLE_RATE } from "../coding/flac.ts";
import {
  type Addressing,
  type Published,
  type PublishedSet,
  type Rendition,
  trueBandwidth,
} from "../manifests/published.ts";
import { BLOCK_SAMPLES, soundBytes, wholeFile } from "./title.ts";
import {
  aheadSeconds,
  chunkSeconds,
  FRAME_TICKS,
  FRAMES_PER_SECOND,
  INIT_NAME,
  minBufferSeconds,
  type Rung,
  segmentCount,
  segmentFrames,
  segmentSeconds,
  SOUND_INIT_NAME,
  TIMESCALE,
  type TitlePlan,
} from "./title_plan.ts";

/** How far back one may go in a live title: two minutes. */
const TIME_SHIFT_SECONDS = 120;
/** How far behind the live edge players are asked to be when there is something of a segment before its end: so many chunks, and at least so many seconds. */
const TARGET_CHUNKS = 3;
const LEAST_TARGET_SECONDS = 0.5;

/**
 * Describes the title for its manifest and playlists.
 *
 * @param nowWallMs Of a live title: which segments there are.
 */
export function publishTitle(plan: TitlePlan, nowWallMs: number): Published {
  const { startWallMs } = plan;
  const seconds = segmentSeconds(plan);
  const numbers = startWallMs === undefined
    ? { first: 1, end: segmentCount(plan) + 1 }
    : liveNumbers(plan, nowWallMs - startWallMs);
  return {
    title: plan.title,
    source: "rolecall test card",
    addressing: plan.addressing,
    durationSeconds: plan.totalFrames / FRAMES_PER_SECOND,
    minBufferSeconds: minBufferSeconds(plan),
    sets: [
      setOf(plan, numbers, "video"),
      ...(plan.audio ? [setOf(plan, numbers, "audio")] : []),
    ],
    ...(startWallMs === undefined ? {} : {
      live: {
        startWallMs,
        nowWallMs,
        timeShiftSeconds: TIME_SHIFT_SECONDS,
        delaySeconds: 3 * seconds,
        clockName: "time",
        ...(aheadSeconds(plan) === 0 ? {} : {
          aheadSeconds: aheadSeconds(plan),
          targetSeconds: Math.max(
            LEAST_TARGET_SECONDS,
            TARGET_CHUNKS * chunkSeconds(plan),
          ),
        }),
      },
    }),
  };
}

/** The first segment that is still there, and the one after the newest that is whole or, in chunks, has one. */
export function liveNumbers(
  plan: TitlePlan,
  sinceStartMs: number,
): { readonly first: number; readonly end: number } {
  const eachMs = 1000 * segmentSeconds(plan);
  const reachMs = sinceStartMs + 1000 * aheadSeconds(plan);
  const end = Math.max(1, Math.floor(reachMs / eachMs) + 1);
  const oldest = (sinceStartMs - 1000 * TIME_SHIFT_SECONDS) / eachMs;
  return { first: Math.min(end, Math.max(1, Math.floor(oldest) + 1)), end };
}

/**
 * The segments of a live title that can be had: those that are listed, and older ones for as long again. A client has read
 * its manifest a while ago (ISO/IEC 23009-1 §5.3.9.5.3 gives it two segments), and its playlist, which holds for a segment
 * and the length of the playlist (RFC 8216 §6.2.2). What comes in chunks can be asked for as it begins, be it by a client
 * whose clock is a little ahead: the first chunk is sent when it is there.
 */
export function availableNumbers(
  plan: TitlePlan,
  sinceStartMs: number,
): { readonly first: number; readonly end: number } {
  const longerMs = 1000 * (TIME_SHIFT_SECONDS + 2 * segmentSeconds(plan));
  const { first } = liveNumbers(plan, sinceStartMs - longerMs);
  const earlyMs = aheadSeconds(plan) === 0 ? 0 : 1000 * chunkSeconds(plan);
  return { first, end: liveNumbers(plan, sinceStartMs + earlyMs).end };
}

function setOf(
  plan: TitlePlan,
  { first, end }: { readonly first: number; readonly end: number },
  contentType: "video" | "audio",
): PublishedSet {
  const video = contentType === "video";
  const each = video ? FRAME_TICKS : BLOCK_SAMPLES;
  return {
    contentType,
    timescale: video ? TIMESCALE : SAMPLE_RATE,
    segmentTicks: Array.from(
      { length: end - first },
      (_, at) => each * segmentFrames(plan, first + at),
    ),
    firstNumber: first,
    nominalTicks: each * plan.segmentFrames,
    sharedInitName: video ? INIT_NAME : SOUND_INIT_NAME,
    renditions: video
      ? plan.rungs.map((rung) => picture(plan, rung))
      : [sound(plan)],
  };
}

function picture(plan: TitlePlan, rung: Rung): Rendition {
  const { id, name, codecs, bitsPerSecond, width, height } = rung;
  return {
    id,
    name: `video_${name}`,
    codecs,
    bitsPerSecond,
    initName: INIT_NAME,
    mediaName: mediaName(`video_${name}`, plan),
    video: { width, height, frameRate: String(FRAMES_PER_SECOND) },
    ...fileOf(plan, rung, `video_${name}.mp4`),
  };
}

function sound(plan: TitlePlan): Rendition {
  const segment = {
    bytes: soundBytes(plan, 1),
    seconds: segmentSeconds(plan),
  };
  return {
    id: "audio",
    name: "audio",
    codecs: FLAC_CODECS,
    bitsPerSecond: trueBandwidth(
      [segment, segment],
      Math.min(segment.seconds, minBufferSeconds(plan)),
    ),
    initName: SOUND_INIT_NAME,
    mediaName: mediaName("audio", plan),
    audio: { sampleRate: SAMPLE_RATE, channels: 1 },
    ...fileOf(plan, "audio", "audio.mp4"),
  };
}

const PLACES: Readonly<Record<Addressing, string>> = {
  list: "$Number$",
  number: "$Number$",
  time: "t$Time$",
  base: "$Number$",
};

function mediaName(stem: string, { prefix, addressing }: TitlePlan): string {
  return `${stem}_${prefix}${PLACES[addressing]}.m4s`;
}

function fileOf(
  plan: TitlePlan,
  rung: Rung | "audio",
  name: string,
): Pick<Rendition, "file"> {
  if (plan.addressing !== "base") return {};
  const { initBytes, indexBytes, segmentBytes } = wholeFile(plan, rung);
  return { file: { name, initBytes, indexBytes, segmentBytes } };
}
