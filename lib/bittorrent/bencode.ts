import { utf8 } from "../core/bytes.ts";

/** Deepest nesting of lists and dictionaries that is read: real torrents need 6 levels, and a hostile one must not exhaust the stack. */
const MAX_DEPTH = 64;
/** Largest input that is read unless the caller allows less or more: the piece hashes of 400 GiB in 256 KiB pieces. */
const MAX_BYTES = 32 * 2 ** 20;
/** Most values in one input: 32 MiB of empty strings would otherwise become gigabytes of objects. */
const MAX_VALUES = 1_000_000;
/** Longest dictionary key: the longest in use is a file name (BEP 52, "file tree"). */
const MAX_KEY_BYTES = 4096;

const LETTER_I = 0x69;
const LETTER_L = 0x6c;
const LETTER_D = 0x64;
const LETTER_E = 0x65;
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * A decoded value. Strings are bytes: text, hashes and peer lists look the same on the wire.
 *
 * Byte strings are views of the input, not copies.
 */
export type BencodeValue =
  | number
  | Uint8Array
  | readonly BencodeValue[]
  | BencodeDictionary;

/**
 * A dictionary. Keys are byte strings as well (a scrape reply is keyed by info-hash), so each character of a key
 * stands for one byte: `"announce"` is itself, and {@linkcode keyOfBytes} and {@linkcode bytesOfKey} convert the others.
 */
export type BencodeDictionary = ReadonlyMap<string, BencodeValue>;

/** What can be encoded: decoded values, and for convenience text (written as UTF-8) and records (undefined members are left out). */
export type BencodeInput =
  | number
  | string
  | Uint8Array
  | readonly BencodeInput[]
  | ReadonlyMap<string, BencodeInput>
  | { readonly [key: string]: BencodeInput | undefined };

/** Bytes that are not bencoding. */
export class BencodeError extends SyntaxError {
  /** Byte offset in the input at which it was noticed. */
  readonly offset: number;

  /** Creates the error; `rule` says what the bytes would have to be. */
  constructor(rule: string, offset: number) {
    super(`Cannot read bencoding: ${rule}, at byte ${offset}`);
    this.name = "BencodeError";
    this.offset = offset;
  }
}

/** What a decoder accepts. */
export interface BencodeLimits {
  /** Longest input in bytes; 32 MiB if not given. */
  readonly maxBytes?: number;
  /** Deepest nesting; 64 if not given. */
  readonly maxDepth?: number;
  /** Most values; 1,000,000 if not given. */
  readonly maxValues?: number;
  /**
   * Accepts dictionaries whose keys are out of order. BEP 3 demands sorted keys, and torrents are read that way;
   * messages of other programs are not hashed, and some forget to sort. Two equal keys are refused always.
   */
  readonly anyKeyOrder?: boolean;
}

/**
 * Decodes one bencoded value that takes up all of `bytes` (BEP 3, "bencoding").
 *
 * Only the canonical form is accepted, so that a value has one encoding: no leading zeros, no `-0`, dictionary keys
 * sorted by byte and unique, nothing after the end. Integers must be within ±(2^53 - 1).
 *
 * @throws {BencodeError} (a SyntaxError) If `bytes` is anything else, too long or nested too deep.
 *
 * @example A list of an integer and a string
 * ```ts
 * import { decodeBencode } from "./bencode.ts";
 * import assert from "node:assert/strict";
 *
 * const value = decodeBencode(new TextEncoder().encode("li42e4:spame"));
 * assert.deepEqual(value, [42, new TextEncoder().encode("spam")]);
 * ```
 */
export function decodeBencode(
  bytes: Uint8Array,
  limits: BencodeLimits = {},
): BencodeValue {
  const decoder = new Decoder(bytes, limits);
  const value = decoder.value(0);
  decoder.end();
  return value;
}

/**
 * Decodes the value at the start of `bytes` and says where it ends: the messages of BEP 9 have raw data after a dictionary.
 *
 * @throws {BencodeError} If there is no canonical value at the start.
 */
export function decodeBencodePrefix(
  bytes: Uint8Array,
  limits: BencodeLimits = {},
): { readonly value: BencodeValue; readonly endOffset: number } {
  const decoder = new Decoder(bytes, limits);
  const value = decoder.value(0);
  return { value, endOffset: decoder.offset };
}

