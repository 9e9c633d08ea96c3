/** A client's connection waits for its next request in this much memory; most heads are smaller. */
const READ_BYTES = 2048;
/** Memory for what goes out as one piece: copying it costs less than a second system call. */
const WRITE_BYTES = 16_384;
/** The same for answers of 64 KiB with their heads, which are sent 4 to 7 % faster than in two pieces. */
const LARGE_BYTES = 65_536 + 4096;
/** Most large ones at once: of clients that do not read, others hold the body that is in the cache. */
const MAX_LARGE = 256;
/** Kept for the next connection. */
const MAX_SPARE = 256;
const MAX_SPARE_LARGE = 64;

/** The memory connections read into and write from. It goes round: a request allocates none. */
export class HttpBuffers {
  readonly #reads: Uint8Array[] = [];
  readonly #writes: Uint8Array[] = [];
  readonly #large: Uint8Array[] = [];
  #largeInUse = 0;
  /** Which memory is ours: what else is written belongs to somebody who may still need it. */
  readonly #ours = new Set<ArrayBufferLike>();
  readonly #encoder = new TextEncoder();

  /** A buffer to read into. */
  takeRead(): Uint8Array {
    return this.#reads.pop() ?? new Uint8Array(READ_BYTES);
  }

  /** The buffer is not needed any more. */
  giveRead(buffer: Uint8Array): void {
    if (this.#reads.length < MAX_SPARE) this.#reads.push(buffer);
  }

  /** Puts `text` and `bytes` at the end of a queue of writes: together when they are small; large `bytes` as they are, without a copy. */
  fill(queue: Uint8Array[], text: string, bytes: Uint8Array | null): void {
    if (text !== "") {
      const room = 3 * text.length;
      const buffer = this.#takeWrite(room + (bytes?.length ?? 0)) ??
        this.#takeWrite(room) ?? new Uint8Array(room);
      const { written } = this.#encoder.encodeInto(text, buffer);
      const end = written === text.length ? written : writeLatin1(text, buffer);
      if (bytes === null || end + bytes.length <= buffer.length) {
        if (bytes !== null) buffer.set(bytes, end);
        queue.push(buffer.subarray(0, end + (bytes?.length ?? 0)));
        return;
      }
      queue.push(buffer.subarray(0, end));
    }
    if (bytes !== null && bytes.length > 0) queue.push(bytes);
  }

  /** Takes back what {@linkcode HttpBuffers.fill} gave, when it is written; leaves alone what it passed on. */
  giveWrite(bytes: Uint8Array): void {
    const { buffer } = bytes;
    if (!this.#ours.has(buffer)) return;
    const isLarge = buffer.byteLength === LARGE_BYTES;
    if (isLarge) this.#largeInUse -= 1;
    const spare = isLarge ? this.#large : this.#writes;
    if (spare.length < (isLarge ? MAX_SPARE_LARGE : MAX_SPARE)) {
      spare.push(new Uint8Array(buffer));
    } else this.#ours.delete(buffer);
  }

  /** Memory for `length` bytes; undefined if none is so large. */
  #takeWrite(length: number): Uint8Array | undefined {
    const isLarge = length > WRITE_BYTES;
    if (
      length > LARGE_BYTES || (isLarge && this.#largeInUse >= MAX_LARGE)
    ) return undefined;
    if (isLarge) this.#largeInUse += 1;
    const spare = (isLarge ? this.#large : this.#writes).pop();
    if (spare !== undefined) return spare;
    const buffer = new Uint8Array(isLarge ? LARGE_BYTES : WRITE_BYTES);
    this.#ours.add(buffer.buffer);
    return buffer;
  }

  /** Forgets what a connection that broke will not give back. */
  lose(queue: readonly Uint8Array[]): void {
    for (const { buffer } of queue) {
      const isLarge = buffer.byteLength === LARGE_BYTES;
      if (this.#ours.delete(buffer) && isLarge) this.#largeInUse -= 1;
    }
  }
}

/** Each character as the byte it stands for (RFC 9110 §5.5, obs-text); what is none, as `?`. */
function writeLatin1(text: string, buffer: Uint8Array): number {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    buffer[at] = code > 255 ? 63 : code;
  }
  return text.length;
}
