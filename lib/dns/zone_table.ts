/**
 * All zones of a server in one table, made so that answering is one look-up for a name that is there, and a short
 * walk towards the root for one that is not (RFC 1034 §4.3.2, RFC 4592).
 */
import { CLASSES, RECORD_TYPES } from "./codes.ts";
import type { DnsRecord } from "./message.ts";
import {
  displayName,
  equalNames,
  isWithin,
  labelCount,
  type Name,
  parentName,
  parseName,
} from "./name.ts";
import { NameTable } from "./name_table.ts";
import { formatRdata } from "./rdata.ts";
import {
  makeRedirects,
  type Redirect,
  type RedirectOptions,
} from "./redirects.ts";
import type { ZoneData } from "./zone.ts";

/** Records of one name and type. */
export type RecordSet = readonly DnsRecord[];

/** A zone that is served. */
export interface Zone {
  readonly origin: Name;
  readonly soa: DnsRecord;
  readonly serial: number;
  /** The SOA as it stands in negative answers: with the lesser of its TTL and its last field (RFC 2308 §3). */
  readonly negativeSoa: DnsRecord;
}

/** A name in a zone; one without records has names below it (an empty non-terminal, RFC 4592 §2.2.2). */
export interface ZoneNode {
  readonly name: Name;
  readonly zone: Zone;
  readonly sets: Map<number, RecordSet>;
  /** The address depends on who asks. */
  redirect: Redirect | undefined;
  /** The delegation at this name or above it: what is here is another server's to answer. */
  cut: ZoneNode | undefined;
  /** `*` below this name. */
  wildcard: ZoneNode | undefined;
}

/** What {@linkcode ZoneTable.find} found for a name. */
export interface Found {
  readonly zone: Zone;
  /** The name itself, or the wildcard that stands for it; undefined if there is neither (NXDOMAIN). */
  readonly node: ZoneNode | undefined;
  readonly cut: ZoneNode | undefined;
}

const WILDCARD = parseName("*.");

/** See the head of this file. */
export class ZoneTable {
  /** The zones, the deepest first. */
  readonly zones: readonly Zone[];
  readonly #nodes = new NameTable<ZoneNode>();

  /**
   * Builds the table.
   *
   * @throws {SyntaxError | RangeError} If a zone cannot be served: no SOA or NS at its top, an alias with other data beside it
   * (RFC 1034 §3.6.2), given twice; or a redirect or site names an edge that is none.
   */
  constructor(data: readonly ZoneData[], options: RedirectOptions = {}) {
    // a zone's own top wins over the delegation to it in the zone above
    const deepestFirst = data.toSorted((a, b) =>
      labelCount(b.origin) - labelCount(a.origin)
    );
    const zones: Zone[] = [];
    for (const each of deepestFirst) {
      if (zones.some((zone) => equalNames(zone.origin, each.origin))) {
        throw new SyntaxError(
          `the zone ${displayName(each.origin)} is given twice`,
        );
      }
      zones.push(this.#addZone(each, zones, options));
    }
    this.zones = zones;
    for (const node of this.#nodes.values()) this.#link(node);
  }

  /** Finds the name that starts at `at`; undefined if it is in none of the zones. */
  find(bytes: Uint8Array, at = 0): Found | undefined {
    const node = this.#nodes.get(bytes, at);
    if (node !== undefined) return { zone: node.zone, node, cut: node.cut };
    for (let label = at; (bytes[label] ?? 0) !== 0;) {
      label += 1 + (bytes[label] ?? 0);
      const encloser = this.#nodes.get(bytes, label);
      if (encloser === undefined) continue;
      const { zone, cut, wildcard } = encloser;
      return { zone, node: wildcard, cut };
    }
    return undefined;
  }

  /** Returns all names whose address depends on who asks, and their zones. */
  redirects(): { readonly zone: Zone; readonly redirect: Redirect }[] {
    return [...this.#nodes.values()].flatMap(({ zone, redirect }) =>
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

  #addZone(
    data: ZoneData,
    deeper: readonly Zone[],
    options: RedirectOptions,
  ): Zone {
    const zone = zoneOf(data);
    const isOurs = (name: Name) =>
      !deeper.some((other) => isWithin(name, other.origin));
    const { records, redirects } = makeRedirects(data, options);
    for (const { name } of [...records, ...redirects]) {
      if (isWithin(name, zone.origin)) continue;
      throw new SyntaxError(
        `${displayName(name)} is not in the zone ${displayName(zone.origin)}`,
      );
    }
    for (const record of records) {
      if (!isOurs(record.name)) continue;
      const { sets } = this.#node(record.name, zone);
      const set = sets.get(record.type) ?? [];
      if (set.some((other) => sameBytes(other.rdata, record.rdata))) continue;
      // RFC 2181 §5.2: one set has one TTL
      const ttlSeconds = Math.min(
        record.ttlSeconds,
        ...set.map((other) => other.ttlSeconds),
      );
      sets.set(
        record.type,
        [...set, { ...record, class: CLASSES.IN }].map((each) => ({
          ...each,
          ttlSeconds,
        })),
      );
    }
    for (const redirect of redirects) {
      if (isOurs(redirect.name)) {
        this.#node(redirect.name, zone).redirect = redirect;
      }
    }
    return zone;
  }

  /** The node of a name, made with all between it and the top of its zone. */
  #node(name: Name, zone: Zone): ZoneNode {
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const node: ZoneNode = {
      name,
      zone,
      sets: new Map(),
      redirect: undefined,
      cut: undefined,
      wildcard: undefined,
    };
    this.#nodes.set(name, node);
    if (!equalNames(name, zone.origin)) {
      this.#node(parentName(name) as Name, zone);
    }
    return node;
  }

  /** Checks a node and ties it to its delegation and wildcard, once all are there. */
  #link(node: ZoneNode): void {
    const { name, sets, zone } = node;
    const alias = sets.get(RECORD_TYPES.CNAME);
    if (
      alias !== undefined &&
      (sets.size > 1 || alias.length > 1 || node.redirect !== undefined)
    ) {
      throw new SyntaxError(
        `${
          displayName(name)
        } is an alias (CNAME) and so can have no other data`,
      );
    }
    const wildcard = new Uint8Array([...WILDCARD.subarray(0, 2), ...name]);
    node.wildcard = this.#nodes.get(wildcard);
    for (
      let at: Uint8Array = name;
      !equalNames(at, zone.origin);
      at = parentName(at)
    ) {
      const above = this.#nodes.get(at);
      if (above?.sets.has(RECORD_TYPES.NS)) node.cut = above;
    }
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

function zoneOf({ origin, records }: ZoneData): Zone {
  const atTop = (type: number) =>
    records.filter((record) =>
      record.type === type && equalNames(record.name, origin)
    );
  const soas = atTop(RECORD_TYPES.SOA);
  const soa = soas[0];
  if (soa === undefined || soas.length > 1) {
    throw new SyntaxError(
      `the zone ${
        displayName(origin)
      } must have one SOA record, got ${soas.length}`,
    );
  }
  if (atTop(RECORD_TYPES.NS).length === 0) {
    throw new SyntaxError(
      `the zone ${displayName(origin)} has no NS record at its top`,
    );
  }
  const words = formatRdata(soa.type, soa.rdata).split(" ");
  const minimum = Number(words.at(-1));
  const record = { ...soa, class: CLASSES.IN };
  return {
    origin,
    soa: record,
    serial: Number(words[2]),
    negativeSoa: {
      ...record,
      ttlSeconds: Math.min(soa.ttlSeconds, minimum),
    },
  };
}
