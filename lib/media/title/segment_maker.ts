import {
  chunkedSegment,
  type PaddedSegment,
  paddedSegment,
  sampleOf,
  type SegmentContent,
} from "../mp4/fmp4.ts";
import {
  macroblocksOf,
  pictureParameterSet,
  sequenceParameterSet,
} from "../coding/h264.ts";
import { MosaicEncoder } from "../coding/mosaic_encoder.ts";
import { TestCard } from "../picture/test_card.ts";
import {
  FRAME_TICKS,
  FRAMES_PER_SECOND,
  type Rung,
  segmentBytes,
  segmentFrames,
  segmentStartFrame,
  type TitlePlan,
} from "./title_plan.ts";

/** Makes the segments of one rate, in any order; the same bytes every time. */
export class SegmentMaker {
  readonly #plan: TitlePlan;
  readonly #rung: Rung;
  readonly #card: TestCard;
  readonly #encoder: MosaicEncoder;

  /** Prepares for a rate of a title. */
  constructor(plan: TitlePlan, rung: Rung) {
    this.#plan = plan;
    this.#rung = rung;
    const { columns, rows } = macroblocksOf(rung);
    this.#card = new TestCard(
      {
        title: plan.title,
        height: rung.height,
        bitsPerSecond: rung.bitsPerSecond,
        rung: plan.rungs.findIndex(({ id }) => id === rung.id),
        framesPerSecond: FRAMES_PER_SECOND,
        framesPerSegment: plan.segmentFrames,
        clock: plan.startWallMs !== undefined,
      },
      columns,
      rows,
    );
    this.#encoder = new MosaicEncoder(columns, rows, this.#card.moving);
  }

  /** Returns segment `number`, from 1: a key picture and what changes after it. */
  make(number: number): Uint8Array<ArrayBuffer> {
    const { bytes, sizeBytes } = this.makePadded(number);
    const whole = new Uint8Array(sizeBytes);
    whole.set(bytes);
    return whole;
  }

  /** As {@linkcode SegmentMaker.make}, without the zeros that fill it up. */
  makePadded(number: number): PaddedSegment {
    const content = this.#contentOf(number);
    return this.#plan.chunkFrames < this.#plan.segmentFrames
      ? chunkedSegment(content, this.#plan.chunkFrames)
      : paddedSegment(content);
  }

  #contentOf(number: number): SegmentContent {
    const first = segmentStartFrame(this.#plan, number);
    const samples = [
      sampleOf(
        sequenceParameterSet(this.#rung),
        pictureParameterSet(),
        this.#encoder.encodeKey(this.#card.paint(first), number % 2),
      ),
    ];
    for (let frame = 1; frame < segmentFrames(this.#plan, number); frame++) {
      const picture = this.#card.paint(first + frame);
      samples.push(sampleOf(this.#encoder.encodeChanges(picture)));
    }
    return {
      kind: "video",
      sequenceNumber: number,
      startTicks: first * FRAME_TICKS,
      sampleTicks: FRAME_TICKS,
      samples,
      sizeBytes: segmentBytes(this.#plan, this.#rung, number),
    };
  }

  /** The least rate that holds the picture, in bit/s: below it segments would be larger than they say. */
  leastBitsPerSecond(): number {
    // Asked for no size, a segment has what it needs. A tenth more: digits differ.
    const bare = { ...this.#rung, bitsPerSecond: 0 };
    const bytes = new SegmentMaker(this.#plan, bare).make(1).length;
    const seconds = segmentFrames(this.#plan, 1) / FRAMES_PER_SECOND;
    const least = 1.1 * 8 * (bytes + 8) / seconds / (1 - this.#plan.variation);
    return 1000 * Math.ceil(least / 1000);
  }
}