/**
 * Decodes a dictionary and keeps, for each of its own entries, the exact bytes of the value: an info-hash is the hash of
 * the `info` entry as it stands in the file.
 *
 * @throws {BencodeError} If `bytes` is not one canonical dictionary.
 */
export function decodeBencodeDictionary(
  bytes: Uint8Array,
  limits: BencodeLimits = {},
): {
  readonly dictionary: BencodeDictionary;
  readonly raw: ReadonlyMap<string, Uint8Array>;
} {
  const decoder = new Decoder(bytes, limits);
  const raw = new Map<string, Uint8Array>();
  const value = decoder.value(0, raw);
  decoder.end();
  if (!isDictionary(value)) throw new BencodeError("must be a dictionary", 0);
  return { dictionary: value, raw };
}

/** Returns whether a value is a dictionary. */
export function isDictionary(
  value: BencodeValue | undefined,
): value is BencodeDictionary {
  return value instanceof Map;
}

/** Returns whether a value is a list. */
export function isList(
  value: BencodeValue | undefined,
): value is readonly BencodeValue[] {
  return Array.isArray(value);
}

/** Returns whether a value is a byte string. */
export function isBytes(value: BencodeValue | undefined): value is Uint8Array {
  return value instanceof Uint8Array;
}

/** Returns the dictionary key that stands for `bytes`: one character for each byte. */
export function keyOfBytes(bytes: Uint8Array): string {
  let key = "";
  for (const byte of bytes) key += String.fromCharCode(byte);
  return key;
}

/**
 * Returns the bytes a dictionary key stands for.
 *
 * @throws {RangeError} If `key` has a character above U+00FF, which is no byte.
 */
export function bytesOfKey(key: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(key.length);
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at);
    if (code > 0xff) {
      throw new RangeError(
        `Cannot encode key: must be one character per byte, got "${key}"`,
      );
    }
    bytes[at] = code;
  }
  return bytes;
}

/**
 * Encodes a value canonically: the same value gives the same bytes, whatever the order of a record's members.
 *
 * @throws {RangeError} If a number is not an integer within ±(2^53 - 1), or a key is not a byte string.
 */
export function encodeBencode(value: BencodeInput): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  appendValue(parts, value);
  // Not concat(...parts): a torrent of many files has more parts than a call may have arguments.
  const whole = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function appendValue(parts: Uint8Array[], value: BencodeInput): void {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) {
      throw new RangeError(
        `Cannot encode number: must be an integer within 2^53, got ${value}`,
      );
    }
    parts.push(utf8(`i${value === 0 ? 0 : value}e`));
  } else if (typeof value === "string") appendBytes(parts, utf8(value));
  else if (value instanceof Uint8Array) appendBytes(parts, value);
  else if (Array.isArray(value)) {
    parts.push(utf8("l"));
    for (const item of value) appendValue(parts, item);
    parts.push(utf8("e"));
  } else {
    const entries: [string, BencodeInput | undefined][] = value instanceof Map
      ? [...value]
      : Object.entries(value);
    appendDictionary(parts, entries);
  }
}

function appendDictionary(
  parts: Uint8Array[],
  entries: [string, BencodeInput | undefined][],
): void {
  // One character is one byte, so comparing strings is comparing raw bytes, as BEP 3 wants keys sorted.
  entries.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  parts.push(utf8("d"));
  for (const [key, value] of entries) {
    if (value === undefined) continue;
    appendBytes(parts, bytesOfKey(key));
    appendValue(parts, value);
  }
  parts.push(utf8("e"));
}

function appendBytes(parts: Uint8Array[], bytes: Uint8Array): void {
  parts.push(utf8(`${bytes.length}:`), bytes);
}

/** Reads values one after the other. */
class Decoder {
  offset = 0;
  #values = 0;
  readonly #bytes: Uint8Array;
  readonly #anyKeyOrder: boolean;
  readonly #maxDepth: number;
  readonly #maxValues: number;

