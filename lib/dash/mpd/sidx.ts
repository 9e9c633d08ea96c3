/**
 * The segment index of a file (`sidx`, ISO/IEC 14496-12 §8.16.3): which bytes are which stretch of time.
 *
 * A file made for on-demand players is `ftyp moov sidx (moof mdat)*`. The manifest says where the `sidx` is
 * (`SegmentBase@indexRange`), and the `sidx` how long each part is in bytes and in time. A part may be another index.
 */
import type { ByteRange, Representation, Segment } from "./mpd.ts";
import type { SegmentLocation } from "./_segments.ts";

/** A part of the file that an index speaks of. */
export interface SidxReference {
  /** `media`: a segment; `index`: another `sidx`. */
  readonly kind: "media" | "index";
  readonly range: { readonly first: number; readonly last: number };
  /** Media time in units of the timescale. */
  readonly time: bigint;
  /** In units of the timescale. */
  readonly duration: number;
  /** It starts with a picture that can be decoded by itself (`starts_with_SAP`). */
  readonly startsWithSap: boolean;
}

/** A segment index. */
export interface Sidx {
  /** Units in a second. */
  readonly timescale: number;
  readonly references: readonly SidxReference[];
}

/** An index that cannot be used. Codes: `cut-off`, `no-index`, `bad-index`, `too-large`. */
export class SidxError extends SyntaxError {
  /** Stable and kebab-case; tests match on this and never on the message. */
  readonly code: string;

  /** Creates the error; `message` says what is wrong. */
  constructor(code: string, message: string) {
    super(`Cannot read segment index: ${message}`);
    this.name = "SidxError";
    this.code = code;
  }
}

/** Largest index taken, in bytes: 65,535 references are 786 kB, and a box or two may stand before it. */
export const MAX_INDEX_BYTES: number = 2 ** 20;

/**
 * Finds and reads the first `sidx` in `bytes`, which are those of the file from `firstByte` on.
 *
 * @throws {SidxError} If there is none, or it is cut off.
 */
export function parseSidx(bytes: Uint8Array, firstByte: number): Sidx {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 8 <= bytes.length;) {
    let size = view.getUint32(at);
    let head = 8;
    if (size === 1 && at + 16 <= bytes.length) {
      size = Number(view.getBigUint64(at + 8));
      head = 16;
    }
    if (size === 0) size = bytes.length - at;
    if (size < head || !Number.isSafeInteger(at + size)) break;
    if (view.getUint32(at + 4) === 0x73696478) {
      if (at + size > bytes.length) throw cutOff();
      const box = new DataView(view.buffer, view.byteOffset + at, size);
      return readBox(box, head, firstByte + at + size);
    }
    at += size;
  }
  throw new SidxError("no-index", "there is no sidx box in its byte range");
}

function cutOff(): SidxError {
  return new SidxError("cut-off", "the sidx box is longer than its byte range");
}

function readBox(box: DataView, head: number, end: number): Sidx {
  const fixed = head + 12;
  if (box.byteLength < fixed + 12) throw cutOff();
  const version = box.getUint8(head);
  const wide = version > 0;
  const counts = fixed + (wide ? 16 : 8);
  if (box.byteLength < counts + 4) throw cutOff();
  const timescale = box.getUint32(head + 8);
  if (timescale === 0) {
    throw new SidxError("bad-index", "its timescale must not be 0");
  }
  let time = wide ? box.getBigUint64(fixed) : BigInt(box.getUint32(fixed));
  const offset = wide
    ? Number(box.getBigUint64(fixed + 8))
    : box.getUint32(fixed + 4);
  const count = box.getUint16(counts + 2);
  if (box.byteLength < counts + 4 + 12 * count) throw cutOff();
  // References count from the byte after this box.
  let first = end + offset;
  const references: SidxReference[] = [];
  for (let at = 0; at < count; at++) {
    const from = counts + 4 + 12 * at;
    const word = box.getUint32(from);
    const sizeBytes = word & 0x7fffffff;
    const duration = box.getUint32(from + 4);
    const last = first + sizeBytes - 1;
    if (sizeBytes === 0 || !Number.isSafeInteger(last)) {
      throw new SidxError("bad-index", `reference ${at + 1} has no bytes`);
    }
    references.push({
      kind: word >>> 31 === 1 ? "index" : "media",
      range: { first, last },
      time,
      duration,
      startsWithSap: box.getUint8(from + 8) >= 0x80,
    });
    first = last + 1;
    time += BigInt(duration);
  }
  return { timescale, references };
}

/** Most segments one Representation's index may come to: two days of 1 s. */
const MAX_SEGMENTS = 200_000;
/** Most indexes that are read for one Representation. */
const MAX_INDEXES = 1000;

/**
 * Reads the index of a Representation, and those it refers to: fetch what {@linkcode IndexReading.next} says, hand it
 * to {@linkcode IndexReading.take}, until there is nothing next; then {@linkcode IndexReading.representation} has its
 * segments.
 */
export class IndexReading {
  readonly #representation: Representation;
  readonly #waiting: SegmentLocation[] = [];
  #read = 0;
  readonly #parts: {
    readonly range: ByteRange;
    startMs: number;
    endMs: number;
  }[] = [];

  /** Prepares for a Representation; one without an index is complete from the start. */
  constructor(representation: Representation) {
    this.#representation = representation;
    if (representation.index !== undefined) {
      this.#waiting.push(representation.index);
    }
  }

  /** What has to be fetched now; undefined when everything is known. */
  get next(): SegmentLocation | undefined {
    return this.#waiting[0];
  }

  /** Takes the bytes of what was next. @throws {SidxError} If they are no index, or there are too many. */
  take(bytes: Uint8Array): void {
    const { urls, range } = this.#waiting.shift()!;
    this.#read += 1;
    const { timescale, references } = parseSidx(bytes, range?.first ?? 0);
    const nested: SegmentLocation[] = [];
    for (const reference of references) {
      if (reference.kind === "index") {
        nested.push({ urls, range: reference.range });
        continue;
      }
      const startMs = Number(reference.time) * 1000 / timescale;
      this.#parts.push({
        range: reference.range,
        startMs,
        endMs: startMs + reference.duration * 1000 / timescale,
      });
    }
    this.#waiting.unshift(...nested);
    if (
      this.#parts.length > MAX_SEGMENTS ||
      this.#read + this.#waiting.length > MAX_INDEXES
    ) {
      throw new SidxError("too-large", "it comes to too many segments");
    }
  }

  /** The Representation with its segments; times count from the first segment of the file. */
  get representation(): Representation {
    const { index, bases, initialization } = this.#representation;
    if (index === undefined) return this.#representation;
    const [first] = this.#parts;
    const segments = this.#parts.map((
      { range, startMs, endMs },
      at,
    ): Segment => ({
      urls: bases.map((base) => base.url),
      range,
      number: at + 1,
      startMs: startMs - first!.startMs,
      durationMs: endMs - startMs,
    }));
    return {
      ...this.#representation,
      initialization,
      index: undefined,
      segments,
    };
  }
}
