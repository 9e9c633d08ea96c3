/**
 * How much media a chunk of a segment has: a `moof` tells how long its samples are (ISO/IEC 14496-12 §8.8), in units that
 * stand in the initialization segment, and what it leaves out stands there as well.
 */
import { viewOf } from "../core/bytes.ts";

/** What an initialization segment says of the samples of its track. */
export interface SampleTimes {
  /** Units in a second (mdhd). */
  readonly timescale: number;
  /** How long a sample is of which nothing else is said (trex). */
  readonly sampleTicks: number;
}

/** The content of a box. */
interface Box {
  readonly type: string;
  readonly view: DataView;
}

/** The boxes in `view`, as far as they are whole. */
function* boxesIn(view: DataView): Generator<Box> {
  for (let at = 0; at + 8 <= view.byteLength;) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > view.byteLength) return;
    const type = String.fromCharCode(
      ...[4, 5, 6, 7].map((letter) => view.getUint8(at + letter)),
    );
    const from = view.byteOffset + at + 8;
    yield { type, view: new DataView(view.buffer, from, size - 8) };
    at += size;
  }
}

/** The first box of a path, such as `moov`, `mvex`, `trex`. */
function boxAt(
  view: DataView,
  ...[type, ...rest]: string[]
): DataView | undefined {
  for (const box of boxesIn(view)) {
    if (box.type !== type) continue;
    if (rest.length === 0) return box.view;
    const found = boxAt(box.view, ...rest);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The 32 bits at `at`; 0 behind the end. */
function word(view: DataView, at: number): number {
  return at + 4 <= view.byteLength ? view.getUint32(at) : 0;
}

/** Reads an initialization segment; undefined when it does not say. */
export function readSampleTimes(bytes: Uint8Array): SampleTimes | undefined {
  const file = viewOf(bytes);
  const media = boxAt(file, "moov", "trak", "mdia", "mdhd");
  const defaults = boxAt(file, "moov", "mvex", "trex");
  if (media === undefined || defaults === undefined) return undefined;
  const isLong = word(media, 0) >>> 24 === 1;
  const timescale = word(media, isLong ? 20 : 12);
  return timescale === 0
    ? undefined
    : { timescale, sampleTicks: word(defaults, 12) };
}

/** How long the samples are that a `moof`, all of it in `bytes`, tells of, in ms. */
export function fragmentMs(bytes: Uint8Array, times: SampleTimes): number {
  const track = boxAt(viewOf(bytes), "moof", "traf");
  if (track === undefined) return 0;
  let { sampleTicks } = times;
  let ticks = 0;
  for (const { type, view } of boxesIn(track)) {
    const flags = word(view, 0);
    if (type === "tfhd" && flags & 0x8) {
      sampleTicks = word(
        view,
        8 + (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0),
      );
    } else if (type === "trun") ticks += runTicks(view, flags, sampleTicks);
  }
  return ticks * 1000 / times.timescale;
}

/** Durations in a `trun` (§8.8.8). */
function runTicks(view: DataView, flags: number, sampleTicks: number): number {
  const count = word(view, 4);
  if (!(flags & 0x100)) return count * sampleTicks;
  const each = 4 * [0x100, 0x200, 0x400, 0x800]
    .filter((field) => flags & field).length;
  let at = 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);
  let ticks = 0;
  for (; at + each <= view.byteLength; at += each) ticks += word(view, at);
  return ticks;
}
