/**
 * The sections of an authority's answer: the algorithm of RFC 1034 §4.3.2, without its recursion.
 *
 * On the redirector's hot path: a record goes from the table's bytes into the message, and only a choice among edges is
 * an object.
 */
import type { Rng } from "../../core/rng.ts";
import { utf8 } from "../../core/bytes.ts";
import { CLASSES, RCODES, RECORD_TYPES } from "../codes.ts";
import type { MessageWriter } from "../message_writer.ts";
import { equalNames, isWithin, nameEnd, ROOT, withNewEnd } from "../name.ts";
import type { QueryReader } from "../query_reader.ts";
import { type Choice, choose } from "./choice.ts";
import { hashName } from "./name_table.ts";
import type { Redirect, RedirectFamily } from "./redirects.ts";
import {
  type Found,
  type RecordSet,
  recordSet,
  type Zone,
  type ZoneNode,
  type ZoneTable,
} from "./zone_table.ts";

/** Aliases followed within one answer; a longer chain is left to the resolver. */
const MAX_CHAIN = 16;

/** RFC 8482 §4.2: the answer to ANY is one record that says so. */
const ANY_RDATA = new Uint8Array([7, ...utf8("RFC8482"), 0]);
const ANY_TTL_SECONDS = 3600;

/** Where the name stands in the data of records whose reader will want its addresses (RFC 1035 §3.3.9, §3.3.11, RFC 2782). */
const TARGET_OFFSETS: ReadonlyMap<number, number> = new Map([
  [RECORD_TYPES.NS, 0],
  [RECORD_TYPES.MX, 2],
  [RECORD_TYPES.SRV, 6],
]);
const ADDRESS_TYPES = [RECORD_TYPES.A, RECORD_TYPES.AAAA];

/** Kinds of answers, for {@linkcode ZoneAnswer.key}. */
const KINDS = { data: 1, nothing: 2, noName: 3, referral: 4 } as const;

/** Stands for "the name of the question" where a place in some bytes is wanted. */
const ASKED = -1;

