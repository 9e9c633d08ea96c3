/** The memory of a {@linkcode PeerStore}: some thousand records. */

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
/** Where the fields that only the owner reads are, after the peer id at 0. */
export const SIZES_AT = 20;
/** After three sizes of two bytes. */
export const FLAGS_AT = 26;
/** Bytes of one record's part. */
export const REST_BYTES = 27;
/** So many records. */
export interface Segment {
  /** Of each record its stamp, then address and port, in words of two bytes: what is read of those who are handed out. */
  readonly shown: Uint16Array;
  /** The same memory, byte by byte. */
  readonly shownBytes: Uint8Array;
  /** Of each record peer id, sizes and flags. */
  readonly rest: Uint8Array;
  /** The next of its chain, plus one; 0 ends it. */
  readonly next: Uint32Array;
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
    next: new Uint32Array(SEGMENT),
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
