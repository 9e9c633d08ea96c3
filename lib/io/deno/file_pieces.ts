import type { Library } from "./socket_calls.ts";

/** Shorter pieces cost no more to copy. */
const LEAST_BYTES = 32_768;
/** Room for one piece: 64 KiB with a head. */
const REGION_BYTES = 81_920;
const REGIONS = 32;
/** After so many copies it pays to put a piece into the file. */
const OFTEN = 4;
/** Pieces whose copies are counted. */
const MAX_COUNTED = 64;

const MFD_CLOEXEC = 1;
/** The pages of a part of a file are given up, and its length is kept. */
const PUNCH_HOLE = 0x3;

/** A part of the file, and what stands in it. */
interface Region {
  readonly offset: number;
  piece: Uint8Array | undefined;
}

/**
 * Pieces that many are sent, in a file of memory that the system sends from (sendfile): it takes the pages as they are,
 * where `send` copies them each time.
 *
 * What stands there is never changed: pages that are under way to a client are those of the file. A region that is needed
 * for another piece gives its pages up and gets new ones.
 */
export class FilePieces implements Disposable {
  readonly #library: Library;
  readonly #file: number;
  readonly #regions: readonly Region[] = Array.from(
    { length: REGIONS },
    (_, at) => ({ offset: at * REGION_BYTES, piece: undefined }),
  );
  readonly #standing = new Map<Uint8Array, Region>();
  readonly #copies = new Map<Uint8Array, number>();
  #next = 0;
  /** A number of 64 bits, of which the lower half is enough. */
  readonly #offset = new Uint32Array(2);
  readonly #offsetBytes = new Uint8Array(this.#offset.buffer);

  /** Opens the file; where there can be none, no piece ever stands in it. */
  constructor(library: Library) {
    this.#library = library;
    const name = new TextEncoder().encode("pieces\0");
    this.#file = library.symbols.memfd_create(name, MFD_CLOEXEC);
  }

  /**
   * Sends a piece if it stands in the file. A piece is known by its array, whose bytes must not change while it is used.
   *
   * @returns How many bytes the system took, -1 if that failed; undefined if it is for the caller to send.
   */
  send(socket: number, piece: Uint8Array): number | undefined {
    if (piece.length < LEAST_BYTES || piece.length > REGION_BYTES) {
      return undefined;
    }
    const region = this.#standing.get(piece) ?? this.#countOrPut(piece);
    if (region === undefined) return undefined;
    this.#offset[0] = region.offset;
    return this.#library.symbols.sendfile(
      socket,
      this.#file,
      this.#offsetBytes,
      BigInt(piece.length),
    );
  }

  #countOrPut(piece: Uint8Array): Region | undefined {
    const count = (this.#copies.get(piece) ?? 0) + 1;
    if (count > OFTEN) {
      this.#copies.delete(piece);
      return this.#put(piece);
    }
    if (this.#copies.size >= MAX_COUNTED) this.#copies.clear();
    this.#copies.set(piece, count);
    return undefined;
  }

  #put(piece: Uint8Array): Region | undefined {
    const { symbols: calls } = this.#library;
    const region = this.#regions[this.#next]!;
    this.#next = (this.#next + 1) % REGIONS;
    if (region.piece !== undefined) this.#standing.delete(region.piece);
    region.piece = undefined;
    const offset = BigInt(region.offset);
    const isFree = calls.fallocate(
      this.#file,
      PUNCH_HOLE,
      offset,
      BigInt(REGION_BYTES),
    ) === 0;
    const bytes = piece as Uint8Array<ArrayBuffer>;
    const length = BigInt(piece.length);
    const isThere = isFree &&
      calls.pwrite(this.#file, bytes, length, offset) === piece.length;
    if (!isThere) return undefined;
    region.piece = piece;
    this.#standing.set(piece, region);
    return region;
  }

  /** Lets go of the file. */
  [Symbol.dispose](): void {
    this.#library.symbols.close(this.#file);
  }
}
