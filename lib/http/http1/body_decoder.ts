import { ProtocolError } from "../../core/errors.ts";
import type { RequestFraming } from "./request_head.ts";

/** Longest line before a chunk, with its extensions, and longest trailer section: nobody needs either. */
const MAX_LINE_BYTES = 4096;

const CR = 13;
const LF = 10;
const SEMICOLON = 59;

/** What comes next in a chunked body (RFC 9112 §7.1). */
const SIZE = 0;
const EXTENSION = 1;
const SIZE_END = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILER = 6;
const TRAILER_LINE = 7;
const TRAILER_LF = 8;
const LAST_LF = 9;
const DONE = 10;

/**
 * Takes a message's body out of the bytes of its connection, however they are cut.
 *
 * Extensions of chunks and trailer fields are read and dropped. What deviates from the grammar is refused, not repaired.
 */
export class BodyDecoder {
  readonly #maxBytes: number;
  #state: number;
  /** Of the chunk, or of a body whose length is known. */
  #leftBytes = 0;
  #sizeDigits = 0;
  #lineBytes = 0;
  #totalBytes = 0;
  readonly #chunked: boolean;

  /**
   * Creates a decoder that has seen nothing yet.
   *
   * @throws {ProtocolError} `body-too-large` when it is announced to be larger than `maxBytes`.
   */
  constructor(framing: RequestFraming, maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#chunked = framing.kind === "chunked";
    this.#state = this.#chunked ? SIZE : DATA;
    if (framing.kind === "length") {
      this.#count(framing.bytes);
      this.#leftBytes = framing.bytes;
    } else if (framing.kind === "none") this.#state = DONE;
  }

  /** Whether the body is complete. */
  get isDone(): boolean {
    return this.#state === DONE;
  }

  /**
   * Takes what it can of `bytes` from `from` on. Returns where it stopped; pieces of the body go to `take` as views.
   * It stops at the end of the body, or of `bytes`.
   *
   * @throws {ProtocolError} `body-malformed`, `body-too-large`.
   */
  push(
    bytes: Uint8Array,
    from: number,
    take: (piece: Uint8Array) => void,
  ): number {
    let at = from;
    while (at < bytes.length && this.#state !== DONE) {
      if (this.#state !== DATA) this.#line(bytes[at++]!);
      else {
        const end = Math.min(bytes.length, at + this.#leftBytes);
        take(bytes.subarray(at, end));
        this.#leftBytes -= end - at;
        at = end;
        if (this.#leftBytes === 0) this.#state = this.#chunked ? DATA_CR : DONE;
      }
    }
    return at;
  }

  /** One byte of what is around the data. */
  #line(byte: number): void {
    this.#lineBytes += 1;
    if (this.#lineBytes > MAX_LINE_BYTES) {
      throw malformed("a chunk's line and the trailer must be short");
    }
    switch (this.#state) {
      case SIZE:
        return this.#size(byte);
      case EXTENSION:
        if (byte === CR) this.#state = SIZE_END;
        else checkText(byte);
        return;
      case SIZE_END:
        expect(byte, LF);
        this.#count(this.#leftBytes);
        this.#state = this.#leftBytes === 0 ? TRAILER : DATA;
        if (this.#state === DATA) this.#lineBytes = 0;
        return;
      case DATA_CR:
        expect(byte, CR);
        this.#state = DATA_LF;
        return;
      case DATA_LF:
        expect(byte, LF);
        this.#state = SIZE;
        this.#sizeDigits = 0;
        this.#leftBytes = 0;
        return;
      case TRAILER:
        if (byte !== CR) checkText(byte);
        this.#state = byte === CR ? LAST_LF : TRAILER_LINE;
        return;
      case TRAILER_LINE:
        if (byte === CR) this.#state = TRAILER_LF;
        else checkText(byte);
        return;
      case TRAILER_LF:
        expect(byte, LF);
        this.#state = TRAILER;
        return;
      case LAST_LF:
        expect(byte, LF);
        this.#state = DONE;
    }
  }

  #size(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#sizeDigits += 1;
      // 12 digits are 2^48 bytes: far from where numbers lose their last place.
      if (this.#sizeDigits > 12) throw malformed("a chunk's size is too long");
      this.#leftBytes = this.#leftBytes * 16 + digit;
      return;
    }
    if (this.#sizeDigits === 0 || (byte !== CR && byte !== SEMICOLON)) {
      throw malformed("a chunk must begin with its size in hexadecimal digits");
    }
    this.#state = byte === CR ? SIZE_END : EXTENSION;
  }

  #count(bytes: number): void {
    this.#totalBytes += bytes;
    if (this.#totalBytes > this.#maxBytes) {
      throw new ProtocolError(
        "body-too-large",
        `Cannot read a body: it must have at most ${this.#maxBytes} bytes`,
      );
    }
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

function expect(byte: number, wanted: number): void {
  if (byte !== wanted) throw malformed("a line must end with CRLF");
}

function checkText(byte: number): void {
  if ((byte < 32 && byte !== 9) || byte === 127) {
    throw malformed("lines must have no control characters");
  }
}

function malformed(rule: string): ProtocolError {
  return new ProtocolError(
    "body-malformed",
    `Cannot read a body: ${rule}`,
  );
}
