/**
 * The built-in title: which files it has, and how each is made. Nothing is stored: every file is a function of the
 * plan and its name, so a title of hours costs what is asked of it.
 */
import { concat } from "../../core/bytes.ts";
import { beep, flacFrame, SAMPLE_RATE, streamInfo } from "../coding/flac.ts";
import {
  chunkedSegment,
  indexBytes,
  initialisationSegment,
  type PaddedSegment,
  paddedSegment,
  type SegmentContent,
  segmentIndex,
} from "../mp4/fmp4.ts";
import { pictureParameterSet, sequenceParameterSet } from "../coding/h264.ts";
import {
  FRAME_TICKS,
  FRAMES_PER_SECOND,
  INIT_NAME,
  type Rung,
  segmentBytes,
  segmentCount,
  segmentFrames,
  segmentStartFrame,
  SOUND_INIT_NAME,
  TIMESCALE,
  type TitlePlan,
} from "./title_plan.ts";

/** A file of the title. */
export type TitleFile =
  | { readonly kind: "manifest" | "master" | "clock" }
  | { readonly kind: "playlist"; readonly rung: Rung | "audio" }
  | { readonly kind: "init"; readonly rung: Rung | "audio" }
  | {
    readonly kind: "segment";
    readonly rung: Rung | "audio";
    readonly number: number;
  }
  /** One file that holds a rate, with addressing `base`. */
  | { readonly kind: "whole"; readonly rung: Rung | "audio" };

/** What a name such as `video_720_1.m4s` stands for; null when the title has no such file. */
export function titleFile(plan: TitlePlan, name: string): TitleFile | null {
  switch (name) {
    case "manifest.mpd":
      return { kind: "manifest" };
    case "master.m3u8":
      return { kind: "master" };
    case "time":
      return plan.startWallMs === undefined ? null : { kind: "clock" };
    case INIT_NAME:
      return { kind: "init", rung: plan.rungs.at(-1)! };
    case SOUND_INIT_NAME:
      return plan.audio ? { kind: "init", rung: "audio" } : null;
  }
  const match =
    /^(?:video_([a-z0-9]+)|audio)(?:_([a-z0-9_]+))?\.(m4s|mp4|m3u8)$/
      .exec(name);
  if (match === null) return null;
  const [, rungName, rest, kind] = match;
  const rung = rungName === undefined
    ? plan.audio ? "audio" : undefined
    : plan.rungs.find((each) => each.name === rungName);
  if (rung === undefined) return null;
  if (kind === "m4s") return segmentFile(plan, rung, rest ?? "");
  if (rest !== undefined) return null;
  if (kind === "m3u8") return { kind: "playlist", rung };
  return plan.addressing === "base" ? { kind: "whole", rung } : null;
}

/** A segment by its number or, with a `t`, by its time; the day stands before it in a live title. */
function segmentFile(
  plan: TitlePlan,
  rung: Rung | "audio",
  rest: string,
): TitleFile | null {
  if (!rest.startsWith(plan.prefix)) return null;
  const match = /^(t?)(0|[1-9]\d{0,14})$/.exec(rest.slice(plan.prefix.length));
  if (match === null) return null;
  const value = Number(match[2]);
  const each = plan.segmentFrames *
    (rung === "audio" ? SAMPLE_RATE / FRAMES_PER_SECOND : FRAME_TICKS);
  const number = match[1] === "t" ? value / each + 1 : value;
  return Number.isInteger(number) && number >= 1 && number <= segmentCount(plan)
    ? { kind: "segment", rung, number }
    : null;
}

/** The initialisation segment of all rates: sizes and parameter sets of the largest, the true ones are in every segment (avc3). */
export function titleInit(plan: TitlePlan): Uint8Array<ArrayBuffer> {
  const largest = plan.rungs.at(-1)!;
  const sequence = sequenceParameterSet(largest);
  const live = plan.totalFrames === Infinity;
  return initialisationSegment({
    kind: "video",
    width: largest.width,
    height: largest.height,
    timescale: TIMESCALE,
    durationTicks: live ? 0 : plan.totalFrames * FRAME_TICKS,
    sampleTicks: FRAME_TICKS,
    profile: sequence.subarray(1, 4),
    parameterSets: { sequence, picture: pictureParameterSet() },
  });
}

