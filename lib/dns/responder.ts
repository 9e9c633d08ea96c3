/**
 * An authoritative server's answers (RFC 1034 §4.3.2), from bytes to bytes.
 *
 * This is the redirector's hot path. Measured in docs/protocols/dns.md; what keeps it fast is that the question is
 * never turned into text, that the answer is written into one buffer, and that only the choice itself is an object.
 */
import { utf8 } from "../core/bytes.ts";
import type { Rng } from "../core/rng.ts";
import {
  CLASSES,
  EDNS_UDP_BYTES,
  PLAIN_UDP_BYTES,
  RCODES,
  RECORD_TYPES,
} from "./codes.ts";
import { type ClientSubnet, optBytes, writeOpt } from "./edns.ts";
import { MessageWriter } from "./message_writer.ts";
import { equalNames, parseName } from "./name.ts";
import { QueryReader } from "./query_reader.ts";
import type { Redirect, RedirectFamily } from "./redirects.ts";
import type { EdgeGroup } from "./select/edge.ts";
import { noteSelection, type Selection, steer } from "./select/steer.ts";
import type { Found, RecordSet, ZoneNode, ZoneTable } from "./zone_table.ts";

/** Aliases followed within one answer; a longer chain is left to the resolver. */
const MAX_CHAIN = 16;

const VERSION_NAMES = [
  parseName("version.bind."),
  parseName("version.server."),
];
/** RFC 8482 §4.2: the answer to ANY is one record that says so. */
const ANY_RDATA = new Uint8Array([7, ...utf8("RFC8482"), 0]);
const ANY_TTL_SECONDS = 3600;

/** Who asks. */
export interface Asker {
  /** 4 bytes or 16, never a mapped address: that of the client, or more often of its resolver. Only read until the answer is there. */
  readonly address: Uint8Array;
  readonly transport: "udp" | "tcp";
}

/** An answer, and what it came from. */
export interface Reply {
  /** Valid until the next query. */
  readonly bytes: Uint8Array;
  /** Up to {@linkcode RCODES.BADVERS}. */
  readonly rcode: number;
  readonly truncated: boolean;
  /** How many records the answer section has. */
  readonly answers: number;
  /** The question's name stands in the query from 12 up to here; 0 if it could not be read. */
  readonly nameEnd: number;
  readonly type: number;
  readonly clientSubnet: ClientSubnet | undefined;
  /** The choice that was made, if the name is redirected. */
  readonly choice: Choice | undefined;
}

/** A choice among edges. */
export interface Choice extends Selection {
  /** All edges of the name, the candidates among them. */
  readonly group: EdgeGroup;
  readonly redirect: Redirect;
  /** The client's address as far as it was known; valid until the next query. */
  readonly client: Uint8Array;
  readonly clientLength: number;
  /** The address is from EDNS Client Subnet, not from the packet. */
  readonly fromOption: boolean;
}

/** Answers queries about the zones of a table. */
export class Responder {
  /** Read anew for each query: another table can take its place. */
  zones: ZoneTable;
  readonly #rng: Rng;
  readonly #version: Uint8Array;
  readonly #reader = new QueryReader();
  readonly #writer = new MessageWriter();
  #address: Uint8Array = new Uint8Array(4);
  #rcode = 0;
  #flags = 0;
  #answers = 0;
  #authorities = 0;
  #additionals = 0;
  #choice: Choice | undefined;

  /** Creates a responder; `version` is what it says when asked for `version.bind` in class CH. */
  constructor(
    zones: ZoneTable,
    options: { readonly rng: Rng; readonly version?: string },
  ) {
    this.zones = zones;
    this.#rng = options.rng;
    const text = utf8(options.version ?? "rolecall");
    this.#version = new Uint8Array([text.length, ...text]);
  }

  /** Returns the answer to a message, or undefined if it deserves none (an answer itself, or too short to have an id). */
  respond(query: Uint8Array, asker: Asker): Reply | undefined {
    const reader = this.#reader;
    const verdict = reader.read(query);
    if (verdict < 0) return undefined;
    this.#address = asker.address;
    this.#rcode = verdict;
    this.#flags = 0x8000 | ((query[2] ?? 0) & 0x79) << 8;
    this.#choice = undefined;
    this.#begin(query, asker);
    let truncated = false;
    if (verdict === RCODES.NOERROR && !this.#answer(query, asker)) {
      truncated = true;
      this.#flags |= 0x200;
      this.#begin(query, asker);
    }
    return this.#end(query, truncated);
  }

