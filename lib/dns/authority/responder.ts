/**
 * An authoritative server's answers, from bytes to bytes: what is around the sections (header, EDNS, limits, cookies).
 *
 * This is the redirector's hot path. Measured in docs/protocols/dns.md; what keeps it fast is that the question is
 * never turned into text, that the answer is written into one buffer, and that only the choice itself is an object.
 */
import { utf8 } from "../../core/bytes.ts";
import type { Rng } from "../../core/rng.ts";
import {
  CLASSES,
  EDNS_UDP_BYTES,
  PLAIN_UDP_BYTES,
  RCODES,
  RECORD_TYPES,
} from "../codes.ts";
import { OPTIONS } from "../edns.ts";
import { MessageWriter } from "../message_writer.ts";
import { equalNames, parseName } from "../name.ts";
import { QueryReader } from "../query_reader.ts";
import type { Choice } from "./choice.ts";
import type { AnswerFate, ResponseRateLimit } from "./rate_limit.ts";
import { BOTH_COOKIES_BYTES, type ServerCookies } from "./server_cookies.ts";
import { ZoneAnswer } from "./zone_answer.ts";
import type { Zone, ZoneTable } from "./zone_table.ts";

const VERSION_NAMES = [
  parseName("version.bind."),
  parseName("version.server."),
];

/** What an OPT record has without options. */
const OPT_BYTES = 11;

/** Who asks. */
export interface Asker {
  /** 4 bytes or 16, never a mapped address: that of the client, or more often of its resolver. Only read until the answer is there. */
  readonly address: Uint8Array;
  readonly transport: "udp" | "tcp";
}

/** An answer, and what it came from. */
export interface Reply {
  /** Valid until the next query; nothing if the answer is not to be sent. */
  readonly bytes: Uint8Array;
  /** How many bytes it has. */
  readonly length: number;
  /** Up to {@linkcode RCODES.BADVERS}. */
  readonly rcode: number;
  readonly truncated: boolean;
  /** How many records the answer section has. */
  readonly answers: number;
  /** The question's name stands in the query from 12 up to here; 0 if it could not be read. */
  readonly nameEnd: number;
  readonly type: number;
  /** The choice that was made, if the name is redirected. */
  readonly choice: Choice | undefined;
  /** What the limit on equal answers made of it. */
  readonly fate: AnswerFate;
  /** The zone that is to be transferred instead of `bytes`; only over TCP. */
  readonly transfer: Zone | undefined;
}

/** How a {@linkcode Responder} answers. */
export interface ResponderOptions {
  readonly rng: Rng;
  /** What it says when asked for `version.bind` in class CH. */
  readonly version?: string;
  /** The time, for cookies and limits; without it there are none. */
  readonly clock?: { nowMs(): number; wallMs(): number };
  readonly cookies?: ServerCookies;
  readonly rateLimit?: ResponseRateLimit;
  /** What a client that asks is told about idle connections (RFC 7828), in milliseconds. */
  readonly keepaliveMs?: number;
  /** Whether an address may have whole zones: `NOERROR`, or the code that says why not. Nobody may, unless given. */
  readonly transferVerdict?: (address: Uint8Array) => number;
}

/** A reply whose bytes are only looked at where they are wanted: making a view costs as much as finding a name. */
class WrittenReply implements Reply {
  readonly #buffer: Uint8Array;
  readonly length: number;
  readonly rcode: number;
  readonly truncated: boolean;
  readonly answers: number;
  readonly nameEnd: number;
  readonly type: number;
  readonly choice: Choice | undefined;
  readonly fate: AnswerFate;
  readonly transfer: Zone | undefined;

  constructor(
    reply: Omit<Reply, "bytes"> & { readonly buffer: Uint8Array },
  ) {
    this.#buffer = reply.buffer;
    this.length = reply.length;
    this.rcode = reply.rcode;
    this.truncated = reply.truncated;
    this.answers = reply.answers;
    this.nameEnd = reply.nameEnd;
    this.type = reply.type;
    this.choice = reply.choice;
    this.fate = reply.fate;
    this.transfer = reply.transfer;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }
}

/** What answers queries. */
export type Answering = Pick<Responder, "respond">;

/** Answers queries about the zones of a table. */
export class Responder {
  /** Read anew for each query: another table can take its place. */
  zones: ZoneTable;
  readonly #options: ResponderOptions;
  readonly #version: Uint8Array;
  readonly #reader = new QueryReader();
  readonly #buffer = new Uint8Array(65535);
  readonly #writer = new MessageWriter(this.#buffer);
  readonly #answer: ZoneAnswer;
  /** The client's cookie of the current query, and what the server's will be. */
  readonly #cookies = new Uint8Array(BOTH_COOKIES_BYTES);
  #withCookies = false;
  /** The current query came with a cookie of ours: its sender is who it says. */
  #isProved = false;

