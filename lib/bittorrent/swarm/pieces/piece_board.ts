import type { Rng } from "../../../core/rng.ts";
import { type Layout, pieceLengthOf } from "../../metainfo/layout.ts";
import type { Bitfield } from "../../wire/bitfield.ts";
import { BLOCK_BYTES, type BlockRef } from "../../wire/messages.ts";
import { type PickerName, pickPiece } from "./picker.ts";

/** In the end game a block is asked of at most so many peers: with scarce upload each copy is paid for by someone. */
const MAX_REQUESTERS = 2;
/** Of one more if that one has nothing else to do: two slow ones may hold for seconds what a seed with upload left gives at once. */
const MAX_WITH_IDLE = 3;

/** A peer blocks are asked of. */
export interface BlockSource {
  /** What the peer has. */
  readonly pieces: Bitfield;
  /** Blocks asked of it and not yet there, by block number. */
  readonly outstanding: Set<number>;
  /** The piece it is working on; it is finished first. */
  currentPiece: number;
  /** When it was last found to have nothing to be asked for: see {@linkcode PieceBoard.dry}. */
  dryAt?: number;
  /** It is good at pieces that lie behind each other: an HTTP server (BEP 19). */
  readonly runs?: boolean;
}

/** A piece that is being put together. */
interface ActivePiece {
  readonly pieceIndex: number;
  readonly buffer: Uint8Array;
  /** How many peers each block is asked of. */
  readonly requesters: Uint8Array;
  readonly received: Uint8Array;
  receivedCount: number;
  /** No block before it is free. */
  firstFree: number;
  freeCount: number;
  /** Who gave each block. */
  readonly givers: (BlockSource | undefined)[];
  /** A copy of it was bad: nobody but `owner` is asked for its blocks, so that it is known whose they are. */
  readonly suspect: boolean;
  owner: BlockSource | null;
}

/** A complete piece whose hash was compared. */
export interface CheckedPiece {
  readonly bytes: Uint8Array;
  /** Who gave each of its blocks. */
  readonly givers: readonly (BlockSource | undefined)[];
}

/** How {@linkcode PieceBoard} is set up. */
export interface PieceBoardOptions {
  readonly layout: Layout;
  readonly have: Bitfield;
  readonly picker: PickerName;
  readonly rng: Rng;
  /** Whether a piece can be checked; until then it is held back. All can if not given. */
  readonly known?: (pieceIndex: number) => boolean;
  /** Returns a buffer for a piece of that length. */
  readonly takeBuffer: (lengthBytes: number) => Uint8Array;
}

/**
 * Who is asked for which block: the state of the download.
 *
 * A block is free, asked of one peer (in the end game of two, and of a third that is idle), or received. Strict priority: blocks of pieces already
 * begun go first, so that pieces become whole, and can be passed on, soon. When no block is free any more, the end game
 * asks a second peer for what is outstanding, so that one slow peer does not hold up the last pieces.
 */
export class PieceBoard {
  /** How many connected peers have each piece. */
  readonly availability: Int32Array;
  readonly #options: PieceBoardOptions;
  readonly #blocksPerPiece: number;
  readonly #wanted: number[] = [];
  /** Pieces whose hashes are still to come (BEP 52). */
  #held: number[] = [];
  readonly #active = new Map<number, ActivePiece>();
  /** Complete pieces whose hash is being checked. */
  readonly #checking = new Map<number, ActivePiece>();
  /** Pieces of which a copy was bad. */
  readonly #suspects = new Set<number>();
  /** Blocks that nobody was asked for. */
  #freeBlocks = 0;
  /** As many of them are of pieces begun. */
  #freeBegun = 0;
  /** How often something happened by which a peer that had nothing to be asked for may have. */
  #changes = 0;

