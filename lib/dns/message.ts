/** DNS messages (RFC 1035 §4), whole: for clients, tests and everything that is not the redirector's hot path. */
import { ProtocolError } from "../core/errors.ts";
import { RECORD_TYPES } from "./codes.ts";
import { type Edns, optBytes, readOptions, writeOpt } from "./edns.ts";
import { MessageWriter } from "./message_writer.ts";
import { type Name, readName } from "./name.ts";
import { readRdata } from "./rdata.ts";

/** What is asked. */
export interface DnsQuestion {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
}

/** A resource record. */
export interface DnsRecord {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
  /** 0 to 2^31 - 1. */
  readonly ttlSeconds: number;
  /** Uncompressed; `formatRdata` makes text of it. */
  readonly rdata: Uint8Array<ArrayBuffer>;
}

/** A whole message. */
export interface DnsMessage {
  readonly id: number;
  /** The QR bit. */
  readonly isResponse: boolean;
  /** 0 is a query. */
  readonly opcode: number;
  /** The AA bit. */
  readonly authoritative: boolean;
  /** The TC bit: ask again over TCP. */
  readonly truncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  /** With EDNS up to 4095, else up to 15. */
  readonly rcode: number;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  /** Without the OPT record, which is {@linkcode DnsMessage.edns}. */
  readonly additionals: readonly DnsRecord[];
  readonly edns?: Edns;
}

function malformed(rule: string, offset: number): ProtocolError {
  return new ProtocolError(
    "dns-malformed",
    `Cannot read a message: ${rule}`,
    { offset },
  );
}

class Reader {
  readonly bytes: Uint8Array;
  at = 12;
  edns: Edns | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  u16(at = this.at): number {
    return (this.bytes[at] ?? 0) << 8 | (this.bytes[at + 1] ?? 0);
  }

  need(count: number): void {
    if (this.at + count > this.bytes.length) {
      throw malformed("it ends inside a record", this.bytes.length);
    }
  }

  question(): DnsQuestion {
    const { name, next } = readName(this.bytes, this.at);
    this.at = next;
    this.need(4);
    this.at += 4;
    return { name, type: this.u16(next), class: this.u16(next + 2) };
  }

  record(): DnsRecord | undefined {
    const start = this.at;
    const { name, next } = readName(this.bytes, this.at);
    this.at = next;
    this.need(10);
    const type = this.u16(next);
    const length = this.u16(next + 8);
    this.at += 10;
    this.need(length);
    const offset = this.at;
    this.at += length;
    if (type === RECORD_TYPES.OPT) {
      if (this.edns !== undefined || name.length !== 1) {
        throw malformed("one OPT record, of the root, is enough", start);
      }
      this.edns = {
        udpBytes: this.u16(next + 2),
        upperRcode: this.bytes[next + 4] ?? 0,
        version: this.bytes[next + 5] ?? 0,
        dnssecOk: ((this.bytes[next + 6] ?? 0) & 0x80) !== 0,
        ...readOptions(this.bytes, offset, length),
      };
      return undefined;
    }
    const ttl = this.u16(next + 4) * 65536 + this.u16(next + 6);
    return {
      name,
      type,
      class: this.u16(next + 2),
      // RFC 2181 §8: one with the first bit set means 0
      ttlSeconds: ttl > 0x7fffffff ? 0 : ttl,
      rdata: readRdata(this.bytes, { type, offset, length }),
    };
  }

  records(count: number): DnsRecord[] {
    const records: DnsRecord[] = [];
    for (let left = count; left > 0; left--) {
      const record = this.record();
      if (record !== undefined) records.push(record);
    }
    return records;
  }
}

/**
 * Reads a message. Bytes after its last record are ignored.
 *
 * @throws {ProtocolError} `dns-malformed`, `dns-bad-rdata`, `dns-bad-edns`, and what {@linkcode readName} throws.
 */
export function decodeMessage(bytes: Uint8Array): DnsMessage {
  if (bytes.length < 12) {
    throw malformed("its head has 12 bytes", bytes.length);
  }
  const reader = new Reader(bytes);
  const upper = bytes[2] ?? 0;
  const lower = bytes[3] ?? 0;
  const questions: DnsQuestion[] = [];
  for (let left = reader.u16(4); left > 0; left--) {
    questions.push(reader.question());
  }
  const answers = reader.records(reader.u16(6));
  const authorities = reader.records(reader.u16(8));
  const additionals = reader.records(reader.u16(10));
  const edns = reader.edns;
  return {
    id: reader.u16(0),
    isResponse: (upper & 0x80) !== 0,
    opcode: upper >> 3 & 15,
    authoritative: (upper & 4) !== 0,
    truncated: (upper & 2) !== 0,
    recursionDesired: (upper & 1) !== 0,
    recursionAvailable: (lower & 0x80) !== 0,
    rcode: (edns?.upperRcode ?? 0) << 4 | (lower & 15),
    questions,
    answers,
    authorities,
    additionals,
    ...(edns === undefined ? {} : { edns }),
  };
}

/**
 * Writes a message, with names compressed.
 *
 * @throws {RangeError} If it is longer than 65,535 bytes.
 */
export function encodeMessage(message: DnsMessage): Uint8Array<ArrayBuffer> {
  const { edns } = message;
  const reserved = edns === undefined ? 0 : optBytes(edns);
  const writer = new MessageWriter();
  writer.reset(65535 - reserved);
  writer.u16(message.id);
  writer.u16(
    (message.isResponse ? 0x8000 : 0) | message.opcode << 11 |
      (message.authoritative ? 0x400 : 0) | (message.truncated ? 0x200 : 0) |
      (message.recursionDesired ? 0x100 : 0) |
      (message.recursionAvailable ? 0x80 : 0) | message.rcode & 15,
  );
  writer.u16(message.questions.length);
  writer.u16(message.answers.length);
  writer.u16(message.authorities.length);
  writer.u16(message.additionals.length + (edns === undefined ? 0 : 1));
  for (const question of message.questions) {
    writer.name(question.name);
    writer.u16(question.type);
    writer.u16(question.class);
  }
  const { answers, authorities, additionals } = message;
  for (const record of [...answers, ...authorities, ...additionals]) {
    if (!writer.record(record)) {
      throw new RangeError("A message has at most 65535 bytes");
    }
  }
  if (edns !== undefined) {
    writeOpt(writer, { ...edns, upperRcode: message.rcode >> 4 });
  }
  return writer.buffer.slice(0, writer.length);
}