  /** Creates a responder for `zones`. */
  constructor(zones: ZoneTable, options: ResponderOptions) {
    this.zones = zones;
    this.#options = options;
    this.#answer = new ZoneAnswer({
      reader: this.#reader,
      writer: this.#writer,
      rng: options.rng,
    });
    const text = utf8(options.version ?? "rolecall");
    this.#version = new Uint8Array([text.length, ...text]);
  }

  /**
   * Returns the answer to a message, or undefined if it deserves none (an answer itself, or too short to have an id).
   *
   * @param into Where to write it, with room for {@linkcode EDNS_UDP_BYTES} or, over TCP, 65,535; in memory of its own, unless given.
   */
  respond(
    query: Uint8Array,
    asker: Asker,
    into: Uint8Array = this.#buffer,
  ): Reply | undefined {
    const answer = this.#answer;
    this.#writer.buffer = into;
    const verdict = this.#reader.read(query);
    if (verdict < 0) return undefined;
    this.#checkCookies(query, asker, verdict);
    this.#begin(query, asker);
    answer.rcode = verdict;
    let truncated = false;
    let transfer: Zone | undefined;
    // RFC 7873 §5.4: who asks nothing wants a cookie
    if (verdict === RCODES.NOERROR && this.#reader.nameEnd > 0) {
      const written = this.#sections(query, asker);
      transfer = written === true || written === false ? undefined : written;
      truncated = written === false;
    }
    const fate = this.#fate(asker);
    if (fate === "slipped") truncated = true;
    if (truncated) {
      const { rcode, authoritative, choice } = answer;
      this.#begin(query, asker);
      Object.assign(answer, { rcode, authoritative, choice });
    }
    this.#end(query, asker, truncated);
    const { nameEnd, type } = this.#reader;
    const { rcode, answers, choice } = answer;
    return new WrittenReply({
      buffer: into,
      length: fate === "dropped" ? 0 : this.#writer.length,
      rcode,
      truncated,
      answers,
      nameEnd,
      type,
      choice,
      fate,
      transfer,
    });
  }

  #checkCookies(query: Uint8Array, asker: Asker, verdict: number): void {
    const { cookies, clock } = this.#options;
    const { cookieAt, cookieBytes } = this.#reader;
    this.#isProved = false;
    // What is wrong gets no cookie: its answer must not be longer than it
    this.#withCookies = verdict === RCODES.NOERROR && cookieBytes > 0 &&
      cookies !== undefined && clock !== undefined;
    if (!this.#withCookies || !cookies || !clock) return;
    const sender = {
      address: asker.address,
      wallSeconds: Math.floor(clock.wallMs() / 1000),
    };
    const given = query.subarray(cookieAt, cookieAt + cookieBytes);
    const age = cookies.age(given, sender);
    this.#cookies.set(given.subarray(0, BOTH_COOKIES_BYTES));
    this.#isProved = age !== undefined;
    cookies.renew(this.#cookies, age, sender);
  }

  /** Over UDP, for who has not proved its address: one of many equal answers may be too much. */
  #fate({ address, transport }: Asker): AnswerFate {
    const { rateLimit, clock } = this.#options;
    if (
      rateLimit === undefined || clock === undefined || transport === "tcp" ||
      this.#isProved
    ) return "sent";
    const { key, rcode } = this.#answer;
    const answerKey = key === 0 ? rcode : key;
    return rateLimit.decide(address, { answerKey, nowMs: clock.nowMs() });
  }

  /** Starts the message: the head comes last, the question as it came. */
  #begin(query: Uint8Array, { transport }: Asker): void {
    const { hasEdns, udpBytes, nameEnd } = this.#reader;
    const limit = transport === "tcp" ? 65535 : hasEdns
      // RFC 6891 §6.2.3: less than 512 means 512
      ? Math.min(Math.max(udpBytes, PLAIN_UDP_BYTES), EDNS_UDP_BYTES)
      : PLAIN_UDP_BYTES;
    const reserved = hasEdns ? OPT_BYTES + this.#optionBytes(transport) : 0;
    this.#writer.reset(limit - reserved, 12);
    if (nameEnd > 0) this.#writer.question(query, 12, nameEnd + 4);
    this.#answer.reset();
  }

  #end(query: Uint8Array, asker: Asker, truncated: boolean): void {
    const { nameEnd, hasEdns } = this.#reader;
    const answer = this.#answer;
    if (hasEdns) this.#opt(query, asker);
    const additionals = answer.additionals + (hasEdns ? 1 : 0);
    const head = this.#writer.buffer;
    head[0] = query[0] ?? 0;
    head[1] = query[1] ?? 0;
    // QR, the opcode and RD as they came
    head[2] = 0x80 | (query[2] ?? 0) & 0x79 | (answer.authoritative ? 4 : 0) |
      (truncated ? 2 : 0);
    head[3] = answer.rcode & 15;
    head[4] = 0;
    head[5] = nameEnd > 0 ? 1 : 0;
    head[6] = answer.answers >> 8;
    head[7] = answer.answers;
    head[8] = answer.authorities >> 8;
    head[9] = answer.authorities;
    head[10] = additionals >> 8;
    head[11] = additionals;
  }

  #optionBytes(transport: "udp" | "tcp"): number {
    const { subnetBytes } = this.#reader;
    return (subnetBytes === 0 ? 0 : 4 + subnetBytes) +
      (this.#withCookies ? 4 + BOTH_COOKIES_BYTES : 0) +
      (this.#tellsKeepalive(transport) ? 6 : 0);
  }

  /** RFC 7828 §3.3.2: over TCP, to who asks. */
  #tellsKeepalive(transport: "udp" | "tcp"): boolean {
    return transport === "tcp" && this.#reader.asksKeepalive &&
      this.#options.keepaliveMs !== undefined;
  }

  #opt(query: Uint8Array, { transport }: Asker): void {
    const { subnetAt, subnetBytes, dnssecOk } = this.#reader;
    const { rcode, choice } = this.#answer;
    const writer = this.#writer;
    writer.u8(0);
    writer.u16(RECORD_TYPES.OPT);
    writer.u16(EDNS_UDP_BYTES);
    writer.u8(rcode >> 4);
    writer.u8(0);
    writer.u16(dnssecOk ? 0x8000 : 0);
    writer.u16(this.#optionBytes(transport));
    if (subnetBytes > 0) {
      // RFC 7871 §7.2.1: all of the option comes back; its scope is 0 unless the answer depends on it
      const bits = query[subnetAt + 1] === 1 ? 32 : 128;
      writer.u16(OPTIONS.CLIENT_SUBNET);
      writer.u16(subnetBytes);
      writer.bytes(query, subnetAt, subnetAt + 3);
      writer.u8(
        choice?.fromOption === true ? Math.min(choice.scopeLength, bits) : 0,
      );
      writer.bytes(query, subnetAt + 4, subnetAt + subnetBytes);
    }
    if (this.#withCookies) {
      writer.u16(OPTIONS.COOKIE);
      writer.u16(BOTH_COOKIES_BYTES);
      writer.bytes(this.#cookies);
    }
    if (this.#tellsKeepalive(transport)) {
      writer.u16(OPTIONS.TCP_KEEPALIVE);
      writer.u16(2);
      const { keepaliveMs = 0 } = this.#options;
      writer.u16(Math.min(Math.round(keepaliveMs / 100), 0xffff));
    }
  }

  /** Writes the records of the answer; false if they do not fit. A zone instead is to be transferred. */
  #sections(query: Uint8Array, asker: Asker): boolean | Zone {
    const { type, isInternet } = this.#reader;
    if (!isInternet) return this.#aboutServer(query);
    if (type >= RECORD_TYPES.IXFR && type < RECORD_TYPES.ANY) {
      return this.#transfer(query, asker);
    }
    return this.#answer.write(query, this.zones, asker.address);
  }

  /** A whole zone is not for everybody, goes over TCP only, and MAILA and MAILB are of the past. */
  #transfer(query: Uint8Array, asker: Asker): boolean | Zone {
    const answer = this.#answer;
    const { type, nameEnd } = this.#reader;
    const isIncremental = type === RECORD_TYPES.IXFR;
    if (
      type > RECORD_TYPES.AXFR || asker.transport === "udp" && !isIncremental
    ) {
      // RFC 5936 §4.2: not defined over UDP
      answer.rcode = asker.transport === "tcp" ? RCODES.REFUSED : RCODES.NOTIMP;
      return true;
    }
    answer.rcode = this.#options.transferVerdict?.(asker.address) ??
      RCODES.REFUSED;
    if (answer.rcode !== RCODES.NOERROR) return true;
    const name = query.subarray(12, nameEnd);
    const zone = this.zones.zones.find(({ origin }) =>
      equalNames(origin, name)
    );
    if (zone === undefined) {
      // RFC 5936 §2.2.1
      answer.rcode = RCODES.NOTAUTH;
      return true;
    }
    if (asker.transport === "tcp") return zone;
    // RFC 1995 §2: the SOA alone says "ask over TCP"
    answer.authoritative = true;
    return answer.record(
      zone.soa.type,
      zone.soa.ttlSeconds,
      zone.soa.rdata,
    );
  }

  #aboutServer(query: Uint8Array): boolean {
    const { type, class: qclass, nameEnd } = this.#reader;
    const name = query.subarray(12, nameEnd);
    const answer = this.#answer;
    if (
      qclass !== CLASSES.CH ||
      !VERSION_NAMES.some((known) => equalNames(known, name))
    ) {
      answer.rcode = RCODES.REFUSED;
      return true;
    }
    answer.authoritative = true;
    return type !== RECORD_TYPES.TXT && type !== RECORD_TYPES.ANY ||
      answer.record(RECORD_TYPES.TXT, 0, this.#version);
  }
}
