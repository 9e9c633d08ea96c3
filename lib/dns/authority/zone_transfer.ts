/** Whole zones for secondaries: AXFR (RFC 5936), and IXFR (RFC 1995) answered with the whole zone. */
import { ProtocolError } from "../../core/errors.ts";
import { CLASSES, EDNS_UDP_BYTES, RCODES, RECORD_TYPES } from "../codes.ts";
import { writeOpt } from "../edns.ts";
import { decodeMessage, type DnsMessage } from "../message.ts";
import { MessageWriter, type PlacedRecord } from "../message_writer.ts";
import type { Zone, ZoneNode, ZoneTable } from "./zone_table.ts";

/** Messages are about so long: what is further behind can not be pointed to when names are compressed. */
const MESSAGE_BYTES = 16_384;

/** Returns whether `serial` is `other` or comes after it (RFC 1982: numbers of 32 bits that go round). */
function isCurrent(serial: number, other: number): boolean {
  return ((serial - other) | 0) >= 0;
}

/** The serial of the zone that the asker of an IXFR has; undefined if it does not say. */
function knownSerial({ authorities }: DnsMessage): number | undefined {
  const soa = authorities.find(({ type }) => type === RECORD_TYPES.SOA);
  // After the two names come five numbers
  return soa === undefined
    ? undefined
    : new DataView(soa.rdata.buffer).getUint32(soa.rdata.length - 20);
}

/** Returns all records of a zone but its SOA, each valid until the next. Of names that are redirected: all edges' addresses, since a secondary cannot choose. */
function* zoneRecords(
  table: ZoneTable,
  zone: Zone,
): Generator<PlacedRecord> {
  const { bytes } = table;
  for (const node of table.nodes) {
    if (node.zone !== zone) continue;
    for (let set = node.sets; set !== undefined; set = set.next) {
      let at = set.at;
      for (let index = 0; index < set.count; index++) {
        const start = at + 2;
        at = start + (bytes[at]! << 8 | bytes[at + 1]!);
        if (set.type === RECORD_TYPES.SOA) continue;
        yield {
          name: bytes,
          nameAt: node.nameAt,
          type: set.type,
          class: CLASSES.IN,
          ttlSeconds: set.ttlSeconds,
          rdata: bytes,
          rdataAt: start,
          rdataEnd: at,
        };
      }
    }
    yield* edgeRecords(table, node);
  }
  for (const record of zone.covered) {
    const { rdata } = record;
    yield {
      ...record,
      class: CLASSES.IN,
      nameAt: 0,
      rdataAt: 0,
      rdataEnd: rdata.length,
    };
  }
}

function* edgeRecords(
  { bytes }: ZoneTable,
  { redirect, nameAt }: ZoneNode,
): Generator<PlacedRecord> {
  if (redirect === undefined) return;
  const { ttlSeconds, ipv4, ipv6 } = redirect;
  for (const family of [ipv4, ipv6]) {
    for (const { address: rdata } of family?.group.edges ?? []) {
      yield {
        name: bytes,
        nameAt,
        type: rdata.length === 4 ? RECORD_TYPES.A : RECORD_TYPES.AAAA,
        class: CLASSES.IN,
        ttlSeconds,
        rdata,
        rdataAt: 0,
        rdataEnd: rdata.length,
      };
    }
  }
}

/**
 * Returns the messages that answer an AXFR or IXFR query, to be sent one after the other: the SOA, all other records,
 * and the SOA again. To an IXFR from who has this serial already the SOA alone says so.
 *
 * @param query Must be one that {@linkcode Responder.respond} said is to be answered with a transfer.
 */
export function* transferMessages(
  table: ZoneTable,
  zone: Zone,
  query: Uint8Array,
): Generator<Uint8Array<ArrayBuffer>> {
  const asked = readQuery(query);
  const writer = new TransferWriter(asked);
  const soa = {
    ...zone.soa,
    nameAt: 0,
    rdataAt: 0,
    rdataEnd: zone.soa.rdata.length,
  };
  writer.add(soa);
  const serial = asked.questions[0]?.type === RECORD_TYPES.IXFR
    ? knownSerial(asked)
    : undefined;
  if (serial === undefined || !isCurrent(serial, zone.serial)) {
    for (const record of zoneRecords(table, zone)) {
      if (writer.add(record)) continue;
      yield writer.take();
      writer.add(record);
    }
    if (!writer.add(soa)) {
      yield writer.take();
      writer.add(soa);
    }
  }
  yield writer.take();
}

function readQuery(query: Uint8Array): DnsMessage {
  try {
    return decodeMessage(query);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    // A record that only we ignore; the question was read before
    const head = query.slice();
    head.fill(0, 6, 12);
    return decodeMessage(head);
  }
}

/** Writes the messages of a transfer. */
class TransferWriter {
  readonly #asked: DnsMessage;
  readonly #writer = new MessageWriter();
  #count = 0;
  #isFirst = true;

  constructor(asked: DnsMessage) {
    this.#asked = asked;
    this.#begin();
  }

  /** Adds a record; false if the message is full: it is to be taken first. */
  add(record: PlacedRecord): boolean {
    const writer = this.#writer;
    const { length } = writer;
    if (!writer.place(record)) return false;
    if (this.#count > 0 && writer.length > MESSAGE_BYTES) {
      writer.truncate(length);
      return false;
    }
    this.#count += 1;
    return true;
  }

  /** Returns the message so far, and begins the next. */
  take(): Uint8Array<ArrayBuffer> {
    const writer = this.#writer;
    const { edns } = this.#asked;
    if (edns !== undefined) {
      writeOpt(writer, {
        udpBytes: EDNS_UDP_BYTES,
        version: 0,
        dnssecOk: edns.dnssecOk,
        upperRcode: RCODES.NOERROR,
      });
    }
    const message = writer.buffer.slice(0, writer.length);
    message[6] = this.#count >> 8;
    message[7] = this.#count;
    message[11] = edns === undefined ? 0 : 1;
    this.#begin();
    return message;
  }

  /** RFC 5936 §2.2: the question stands in the first message only. */
  #begin(): void {
    const writer = this.#writer;
    const { id, recursionDesired, questions } = this.#asked;
    const [question] = this.#isFirst ? questions : [];
    writer.reset(65_535 - 11);
    writer.u16(id);
    writer.u16(0x8400 | (recursionDesired ? 0x100 : 0));
    writer.u16(question === undefined ? 0 : 1);
    for (let count = 0; count < 3; count++) writer.u16(0);
    if (question !== undefined) {
      writer.name(question.name);
      writer.u16(question.type);
      writer.u16(question.class);
    }
    this.#count = 0;
    this.#isFirst = false;
  }
}
