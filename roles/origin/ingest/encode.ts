import { join } from "@std/path";
import { concat, utf8, viewOf } from "../../../lib/core/bytes.ts";
import { RunError } from "../../../lib/core/errors.ts";
import { box, mediaSegment } from "../../../lib/media/mp4/fmp4.ts";
import {
  type FilePart,
  type Fragment,
  FragmentError,
  FragmentReader,
} from "../../../lib/media/mp4/fragments.ts";
import {
  type Rendition,
  segmentNameOf,
} from "../../../lib/media/manifests/published.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { SOUND_FRAME, startFfmpeg } from "./ffmpeg.ts";

/** A rate or the sound, to be encoded. */
export interface TrackJob extends Pick<Rendition, "mediaName"> {
  /** `video_720`, `audio`. */
  readonly name: string;
  readonly initName: string;
  /** Of sound: ticks of a segment, and of all. Of pictures undefined: the encoder begins a fragment with each segment. */
  readonly sound:
    | { readonly segmentTicks: number; readonly ticks: number }
    | undefined;
  /** ffmpeg's arguments, to begin so many seconds into the movie. */
  args(fromSeconds: number): readonly string[];
}

/** What was encoded. */
export interface EncodedTrack {
  readonly init: Uint8Array<ArrayBuffer>;
  readonly segments: readonly EncodedSegment[];
}

/** A segment that is in its file. */
export interface EncodedSegment {
  readonly ticks: number;
  readonly bytes: number;
}

/** What {@linkcode encodeTrack} needs beside the job. */
export interface EncodeOptions {
  readonly folder: string;
  readonly ctx: RoleContext;
  /** What an earlier run left, when it was for the same. */
  readonly earlier: EncodedTrack | undefined;
  /** Ticks a second, for where to go on. */
  timescaleOf(init: Uint8Array): number;
  /** Told of every segment that is in its file. */
  wrote(segment: EncodedSegment): void;
}

const STYP = box("styp", utf8("msdh"), new Uint8Array(4), utf8("msdhiso6"));

/**
 * Encodes a track into its files, a segment at a time.
 *
 * A segment is written when the next one has begun, or when the encoder has ended well: an encoder that is stopped
 * writes what it has, which is no whole segment.
 *
 * @throws {RunError} If the encoder fails.
 */
export async function encodeTrack(
  job: TrackJob,
  options: EncodeOptions,
): Promise<EncodedTrack> {
  const { ctx, earlier } = options;
  const writing = new SegmentFiles(job, options);
  const fromSeconds = earlier === undefined
    ? 0
    : writing.ticks / options.timescaleOf(earlier.init);
  await using tool = startFfmpeg(
    ctx.processes,
    "ffmpeg",
    job.args(fromSeconds),
  );
  const stop = () => void tool[Symbol.asyncDispose]();
  ctx.signal.addEventListener("abort", stop, { once: true });
  const reader = new FragmentReader();
  const cutter = job.sound === undefined
    ? new PictureCutter()
    : new SoundCutter(job.sound);
  const take = async (part: FilePart) => {
    if (part.kind === "init") return await writing.begin(part.bytes);
    for (const cut of cutter.push(part)) await writing.add(cut);
  };
  try {
    for await (const bytes of tool.output) {
      for (const part of reader.push(bytes)) await take(part);
    }
    const { code, said } = await tool.exited;
    ctx.signal.throwIfAborted();
    if (code !== 0) throw failed(job, said.split("\n").slice(-3).join(" | "));
    for (const cut of cutter.end()) await writing.add(cut);
    return await writing.end();
  } catch (error) {
    ctx.signal.throwIfAborted();
    if (!(error instanceof FragmentError)) throw error;
    throw failed(job, error.message);
  } finally {
    ctx.signal.removeEventListener("abort", stop);
  }
}

function failed({ name }: TrackJob, why: string): RunError {
  return new RunError(
    "encoder-failed",
    `Cannot encode ${name}: ffmpeg said: ${why || "nothing"}`,
  );
}

/** A segment that is not in its file yet; its times count from where the encoder began. */
interface NewSegment {
  readonly ticks: number;
  /** Its bytes, when it is number `number` and begins at `startTicks`. */
  bytesAt(number: number, startTicks: number): Uint8Array<ArrayBuffer>;
}