/** Writes the sections of one answer after the other. */
export class ZoneAnswer {
  answers = 0;
  authorities = 0;
  additionals = 0;
  rcode: number = RCODES.NOERROR;
  /** The AA bit: the first name is one of ours. */
  authoritative = false;
  /** The choice that was made, if the name is redirected. */
  choice: Choice | undefined;
  /** Equal for answers that say the same, whichever name below a wildcard or a zone was asked for. */
  key = 0;
  readonly #reader: QueryReader;
  readonly #writer: MessageWriter;
  readonly #rng: Rng;
  /** The record that is written next; one object for all. */
  readonly #row = {
    name: ROOT as Uint8Array,
    nameAt: 0,
    type: 0,
    class: CLASSES.IN as number,
    ttlSeconds: 0,
    rdata: ROOT as Uint8Array,
    rdataAt: 0,
    rdataEnd: 0,
  };
  #query: Uint8Array = ROOT;
  /** The name whose answer is looked for, and where: {@linkcode ASKED} or a place in the table's bytes. */
  #name: Uint8Array = ROOT;
  #nameAt = ASKED;

  /** Creates a writer that takes the question from `reader`. */
  constructor(
    { reader, writer, rng }: {
      readonly reader: QueryReader;
      readonly writer: MessageWriter;
      readonly rng: Rng;
    },
  ) {
    this.#reader = reader;
    this.#writer = writer;
    this.#rng = rng;
  }

  /** Where the name that is looked for starts. */
  get #from(): number {
    return this.#nameAt === ASKED ? 12 : this.#nameAt;
  }

  /** Forgets the last answer. */
  reset(): void {
    this.answers = 0;
    this.authorities = 0;
    this.additionals = 0;
    this.rcode = RCODES.NOERROR;
    this.authoritative = false;
    this.choice = undefined;
    this.key = 0;
  }

  /** Writes the answer to a question of class IN about what is in `table`; false if it does not fit. `address` is the asker's. */
  write(query: Uint8Array, table: ZoneTable, address: Uint8Array): boolean {
    const { type } = this.#reader;
    this.#query = query;
    this.#name = query;
    this.#nameAt = ASKED;
    let passed: ZoneNode[] | undefined;
    for (let hop = 0; hop < MAX_CHAIN; hop++) {
      const found = table.find(this.#name, this.#from);
      if (found === undefined) {
        if (hop === 0) this.rcode = RCODES.REFUSED;
        return true;
      }
      const { node, dname } = found;
      if (dname !== undefined) {
        if (passed?.includes(dname)) return true;
        (passed ??= []).push(dname);
        const next = this.#rename(table, dname);
        if (next === "follow") continue;
        return next === "end";
      }
      const alias = node === undefined || type === RECORD_TYPES.CNAME ||
          type === RECORD_TYPES.ANY || isReferral(found, type)
        ? undefined
        : recordSet(node, RECORD_TYPES.CNAME);
      if (alias === undefined) return this.#final(table, found, address);
      this.authoritative = true;
      // A loop is the zone's mistake; the resolver sees it after one round
      if (node === undefined || passed?.includes(node)) return true;
      (passed ??= []).push(node);
      this.key = KINDS.data << 28 ^ node.nameAt;
      if (!this.#set(table, alias)) return false;
      this.#name = table.bytes;
      this.#nameAt = alias.at + 2;
    }
    return true;
  }

  /** Writes a DNAME, and the alias that it makes of the name that is looked for: its target is looked for now (RFC 6672 §3.2). */
  #rename(table: ZoneTable, dname: ZoneNode): "follow" | "end" | "full" {
    const { bytes } = table;
    const { nameAt } = dname;
    const { type } = this.#reader;
    const set = recordSet(dname, RECORD_TYPES.DNAME)!;
    this.authoritative = true;
    this.key = KINDS.data << 28 ^ nameAt;
    const count = this.#place(table, set, { name: bytes, nameAt });
    this.answers += count;
    if (count < set.count) return "full";
    const at = this.#from;
    const renamed = withNewEnd(
      this.#name.subarray(at, nameEnd(this.#name, at)),
      nameEnd(bytes, nameAt) - nameAt,
      bytes.subarray(set.at + 2, nameEnd(bytes, set.at + 2)),
    );
    if (renamed === undefined) {
      this.rcode = RCODES.YXDOMAIN;
      return "end";
    }
    const { ttlSeconds } = set;
    const alias = { type: RECORD_TYPES.CNAME, ttlSeconds, rdata: renamed };
    if (!this.#answer(alias)) return "full";
    this.#name = renamed;
    this.#nameAt = 0;
    return type === RECORD_TYPES.CNAME || type === RECORD_TYPES.ANY
      ? "end"
      : "follow";
  }

  /** Writes a record about the asked name; false if it does not fit. */
  record(type: number, ttlSeconds: number, rdata: Uint8Array): boolean {
    this.#name = ROOT;
    this.#nameAt = ASKED;
    return this.#answer({ type, ttlSeconds, rdata });
  }

  /** Writes one record into the authority section; false if it does not fit. */
  authority(record: Zone["soa"]): boolean {
    const written = this.#writer.record(record);
    if (written) this.authorities += 1;
    return written;
  }

  /** Answers for the end of a chain of aliases. */
  #final(table: ZoneTable, found: Found, address: Uint8Array): boolean {
    const { type } = this.#reader;
    const { node, zone, cut } = found;
    if (cut !== undefined && isReferral(found, type)) {
      this.key = KINDS.referral << 28 ^ cut.nameAt;
      return this.#referral(table, cut);
    }
    if (type === RECORD_TYPES.DS && node !== undefined) {
      const above = table.zoneAbove(node);
      if (above !== undefined) return this.#signer(above, node);
    }
    // RFC 1034 §6.2.7: AA is about the first name, and stays set when a later one is another server's
    this.authoritative = true;
    if (node === undefined) {
      // RFC 6604 §3: the code is that of the last name
      this.rcode = RCODES.NXDOMAIN;
      this.key = KINDS.noName << 28 ^ table.zones.indexOf(zone);
      return this.authority(zone.negativeSoa);
    }
    this.key = KINDS.data << 28 ^ node.nameAt ^ type << 16;
    if (type === RECORD_TYPES.ANY && (node.sets || node.redirect)) {
      return this.#answer({
        type: RECORD_TYPES.HINFO,
        ttlSeconds: ANY_TTL_SECONDS,
        rdata: ANY_RDATA,
      });
    }
    const set = recordSet(node, type);
    if (set !== undefined) {
      if (!this.#set(table, set)) return false;
      this.#targets(table, set);
      return true;
    }
    const { redirect } = node;
    const family = type === RECORD_TYPES.A
      ? redirect?.ipv4
      : type === RECORD_TYPES.AAAA
      ? redirect?.ipv6
      : undefined;
    if (redirect !== undefined && family !== undefined) {
      // The titles below a wildcard are told apart
      const nameHash = table.foundExactly
        ? redirect.nameHash
        : hashName(this.#name, this.#from);
      return this.#redirect(redirect, family, { address, nameHash });
    }
    this.key ^= (KINDS.data ^ KINDS.nothing) << 28;
    return this.authority(zone.negativeSoa);
  }

  /** Answers for the DS of a zone, which stands in the zone above it. */
  #signer(above: Zone, { zone, nameAt }: ZoneNode): boolean {
    this.authoritative = true;
    const set = above.covered.filter(({ type, name }) =>
      type === RECORD_TYPES.DS && equalNames(name, zone.origin)
    );
    const kind = set.length === 0 ? KINDS.nothing : KINDS.data;
    this.key = kind << 28 ^ nameAt ^ RECORD_TYPES.DS << 16;
    if (set.length === 0) return this.authority(above.negativeSoa);
    return set.every((record) => this.#answer(record));
  }

  /** Chooses an edge and writes its address. */
  #redirect(
    redirect: Redirect,
    family: RedirectFamily,
    { address, nameHash }: {
      readonly address: Uint8Array;
      readonly nameHash: number;
    },
  ): boolean {
    const subnet = this.#reader.subnet(this.#query);
    const client = subnet ?? address;
    const clientLength = subnet === undefined
      ? 8 * address.length
      : this.#query[this.#reader.subnetAt + 2] ?? 0;
    this.choice = choose(redirect, family, {
      client,
      clientLength,
      fromOption: subnet !== undefined,
      nameHash,
      rng: this.#rng,
    });
    return this.#answer({
      type: this.#reader.type,
      ttlSeconds: redirect.ttlSeconds,
      rdata: this.choice.edge.address,
    });
  }

  #answer(
    { type, ttlSeconds, rdata }: {
      readonly type: number;
      readonly ttlSeconds: number;
      readonly rdata: Uint8Array;
    },
  ): boolean {
    const row = this.#row;
    const qclass = this.#reader.class;
    row.name = this.#name;
    row.nameAt = this.#nameAt;
    row.type = type;
    row.class = qclass === CLASSES.ANY ? CLASSES.IN : qclass;
    row.ttlSeconds = ttlSeconds;
    row.rdata = rdata;
    row.rdataAt = 0;
    row.rdataEnd = rdata.length;
    if (!this.#writer.place(row)) return false;
    this.answers += 1;
    return true;
  }

  /** Writes a set into the answer section, owned by the name that is looked for. */
  #set(table: ZoneTable, set: RecordSet): boolean {
    const count = this.#place(table, set, {
      name: this.#name,
      nameAt: this.#nameAt,
    });
    this.answers += count;
    return count === set.count;
  }

  /** Writes a set; returns how many of its records fit. */
  #place(
    table: ZoneTable,
    set: RecordSet,
    owner: { readonly name: Uint8Array; readonly nameAt: number },
  ): number {
    const row = this.#row;
    const { bytes } = table;
    row.name = owner.name;
    row.nameAt = owner.nameAt;
    row.type = set.type;
    row.class = CLASSES.IN;
    row.ttlSeconds = set.ttlSeconds;
    row.rdata = bytes;
    let at = set.at;
    for (let index = 0; index < set.count; index++) {
      row.rdataAt = at + 2;
      row.rdataEnd = at = row.rdataAt + (bytes[at]! << 8 | bytes[at + 1]!);
      if (!this.#writer.place(row)) return index;
    }
    return set.count;
  }

  /** Adds the addresses of the names in an answer's data, as far as they fit: it is complete without. */
  #targets(table: ZoneTable, set: RecordSet): void {
    const offset = TARGET_OFFSETS.get(set.type);
    if (offset === undefined) return;
    const { bytes } = table;
    const told: ZoneNode[] = [];
    let at = set.at;
    for (let index = 0; index < set.count; index++) {
      const { node, cut, dname } = table.find(bytes, at + 2 + offset) ?? {};
      at += 2 + (bytes[at]! << 8 | bytes[at + 1]!);
      if (
        node === undefined || (cut ?? dname) !== undefined ||
        !table.foundExactly ||
        told.includes(node)
      ) continue;
      told.push(node);
      this.#addresses(table, node);
    }
  }

  /** Adds the addresses of a name; false if they do not fit. */
  #addresses(table: ZoneTable, node: ZoneNode): boolean {
    const owner = { name: table.bytes, nameAt: node.nameAt };
    for (const type of ADDRESS_TYPES) {
      const set = recordSet(node, type);
      if (set === undefined) continue;
      const count = this.#place(table, set, owner);
      this.additionals += count;
      if (count < set.count) return false;
    }
    return true;
  }

  /** Names the servers below, with their addresses where only we know them (glue; RFC 9471 §3: all that is below, or TC). */
  #referral(table: ZoneTable, cut: ZoneNode): boolean {
    const servers = recordSet(cut, RECORD_TYPES.NS);
    if (servers === undefined) return true;
    const { bytes } = table;
    const owner = { name: bytes, nameAt: cut.nameAt };
    const count = this.#place(table, servers, owner);
    this.authorities += count;
    if (count < servers.count) return false;
    let at = servers.at;
    for (let index = 0; index < servers.count; index++) {
      const { node, dname } = table.find(bytes, at + 2) ?? {};
      at += 2 + (bytes[at]! << 8 | bytes[at + 1]!);
      if (node === undefined || dname || !table.foundExactly) continue;
      // Of a zone below, that is ours too, only what it answers for itself; what is elsewhere nobody would believe us
      const isOurs = node.zone === cut.zone ||
        node.cut === undefined && isWithin(node.zone.origin, cut.zone.origin);
      if (!isOurs) continue;
      if (!this.#addresses(table, node) && node.cut === cut) return false;
    }
    return true;
  }
}

function isReferral({ node, cut }: Found, type: number): boolean {
  // RFC 4035 §3.1.4.1: DS at a delegation is the parent's to answer
  return cut !== undefined && !(type === RECORD_TYPES.DS && node === cut);
}
