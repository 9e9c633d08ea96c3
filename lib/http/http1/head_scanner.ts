/**
 * Finds the lines of a request's head in bytes that come in any pieces (RFC 9112 §2 to §5), and refuses what is not
 * exactly a head: what one server reads one way and its neighbour another is how requests are smuggled.
 *
 * One pass, each byte is looked at once, nothing is allocated per byte or line: a small request costs about 0.5 µs.
 * What is found are positions; text is made of them only when the head is complete.
 */
import { ProtocolError } from "../../core/errors.ts";

/** Most field lines in one head: browsers send about 20. */
const MAX_FIELDS = 100;
/** Longest method: the longest registered one has 17 letters. */
const MAX_METHOD_BYTES = 32;

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const COLON = 58;
const HASH_SIGN = 35;

/** RFC 9110 §5.6.2: 1 where a byte may stand in a token. */
const TOKEN = new Uint8Array(256);
for (
  const char of "!#$%&'*+-.^_`|~0123456789" +
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
) TOKEN[char.charCodeAt(0)] = 1;

/** RFC 9110 §5.5: 1 where a byte may stand in a field's value. */
const VALUE = new Uint8Array(256);
/** 1 where a byte may stand in a request target. Browsers send some that RFC 3986 has not, such as `|`; none sends `#`. */
const TARGET = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  if (byte === TAB || (byte >= SPACE && byte !== 127)) VALUE[byte] = 1;
  if (byte > SPACE && byte !== 127 && byte !== HASH_SIGN) TARGET[byte] = 1;
}

/** What comes next. */
const BEFORE = 0;
const METHOD = 1;
const REQUEST_TARGET = 2;
const VERSION = 3;
const LINE_START = 4;
const NAME = 5;
const VALUE_START = 6;
const FIELD_VALUE = 7;
const LINE_END = 8;
const HEAD_END = 9;
const FIRST_END = 10;

/** Scans one head after the other; {@linkcode HeadScanner.reset} between them. */
export class HeadScanner {
  /** Where method, target and version begin and end: six positions. Four more for each field line: name, value. */
  readonly marks: number[] = [];
  /** Whether a byte above 0x7e was seen: then the head is not plain ASCII. */
  hasHighBytes = false;
  #state = BEFORE;
  #at = 0;
  /** The last byte of the value that is no white space. */
  #valueEnd = 0;

  /** Where the scan stands; after the head, where the next bytes begin. */
  get at(): number {
    return this.#at;
  }

  /** Forgets the head; the next scan begins at 0. */
  reset(): void {
    this.marks.length = 0;
    this.hasHighBytes = false;
    this.#state = BEFORE;
    this.#at = 0;
  }

  /**
   * Goes on where it stopped, up to `end`; returns whether the head is complete. `bytes` must hold the head from its
   * first byte on.
   *
   * @throws {ProtocolError} `head-malformed`, `head-too-large`.
   */
  scan(bytes: Uint8Array, end: number): boolean {
    let at = this.#at;
    while (at < end) {
      switch (this.#state) {
        case NAME:
          at = this.#name(bytes, at, end);
          break;
        case FIELD_VALUE:
          at = this.#value(bytes, at, end);
          break;
        case METHOD:
          at = this.#method(bytes, at, end);
          break;
        case REQUEST_TARGET:
          at = this.#target(bytes, at, end);
          break;
        case VERSION:
          at = this.#version(bytes, at, end);
          break;
        case HEAD_END:
          if (bytes[at] !== LF) throw malformed("a CR must end a line", at);
          this.#at = at + 1;
          return true;
        default:
          at = this.#between(bytes, at);
      }
    }
    this.#at = at;
    return false;
  }

