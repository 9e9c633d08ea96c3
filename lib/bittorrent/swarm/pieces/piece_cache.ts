/**
 * Pieces in memory, to be served from, and the buffers they live in.
 *
 * A block is copied once on its way in (socket to piece) and once on its way out (piece to send buffer). Buffers of a
 * piece's size go round between download, cache and pool: making 2048 fresh ones for 512 MiB cost more than hashing
 * them. The pool takes back as many as the cache may free at once: with room for 8 every second one was made anew.
 */
export class PieceCache {
  readonly #pieceLength: number;
  readonly #allocate: (lengthBytes: number) => Uint8Array;
  readonly #capacityPieces: number;
  readonly #pieces = new Map<number, { bytes: Uint8Array; pinned: boolean }>();
  readonly #pool: Uint8Array[] = [];

  /** Creates an empty cache of at most `capacityBytes`, but of 4 pieces at least. */
  constructor(
    options: {
      readonly pieceLength: number;
      readonly capacityBytes: number;
      readonly allocate?: (lengthBytes: number) => Uint8Array;
    },
  ) {
    this.#pieceLength = options.pieceLength;
    this.#allocate = options.allocate ?? ((length) => new Uint8Array(length));
    this.#capacityPieces = Math.max(
      4,
      Math.floor(options.capacityBytes / options.pieceLength),
    );
  }

  /** Returns a buffer for `lengthBytes` of a piece; its bytes are those of some earlier piece. */
  takeBuffer(lengthBytes: number): Uint8Array {
    const buffer = this.#pool.pop() ?? this.#allocate(this.#pieceLength);
    return lengthBytes === buffer.length
      ? buffer
      : buffer.subarray(0, lengthBytes);
  }

  /** Takes a buffer back that nobody uses any more. */
  giveBack(bytes: Uint8Array): void {
    if (this.#pool.length < this.#capacityPieces) {
      this.#pool.push(new Uint8Array(bytes.buffer));
    }
  }

  /** Returns a piece, which is then the last to be forgotten; order is kept once half of the room is taken. */
  get(pieceIndex: number): Uint8Array | undefined {
    const entry = this.#pieces.get(pieceIndex);
    if (entry === undefined) return undefined;
    if (2 * this.#pieces.size >= this.#capacityPieces) {
      this.#pieces.delete(pieceIndex);
      this.#pieces.set(pieceIndex, entry);
    }
    return entry.bytes;
  }

  /** How many pieces are here. */
  get size(): number {
    return this.#pieces.size;
  }

  /** Whether a piece is here. */
  has(pieceIndex: number): boolean {
    return this.#pieces.has(pieceIndex);
  }

  /** Keeps a piece. A pinned one is not forgotten until {@linkcode PieceCache.unpin}. */
  put(
    pieceIndex: number,
    bytes: Uint8Array,
    options: { readonly pinned: boolean },
  ): void {
    this.#pieces.set(pieceIndex, { bytes, pinned: options.pinned });
    this.#shrink();
  }

  /** Lets a pinned piece be forgotten when there are too many. */
  unpin(pieceIndex: number): void {
    const entry = this.#pieces.get(pieceIndex);
    if (entry !== undefined) entry.pinned = false;
    this.#shrink();
  }

  #shrink(): void {
    if (this.#pieces.size <= this.#capacityPieces) return;
    for (const [pieceIndex, { bytes, pinned }] of this.#pieces) {
      if (pinned) continue;
      this.#pieces.delete(pieceIndex);
      this.giveBack(bytes);
      if (this.#pieces.size <= this.#capacityPieces) return;
    }
  }
}
