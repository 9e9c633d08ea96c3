import type { StoredBody, StoredBodyReader } from "./stored_body.ts";

const NO_BYTES = new Uint8Array(0);
/** Size of the first array in which small pieces are gathered, and of the others. */
const FIRST_BLOCK_BYTES = 4096;
const BLOCK_BYTES = 65_536;

/**
 * A body that many read while one fills it.
 *
 * The filler appends and never waits for a reader; every reader goes at its own pace over the same bytes, which
 * are handed out as views and never copied. What is appended is copied, for the filler reads into the same memory again:
 * with a known length into one array, filled from the front; with an unknown one into a list of pieces, joined when the
 * end is known.
 *
 * A body that outgrows what the cache allows is {@linkcode GrowingBody.release}d: it is then no copy any more but a
 * window that keeps only what its readers have yet to take. The filler waits in {@linkcode GrowingBody.demand} until
 * the FASTEST reader wants more, so one slow client does not hold the others; a reader that falls further behind
 * than the window loses the connection instead.
 */
export class GrowingBody implements StoredBody {
  /** From `Content-Length`; undefined until the end when the origin did not say. */
  #lengthBytes: number | undefined;
  #whole: Uint8Array<ArrayBuffer> | undefined;
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  /** Where small pieces are gathered; its used part is the last of `#pieces`, if that has its buffer. */
  #block: Uint8Array<ArrayBuffer> = NO_BYTES;
  /** Where `#pieces[0]` begins in the body; grows only once released. */
  #startBytes = 0;
  #filledBytes = 0;
  #state: "filling" | "complete" | "failed" = "filling";
  #error: unknown;
  #windowBytes = Infinity;
  readonly #readers = new Set<BodyReader>();
  #waiting: (() => void)[] = [];
  #filler: (() => void) | undefined;

  /** Creates an empty body; `lengthBytes` when it is known how long it will be. */
  constructor(lengthBytes?: number) {
    this.#lengthBytes = lengthBytes;
    if (lengthBytes !== undefined) this.#whole = new Uint8Array(lengthBytes);
  }

  /** A body that is already complete. */
  static of(bytes: Uint8Array<ArrayBuffer>): GrowingBody {
    const body = new GrowingBody();
    body.#pieces = [bytes];
    body.#filledBytes = bytes.length;
    body.finish();
    return body;
  }

  /** Whether all bytes are there, or will never be. */
  get state(): "filling" | "complete" | "failed" {
    return this.#state;
  }

  /** How long it is or will be; undefined while nobody knows. */
  get lengthBytes(): number | undefined {
    return this.#lengthBytes;
  }

  /** How many bytes have been appended so far. */
  get filledBytes(): number {
    return this.#filledBytes;
  }

  /** How many readers are at work. */
  get readerCount(): number {
    return this.#readers.size;
  }

  /** Whether all bytes are there and kept, so that {@linkcode GrowingBody.bytes} has them. */
  get isWhole(): boolean {
    return this.#state === "complete" && this.#whole !== undefined;
  }

