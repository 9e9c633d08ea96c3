import {
  codecsOf,
  macroblocksOf,
  pictureParameterSet,
  sequenceParameterSet,
  type VideoFormat,
} from "./h264.ts";
import { initialisationSegment, mediaSegment, sampleOf } from "./fmp4.ts";
import { MosaicEncoder } from "./mosaic_encoder.ts";
import { TestCard } from "./test_card.ts";

/** One rate of the built-in title. */
export interface Rung extends VideoFormat {
  /** `id` of the Representation. */
  readonly id: string;
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
/** Frames in every segment but the last: 5 s. */
export const SEGMENT_FRAMES = 120;
/** 634.625 s, the length of the slide's film: 126 segments of 5 s and one of 4.625 s. */
export const TITLE_FRAMES = 15_231;
/** Segments of each rate. */
export const SEGMENT_COUNT: number = Math.ceil(TITLE_FRAMES / SEGMENT_FRAMES);
/** When what the title's files hold last changed, in ms since 1970: the same on every machine, so that caches agree. */
export const TITLE_MODIFIED_AT: number = Date.UTC(2026, 10, 23);
/** Name of the initialisation segment that all rates share. */
export const INIT_NAME = "manifest_set1_init.mp4";

/**
 * How much larger than nominal segments 1, 2, 3 … are, in percent, over and over. The sum is 0, and however far one
 * plays, the excess stays below 5 % of a segment: 0.25 s of data, well within minBufferTime.
 */
const SIZE_VARIATION = [4, -2, 3, -5, 0];

function rung(
  id: string,
  [width, height]: readonly [number, number],
  levelIdc: number,
  bitsPerSecond: number,
): Rung {
  return {
    id,
    width,
    height,
    framesPerSecond: FRAMES_PER_SECOND,
    levelIdc,
    codecs: codecsOf("avc3", levelIdc),
    bitsPerSecond,
  };
}

/** The ladder, lowest rate first. */
export const RUNGS: readonly Rung[] = [
  rung("1", [640, 360], 30, 400_000),
  rung("2", [854, 480], 30, 1_000_000),
  rung("3", [1280, 720], 31, 2_500_000),
];

/** Name of a segment, counted from 1, as in the lecture: `video_720_1.m4s`. */
export function segmentName(height: number, number: number): string {
  return `video_${height}_${number}.m4s`;
}

/** How many frames segment `number` has. */
export function segmentFrames(number: number): number {
  return Math.min(SEGMENT_FRAMES, TITLE_FRAMES - (number - 1) * SEGMENT_FRAMES);
}

/** How large segment `number` of a rung is made, in bytes. */
export function segmentBytes(rung: Rung, number: number): number {
  const percent = 100 + SIZE_VARIATION[(number - 1) % SIZE_VARIATION.length]!;
  return Math.floor(
    rung.bitsPerSecond * percent / 100 * segmentFrames(number) /
      FRAMES_PER_SECOND / 8,
  );
}

/** A file of the title. */
export type TitleFile =
  | { readonly kind: "manifest" }
  | { readonly kind: "init" }
  | { readonly kind: "segment"; readonly rung: Rung; readonly number: number };

/** What a name such as `video_720_1.m4s` stands for; null when the title has no such file. */
export function titleFile(name: string): TitleFile | null {
  if (name === "manifest.mpd") return { kind: "manifest" };
  if (name === INIT_NAME) return { kind: "init" };
  const match = /^video_([1-9][0-9]*)_([1-9][0-9]*)\.m4s$/.exec(name);
  const found = RUNGS.find(({ height }) => height === Number(match?.[1]));
  const number = Number(match?.[2]);
  if (found === undefined || number > SEGMENT_COUNT) return null;
  return { kind: "segment", rung: found, number };
}

/** The initialisation segment of all rates: sizes and parameter sets of the largest, the true ones are in every segment (avc3). */
export function titleInit(): Uint8Array<ArrayBuffer> {
  const largest = RUNGS.at(-1)!;
  const sequence = sequenceParameterSet(largest);
  return initialisationSegment({
    width: largest.width,
    height: largest.height,
    timescale: TIMESCALE,
    durationTicks: TITLE_FRAMES * FRAME_TICKS,
    sampleTicks: FRAME_TICKS,
    profile: sequence.subarray(1, 4),
    parameterSets: { sequence, picture: pictureParameterSet() },
  });
}

/** Makes the segments of one rate, in any order; the same bytes every time. */
export class SegmentMaker {
  readonly #rung: Rung;
  readonly #card: TestCard;
  readonly #encoder: MosaicEncoder;

  /** Prepares for a rate of the title named `title`. */
  constructor(title: string, rung: Rung) {
    this.#rung = rung;
    const { columns, rows } = macroblocksOf(rung);
    this.#card = new TestCard(
      {
        title,
        height: rung.height,
        bitsPerSecond: rung.bitsPerSecond,
        rung: RUNGS.indexOf(rung),
        framesPerSecond: FRAMES_PER_SECOND,
        framesPerSegment: SEGMENT_FRAMES,
      },
      columns,
      rows,
    );
    this.#encoder = new MosaicEncoder(columns, rows);
  }

  /** Returns segment `number`, 1 to {@linkcode SEGMENT_COUNT}: a key picture and what changes after it. */
  make(number: number): Uint8Array<ArrayBuffer> {
    const first = (number - 1) * SEGMENT_FRAMES;
    const samples = [
      sampleOf(
        sequenceParameterSet(this.#rung),
        pictureParameterSet(),
        this.#encoder.encodeKey(this.#card.paint(first), number % 2),
      ),
    ];
    for (let frame = 1; frame < segmentFrames(number); frame++) {
      const picture = this.#card.paint(first + frame);
      samples.push(sampleOf(this.#encoder.encodeChanges(picture)));
    }
    return mediaSegment({
      sequenceNumber: number,
      startTicks: first * FRAME_TICKS,
      sampleTicks: FRAME_TICKS,
      samples,
      sizeBytes: segmentBytes(this.#rung, number),
    });
  }
}