  /** Creates the board of a download that lacks what is not in `have`. */
  constructor(options: PieceBoardOptions) {
    this.#options = options;
    const { layout, have } = options;
    this.#blocksPerPiece = Math.ceil(layout.pieceLength / BLOCK_BYTES);
    this.availability = new Int32Array(layout.pieceCount);
    for (let index = 0; index < layout.pieceCount; index++) {
      if (!have.has(index)) this.#held.push(index);
    }
    this.admit();
  }

  /** Wants the pieces that can be checked by now. */
  admit(): void {
    const { known = () => true } = this.#options;
    this.#changes += 1;
    this.#held = this.#held.filter((index) => {
      if (!known(index)) return true;
      this.#wanted.push(index);
      this.#freeBlocks += this.#blockCount(index);
      return false;
    });
  }

  /** Whether every missing block has been asked for. */
  get endgame(): boolean {
    return this.#freeBlocks === 0 && this.#held.length === 0;
  }

  /** Pieces begun and not complete. */
  get activePieces(): number {
    return this.#active.size;
  }

  /** Whether {@linkcode PieceBoard.next} would find nothing, as the last time: since then `source` got no piece and no block became free. The question comes with nearly everything a peer says. */
  dry(source: BlockSource): boolean {
    return source.dryAt === this.#momentOf(source);
  }

  /** Another number whenever `source` may have something to be asked for that it had not before; in the end game more is asked of one that is idle. */
  #momentOf({ pieces, outstanding }: BlockSource): number {
    const changes = 2 * this.#changes + (outstanding.size === 0 ? 1 : 0);
    return changes * (pieces.length + 1) + pieces.count;
  }

  /** Chooses the next block to ask `source` for and notes it as asked; null if it has nothing we need. */
  next(source: BlockSource): BlockRef | null {
    const block = this.#choose(source);
    if (block === null) source.dryAt = this.#momentOf(source);
    // The end game begins: what is asked of others is to be had.
    else if (this.#freeBlocks === 0) this.#changes += 1;
    return block;
  }

  #choose(source: BlockSource): BlockRef | null {
    if (this.#freeBlocks === 0) {
      return this.endgame ? this.#again(source) : null;
    }
    const piece = this.#begun(source) ?? this.#begin(source);
    if (piece === null) return null;
    if (piece.suspect) piece.owner = source;
    let block = piece.firstFree;
    while (piece.requesters[block] !== 0 || piece.received[block] !== 0) {
      block++;
    }
    piece.firstFree = block + 1;
    piece.freeCount -= 1;
    this.#freeBlocks -= 1;
    this.#freeBegun -= 1;
    source.currentPiece = piece.pieceIndex;
    return this.#ask(source, piece, block);
  }

  /** How many peers are asked for a block. */
  requesters({ pieceIndex, begin }: Omit<BlockRef, "lengthBytes">): number {
    const piece = this.#active.get(pieceIndex);
    return piece?.requesters[begin / BLOCK_BYTES] ?? 0;
  }

  /**
   * Takes a block. `unasked`: the peer was not asked for it, or it came by another way meanwhile. `complete`: it was the piece's last.
   * Of whom else the block is asked ({@linkcode PieceBoard.requesters} said so before), it is to be withdrawn.
   */
  received(
    source: BlockSource,
    block: {
      readonly pieceIndex: number;
      readonly begin: number;
      readonly block: Uint8Array;
    },
  ): "kept" | "complete" | "unasked" {
    const { pieceIndex, begin, block: bytes } = block;
    const index = begin / BLOCK_BYTES;
    const number = pieceIndex * this.#blocksPerPiece + index;
    const piece = this.#active.get(pieceIndex);
    if (
      piece === undefined || !Number.isInteger(index) ||
      index >= piece.received.length || !source.outstanding.has(number) ||
      bytes.length !== this.#blockLength(piece, index)
    ) return "unasked";
    source.outstanding.delete(number);
    piece.requesters[index]! -= 1;
    if (piece.received[index] !== 0) return "unasked";
    piece.received[index] = 1;
    piece.receivedCount += 1;
    piece.givers[index] = source;
    piece.buffer.set(bytes, begin);
    if (piece.receivedCount < piece.received.length) return "kept";
    this.#active.delete(pieceIndex);
    this.#checking.set(pieceIndex, piece);
    return "complete";
  }

  /** Returns the bytes of a complete piece that is being checked. */
  bytesOf(pieceIndex: number): Uint8Array {
    return this.#checking.get(pieceIndex)!.buffer;
  }

  /** Takes the block off the list of `source` if it was asked for it: another peer was faster. Returns the block to cancel, or null. */
  withdraw(
    source: BlockSource,
    block: { readonly pieceIndex: number; readonly begin: number },
  ): boolean {
    return source.outstanding.delete(
      block.pieceIndex * this.#blocksPerPiece + block.begin / BLOCK_BYTES,
    );
  }

  /** Ends the check of a piece; null if there was none. An invalid piece is wanted again, of one peer at a time. */
  checked(pieceIndex: number, valid: boolean): CheckedPiece | null {
    const piece = this.#checking.get(pieceIndex);
    if (piece === undefined) return null;
    this.#checking.delete(pieceIndex);
    if (valid) this.#suspects.delete(pieceIndex);
    else {
      this.#suspects.add(pieceIndex);
      this.#held.push(pieceIndex);
      this.admit();
    }
    return { bytes: piece.buffer, givers: piece.givers };
  }

  /** A piece is held back again: nobody wants it any more. Returns the buffer it was put together in, if it was begun. */
  hold(pieceIndex: number): Uint8Array | null {
    const buffer = this.#takeOut(pieceIndex);
    if (buffer !== undefined) this.#held.push(pieceIndex);
    return buffer ?? null;
  }

  /** A piece came by another way. Returns the buffer it was put together in, if it was begun. */
  supplied(pieceIndex: number): Uint8Array | null {
    const buffer = this.#takeOut(pieceIndex) ?? null;
    // Its bytes are being hashed: nobody may write there.
    this.#checking.delete(pieceIndex);
    this.#suspects.delete(pieceIndex);
    this.#held = this.#held.filter((index) => index !== pieceIndex);
    return buffer;
  }

  /** Takes a piece off the lists of those wanted and begun; undefined if it is on neither, null if it was not begun. */
  #takeOut(pieceIndex: number): Uint8Array | null | undefined {
    this.#changes += 1;
    const piece = this.#active.get(pieceIndex);
    if (piece !== undefined) {
      this.#active.delete(pieceIndex);
      this.#freeBlocks -= piece.freeCount;
      this.#freeBegun -= piece.freeCount;
      return piece.buffer;
    }
    const at = this.#wanted.indexOf(pieceIndex);
    if (at === -1) return undefined;
    this.#wanted.splice(at, 1);
    this.#freeBlocks -= this.#blockCount(pieceIndex);
    return null;
  }

  /** Frees every block asked of `source`: it choked us, left, or does not answer. */
  release(source: BlockSource): void {
    this.#changes += 1;
    for (const number of source.outstanding) this.#free(number);
    source.outstanding.clear();
    source.currentPiece = -1;
    if (this.#suspects.size === 0) return;
    for (const piece of this.#active.values()) {
      if (piece.owner === source) piece.owner = null;
    }
  }

  /** Frees one block asked of `source`, which will not give it (BEP 6). Returns whether it was asked for it. */
  rejected(source: BlockSource, rejected: BlockRef): boolean {
    const block = rejected.begin / BLOCK_BYTES;
    const number = rejected.pieceIndex * this.#blocksPerPiece + block;
    if (!source.outstanding.delete(number)) return false;
    this.#changes += 1;
    this.#free(number);
    // Who rejects may be choking us for good: the piece must not wait for it.
    const piece = this.#active.get(rejected.pieceIndex);
    if (piece?.owner === source) piece.owner = null;
    return true;
  }

  /** One peer fewer is asked for a block. */
  #free(number: number): void {
    const piece = this.#active.get(Math.floor(number / this.#blocksPerPiece));
    if (piece === undefined) return;
    const block = number % this.#blocksPerPiece;
    if (piece.received[block] !== 0) return;
    piece.requesters[block]! -= 1;
    if (piece.requesters[block]! > 0) return;
    piece.firstFree = Math.min(piece.firstFree, block);
    piece.freeCount += 1;
    this.#freeBlocks += 1;
    this.#freeBegun += 1;
  }

  /** A begun piece with a free block that `source` has: the one it is working on, else the oldest. */
  #begun(source: BlockSource): ActivePiece | null {
    if (this.#freeBegun === 0) return null;
    const current = this.#active.get(source.currentPiece);
    if (current !== undefined && lets(current, source)) return current;
    for (const piece of this.#active.values()) {
      if (lets(piece, source) && source.pieces.has(piece.pieceIndex)) {
        return piece;
      }
    }
    return null;
  }

  #begin(source: BlockSource): ActivePiece | null {
    const { have, picker, rng, layout, takeBuffer } = this.#options;
    const behind = source.currentPiece + 1;
    const run = source.runs && source.pieces.has(behind)
      ? this.#wanted.indexOf(behind)
      : -1;
    const at = run !== -1 ? run : pickPiece({
      wanted: this.#wanted,
      availability: this.availability,
      offered: source.pieces,
      picker,
      havePieces: have.count,
    }, rng);
    if (at === -1) return null;
    const pieceIndex = this.#wanted[at]!;
    this.#wanted[at] = this.#wanted.at(-1)!;
    this.#wanted.pop();
    const blocks = this.#blockCount(pieceIndex);
    const piece: ActivePiece = {
      pieceIndex,
      buffer: takeBuffer(pieceLengthOf(layout, pieceIndex)),
      requesters: new Uint8Array(blocks),
      received: new Uint8Array(blocks),
      receivedCount: 0,
      firstFree: 0,
      freeCount: blocks,
      givers: new Array(blocks),
      suspect: this.#suspects.has(pieceIndex),
      owner: null,
    };
    this.#active.set(pieceIndex, piece);
    this.#freeBegun += blocks;
    return piece;
  }

  /** End game: a block that is asked of someone else, least asked for first, then by the oldest piece. */
  #again(source: BlockSource): BlockRef | null {
    let best: ActivePiece | null = null;
    let bestBlock = 0;
    let fewest = source.outstanding.size === 0 ? MAX_WITH_IDLE : MAX_REQUESTERS;
    for (const piece of this.#active.values()) {
      if (piece.suspect || !source.pieces.has(piece.pieceIndex)) continue;
      const first = piece.pieceIndex * this.#blocksPerPiece;
      for (let block = 0; block < piece.received.length; block++) {
        const requesters = piece.requesters[block]!;
        if (piece.received[block] !== 0 || requesters >= fewest) continue;
        if (source.outstanding.has(first + block)) continue;
        best = piece;
        bestBlock = block;
        fewest = requesters;
      }
    }
    return best === null ? null : this.#ask(source, best, bestBlock);
  }

  #ask(source: BlockSource, piece: ActivePiece, block: number): BlockRef {
    piece.requesters[block]! += 1;
    source.outstanding.add(piece.pieceIndex * this.#blocksPerPiece + block);
    return {
      pieceIndex: piece.pieceIndex,
      begin: block * BLOCK_BYTES,
      lengthBytes: this.#blockLength(piece, block),
    };
  }

  #blockLength(piece: ActivePiece, block: number): number {
    return Math.min(BLOCK_BYTES, piece.buffer.length - block * BLOCK_BYTES);
  }

  #blockCount(pieceIndex: number): number {
    return Math.ceil(
      pieceLengthOf(this.#options.layout, pieceIndex) / BLOCK_BYTES,
    );
  }
}

/** Whether `source` may be asked for a block of a piece that nobody was asked for. */
function lets({ freeCount, owner }: ActivePiece, source: BlockSource): boolean {
  return freeCount > 0 && (owner === null || owner === source);
}
