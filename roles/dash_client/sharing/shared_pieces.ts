import type { PieceStore } from "../../../lib/peer/swarm_driver.ts";

/** Memory for all pieces of a title that the players of this process hold. */
const CAPACITY_BYTES = 256 * 2 ** 20;

/** The pieces that the players of this process have, each once; those unused for the longest are forgotten. */
export class SharedPieces {
  readonly #pieces = new Map<number, Uint8Array>();
  readonly #capacityBytes: number;
  #bytes = 0;

  /** Creates an empty store. */
  constructor(capacityBytes: number = CAPACITY_BYTES) {
    this.#capacityBytes = capacityBytes;
  }

  /** Returns a piece; undefined when it was forgotten, or never here. */
  get(pieceIndex: number): Uint8Array | undefined {
    const bytes = this.#pieces.get(pieceIndex);
    if (bytes === undefined) return undefined;
    this.#pieces.delete(pieceIndex);
    this.#pieces.set(pieceIndex, bytes);
    return bytes;
  }

  /** Keeps a copy of a piece, unless it has one. */
  put(pieceIndex: number, bytes: Uint8Array): void {
    if (this.#pieces.has(pieceIndex)) return;
    this.#pieces.set(pieceIndex, bytes.slice());
    this.#bytes += bytes.length;
    for (const [oldest, { length }] of this.#pieces) {
      if (this.#bytes <= this.#capacityBytes) return;
      this.#pieces.delete(oldest);
      this.#bytes -= length;
    }
  }
}

/** What one player has of them: the store of its swarm, which tells when a piece comes. */
export class PlayerPieces implements PieceStore {
  readonly #shared: SharedPieces;
  readonly #came: (pieceIndex: number) => void;

  /** @param came Hears of each piece that this player got. */
  constructor(shared: SharedPieces, came: (pieceIndex: number) => void) {
    this.#shared = shared;
    this.#came = came;
  }

  /** See {@linkcode PieceStore.write}. */
  write(pieceIndex: number, bytes: Uint8Array): Promise<void> {
    this.#shared.put(pieceIndex, bytes);
    this.#came(pieceIndex);
    return Promise.resolve();
  }

  /** See {@linkcode PieceStore.read}. */
  read(pieceIndex: number, buffer: Uint8Array): Promise<boolean> {
    const bytes = this.#shared.get(pieceIndex);
    if (bytes !== undefined) buffer.set(bytes);
    return Promise.resolve(bytes !== undefined);
  }
}
