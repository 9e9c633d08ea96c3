import { type ByteRange, decideRange } from "../range.ts";
import type { StoredBody, StoredBodyReader } from "./stored_body.ts";

/** More pieces than that are not kept: whoever asks for every second byte gets no better service. */
const MAX_PIECES = 4096;

/** Bytes of a representation, and where they stand in it. */
export interface Piece {
  readonly firstByte: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * A representation of which only parts are held (RFC 9111 §3.3): what ranges of something too large brought in.
 *
 * Never changed: a part that comes makes a new one, which shares the pieces.
 */
export class SparseBody implements StoredBody {
  /** See {@linkcode StoredBody.state}: what is not here nobody is bringing. */
  readonly state = "complete";
  /** See {@linkcode StoredBody.isWhole}. */
  readonly isWhole = false;
  /** Of the whole representation. */
  readonly lengthBytes: number;
  /** See {@linkcode StoredBody.filledBytes}. */
  readonly filledBytes: number;
  /** In order, without overlaps; neighbours may touch. */
  readonly #pieces: readonly Piece[];

  /** Holds `pieces`, in order and without overlaps, of a representation of `lengthBytes`. */
  constructor(lengthBytes: number, pieces: readonly Piece[] = []) {
    this.lengthBytes = lengthBytes;
    this.#pieces = pieces;
    this.filledBytes = pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** See {@linkcode StoredBody.bytes}: there is no such thing. */
  get bytes(): Uint8Array<ArrayBuffer> {
    throw new TypeError("only parts of the body are here");
  }

  /** Whether every byte is here. */
  get isComplete(): boolean {
    return this.filledBytes === this.lengthBytes;
  }

  /** How many bytes are here from the first one on, without a gap. */
  get prefixBytes(): number {
    return this.#reach(0);
  }

  /** The bytes before the first gap, in one piece. */
  prefix(): Uint8Array<ArrayBuffer> {
    const prefix = new Uint8Array(this.prefixBytes);
    for (const { firstByte, bytes } of this.#pieces) {
      if (firstByte < prefix.length) prefix.set(bytes, firstByte);
    }
    return prefix;
  }

  /** Every byte in one piece. @throws {TypeError} Unless {@linkcode SparseBody.isComplete}. */
  joined(): Uint8Array<ArrayBuffer> {
    if (!this.isComplete) return this.bytes;
    return this.prefix();
  }

  /**
   * This and one part more; bytes that are here already stay. When that is more than `maxBytes`, or pieces too many,
   * the part alone is kept.
   */
  with(part: Piece, maxBytes: number): SparseBody {
    const end = Math.min(part.firstByte + part.bytes.length, this.lengthBytes);
    const pieces: Piece[] = [];
    let at = part.firstByte;
    const addUpTo = (limit: number) => {
      if (limit <= at) return;
      const bytes = part.bytes.subarray(
        at - part.firstByte,
        limit - part.firstByte,
      );
      pieces.push({ firstByte: at, bytes });
    };
    for (const piece of this.#pieces) {
      addUpTo(Math.min(piece.firstByte, end));
      pieces.push(piece);
      at = Math.max(at, piece.firstByte + piece.bytes.length);
    }
    addUpTo(end);
    pieces.sort((a, b) => a.firstByte - b.firstByte);
    const all = new SparseBody(this.lengthBytes, pieces);
    return all.filledBytes <= maxBytes && pieces.length <= MAX_PIECES
      ? all
      : new SparseBody(this.lengthBytes, [part]);
  }

  /** Whether all that a `Range` value asks for is here, or it asks for what no byte can satisfy. */
  satisfies(range: string | null): boolean {
    const decision = decideRange(range, this.lengthBytes);
    switch (decision.kind) {
      case "whole":
        return false;
      case "unsatisfiable":
        return true;
      case "parts":
        return decision.parts.every((part) => this.covers(part));
    }
  }

  /** Whether every byte of `range` is here. */
  covers(range: ByteRange): boolean {
    return this.#reach(range.firstByte) > range.lastByte;
  }

  /** See {@linkcode StoredBody.reader}; what is asked for must be here. */
  reader(begin = 0, end = Infinity): StoredBodyReader {
    let at = begin;
    let hasLeft = false;
    return {
      // deno-lint-ignore require-await
      next: async (maxBytes) => {
        if (hasLeft || at >= Math.min(end, this.lengthBytes)) return null;
        const piece = this.#pieceAt(at);
        if (piece === undefined) {
          throw new RangeError("a part that was asked for is not here");
        }
        const from = at - piece.firstByte;
        const bytes = piece.bytes.subarray(
          from,
          from + Math.min(maxBytes, end - at),
        );
        at += bytes.length;
        return bytes;
      },
      leave: () => void (hasLeft = true),
    };
  }

  #pieceAt(at: number): Piece | undefined {
    return this.#pieces.find(({ firstByte, bytes }) =>
      at >= firstByte && at < firstByte + bytes.length
    );
  }

  /** The first byte from `begin` on that is not here. */
  #reach(begin: number): number {
    let at = begin;
    for (const { firstByte, bytes } of this.#pieces) {
      if (firstByte > at) break;
      at = Math.max(at, firstByte + bytes.length);
    }
    return at;
  }
}
