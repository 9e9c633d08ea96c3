import { Bitfield } from "../../wire/bitfield.ts";
import type { BlockSource } from "./piece_board.ts";

/** Pieces a peer may allow us; the BEP's number is 10, and more would only fill the memory. */
const MAX_ALLOWED = 100;

/** A peer that chokes us, as {@linkcode PieceBoard} sees it: with no more pieces than those it allows us all the same (BEP 6). */
export class FastSource implements BlockSource {
  /** See {@linkcode BlockSource}. */
  currentPiece = -1;
  /** See {@linkcode BlockSource}. */
  dryAt = -1;
  readonly #peer: BlockSource;
  readonly #allowed = new Set<number>();
  /** Those of the allowed that the peer has; null when that has to be found out anew. */
  #pieces: Bitfield | null = null;

  /** @param peer The peer itself: what is asked here is asked of it. */
  constructor(peer: BlockSource) {
    this.#peer = peer;
  }

  /** What is asked of the peer, choked or not. */
  get outstanding(): Set<number> {
    return this.#peer.outstanding;
  }

  /** The allowed pieces that the peer has. */
  get pieces(): Bitfield {
    if (this.#pieces === null) {
      this.#pieces = new Bitfield(this.#peer.pieces.length);
      for (const pieceIndex of this.#allowed) {
        if (this.#peer.pieces.has(pieceIndex)) this.#pieces.add(pieceIndex);
      }
    }
    return this.#pieces;
  }

  /** The peer allows a piece, which it may have or not. */
  allow(pieceIndex: number): void {
    if (this.#allowed.size >= MAX_ALLOWED || this.#allowed.has(pieceIndex)) {
      return;
    }
    this.#allowed.add(pieceIndex);
    this.#renew();
  }

  /** The peer rejected a request for a piece: it is not asked for it again while it chokes us. */
  refuse(pieceIndex: number): void {
    if (!this.#allowed.delete(pieceIndex)) return;
    this.#renew();
    if (this.currentPiece === pieceIndex) this.currentPiece = -1;
  }

  /** The peer has got a piece. */
  seen(pieceIndex: number): void {
    if (this.#allowed.has(pieceIndex)) this.#renew();
  }

  #renew(): void {
    this.#pieces = null;
    this.dryAt = -1;
  }
}
