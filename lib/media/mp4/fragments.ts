/**
 * Takes a fragmented MP4 file apart as an encoder writes it: the initialisation segment, then fragments
 * (ISO/IEC 14496-12 §8.8), each with the times of its samples.
 */
import { ByteCollector } from "../../core/byte_collector.ts";
import { viewOf } from "../../core/bytes.ts";

/** A fragment: `moof` and `mdat`. */
export interface Fragment {
  readonly kind: "fragment";
  /** Both boxes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Length of `moof`: the rest is `mdat`. */
  readonly headBytes: number;
  /** Where in `bytes` the 64-bit decode time of `tfdt` stands. */
  readonly timeAt: number;
  readonly startTicks: number;
  readonly durationTicks: number;
  readonly sampleBytes: readonly number[];
}

/** What {@linkcode FragmentReader} finds. */
export type FilePart =
  | { readonly kind: "init"; readonly bytes: Uint8Array<ArrayBuffer> }
  | Fragment;

/** A file that is not what was expected: of an encoder, so a fault of the tool and not of a user. */
export class FragmentError extends SyntaxError {
  /** Creates the error; `message` says what is wrong. */
  constructor(message: string) {
    super(`Cannot read fragmented MP4: ${message}`);
    this.name = "FragmentError";
  }
}

/** Largest box taken: a minute in 8K has less. */
const MAX_BOX_BYTES = 512 * 2 ** 20;

/** Takes the bytes of a file in any pieces, and hands out its parts when they are whole. */
export class FragmentReader {
  #collected = new ByteCollector();
  /** Boxes of the part that is being read. */
  #head: Uint8Array<ArrayBuffer>[] = [];
  #initialized = false;
  #defaults = { ticks: 0, bytes: 0 };

  /** Takes the next bytes; returns the parts they complete. @throws {FragmentError} */
  push(bytes: Uint8Array): FilePart[] {
    this.#collected.push(bytes);
    const all = this.#collected.bytes;
    const parts: FilePart[] = [];
    let at = 0;
    while (at + 8 <= all.length) {
      const size = viewOf(all).getUint32(at);
      if (size < 8 || size > MAX_BOX_BYTES) {
        throw new FragmentError(`a box has ${size} bytes`);
      }
      if (at + size > all.length) break;
      const part = this.#box(all.slice(at, at + size));
      if (part !== undefined) parts.push(part);
      at += size;
    }
    if (at > 0) {
      this.#collected = new ByteCollector();
      this.#collected.push(all.subarray(at));
    }
    return parts;
  }

  #box(box: Uint8Array<ArrayBuffer>): FilePart | undefined {
    switch (typeOf(box)) {
      case "ftyp":
      case "moof":
        this.#head = [box];
        return undefined;
      case "moov": {
        this.#head.push(box);
        this.#defaults = defaultsOf(box);
        this.#initialized = true;
        return { kind: "init", bytes: joined(this.#head) };
      }
      case "mdat": {
        if (!this.#initialized || this.#head.length !== 1) {
          throw new FragmentError("an mdat stands where none should be");
        }
        return this.#fragment(this.#head[0]!, box);
      }
      default:
        return undefined;
    }
  }

  #fragment(
    moof: Uint8Array<ArrayBuffer>,
    mdat: Uint8Array<ArrayBuffer>,
  ): Fragment {
    const track = find(moof, 8, "traf");
    const time = find(moof, track.start, "tfdt", track.end);
    const view = viewOf(moof);
    if (view.getUint8(time.start) !== 1) {
      throw new FragmentError("tfdt must be of version 1");
    }
    const header = find(moof, track.start, "tfhd", track.end);
    const defaults = { ...this.#defaults, ...overridden(view, header.start) };
    const run = find(moof, track.start, "trun", track.end);
    const timeAt = time.start + 4;
    return {
      kind: "fragment",
      bytes: joined([moof, mdat]),
      headBytes: moof.length,
      timeAt,
      startTicks: Number(view.getBigUint64(timeAt)),
      ...samplesOf(view, run, defaults),
    };
  }
}

interface Place {
  /** First byte after the box's type. */
  readonly start: number;
  readonly end: number;
}

function typeOf(bytes: Uint8Array, at = 0): string {
  return String.fromCharCode(...bytes.subarray(at + 4, at + 8));
}

function joined(
  parts: readonly Uint8Array<ArrayBuffer>[],
): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Finds a box among those from `from` on. @throws {FragmentError} If there is none. */
export function find(
  bytes: Uint8Array,
  from: number,
  type: string,
  end: number = bytes.length,
): Place {
  for (let at = from; at + 8 <= end;) {
    const size = viewOf(bytes).getUint32(at);
    if (size < 8 || at + size > end) break;
    if (typeOf(bytes, at) === type) return { start: at + 8, end: at + size };
    at += size;
  }
  throw new FragmentError(`there is no ${type} where one should be`);
}

/** What `trex` says of samples. */
function defaultsOf(moov: Uint8Array) {
  const { start, end } = find(moov, 8, "mvex");
  const trex = find(moov, start, "trex", end).start;
  const view = viewOf(moov);
  return { ticks: view.getUint32(trex + 12), bytes: view.getUint32(trex + 16) };
}

/** What `tfhd` says instead (§8.8.7). */
function overridden(view: DataView, start: number) {
  const flags = view.getUint32(start) & 0xffffff;
  let at = start + 8;
  if (flags & 0x1) at += 8;
  if (flags & 0x2) at += 4;
  const ticks = flags & 0x8 ? view.getUint32(at) : undefined;
  if (flags & 0x8) at += 4;
  const bytes = flags & 0x10 ? view.getUint32(at) : undefined;
  return {
    ...(ticks === undefined ? {} : { ticks }),
    ...(bytes === undefined ? {} : { bytes }),
  };
}

/** Durations and sizes in `trun` (§8.8.8). */
function samplesOf(
  view: DataView,
  run: Place,
  defaults: { readonly ticks: number; readonly bytes: number },
) {
  const flags = view.getUint32(run.start) & 0xffffff;
  const count = view.getUint32(run.start + 4);
  let at = run.start + 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);
  const fields = [0x100, 0x200, 0x400, 0x800];
  const stride = 4 * fields.filter((field) => flags & field).length;
  if (at + count * stride > run.end) throw new FragmentError("trun is cut off");
  let durationTicks = 0;
  const sampleBytes: number[] = [];
  for (let sample = 0; sample < count; sample++, at += stride) {
    const hasTicks = (flags & 0x100) !== 0;
    durationTicks += hasTicks ? view.getUint32(at) : defaults.ticks;
    sampleBytes.push(
      flags & 0x200 ? view.getUint32(at + (hasTicks ? 4 : 0)) : defaults.bytes,
    );
  }
  return { durationTicks, sampleBytes };
}