  constructor(bytes: Uint8Array, limits: BencodeLimits) {
    const maxBytes = limits.maxBytes ?? MAX_BYTES;
    if (bytes.length > maxBytes) {
      throw new BencodeError(
        `must be at most ${maxBytes} bytes, got ${bytes.length}`,
        maxBytes,
      );
    }
    this.#bytes = bytes;
    this.#anyKeyOrder = limits.anyKeyOrder ?? false;
    this.#maxDepth = limits.maxDepth ?? MAX_DEPTH;
    this.#maxValues = limits.maxValues ?? MAX_VALUES;
  }

  end(): void {
    if (this.offset < this.#bytes.length) {
      throw new BencodeError("nothing may follow the value", this.offset);
    }
  }

  value(depth: number, raw?: Map<string, Uint8Array>): BencodeValue {
    this.#values += 1;
    if (this.#values > this.#maxValues) {
      throw new BencodeError(`at most ${this.#maxValues} values`, this.offset);
    }
    if (depth > this.#maxDepth) {
      throw new BencodeError(`at most ${this.#maxDepth} levels`, this.offset);
    }
    switch (this.#bytes[this.offset]) {
      case undefined:
        throw new BencodeError("a value is missing", this.offset);
      case LETTER_I:
        this.offset += 1;
        return this.#digits(LETTER_E, true);
      case LETTER_L:
        return this.#list(depth);
      case LETTER_D:
        return this.#dictionary(depth, raw);
      default:
        return this.#string();
    }
  }

  #list(depth: number): BencodeValue[] {
    this.offset += 1;
    const list: BencodeValue[] = [];
    while (!this.#atEnd()) list.push(this.value(depth + 1));
    return list;
  }

  #dictionary(
    depth: number,
    raw: Map<string, Uint8Array> | undefined,
  ): BencodeDictionary {
    this.offset += 1;
    const dictionary = new Map<string, BencodeValue>();
    let previous: string | undefined;
    while (!this.#atEnd()) {
      const keyAt = this.offset;
      const keyBytes = this.#string();
      if (keyBytes.length > MAX_KEY_BYTES) {
        throw new BencodeError(
          `keys have at most ${MAX_KEY_BYTES} bytes`,
          keyAt,
        );
      }
      const key = keyOfBytes(keyBytes);
      if (dictionary.has(key)) {
        throw new BencodeError("keys must differ", keyAt);
      }
      if (!this.#anyKeyOrder && previous !== undefined && key < previous) {
        throw new BencodeError("keys must be sorted", keyAt);
      }
      previous = key;
      const valueAt = this.offset;
      dictionary.set(key, this.value(depth + 1));
      raw?.set(key, this.#bytes.subarray(valueAt, this.offset));
    }
    return dictionary;
  }

  /** Steps over the `e` of a list or dictionary, if it is next. */
  #atEnd(): boolean {
    if (this.#bytes[this.offset] !== LETTER_E) return false;
    this.offset += 1;
    return true;
  }

  #string(): Uint8Array {
    const startAt = this.offset;
    const length = this.#digits(COLON, false);
    if (length > this.#bytes.length - this.offset) {
      throw new BencodeError(
        `a string of ${length} bytes ends too early`,
        startAt,
      );
    }
    this.offset += length;
    return this.#bytes.subarray(this.offset - length, this.offset);
  }

  /** Reads a decimal integer up to and including the byte `end`. */
  #digits(end: number, signed: boolean): number {
    const startAt = this.offset;
    const negative = signed && this.#bytes[this.offset] === MINUS;
    if (negative) this.offset += 1;
    const firstAt = this.offset;
    let value = 0;
    for (;; this.offset += 1) {
      const byte = this.#bytes[this.offset];
      if (byte === undefined || byte < ZERO || byte > NINE) break;
      value = value * 10 + (byte - ZERO);
      if (value > Number.MAX_SAFE_INTEGER) {
        throw new BencodeError("integers must be below 2^53", startAt);
      }
    }
    const digits = this.offset - firstAt;
    if (digits === 0 || this.#bytes[this.offset] !== end) {
      throw new BencodeError(
        digits === 0 && !signed
          ? "must be an integer, string, list or dictionary"
          : `digits up to "${String.fromCharCode(end)}" are expected`,
        this.offset,
      );
    }
    if (this.#bytes[firstAt] === ZERO && (digits > 1 || negative)) {
      throw new BencodeError("no leading zeros and no -0", firstAt);
    }
    this.offset += 1;
    return negative ? -value : value;
  }
}
