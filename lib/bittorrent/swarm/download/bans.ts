/**
 * Who sent bad pieces. A hash tells that a piece is bad, not which of its blocks; so the bad copy is kept until a right
 * one is there, and whoever gave a block that differs is banned, and nobody else. Meanwhile the piece is asked of one peer
 * at a time (see {@linkcode PieceBoard}): if it is bad again there is no doubt whose it is.
 */
import { equalBytes } from "../../../core/bytes.ts";
import { BLOCK_BYTES } from "../../wire/messages.ts";
import type { PeerSession } from "../state/peer_session.ts";
import type { CheckedPiece } from "../pieces/piece_board.ts";
import type { SwarmState } from "../state/state.ts";

/** Bad copies that are kept: the oldest makes room. The latest is kept whatever its length. */
const MAX_KEPT_BYTES = 16 * 2 ** 20;

/** A piece as it came, and who gave each of its blocks. */
interface BadCopy extends CheckedPiece {
  readonly pieceIndex: number;
}

/** The peers that were caught. */
export class Bans {
  readonly #state: SwarmState;
  readonly #close: (session: PeerSession, reason: string) => void;
  readonly #banned = new Set<string>();
  #copies: readonly BadCopy[] = [];

  /** @param close Ends a session. */
  constructor(
    state: SwarmState,
    close: (session: PeerSession, reason: string) => void,
  ) {
    this.#state = state;
    this.#close = close;
  }

  /** Whether a peer was caught. */
  has(session: PeerSession): boolean {
    return this.#banned.has(banKey(session));
  }

  /** A piece's hash is wrong: bans the peer that gave all of it, or keeps the copy as evidence. */
  rejected(pieceIndex: number, piece: CheckedPiece): void {
    const state = this.#state;
    const givers = new Set(piece.givers as readonly PeerSession[]);
    state.emit({
      type: "piece.rejected",
      pieceIndex,
      from: [...givers].map(({ address }) => address).join(", "),
    });
    if (givers.size > 1) return this.#keep({ pieceIndex, ...piece });
    state.cache.giveBack(piece.bytes);
    for (const giver of givers) {
      this.#ban(
        giver,
        `every block of piece ${pieceIndex} came from it, and its hash is wrong`,
      );
    }
  }

  /** A piece is there and right: what its bad copies were is plain now. */
  proven(pieceIndex: number, bytes: Uint8Array): void {
    for (const copy of this.#copies) {
      if (copy.pieceIndex !== pieceIndex) continue;
      for (const [block, giver] of copy.givers.entries()) {
        const from = block * BLOCK_BYTES;
        const to = from + BLOCK_BYTES;
        if (
          equalBytes(copy.bytes.subarray(from, to), bytes.subarray(from, to))
        ) {
          continue;
        }
        this.#ban(
          giver as PeerSession,
          `the block it gave from byte ${from} of piece ${pieceIndex} on was wrong`,
        );
      }
    }
    this.#drop((copy) => copy.pieceIndex === pieceIndex);
  }

  #keep(copy: BadCopy): void {
    this.#copies = [...this.#copies, copy];
    let keptBytes = 0;
    for (const { bytes } of this.#copies) keptBytes += bytes.length;
    while (keptBytes > MAX_KEPT_BYTES && this.#copies.length > 1) {
      const oldest = this.#copies[0]!;
      keptBytes -= oldest.bytes.length;
      this.#drop((other) => other === oldest);
    }
  }

  #drop(which: (copy: BadCopy) => boolean): void {
    if (!this.#copies.some(which)) return;
    for (const copy of this.#copies) {
      if (which(copy)) this.#state.cache.giveBack(copy.bytes);
    }
    this.#copies = this.#copies.filter((copy) => !which(copy));
  }

  #ban(session: PeerSession, reason: string): void {
    if (this.has(session)) return;
    const key = banKey(session);
    this.#banned.add(key);
    this.#state.emit({
      type: "peer.banned",
      remote: session.address,
      peerId: session.peerId,
      reason,
    });
    for (const other of [...this.#state.sessions.values()]) {
      if (banKey(other) === key) this.#close(other, "banned");
    }
  }
}

/** A host is banned as a whole; on loopback, where all peers of a demo are, and a web seed, by its id. */
export function banKey({ remote, peerId, runs }: PeerSession): string {
  return runs || /^127\.|^::1$/.test(remote.host) ? peerId : remote.host;
}
