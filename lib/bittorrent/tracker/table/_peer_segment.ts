/** The memory of a {@linkcode PeerStore}: some thousand records. */
import { PREFIX_BYTES } from "./_id_prefixes.ts";
import { Links } from "./_links.ts";

/** Records of a block. More would leave more empty records in small swarms, fewer would need more to be kept of each. */
export const BLOCK = 8;
/** The power of two that it is. */
export const BLOCK_BITS = 3;
/** For the place in a block. */
export const BLOCK_MASK = BLOCK - 1;
/** Records of a segment. A power of two. */
export const SEGMENT = 4096;
/** The power of two that it is. */
export const SEGMENT_BITS = 12;
/** For the place in a segment. */
export const SEGMENT_MASK = SEGMENT - 1;
/** Bytes of a peer id. */
export const ID_BYTES = 20;
/** Bytes of it after its prefix. */
export const TAIL_BYTES: number = ID_BYTES - PREFIX_BYTES;
/** Where the number of its prefix is, after those at 0. */
export const PREFIX_AT: number = TAIL_BYTES;
/** Where the three sizes of two bytes are that only the owner reads. */
export const SIZES_AT: number = PREFIX_AT + 2;
/** Bytes of one record's part. */
export const REST_BYTES: number = SIZES_AT + 6;
/** So many records. */
export interface Segment {
  /** Of each record its stamp, then address and port, in words of two bytes: what is read of those who are handed out. */
  readonly shown: Uint16Array;
  /** The same memory, byte by byte. */
  readonly shownBytes: Uint8Array;
  /** Of each record the end of its peer id, the number of its prefix, and sizes. */
  readonly rest: Uint8Array;
  /** Of each record the prefix of its peer id, if any of the segment has one without a number. */
  prefixes: Uint8Array | null;
  /** The next of its chain, plus one; 0 ends it. */
  readonly next: Links;
  /** Of each block: the swarm it belongs to, and where it stands in that group's blocks. */
  readonly swarms: Uint32Array;
  readonly places: Uint32Array;
}

/** Returns an empty segment. @param words See {@linkcode Segment.shown}. */
export function newSegment(words: number): Segment {
  const shown = new Uint16Array(SEGMENT * words);
  return {
    shown,
    shownBytes: new Uint8Array(shown.buffer),
    rest: new Uint8Array(SEGMENT * REST_BYTES),
    prefixes: null,
    next: new Links(SEGMENT),
    swarms: new Uint32Array(SEGMENT / BLOCK),
    places: new Uint32Array(SEGMENT / BLOCK),
  };
}

/** Where a record starts in {@linkcode Segment.rest}. */
export function restAt(record: number): number {
  return (record & SEGMENT_MASK) * REST_BYTES;
}

/** Few bytes are copied faster one by one than by a call. */
export function copyBytes(
  bytes: Uint8Array,
  from: number,
  { into, offset, count }: {
    readonly into: Uint8Array;
    readonly offset: number;
    readonly count: number;
  },
): void {
  for (let at = 0; at < count; at++) into[offset + at] = bytes[from + at]!;
}

/** Copies three words or more: a loop over three costs twice as much as they do by themselves. */
export function copyWords(
  words: Uint16Array,
  from: number,
  { into, offset, count }: {
    readonly into: Uint16Array;
    readonly offset: number;
    readonly count: number;
  },
): void {
  into[offset] = words[from]!;
  into[offset + 1] = words[from + 1]!;
  into[offset + 2] = words[from + 2]!;
  for (let at = 3; at < count; at++) into[offset + at] = words[from + at]!;
}