/** Samples of a block of sound: as long as a picture, so that segments of both end together. */
export const BLOCK_SAMPLES: number = SAMPLE_RATE / FRAMES_PER_SECOND;
/** A beep lasts two pictures. */
const BEEP_BLOCKS = 2;

/** The initialisation segment of the sound. */
export function soundInit(plan: TitlePlan): Uint8Array<ArrayBuffer> {
  const live = plan.totalFrames === Infinity;
  return initialisationSegment({
    kind: "audio",
    sampleRate: SAMPLE_RATE,
    timescale: SAMPLE_RATE,
    durationTicks: live ? 0 : plan.totalFrames * BLOCK_SAMPLES,
    sampleTicks: BLOCK_SAMPLES,
    streamInfo: streamInfo(BLOCK_SAMPLES),
  });
}

/** Segment `number` of the sound: a beep at its start, then silence. */
export function soundSegment(
  plan: TitlePlan,
  number: number,
): PaddedSegment {
  const first = segmentStartFrame(plan, number);
  const blocks = segmentFrames(plan, number);
  const sound = beep(Math.min(BEEP_BLOCKS, blocks) * BLOCK_SAMPLES);
  const content: SegmentContent = {
    kind: "audio",
    sequenceNumber: number,
    startTicks: first * BLOCK_SAMPLES,
    sampleTicks: BLOCK_SAMPLES,
    samples: Array.from({ length: blocks }, (_, at) => {
      const from = at * BLOCK_SAMPLES;
      return flacFrame(
        first + at,
        at < BEEP_BLOCKS
          ? sound.subarray(from, from + BLOCK_SAMPLES)
          : BLOCK_SAMPLES,
      );
    }),
    sizeBytes: soundBytes(plan, number),
  };
  return plan.chunkFrames < plan.segmentFrames
    ? chunkedSegment(content, plan.chunkFrames)
    : paddedSegment(content);
}

/** How large segments of the sound are made: a little more than they need, whatever the numbers in them take. */
export function soundBytes(plan: TitlePlan, number: number): number {
  const blocks = segmentFrames(plan, number);
  const chunks = Math.ceil(blocks / plan.chunkFrames);
  return 80 + 120 * chunks + 24 * blocks +
    Math.min(BEEP_BLOCKS, blocks) * 2 * BLOCK_SAMPLES;
}

/** The parts of a rate as one file: what comes before the segments, and how large each of them is. */
export interface WholeFile {
  /** Initialisation segment and index. */
  readonly head: Uint8Array<ArrayBuffer>;
  readonly initBytes: number;
  readonly indexBytes: number;
  readonly segmentBytes: readonly number[];
}

/** Works out the file of a rate with addressing `base`: where everything is follows from the plan, nothing is made yet. */
export function wholeFile(plan: TitlePlan, rung: Rung | "audio"): WholeFile {
  const init = rung === "audio" ? soundInit(plan) : titleInit(plan);
  const [timescale, each] = rung === "audio"
    ? [SAMPLE_RATE, BLOCK_SAMPLES]
    : [TIMESCALE, FRAME_TICKS];
  const entries = Array.from({ length: segmentCount(plan) }, (_, at) => ({
    bytes: rung === "audio"
      ? soundBytes(plan, at + 1)
      : segmentBytes(plan, rung, at + 1),
    ticks: segmentFrames(plan, at + 1) * each,
  }));
  return {
    head: concat(init, segmentIndex(timescale, entries)),
    initBytes: init.length,
    indexBytes: indexBytes(entries.length),
    segmentBytes: entries.map(({ bytes }) => bytes),
  };
}
