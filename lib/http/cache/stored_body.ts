/** A body the cache holds, whatever holds its bytes: one piece, pieces still coming, or parts with gaps between them. */
export interface StoredBody {
  /** Whether all bytes that will ever be here are, or will never be. */
  readonly state: "filling" | "complete" | "failed";
  /** How long the whole representation is; undefined while nobody knows. */
  readonly lengthBytes: number | undefined;
  /** How many bytes are here. */
  readonly filledBytes: number;
  /** Whether {@linkcode StoredBody.bytes} has all of them. */
  readonly isWhole: boolean;
  /** All bytes. @throws {TypeError} Unless {@linkcode StoredBody.isWhole}. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Starts reading at `begin` up to, without, `end`. */
  reader(begin?: number, end?: number): StoredBodyReader;
}

/** One reader of a {@linkcode StoredBody}, at its own pace. */
export interface StoredBodyReader {
  /** The next bytes, at most `maxBytes`, as soon as there are some; null at the end. */
  next(maxBytes: number): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Wants no more. */
  leave(): void;
}