  /** Starts the message: the head comes last, the question as it came. */
  #begin(query: Uint8Array, asker: Asker): void {
    const { hasEdns, udpBytes, clientSubnet, nameEnd } = this.#reader;
    const limit = asker.transport === "tcp" ? 65535 : hasEdns
      // RFC 6891 §6.2.3: less than 512 means 512
      ? Math.min(Math.max(udpBytes, PLAIN_UDP_BYTES), EDNS_UDP_BYTES)
      : PLAIN_UDP_BYTES;
    this.#writer.reset(limit - (hasEdns ? optBytes(clientSubnet) : 0), 12);
    if (nameEnd > 0) this.#writer.question(query, 12, nameEnd + 4);
    this.#answers = 0;
    this.#authorities = 0;
    this.#additionals = 0;
  }

  #end(query: Uint8Array, truncated: boolean): Reply {
    const { hasEdns, nameEnd, type, clientSubnet } = this.#reader;
    const writer = this.#writer;
    if (hasEdns) {
      writeOpt(writer, this.#edns());
      this.#additionals += 1;
    }
    const head = writer.buffer;
    head[0] = query[0] ?? 0;
    head[1] = query[1] ?? 0;
    head[2] = this.#flags >> 8;
    head[3] = this.#rcode & 15;
    head[4] = 0;
    head[5] = nameEnd > 0 ? 1 : 0;
    head[6] = this.#answers >> 8;
    head[7] = this.#answers;
    head[8] = this.#authorities >> 8;
    head[9] = this.#authorities;
    head[10] = this.#additionals >> 8;
    head[11] = this.#additionals;
    return {
      bytes: head.subarray(0, writer.length),
      rcode: this.#rcode,
      truncated,
      answers: this.#answers,
      nameEnd,
      type,
      clientSubnet,
      choice: this.#choice,
    };
  }

  #edns() {
    const { clientSubnet, dnssecOk } = this.#reader;
    const edns = {
      udpBytes: EDNS_UDP_BYTES,
      version: 0,
      dnssecOk,
      upperRcode: this.#rcode >> 4,
    };
    if (clientSubnet === undefined) return edns;
    const choice = this.#choice;
    // RFC 7871 §7.2.1: all of the option comes back; its scope is 0 unless the answer depends on it
    const scopeLength = choice?.fromOption === true
      ? Math.min(choice.scopeLength, 8 * clientSubnet.bytes.length)
      : 0;
    return { ...edns, clientSubnet: { ...clientSubnet, scopeLength } };
  }

  /** Writes the records of the answer; false if they do not fit. */
  #answer(query: Uint8Array, asker: Asker): boolean {
    const { type, class: qclass, isInternet, nameEnd } = this.#reader;
    if (!isInternet) return this.#aboutServer(query, qclass, nameEnd);
    if (type >= RECORD_TYPES.IXFR && type < RECORD_TYPES.ANY) {
      // zone transfers are not for everybody, and not defined over UDP (RFC 5936 §4.2)
      this.#rcode = asker.transport === "tcp" ? RCODES.REFUSED : RCODES.NOTIMP;
      return true;
    }
    let name = query.subarray(12, nameEnd);
    const passed: ZoneNode[] = [];
    for (let hop = 0; hop < MAX_CHAIN; hop++) {
      const found = this.zones.find(name);
      if (found === undefined) {
        if (hop === 0) this.#rcode = RCODES.REFUSED;
        return true;
      }
      const { node } = found;
      const alias = type === RECORD_TYPES.CNAME || type === RECORD_TYPES.ANY ||
          this.#isReferral(found, type)
        ? undefined
        : node?.sets.get(RECORD_TYPES.CNAME);
      if (alias === undefined) return this.#final(name, found);
      this.#flags |= 0x400;
      // a loop is the zone's mistake; the resolver sees it after one round
      if (node === undefined || passed.includes(node)) return true;
      passed.push(node);
      if (!this.#set(name, alias)) return false;
      name = alias[0]?.rdata ?? name;
    }
    return true;
  }

  #isReferral({ node, cut }: Found, type: number): boolean {
    // RFC 4035 §3.1.4.1: DS at a delegation is the parent's to answer
    return cut !== undefined && !(type === RECORD_TYPES.DS && node === cut);
  }

  /** Answers for the end of a chain of aliases. */
  #final(name: Uint8Array, found: Found): boolean {
    const { type } = this.#reader;
    if (this.#isReferral(found, type) && found.cut !== undefined) {
      return this.#referral(found.cut);
    }
    // RFC 1034 §6.2.7: AA is about the first name, and stays set when a later one is another server's
    this.#flags |= 0x400;
    const { node, zone } = found;
    if (node === undefined) {
      // RFC 6604 §3: the code is that of the last name
      this.#rcode = RCODES.NXDOMAIN;
      return this.#authority(zone.negativeSoa);
    }
    if (
      type === RECORD_TYPES.ANY && (node.sets.size > 0 || node.redirect)
    ) return this.#minimal(name);
    const set = node.sets.get(type);
    if (set !== undefined) return this.#set(name, set);
    const redirect = node.redirect;
    const family = type === RECORD_TYPES.A
      ? redirect?.ipv4
      : type === RECORD_TYPES.AAAA
      ? redirect?.ipv6
      : undefined;
    return redirect !== undefined && family !== undefined
      ? this.#redirect(name, redirect, family)
      : this.#authority(zone.negativeSoa);
  }

  /** Chooses an edge and writes its address. */
  #redirect(
    name: Uint8Array,
    redirect: Redirect,
    family: RedirectFamily,
  ): boolean {
    const { type, clientSubnet } = this.#reader;
    const fromOption = clientSubnet !== undefined &&
      clientSubnet.sourceLength > 0;
    const client = fromOption ? clientSubnet.bytes : this.#address;
    const clientLength = fromOption
      ? clientSubnet.sourceLength
      : 8 * client.length;
    const { group, sites } = family;
    const selection = steer(redirect.steering, {
      group,
      sites,
      client,
      clientLength,
      nameHash: redirect.nameHash,
      loadPerAnswer: redirect.book.loadPerAnswer,
      rng: this.#rng,
    });
    noteSelection(selection);
    this.#choice = {
      ...selection,
      group,
      redirect,
      client,
      clientLength,
      fromOption,
    };
    const { edge } = selection;
    return this.#record(name, type, redirect.ttlSeconds, edge.address);
  }

  #record(
    name: Uint8Array,
    type: number,
    ttlSeconds: number,
    rdata: Uint8Array,
  ): boolean {
    const qclass = this.#reader.class;
    const written = this.#writer.record({
      name,
      type,
      class: qclass === CLASSES.ANY ? CLASSES.IN : qclass,
      ttlSeconds,
      rdata,
    });
    if (written) this.#answers += 1;
    return written;
  }

  #set(name: Uint8Array, set: RecordSet): boolean {
    for (const { type, ttlSeconds, rdata } of set) {
      if (!this.#record(name, type, ttlSeconds, rdata)) return false;
    }
    return true;
  }

  #minimal(name: Uint8Array): boolean {
    return this.#record(name, RECORD_TYPES.HINFO, ANY_TTL_SECONDS, ANY_RDATA);
  }

  #authority(record: RecordSet[number]): boolean {
    const written = this.#writer.record(record);
    if (written) this.#authorities += 1;
    return written;
  }

  /** Names the servers below, with their addresses where only we know them (glue; RFC 9471: all of it, or TC). */
  #referral(cut: ZoneNode): boolean {
    const servers = cut.sets.get(RECORD_TYPES.NS) ?? [];
    for (const server of servers) if (!this.#authority(server)) return false;
    for (const server of servers) {
      const node = this.zones.find(server.rdata)?.node;
      for (const type of [RECORD_TYPES.A, RECORD_TYPES.AAAA]) {
        for (const glue of node?.sets.get(type) ?? []) {
          if (!this.#writer.record(glue)) return false;
          this.#additionals += 1;
        }
      }
    }
    return true;
  }

  #aboutServer(query: Uint8Array, qclass: number, nameEnd: number): boolean {
    const name = query.subarray(12, nameEnd);
    const { type } = this.#reader;
    if (
      qclass !== CLASSES.CH ||
      !VERSION_NAMES.some((known) => equalNames(known, name))
    ) {
      this.#rcode = RCODES.REFUSED;
      return true;
    }
    this.#flags |= 0x400;
    return type !== RECORD_TYPES.TXT && type !== RECORD_TYPES.ANY ||
      this.#record(name, RECORD_TYPES.TXT, 0, this.#version);
  }
}
