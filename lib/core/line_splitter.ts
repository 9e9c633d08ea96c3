// TCP carries a stream of bytes: what one side wrote at once may be read in pieces, and the other way round. Only the
// program knows where a message ends. Here it ends with a newline, and because a reading may stop anywhere, two things
// have to wait for the rest: a line that has no newline yet, and a UTF-8 character of which only some bytes are there.
//
//   read 1: "γει" + first byte of "ά"      push -> nothing
//   read 2: second byte of "ά" + "\nx"     push -> "γειά\n"; "x" waits
//
// Memory is bounded: a line longer than `maxBytes` is handed out in pieces, cut between characters.

import { concat } from "./bytes.ts";

const NEWLINE = 0x0a;
const NO_BYTES = new Uint8Array(0);

/** Cuts a stream of UTF-8 text into lines, however the stream was split on its way. */
export class LineSplitter {
  readonly #maxBytes: number;
  #waiting: Uint8Array = NO_BYTES;
  #waitingBytes = 0;

  /**
   * Creates a splitter that has seen nothing yet.
   *
   * @throws {RangeError} If `maxBytes` is under 4, the longest UTF-8 character.
   */
  constructor({ maxBytes }: { readonly maxBytes: number }) {
    if (!(maxBytes >= 4)) {
      throw new RangeError(
        `Cannot split lines: maxBytes must be 4 or more, got ${maxBytes}`,
      );
    }
    this.#maxBytes = maxBytes;
  }

  /** How many bytes wait for their newline. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Takes what was read; returns the lines that are complete by now, each with its newline (`\r\n` stays `\r\n`). */
  push(bytes: Uint8Array): Uint8Array<ArrayBuffer>[] {
    const lines: Uint8Array<ArrayBuffer>[] = [];
    let at = 0;
    while (at < bytes.length) {
      const newline = bytes.indexOf(NEWLINE, at);
      const lineEnd = newline === -1 ? bytes.length : newline + 1;
      const end = Math.min(lineEnd, at + this.#maxBytes - this.#waitingBytes);
      const isWhole = newline !== -1 && end === lineEnd;
      if (isWhole && this.#waitingBytes === 0) {
        lines.push(bytes.slice(at, end));
      } else {
        this.#append(bytes.subarray(at, end));
        if (isWhole) lines.push(this.#take(this.#waitingBytes));
        else if (this.#waitingBytes === this.#maxBytes) {
          lines.push(this.flush());
        }
      }
      at = end;
    }
    return lines;
  }

  /**
   * Takes what was read; returns all lines that are complete by now as one array: the bytes of {@linkcode LineSplitter.push}, joined.
   *
   * The cost is that of the bytes, however short the lines: 16 KiB of bare newlines one by one took 150 times as long.
   */
  pushJoined(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end === 0) return concat(...this.push(bytes));
    const lines = concat(this.end(), bytes.subarray(0, end));
    const rest = this.push(bytes.subarray(end));
    return rest.length === 0 ? lines : concat(lines, ...rest);
  }

  /** Hands out what waits, without a newline; keeps only a character that has just begun (at most 3 bytes). */
  flush(): Uint8Array<ArrayBuffer> {
    return this.#take(
      wholeCharactersLength(this.#waiting.subarray(0, this.#waitingBytes)),
    );
  }

  /** Hands out all that waits: the stream has ended, a begun character will never be whole. */
  end(): Uint8Array<ArrayBuffer> {
    return this.#take(this.#waitingBytes);
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#waitingBytes + bytes.length;
    if (needed > this.#waiting.length) {
      // Doubling keeps a line that comes byte by byte from being copied once per byte.
      const grown = new Uint8Array(
        Math.min(this.#maxBytes, Math.max(64, 2 * needed)),
      );
      grown.set(this.#waiting.subarray(0, this.#waitingBytes));
      this.#waiting = grown;
    }
    this.#waiting.set(bytes, this.#waitingBytes);
    this.#waitingBytes = needed;
  }

  #take(count: number): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.#waiting.subarray(0, count));
    this.#waiting.copyWithin(0, count, this.#waitingBytes);
    this.#waitingBytes -= count;
    if (this.#waitingBytes === 0) this.#waiting = NO_BYTES;
    return taken;
  }
}

/**
 * Returns how many bytes of `bytes` come before a UTF-8 character that has begun at the very end but is not whole yet.
 *
 * The first byte of a character says how long it is (RFC 3629 §3): 110xxxxx two bytes, 1110xxxx three, 11110xxx four.
 */
export function wholeCharactersLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return bytes.length;
    if (byte < 0xc0) continue; // 10xxxxxx continues a character; its first byte is further back.
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf8 ? 4 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