  /** All bytes, when {@linkcode GrowingBody.isWhole}. @throws {TypeError} If it is not. */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#state !== "complete" || this.#whole === undefined) {
      throw new TypeError("the body is not complete");
    }
    return this.#whole;
  }

  /** Adds bytes at the end. Returns false, having added nothing, when they would exceed the known length. */
  append(bytes: Uint8Array): boolean {
    if (this.#state !== "filling") return false;
    if (this.#whole !== undefined) {
      if (this.#filledBytes + bytes.length > this.#whole.length) return false;
      this.#whole.set(bytes, this.#filledBytes);
    } else this.#keep(bytes);
    this.#filledBytes += bytes.length;
    this.#wake();
    return true;
  }

  /** Says that the body ends here. Returns false, and fails it, when it is shorter than announced. */
  finish(): boolean {
    if (this.#state !== "filling") return this.#state === "complete";
    if (
      this.#lengthBytes !== undefined && this.#filledBytes < this.#lengthBytes
    ) {
      this.fail(new RangeError("the body ended before its announced length"));
      return false;
    }
    this.#lengthBytes = this.#filledBytes;
    if (this.#whole === undefined && this.#windowBytes === Infinity) {
      this.#whole = joined(this.#pieces, this.#filledBytes);
      this.#pieces = [];
    }
    this.#state = "complete";
    this.#wake();
    return true;
  }

  /** Says that the rest will never come: every reader's next read rejects once it has taken what there is. */
  fail(error: unknown): void {
    if (this.#state !== "filling") return;
    this.#state = "failed";
    this.#error = error;
    this.#wake();
  }

  /** Stops keeping what has been read: from now on at most `windowBytes` stay between the slowest reader and the end. Only for bodies of unknown length. */
  release(windowBytes: number): void {
    this.#windowBytes = windowBytes;
    this.#trim();
  }

  /** Resolves when the fastest reader is within half a window of the end; at once unless released. False when nobody reads any more. */
  async demand(): Promise<boolean> {
    if (this.#windowBytes === Infinity) return true;
    for (;;) {
      if (this.#readers.size === 0) return false;
      let fastest = 0;
      for (const reader of this.#readers) {
        fastest = Math.max(fastest, reader.offset);
      }
      if (this.#filledBytes - fastest <= this.#windowBytes / 2) return true;
      await new Promise<void>((resolve) => this.#filler = resolve);
    }
  }

  /** Starts reading at `begin` up to, without, `end`. */
  reader(begin = 0, end = Infinity): BodyReader {
    const reader = new BodyReader(this, begin, end);
    this.#readers.add(reader);
    return reader;
  }

  /** For {@linkcode BodyReader}: a view of what there is at `offset`, null at the end, undefined when one must wait. */
  peek(offset: number): Uint8Array<ArrayBuffer> | null | undefined {
    if (offset < this.#startBytes) {
      throw new RangeError("the reader fell behind the window");
    }
    if (offset < this.#filledBytes) {
      if (this.#whole !== undefined) {
        return this.#whole.subarray(offset, this.#filledBytes);
      }
      let at = this.#startBytes;
      for (const piece of this.#pieces) {
        if (offset < at + piece.length) return piece.subarray(offset - at);
        at += piece.length;
      }
    }
    if (this.#state === "failed") throw this.#error;
    return this.#state === "complete" ? null : undefined;
  }

  /** For {@linkcode BodyReader}: resolves when something has changed. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** For {@linkcode BodyReader}: it has moved on. */
  advanced(): void {
    if (this.#windowBytes !== Infinity) this.#trim();
    this.#filler?.();
    this.#filler = undefined;
  }

  /** For {@linkcode BodyReader}: it wants no more. */
  left(reader: BodyReader): void {
    this.#readers.delete(reader);
    this.advanced();
  }

  /**
   * Keeps a copy, of a small piece among its neighbours: an origin may send single bytes.
   */
  #keep(bytes: Uint8Array): void {
    const last = this.#pieces.at(-1);
    const used = last?.length ?? 0;
    const block = this.#block;
    if (last?.buffer === block.buffer && used + bytes.length <= block.length) {
      block.set(bytes, used);
      this.#pieces[this.#pieces.length - 1] = block.subarray(
        0,
        used + bytes.length,
      );
      return;
    }
    const wanted = last === undefined ? FIRST_BLOCK_BYTES : BLOCK_BYTES;
    this.#block = new Uint8Array(Math.max(wanted, bytes.length));
    this.#block.set(bytes);
    this.#pieces.push(this.#block.subarray(0, bytes.length));
  }

  #wake(): void {
    if (this.#windowBytes !== Infinity) this.#trim();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Drops what every reader has taken, and what lies further back than the window allows. */
  #trim(): void {
    let slowest = this.#filledBytes;
    for (const reader of this.#readers) {
      slowest = Math.min(slowest, reader.offset);
    }
    const keepFrom = Math.max(slowest, this.#filledBytes - this.#windowBytes);
    while (
      this.#pieces.length > 0 &&
      this.#startBytes + this.#pieces[0]!.length <= keepFrom
    ) {
      this.#startBytes += this.#pieces.shift()!.length;
    }
  }
}

function joined(
  pieces: readonly Uint8Array<ArrayBuffer>[],
  lengthBytes: number,
): Uint8Array<ArrayBuffer> {
  const only = pieces[0];
  if (
    pieces.length === 1 && only !== undefined &&
    only.buffer.byteLength === lengthBytes
  ) return only;
  const whole = new Uint8Array(lengthBytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** One reader of a {@linkcode GrowingBody}, at its own pace. */
export class BodyReader implements StoredBodyReader {
  readonly #body: GrowingBody;
  readonly #end: number;
  #offset: number;
  #left = false;

  /** Made by {@linkcode GrowingBody.reader}. */
  constructor(body: GrowingBody, begin: number, end: number) {
    this.#body = body;
    this.#offset = begin;
    this.#end = end;
  }

  /** Where the next read begins. */
  get offset(): number {
    return this.#offset;
  }

  /** The next bytes, at most `maxBytes`, as soon as there are some; null at the end. @throws What the body failed with. */
  async next(maxBytes: number): Promise<Uint8Array<ArrayBuffer> | null> {
    for (;;) {
      if (this.#left || this.#offset >= this.#end) return this.#finish();
      const there = this.#body.peek(this.#offset);
      if (there === null) return this.#finish();
      if (there !== undefined) {
        const take = Math.min(
          there.length,
          maxBytes,
          this.#end - this.#offset,
        );
        this.#offset += take;
        this.#body.advanced();
        return there.subarray(0, take);
      }
      await this.#body.changed();
    }
  }

  /** Wants no more: lets the body forget what it kept for this reader. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#body.left(this);
  }

  #finish(): null {
    this.leave();
    return null;
  }
}
