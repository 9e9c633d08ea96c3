/** A file's place in the torrent. Files lie one after the other in one long run of bytes that is cut into pieces. */
export interface LayoutFile {
  /** Path components below the download folder; never empty. */
  readonly path: readonly string[];
  readonly lengthBytes: number;
  /** Where the file begins in the torrent's bytes. */
  readonly offset: number;
  /** Zeros that only fill up a piece (BEP 47): never on the disk. */
  readonly padding?: true;
  /** To be marked as a program (BEP 47). */
  readonly executable?: true;
  /** To be hidden (BEP 47). */
  readonly hidden?: true;
  /** A symbolic link, and where it points, below the download folder (BEP 47). Its length is 0. */
  readonly link?: readonly string[];
  /** Root of the file's SHA-256 tree (BEP 52); none for an empty file, or in a torrent of v1. */
  readonly piecesRoot?: Uint8Array;
}

/** How a torrent's bytes are cut into pieces and files; {@linkcode Metainfo} is one. */
export interface Layout {
  /** Bytes in every piece but the last. */
  readonly pieceLength: number;
  readonly pieceCount: number;
  /** Sum of the pieces' lengths. Padding at the end of a piece is not part of them. */
  readonly totalBytes: number;
  /** In order of `offset`. In a torrent of v2 each begins at a piece, and there are gaps between them. */
  readonly files: readonly LayoutFile[];
  /** Bytes of all pieces with padding; `totalBytes` if not given. */
  readonly spanBytes?: number;
  /** Lengths of pieces that end in padding, without it. */
  readonly trimmed?: ReadonlyMap<number, number>;
}

/** A stretch of one file, which may be a padding file: zeros then. */
export interface FileRange {
  readonly fileIndex: number;
  /** Where in the file it begins. */
  readonly offset: number;
  readonly lengthBytes: number;
}

/**
 * Returns how many bytes of a piece are to be transferred: all have `pieceLength`, except the last, which has what is
 * left, and those that end in padding, which nobody needs to be sent (BEP 47; in v2 the piece ends there, BEP 52).
 *
 * @throws {RangeError} If there is no piece `pieceIndex`.
 */
export function pieceLengthOf(layout: Layout, pieceIndex: number): number {
  return layout.trimmed?.get(pieceIndex) ?? pieceSpanOf(layout, pieceIndex);
}

/**
 * Returns how many bytes a piece has with the padding at its end: what its SHA-1 is of, and what peers that do not know
 * padding may ask for.
 *
 * @throws {RangeError} If there is no piece `pieceIndex`.
 */
export function pieceSpanOf(layout: Layout, pieceIndex: number): number {
  if (
    !Number.isInteger(pieceIndex) || pieceIndex < 0 ||
    pieceIndex >= layout.pieceCount
  ) {
    throw new RangeError(
      `Cannot size piece: must be 0 to ${
        layout.pieceCount - 1
      }, got ${pieceIndex}`,
    );
  }
  return Math.min(
    layout.pieceLength,
    (layout.spanBytes ?? layout.totalBytes) - pieceIndex * layout.pieceLength,
  );
}

/**
 * Cuts files into pieces: finds the pieces that end in padding, or in the gap behind a file of v2, and sums up.
 *
 * A piece of nothing but padding keeps its length: it has to be had from somewhere.
 */
export function layOut(
  files: readonly LayoutFile[],
  { pieceLength, spanBytes }: {
    readonly pieceLength: number;
    readonly spanBytes: number;
  },
): Layout {
  const trimmed = new Map<number, number>();
  let totalBytes = spanBytes;
  // Where the bytes that matter end, as far as the files before go.
  let endOffset = 0;
  const trim = (untilOffset: number) => {
    const pieceIndex = Math.floor(endOffset / pieceLength);
    const length = endOffset - pieceIndex * pieceLength;
    const pieceEnd = Math.min((pieceIndex + 1) * pieceLength, spanBytes);
    if (length === 0 || untilOffset < pieceEnd || pieceEnd === endOffset) {
      return;
    }
    trimmed.set(pieceIndex, length);
    totalBytes -= pieceEnd - endOffset;
  };
  for (const { padding, offset, lengthBytes } of files) {
    if (padding || lengthBytes === 0) continue;
    if (offset > endOffset) trim(offset);
    endOffset = offset + lengthBytes;
  }
  trim(spanBytes);
  return {
    files,
    pieceLength,
    totalBytes,
    pieceCount: Math.ceil(spanBytes / pieceLength),
    ...(trimmed.size > 0 ? { trimmed, spanBytes } : {}),
  };
}

/**
 * Returns the parts of files that hold `lengthBytes` bytes from `begin` of a piece, in order. Empty files have no part.
 *
 * @throws {RangeError} If the range is not inside the piece.
 *
 * @example A piece that spans two files
 * ```ts
 * import { rangesOf } from "./layout.ts";
 * import assert from "node:assert/strict";
 *
 * const layout = {
 *   pieceLength: 8, pieceCount: 2, totalBytes: 10,
 *   files: [{ path: ["a"], lengthBytes: 6, offset: 0 }, { path: ["b"], lengthBytes: 4, offset: 6 }],
 * };
 * assert.deepEqual(rangesOf(layout, { pieceIndex: 0, begin: 4, lengthBytes: 4 }), [
 *   { fileIndex: 0, offset: 4, lengthBytes: 2 },
 *   { fileIndex: 1, offset: 0, lengthBytes: 2 },
 * ]);
 * ```
 */
export function rangesOf(
  layout: Layout,
  block: {
    readonly pieceIndex: number;
    readonly begin: number;
    readonly lengthBytes: number;
  },
): FileRange[] {
  const { pieceIndex, begin, lengthBytes } = block;
  const size = pieceLengthOf(layout, pieceIndex);
  if (
    !Number.isInteger(begin) || !Number.isInteger(lengthBytes) || begin < 0 ||
    lengthBytes < 0 || begin + lengthBytes > size
  ) {
    throw new RangeError(
      `Cannot locate block: must lie within the ${size} bytes of piece ${pieceIndex}, got ${lengthBytes} from ${begin}`,
    );
  }
  const ranges: FileRange[] = [];
  let at = pieceIndex * layout.pieceLength + begin;
  let left = lengthBytes;
  for (let index = fileAt(layout.files, at); left > 0; index++) {
    const file = layout.files[index];
    if (file === undefined) break;
    const offset = at - file.offset;
    const length = Math.min(left, file.lengthBytes - offset);
    if (length <= 0) continue;
    ranges.push({ fileIndex: index, offset, lengthBytes: length });
    at += length;
    left -= length;
  }
  return ranges;
}

/**
 * Returns the pieces that hold bytes of a file, as first and one past the last; equal for an empty file.
 *
 * @throws {RangeError} If there is no file `fileIndex`.
 */
export function piecesOf(
  layout: Layout,
  fileIndex: number,
): { readonly first: number; readonly end: number } {
  const file = layout.files[fileIndex];
  if (file === undefined) {
    throw new RangeError(
      `Cannot find file: must be 0 to ${
        layout.files.length - 1
      }, got ${fileIndex}`,
    );
  }
  const first = Math.floor(file.offset / layout.pieceLength);
  if (file.lengthBytes === 0) return { first, end: first };
  const end = Math.ceil((file.offset + file.lengthBytes) / layout.pieceLength);
  return { first, end };
}

/** Finds the last file that begins at or before `offset`, by halving. */
function fileAt(files: readonly LayoutFile[], offset: number): number {
  let low = 0;
  let high = files.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((files[middle]?.offset ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
