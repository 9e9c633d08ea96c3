/** A file's place in the torrent. Files lie one after the other in one long run of bytes that is cut into pieces. */
export interface LayoutFile {
  /** Path components below the download folder; never empty. */
  readonly path: readonly string[];
  readonly lengthBytes: number;
  /** Where the file begins in the torrent's bytes. */
  readonly offset: number;
}

/** How a torrent's bytes are cut into pieces and files; {@linkcode Metainfo} is one. */
export interface Layout {
  /** Bytes in every piece but the last. */
  readonly pieceLength: number;
  readonly pieceCount: number;
  readonly totalBytes: number;
  /** In order of `offset`. */
  readonly files: readonly LayoutFile[];
}

/** A stretch of one file. */
export interface FileRange {
  readonly fileIndex: number;
  /** Where in the file it begins. */
  readonly offset: number;
  readonly lengthBytes: number;
}

/**
 * Returns how many bytes a piece has: all have `pieceLength`, except the last, which has what is left.
 *
 * @throws {RangeError} If there is no piece `pieceIndex`.
 */
export function pieceLengthOf(layout: Layout, pieceIndex: number): number {
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
    layout.totalBytes - pieceIndex * layout.pieceLength,
  );
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
