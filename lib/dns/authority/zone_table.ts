/**
 * All zones of a server in one table, made so that answering is one look-up for a name that is there, and a short
 * walk towards the root for one that is not (RFC 1034 §4.3.2, RFC 4592).
 *
 * Names and data stand in one pool; a name costs some 200 bytes with its record, of which its own bytes are a quarter
 * (bench/dns_zone.ts).
 */
import { atOnce, stepping } from "../../core/steps.ts";
import { CLASSES, RECORD_TYPES } from "../codes.ts";
import type { DnsRecord } from "../message.ts";
import {
  displayName,
  equalNames,
  isWithin,
  labelCount,
  type Name,
  nameEnd,
  parentName,
} from "../name.ts";
import { formatRdata } from "../rdata.ts";
import { BytePool } from "./byte_pool.ts";
import { NameTable } from "./name_table.ts";
import {
  type Redirect,
  type RedirectOptions,
  redirectSteps,
} from "./redirects.ts";
import type { ZoneData, ZoneRecord } from "./zone.ts";
import {
  checkAlias,
  checkRenaming,
  soaOf,
  withoutTwins,
} from "./zone_rules.ts";

/** Records of one name and type. */
export interface RecordSet {
  readonly type: number;
  readonly ttlSeconds: number;
  /** How many records there are. */
  readonly count: number;
  /** Where they stand in {@linkcode ZoneTable.bytes}: one after the other, each with its length in 2 bytes before it. */
  readonly at: number;
  /** The next set of the same name. */
  readonly next: RecordSet | undefined;
}

/** A zone that is served. */
export interface Zone {
  readonly origin: Name;
  readonly soa: DnsRecord;
  readonly serial: number;
  /** The SOA as it stands in negative answers: with the lesser of its TTL and its last field (RFC 2308 §3). */
  readonly negativeSoa: DnsRecord;
  /** What the zone says about names that another zone of this server answers for: its delegation, with glue. */
  readonly covered: readonly ZoneRecord[];
}

/** A name in a zone; one without records has names below it (an empty non-terminal, RFC 4592 §2.2.2). */
export interface ZoneNode {
  /** Where its name stands in {@linkcode ZoneTable.bytes}. */
  readonly nameAt: number;
  readonly zone: Zone;
  sets: RecordSet | undefined;
  /** The address depends on who asks. */
  redirect: Redirect | undefined;
  /** The delegation at this name or above it: what is here is another server's to answer. */
  cut: ZoneNode | undefined;
  /** The name above it that has a DNAME, and no cut above that: it is another name's, whatever is here. */
  dname: ZoneNode | undefined;
  /** `*` below this name. */
  wildcard: ZoneNode | undefined;
}

/** What {@linkcode ZoneTable.find} found for a name. */
export interface Found {
  readonly zone: Zone;
  /** The name itself, or the wildcard that stands for it; undefined if there is neither (NXDOMAIN). */
  readonly node: ZoneNode | undefined;
  readonly cut: ZoneNode | undefined;
  /** The name above it whose DNAME says what it is called in truth (RFC 6672). */
  readonly dname: ZoneNode | undefined;
}

/** Returns the records of a type, if the name has any. */
export function recordSet(
  node: ZoneNode,
  type: number,
): RecordSet | undefined {
  let set = node.sets;
  while (set !== undefined && set.type !== type) set = set.next;
  return set;
}

/** See the head of this file. */
export class ZoneTable {
  readonly #zones: Zone[] = [];
  readonly #pool = new BytePool();
  readonly #nodes = new NameTable<ZoneNode>(this.#pool);
  readonly #tops = new Set<ZoneNode>();

