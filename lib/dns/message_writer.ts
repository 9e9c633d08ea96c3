/**
 * Writes a message into a buffer that is kept, with name compression (RFC 1035 §4.1.4).
 *
 * On the redirector's hot path, so nothing is allocated per record. Bytes beyond the buffer's end fall away as typed
 * arrays do it; {@linkcode MessageWriter.record} sees that the limit was passed and takes the record back.
 */
import { RECORD_TYPES } from "./codes.ts";
import { rdataFields } from "./rdata.ts";
import { lowerByte, nameEnd } from "./name.ts";

/** Names after this many known suffixes are still written, but no longer offered for compression: searching costs too. */
const MAX_KNOWN_SUFFIXES = 128;

/** Where the question's name is: it starts right after the head. */
const QUESTION_POINTER = 0xc000 | 12;

/** Types whose names may be compressed (RFC 3597 §4: those of RFC 1035). */
const COMPRESSED_TYPES = new Set<number>([
  RECORD_TYPES.NS,
  RECORD_TYPES.CNAME,
  RECORD_TYPES.SOA,
  RECORD_TYPES.PTR,
  RECORD_TYPES.MX,
]);

/** One record to write. */
export interface WritableRecord {
  /** Wire form. */
  readonly name: Uint8Array;
  readonly type: number;
  readonly class: number;
  readonly ttlSeconds: number;
  /** Uncompressed. */
  readonly rdata: Uint8Array;
}

/** One record to write, in other bytes. */
export interface PlacedRecord extends WritableRecord {
  /** Where the name starts in `name`; below 0 it is the question's, and `name` does not count. */
  readonly nameAt: number;
  /** The data stands in `rdata` from here … */
  readonly rdataAt: number;
  /** … up to here. */
  readonly rdataEnd: number;
}

/** See the head of this file. */
export class MessageWriter {
  /** The bytes written so far are `buffer.subarray(0, length)`. Another may take its place between two messages. */
  buffer: Uint8Array;
  #at = 0;
  #limit: number;
  /** Where names start that are written already; an array of changing length would be allocated for each message. */
  readonly #suffixes = new Uint16Array(MAX_KNOWN_SUFFIXES);
  #suffixCount = 0;

  /** Creates a writer, unless told otherwise with room for the longest message. */
  constructor(buffer = new Uint8Array(65535)) {
    this.buffer = buffer;
    this.#limit = buffer.length;
  }

  /** How many bytes are written. */
  get length(): number {
    return this.#at;
  }

  /** Forgets what was written; records may reach up to `limit` bytes from now on, and the first of them goes to `start`. */
  reset(limit: number, start = 0): void {
    this.#at = start;
    this.#limit = Math.min(limit, this.buffer.length);
    this.#suffixCount = 0;
  }

  /** Goes back to a message of `length` bytes. */
  truncate(length: number): void {
    this.#at = length;
    while (
      this.#suffixCount > 0 && this.#suffixes[this.#suffixCount - 1]! >= length
    ) this.#suffixCount -= 1;
  }

  /** Writes an 8-bit number. */
  u8(value: number): void {
    this.buffer[this.#at++] = value;
  }

  /** Writes a 16-bit number. */
  u16(value: number): void {
    this.buffer[this.#at++] = value >>> 8;
    this.buffer[this.#at++] = value;
  }

  /** Writes a 32-bit number. */
  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value & 0xffff);
  }

  /** Writes `bytes` from `start` to `end`. */
  bytes(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const buffer = this.buffer;
    let at = this.#at;
    for (let index = start; index < end; index++) {
      buffer[at++] = bytes[index] ?? 0;
    }
    this.#at = at;
  }

  /** Writes the question's name of a query as it came, so that its case is kept, and its type and class. */
  question(query: Uint8Array, start: number, end: number): void {
    const nameAt = this.#at;
    this.bytes(query, start, end);
    for (
      let at = nameAt;
      (this.buffer[at] ?? 0) !== 0;
      at += 1 + (this.buffer[at] ?? 0)
    ) this.#know(at);
  }

  /** Writes the name that starts at `from`: the longest end of it that stands in the message already becomes a pointer. */
  name(name: Uint8Array, from = 0): void {
    let at = from;
    // Its own ends are no place to point to as long as it is not whole: what stands behind them is another message's
    const whole = this.#suffixCount;
    for (;;) {
      const length = name[at] ?? 0;
      if (length === 0) {
        this.buffer[this.#at++] = 0;
        return;
      }
      const known = this.#find(name, at, whole);
      if (known >= 0) {
        this.u16(0xc000 | known);
        return;
      }
      this.#know(this.#at);
      this.bytes(name, at, at + length + 1);
      at += length + 1;
    }
  }

  /** Writes a record; false, and nothing written, if it does not fit. */
  record(record: WritableRecord): boolean {
    const { rdata } = record;
    return this.place({
      ...record,
      nameAt: 0,
      rdataAt: 0,
      rdataEnd: rdata.length,
    });
  }

  /** {@linkcode MessageWriter.record} of one whose name and data stand somewhere among others. */
  place(record: PlacedRecord): boolean {
    const { type, rdata, rdataAt, rdataEnd } = record;
    const start = this.#at;
    if (record.nameAt < 0) this.u16(QUESTION_POINTER);
    else this.name(record.name, record.nameAt);
    this.u16(type);
    this.u16(record.class);
    this.u32(record.ttlSeconds);
    const lengthAt = this.#at;
    this.#at += 2;
    if (COMPRESSED_TYPES.has(type)) this.#rdata(type, rdata, rdataAt);
    else this.bytes(rdata, rdataAt, rdataEnd);
    if (this.#at > this.#limit) {
      this.truncate(start);
      return false;
    }
    const length = this.#at - lengthAt - 2;
    this.buffer[lengthAt] = length >>> 8;
    this.buffer[lengthAt + 1] = length;
    return true;
  }

  #rdata(type: number, rdata: Uint8Array, from: number): void {
    let at = from;
    for (const field of rdataFields(type) ?? []) {
      if (field === "name") {
        this.name(rdata, at);
        at = nameEnd(rdata, at);
      } else {
        const size = field === "u16" ? 2 : 4;
        this.bytes(rdata, at, at + size);
        at += size;
      }
    }
  }

  #know(at: number): void {
    if (at < 0x4000 && this.#suffixCount < MAX_KNOWN_SUFFIXES) {
      this.#suffixes[this.#suffixCount++] = at;
    }
  }

  /** Where the name `name` from `from` on stands among the first `count` suffixes; -1 when nowhere. */
  #find(name: Uint8Array, from: number, count: number): number {
    for (let index = 0; index < count; index++) {
      const offset = this.#suffixes[index]!;
      if (this.#matches(name, from, offset)) return offset;
    }
    return -1;
  }

  #matches(name: Uint8Array, from: number, offset: number): boolean {
    const buffer = this.buffer;
    let at = from;
    let there = offset;
    for (;;) {
      let length = buffer[there] ?? 0;
      while (length >= 0xc0) {
        there = (length & 0x3f) << 8 | (buffer[there + 1] ?? 0);
        length = buffer[there] ?? 0;
      }
      if (length !== name[at]) return false;
      if (length === 0) return true;
      for (const end = at + length; at < end;) {
        at += 1;
        there += 1;
        if (
          lowerByte(name[at] ?? 0) !== lowerByte(buffer[there] ?? 0)
        ) return false;
      }
      at += 1;
      there += 1;
    }
  }
}