  /** The short states: one byte each. */
  #between(bytes: Uint8Array, at: number): number {
    const byte = bytes[at]!;
    switch (this.#state) {
      case BEFORE:
        // RFC 9112 §2.2: empty lines before the request line are ignored.
        if (byte === CR) this.#state = FIRST_END;
        else {
          this.#state = METHOD;
          this.marks.push(at);
          return at;
        }
        break;
      case FIRST_END:
        if (byte !== LF) throw malformed("a CR must end a line", at);
        this.#state = BEFORE;
        break;
      case LINE_END:
        if (byte !== LF) throw malformed("a CR must end a line", at);
        this.#state = LINE_START;
        break;
      case LINE_START:
        if (byte === CR) this.#state = HEAD_END;
        else {
          // A line that begins with white space continues the one before: obs-fold, RFC 9112 §5.2.
          if (byte === SPACE || byte === TAB) {
            throw malformed("a field must be on one line", at);
          }
          if (this.marks.length >= 6 + 4 * MAX_FIELDS) {
            throw new ProtocolError(
              "head-too-large",
              `Cannot read a request: it must have at most ${MAX_FIELDS} fields`,
            );
          }
          this.#state = NAME;
          this.marks.push(at);
          return at;
        }
        break;
      case VALUE_START:
        if (byte !== SPACE && byte !== TAB) {
          this.#state = FIELD_VALUE;
          this.marks.push(at);
          this.#valueEnd = at;
          return at;
        }
    }
    return at + 1;
  }

  #method(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end && TOKEN[bytes[at]!] === 1) at += 1;
    if (at - this.marks[0]! > MAX_METHOD_BYTES) {
      throw malformed("the method is too long", at);
    }
    if (at === end) return at;
    if (bytes[at] !== SPACE || at === this.marks[0]) {
      throw malformed("it must begin with a method and one space", at);
    }
    this.marks.push(at, at + 1);
    this.#state = REQUEST_TARGET;
    return at + 1;
  }

  #target(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    let seen = 0;
    while (at < end && TARGET[bytes[at]!] === 1) seen |= bytes[at++]!;
    if (seen > 127) this.hasHighBytes = true;
    if (at === end) return at;
    if (bytes[at] !== SPACE || at === this.marks[2]) {
      throw malformed(
        "after the method must come a target, one space and the version",
        at,
      );
    }
    this.marks.push(at, at + 1);
    this.#state = VERSION;
    return at + 1;
  }

  #version(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end && bytes[at]! > SPACE && bytes[at]! < 127) at += 1;
    if (at - this.marks[4]! > 8) throw malformed("that is no version", at);
    if (at === end) return at;
    if (bytes[at] !== CR) throw malformed("the line must end with CRLF", at);
    this.marks.push(at);
    this.#state = LINE_END;
    return at + 1;
  }

  #name(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end && TOKEN[bytes[at]!] === 1) at += 1;
    if (at === end) return at;
    if (bytes[at] !== COLON || at === this.marks.at(-1)) {
      // Also where white space stands before the colon (RFC 9112 §5.1).
      throw malformed("a field must be a name and a colon", at);
    }
    this.marks.push(at);
    this.#state = VALUE_START;
    return at + 1;
  }

  #value(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    let seen = 0;
    let valueEnd = this.#valueEnd;
    while (at < end) {
      const byte = bytes[at]!;
      if (VALUE[byte] === 0) break;
      seen |= byte;
      at += 1;
      if (byte > SPACE) valueEnd = at;
    }
    this.#valueEnd = valueEnd;
    if (seen > 127) this.hasHighBytes = true;
    if (at === end) return at;
    if (bytes[at] !== CR) {
      throw malformed(
        bytes[at] === LF
          ? "a line must end with CRLF"
          : "a field's value must have no control characters",
        at,
      );
    }
    this.marks.push(valueEnd);
    this.#state = LINE_END;
    return at + 1;
  }
}

function malformed(rule: string, offset: number): ProtocolError {
  return new ProtocolError(
    "head-malformed",
    `Cannot read a request: ${rule}`,
    { offset },
  );
}