  /**
   * Builds the table.
   *
   * @throws {SyntaxError | RangeError} If a zone cannot be served: no SOA or NS at its top, an alias with other data beside it
   * (RFC 1034 §3.6.2), given twice; or a redirect or site names an edge that is none. It starts with the zone's
   * {@linkcode ZoneData.source}.
   */
  constructor(data: readonly ZoneData[], options: RedirectOptions = {}) {
    atOnce(this.#build(data, options));
  }

  /** Builds a table in steps: one of many names takes its time. */
  static *steps(
    data: readonly ZoneData[],
    options: RedirectOptions = {},
  ): Generator<void, ZoneTable> {
    const table = new ZoneTable([]);
    yield* table.#build(data, options);
    return table;
  }

  *#build(
    data: readonly ZoneData[],
    options: RedirectOptions,
  ): Generator<void, void> {
    // A zone's own top wins over the delegation to it in the zone above
    const deepestFirst = data.toSorted((a, b) =>
      labelCount(b.origin) - labelCount(a.origin)
    );
    for (const each of deepestFirst) {
      yield* fromSource(each, this.#addZone(each, options));
    }
    this.#pool.trim();
    // In the order they were added a name comes after the one above it
    yield* stepping(this.#nodes.values, (node) => this.#link(node));
  }

  /** The zones, the deepest first. */
  get zones(): readonly Zone[] {
    return this.#zones;
  }

  /** Where names and data stand. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#pool.bytes;
  }

  /** All names, each after the one above it. */
  get nodes(): readonly ZoneNode[] {
    return this.#nodes.values;
  }

  /** Finds the name that starts at `at`; undefined if it is in none of the zones. */
  find(bytes: Uint8Array, at = 0): Found | undefined {
    const node = this.#nodes.closest(bytes, at);
    if (node === undefined) return undefined;
    const { zone, cut, dname } = node;
    return this.#nodes.isExact
      ? { zone, node, cut, dname }
      : { zone, node: node.wildcard, cut, dname: dnameBelow(node) };
  }

  /** Whether the last {@linkcode ZoneTable.find} found the name itself, not a wildcard for it. */
  get foundExactly(): boolean {
    return this.#nodes.isExact;
  }

  /** The zone above, if `node` is the top of one: its is what a delegation says of itself (DS, RFC 4035 §3.1.4.1). Undefined if it is another server's. */
  zoneAbove(node: ZoneNode): Zone | undefined {
    const { origin } = node.zone;
    if (!this.#tops.has(node) || origin.length === 1) return undefined;
    const above = this.#nodes.closest(parentName(origin));
    return above?.cut === undefined ? above?.zone : undefined;
  }

  /** Returns all names whose address depends on who asks, and their zones. */
  redirects(): { readonly zone: Zone; readonly redirect: Redirect }[] {
    return this.nodes.flatMap(({ zone, redirect }) =>
      redirect === undefined ? [] : [{ zone, redirect }]
    );
  }

  /** Returns the names and addresses of all edges that any name leads to. */
  edges(): Set<string> {
    const called = new Set<string>();
    for (const { redirect } of this.redirects()) {
      for (const family of [redirect.ipv4, redirect.ipv6]) {
        for (const edge of family?.group.edges ?? []) {
          called.add(edge.name).add(edge.host);
        }
      }
    }
    return called;
  }

  *#addZone(
    data: ZoneData,
    options: RedirectOptions,
  ): Generator<void, void> {
    const deeper = [...this.#zones];
    if (deeper.some(({ origin }) => equalNames(origin, data.origin))) {
      throw new SyntaxError(
        `the zone ${displayName(data.origin)} is given twice`,
      );
    }
    const { records, redirects } = yield* redirectSteps(data, options);
    const covered: ZoneRecord[] = [];
    const zone = zoneOf(data, covered);
    this.#tops.add(this.#node(zone.origin, zone));
    const byNode = new Map<ZoneNode, ZoneRecord[]>();
    yield* stepping(records, (record) => {
      if (!isWithin(record.name, zone.origin)) {
        throw outside(record.name, zone);
      }
      const other = deeper.find(({ origin }) => isWithin(record.name, origin));
      if (other !== undefined) {
        covered.push(record);
        // What is between the two zones is there, though it may be empty
        this.#node(parentName(other.origin) as Name, zone);
        return;
      }
      const node = this.#node(record.name, zone);
      const own = byNode.get(node);
      if (own === undefined) byNode.set(node, [record]);
      else own.push(record);
    });
    for (const redirect of redirects) {
      if (!isWithin(redirect.name, zone.origin)) {
        throw outside(redirect.name, zone);
      }
      if (deeper.some(({ origin }) => isWithin(redirect.name, origin))) {
        continue;
      }
      this.#node(redirect.name, zone).redirect = redirect;
    }
    yield* stepping(byNode, ([node, own]) => this.#addSets(node, own));
    this.#zones.push(zone);
  }

  /** The node of a name, made after all between it and the top of its zone. */
  #node(name: Name, zone: Zone): ZoneNode {
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const above = name.length === zone.origin.length
      ? undefined
      : this.#node(parentName(name) as Name, zone);
    const node = {
      nameAt: 0,
      zone,
      sets: undefined,
      redirect: undefined,
      cut: undefined,
      dname: undefined,
      wildcard: undefined,
    };
    node.nameAt = this.#nodes.add(name, node);
    if (above !== undefined && name[0] === 1 && name[1] === 0x2a) {
      above.wildcard = node;
    }
    return node;
  }

  #addSets(node: ZoneNode, records: readonly ZoneRecord[]): void {
    const byType = new Map<number, ZoneRecord[]>();
    for (const record of records) {
      const own = byType.get(record.type);
      if (own === undefined) byType.set(record.type, [record]);
      else own.push(record);
    }
    checkAlias(byType, node.redirect !== undefined);
    checkRenaming(byType);
    for (const [type, own] of [...byType].reverse()) {
      const different = own.length === 1 ? own : withoutTwins(own);
      const at = this.#pool.add([]);
      for (const { rdata } of different) {
        this.#pool.add([rdata.length >> 8, rdata.length & 255]);
        this.#pool.add(rdata);
      }
      node.sets = {
        type,
        // RFC 2181 §5.2: one set has one TTL
        ttlSeconds: Math.min(...own.map(({ ttlSeconds }) => ttlSeconds)),
        count: different.length,
        at,
        next: node.sets,
      };
    }
  }

  /** Ties a node to the delegation at or above it, once all are there. */
  #link(node: ZoneNode): void {
    if (this.#tops.has(node)) return;
    const { bytes } = this.#pool;
    const parentAt = node.nameAt + 1 + (bytes[node.nameAt] ?? 0);
    const above = this.#nodes.get(bytes, parentAt);
    node.dname = above && dnameBelow(above);
    const isCut = node.dname === undefined &&
      recordSet(node, RECORD_TYPES.NS) !== undefined;
    node.cut = above?.cut ?? (isCut ? node : undefined);
  }
}

/** The DNAME that holds for the names below one. */
function dnameBelow(node: ZoneNode): ZoneNode | undefined {
  if (node.cut !== undefined) return undefined;
  return node.dname ??
    (recordSet(node, RECORD_TYPES.DNAME) === undefined ? undefined : node);
}

/** Returns the name that stands at `at` of a table's bytes. Shares the memory. */
export function nameAt(table: ZoneTable, at: number): Uint8Array<ArrayBuffer> {
  const { bytes } = table;
  return bytes.subarray(at, nameEnd(bytes, at));
}

function* fromSource(
  data: ZoneData,
  build: Generator<void, void>,
): Generator<void, void> {
  try {
    yield* build;
  } catch (error) {
    const message = `${data.source ?? "zones"}: ${(error as Error).message}`;
    if (error instanceof SyntaxError) {
      throw new SyntaxError(message, { cause: error });
    }
    if (error instanceof RangeError) {
      throw new RangeError(message, { cause: error });
    }
    throw error;
  }
}

function outside(name: Name, zone: Zone): SyntaxError {
  return new SyntaxError(
    `${displayName(name)} is not in the zone ${displayName(zone.origin)}`,
  );
}

function zoneOf(data: ZoneData, covered: readonly ZoneRecord[]): Zone {
  const soa = soaOf(data);
  const words = formatRdata(soa.type, soa.rdata).split(" ");
  const { name, type, ttlSeconds, rdata } = soa;
  const record = { name, type, class: CLASSES.IN, ttlSeconds, rdata };
  return {
    origin: data.origin,
    soa: record,
    serial: Number(words[2]),
    negativeSoa: {
      ...record,
      ttlSeconds: Math.min(ttlSeconds, Number(words.at(-1))),
    },
    covered,
  };
}