/** Fragments of pictures are segments already: only number and time are set. */
class PictureCutter {
  push({ bytes, timeAt, durationTicks }: Fragment): NewSegment[] {
    return [{
      ticks: durationTicks,
      bytesAt(number, startTicks) {
        const view = viewOf(bytes);
        view.setUint32(20, number); // mfhd: the first box in moof
        view.setBigUint64(timeAt, BigInt(startTicks));
        return concat(STYP, bytes);
      },
    }];
  }

  end(): NewSegment[] {
    return [];
  }
}

/** Puts frames of sound together to segments that end with the pictures', to a frame, the last one too. */
class SoundCutter {
  readonly #segmentTicks: number;
  readonly #ticks: number;
  #samples: Uint8Array[] = [];
  #frames = 0;
  #cuts = 0;

  constructor({ segmentTicks, ticks }: NonNullable<TrackJob["sound"]>) {
    this.#segmentTicks = segmentTicks;
    this.#ticks = ticks;
  }

  push(fragment: Fragment): NewSegment[] {
    const cut: NewSegment[] = [];
    let at = fragment.headBytes + 8;
    for (const length of fragment.sampleBytes) {
      if (this.#frames * SOUND_FRAME >= this.#ticks) break;
      if (this.#frames * SOUND_FRAME >= (this.#cuts + 1) * this.#segmentTicks) {
        cut.push(...this.end());
      }
      this.#samples.push(fragment.bytes.slice(at, at + length));
      this.#frames += 1;
      at += length;
    }
    return cut;
  }

  /** What is left. */
  end(): NewSegment[] {
    const samples = this.#samples;
    if (samples.length === 0) return [];
    this.#samples = [];
    this.#cuts += 1;
    return [{
      ticks: samples.length * SOUND_FRAME,
      bytesAt: (sequenceNumber, startTicks) =>
        mediaSegment({
          kind: "audio",
          sequenceNumber,
          startTicks,
          sampleTicks: SOUND_FRAME,
          samples,
          sizeBytes: 0,
        }),
    }];
  }
}

/** The files of a track: what was there, and what is added. */
class SegmentFiles {
  readonly #job: TrackJob;
  readonly #options: EncodeOptions;
  #init: Uint8Array<ArrayBuffer> | undefined;
  readonly #segments: EncodedSegment[];
  #waiting: NewSegment | undefined;
  #ticks = 0;

  constructor(job: TrackJob, options: EncodeOptions) {
    this.#job = job;
    this.#options = options;
    this.#init = options.earlier?.init;
    this.#segments = [...(options.earlier?.segments ?? [])];
    for (const { ticks } of this.#segments) this.#ticks += ticks;
  }

  /** Where the next segment begins. */
  get ticks(): number {
    return this.#ticks;
  }

  async begin(init: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#init !== undefined) return;
    this.#init = init;
    await this.#write(trackInitName(this.#job), init);
  }

  async add(segment: NewSegment): Promise<void> {
    await this.#writeWaiting();
    this.#waiting = segment;
  }

  async end(): Promise<EncodedTrack> {
    await this.#writeWaiting();
    if (this.#init === undefined || this.#segments.length === 0) {
      throw failed(this.#job, "nothing came out of it");
    }
    return { init: this.#init, segments: this.#segments };
  }

  async #writeWaiting(): Promise<void> {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#options.ctx.signal.throwIfAborted();
    this.#waiting = undefined;
    const number = this.#segments.length + 1;
    const name = segmentNameOf(this.#job, { number, ticks: this.#ticks });
    const bytes = waiting.bytesAt(number, this.#ticks);
    await this.#write(name, bytes);
    this.#ticks += waiting.ticks;
    const segment = { ticks: waiting.ticks, bytes: bytes.length };
    this.#segments.push(segment);
    this.#options.wrote(segment);
  }

  #write(name: string, bytes: Uint8Array): Promise<void> {
    const { ctx, folder } = this.#options;
    return ctx.files.writeAtomic(join(folder, name), bytes);
  }
}

/** What an encoder's own initialisation segment is kept as, hidden, until all rates are done. */
export function trackInitName({ name }: Pick<TrackJob, "name">): string {
  return `.${name}_init.mp4`;
}
