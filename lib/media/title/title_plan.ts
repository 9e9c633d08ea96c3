import {
  type LadderStep,
  LECTURE_LADDER,
  parseLadder,
  stepNames,
  widthOf,
} from "../ladder.ts";
import { codecsOf, levelOf, type VideoFormat } from "../coding/h264.ts";
import type { Addressing } from "../manifests/published.ts";

/** One rate of the built-in title. */
export interface Rung extends VideoFormat {
  /** `id` of the Representation. */
  readonly id: string;
  /** What its files are called after: the height, if no other rate has it. */
  readonly name: string;
  readonly codecs: string;
  /** Nominal rate: what the segments have on average, boxes and padding included. */
  readonly bitsPerSecond: number;
}

/** Frames a second. */
export const FRAMES_PER_SECOND = 24;
/** Ticks a second, as on the lecture's slide. */
export const TIMESCALE = 12_288;
/** Ticks a frame. */
export const FRAME_TICKS: number = TIMESCALE / FRAMES_PER_SECOND;
/** The length of the slide's film, in ms: 126 segments of 5 s and one of 4.625 s. */
const LECTURE_DURATION_MS = 634_625;
/** When what the title's files hold last changed, in ms since 1970: the same on every machine, so that caches agree. */
export const TITLE_MODIFIED_AT: number = Date.UTC(2026, 10, 26);
/** Name of the initialisation segment that all rates share. */
export const INIT_NAME = "manifest_set1_init.mp4";
/** Name of the initialisation segment of the sound. */
export const SOUND_INIT_NAME = "manifest_set2_init.mp4";
/** Longest title that is not live: a day. */
export const MAX_DURATION_MS: number = 24 * 3_600_000;

/** Everything the files of a built-in title follow from. */
export interface TitlePlan {
  readonly title: string;
  /** Lowest rate first. */
  readonly rungs: readonly Rung[];
  /** Frames in every segment but the last. */
  readonly segmentFrames: number;
  /** Frames in every chunk of a segment, as many as in the segment if it is made in one piece. */
  readonly chunkFrames: number;
  /** Infinity: it has no end. */
  readonly totalFrames: number;
  /** How far segment sizes are from the mean, at most: 0 to 0.5 of it. */
  readonly variation: number;
  /** Decides which segments are large. */
  readonly seed: number;
  readonly audio: boolean;
  readonly addressing: Addressing;
  /** Stands before the number in a segment's name: "" or, in a live title, the day. */
  readonly prefix: string;
  /** When the live title began, in ms since 1970. */
  readonly startWallMs: number | undefined;
}

/** What a person chooses of a {@linkcode TitlePlan}. */
export interface TitleWishes {
  readonly title: string;
  readonly ladder: readonly LadderStep[];
  readonly segmentMs: number;
  /** Low latency: segments come in such chunks. */
  readonly chunkMs?: number | undefined;
  readonly durationMs: number;
  readonly variation: number;
  readonly seed: number;
  readonly audio: boolean;
  readonly addressing: Addressing;
  /** Live: the wall time of its start. */
  readonly startWallMs?: number;
}

/** Works out a plan. Segments and title are rounded to whole pictures. */
export function planOf(wishes: TitleWishes): TitlePlan {
  const { ladder, segmentMs, durationMs, startWallMs } = wishes;
  const { chunkMs = segmentMs } = wishes;
  const names = stepNames(ladder);
  const frames = (ms: number) =>
    Math.max(1, Math.round(ms * FRAMES_PER_SECOND / 1000));
  const day = startWallMs === undefined
    ? ""
    : new Date(startWallMs).toISOString().slice(0, 10).replaceAll("-", "");
  return {
    title: wishes.title,
    rungs: ladder.map((step, at) => rungOf(step, names[at]!, String(at + 1))),
    segmentFrames: frames(segmentMs),
    chunkFrames: frames(chunkMs),
    totalFrames: startWallMs === undefined ? frames(durationMs) : Infinity,
    variation: wishes.variation,
    seed: wishes.seed,
    audio: wishes.audio,
    addressing: wishes.addressing,
    prefix: day === "" ? "" : `${day}_`,
    startWallMs,
  };
}

/** The plan of the lecture's film, but for what is asked for: what `rolecall origin` serves without flags. */
export function lecturePlan(wishes: Partial<TitleWishes> = {}): TitlePlan {
  return planOf({
    title: "Test card",
    ladder: parseLadder(LECTURE_LADDER),
    segmentMs: 5000,
    durationMs: LECTURE_DURATION_MS,
    variation: 0,
    seed: 1,
    audio: false,
    addressing: "list",
    ...wishes,
  });
}

function rungOf(
  { height, bitsPerSecond }: LadderStep,
  name: string,
  id: string,
): Rung {
  const format = {
    width: widthOf(height),
    height,
    framesPerSecond: FRAMES_PER_SECOND,
  };
  const levelIdc = levelOf(format);
  const codecs = codecsOf("avc3", levelIdc);
  return { ...format, levelIdc, id, name, codecs, bitsPerSecond };
}

/** Seconds of every segment but the last. */
export function segmentSeconds(plan: TitlePlan): number {
  return plan.segmentFrames / FRAMES_PER_SECOND;
}

/** Seconds of a chunk. */
export function chunkSeconds(plan: TitlePlan): number {
  return plan.chunkFrames / FRAMES_PER_SECOND;
}

/** Seconds before its end that a segment can be had in part: what comes after its first chunk. */
export function aheadSeconds(plan: TitlePlan): number {
  return segmentSeconds(plan) - chunkSeconds(plan);
}

/** Segments of each rate; Infinity in a live title. */
export function segmentCount(plan: TitlePlan): number {
  return Math.ceil(plan.totalFrames / plan.segmentFrames);
}

/** The first frame of segment `number`. */
export function segmentStartFrame(plan: TitlePlan, number: number): number {
  return (number - 1) * plan.segmentFrames;
}

/** How many frames segment `number` has. */
export function segmentFrames(plan: TitlePlan, number: number): number {
  const left = plan.totalFrames - segmentStartFrame(plan, number);
  return Math.min(plan.segmentFrames, left);
}

/** How large segment `number` of a rung is made, in bytes. */
export function segmentBytes(
  plan: TitlePlan,
  rung: Rung,
  number: number,
): number {
  return Math.floor(
    rung.bitsPerSecond * sizeFactor(plan, number) *
      segmentFrames(plan, number) / FRAMES_PER_SECOND / 8,
  );
}

/**
 * How much larger than the mean a segment is, the same in every rate, as scenes of a film are.
 *
 * Segments 1 and 2, 3 and 4 … come to twice the mean together, so that the excess from wherever one starts is at most
 * two segments' variation: see {@linkcode minBufferSeconds}.
 */
function sizeFactor({ variation, seed }: TitlePlan, number: number): number {
  const lot = 2 * lotOf(seed, Math.ceil(number / 2)) - 1;
  return 1 + variation * (number % 2 === 1 ? lot : -lot);
}

/** A number from 0 to 1 that follows from two others: the mixing of MurmurHash3. */
function lotOf(seed: number, at: number): number {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^
    Math.imul(at, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}

/** Seconds of data a player should hold before it starts; with it the rates of the MPD hold as ISO/IEC 23009-1 §5.3.5.2 defines them. */
export function minBufferSeconds(plan: TitlePlan): number {
  return 1.5 + 2 * plan.variation * segmentSeconds(plan);
}
