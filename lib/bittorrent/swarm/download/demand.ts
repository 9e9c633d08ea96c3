/**
 * Downloads of pieces that somebody waits for, now and then, instead of a whole torrent: a player shares what it plays,
 * and what its peers do not have in time it gets elsewhere. Peers are told of every piece there is, wherever it came from.
 */
import { pieceLengthOf } from "../../metainfo/layout.ts";
import { BLOCK_BYTES } from "../../wire/messages.ts";
import type { Downloads } from "./download.ts";
import type { SwarmState } from "../state/state.ts";

/** What is wanted of a torrent, with `onDemand`. */
export class Demand {
  readonly #state: SwarmState;
  readonly #downloads: Downloads;

  /** Creates a demand for nothing. */
  constructor(state: SwarmState, downloads: Downloads) {
    this.#state = state;
    this.#downloads = downloads;
  }

  /** Whether each of the pieces is at a peer that serves us. */
  offered(pieces: Iterable<number>): boolean {
    const serving = this.#state.open().filter((session) =>
      !session.peerChoking
    );
    for (const pieceIndex of pieces) {
      if (!serving.some((session) => session.pieces.has(pieceIndex))) {
        return false;
      }
    }
    return true;
  }

  /** Wants pieces; what is there is not asked for again. */
  want(pieces: readonly number[]): void {
    const { demand, have, board } = this.#state;
    for (const pieceIndex of pieces) {
      if (!have.has(pieceIndex)) demand?.add(pieceIndex);
    }
    board.admit();
    this.#downloads.fillAll();
  }

  /** Wants pieces no more: what was asked of peers is called off, what came of a piece that is not whole is dropped. */
  unwant(pieces: readonly number[]): void {
    const { demand, board, cache } = this.#state;
    for (const pieceIndex of pieces) {
      if (demand?.delete(pieceIndex) !== true) continue;
      this.#callOff(pieceIndex);
      const buffer = board.hold(pieceIndex);
      if (buffer !== null) cache.giveBack(buffer);
    }
  }

  /** A piece came by another way. @throws {RangeError} If its length is not the piece's. */
  supplied(pieceIndex: number, bytes: Uint8Array): void {
    const { have, board, cache, options } = this.#state;
    if (have.has(pieceIndex)) return;
    const length = pieceLengthOf(options.layout, pieceIndex);
    if (bytes.length !== length) {
      throw new RangeError(
        `Cannot take piece ${pieceIndex}: must have ${length} bytes, got ${bytes.length}`,
      );
    }
    this.#callOff(pieceIndex);
    const buffer = board.supplied(pieceIndex) ?? cache.takeBuffer(length);
    buffer.set(bytes);
    this.#downloads.gained(pieceIndex, buffer);
  }

  /** Cancels what was asked of peers of a piece; what crosses that on its way is no offence. */
  #callOff(pieceIndex: number): void {
    const { board, dirty, options } = this.#state;
    const pieceBytes = pieceLengthOf(options.layout, pieceIndex);
    for (const session of this.#state.open()) {
      for (let begin = 0; begin < pieceBytes; begin += BLOCK_BYTES) {
        if (!board.withdraw(session, { pieceIndex, begin })) continue;
        const lengthBytes = Math.min(BLOCK_BYTES, pieceBytes - begin);
        session.say({ kind: "cancel", pieceIndex, begin, lengthBytes });
        session.unaskedBlocks -= 1;
        session.strayRejects -= 1;
        this.#downloads.refund(session, lengthBytes);
        dirty.add(session);
      }
    }
  }
}
