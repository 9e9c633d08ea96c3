/** Makes what the responder chooses from: edges by address family, sites by network, per name. */
import {
  formatAddress,
  formatCidr,
  isIpv6,
  parseAddress,
} from "../../core/address.ts";
import { utf8 } from "../../core/bytes.ts";
import { stepping } from "../../core/steps.ts";
import { PrefixTable } from "../../core/prefix_table.ts";
import { RECORD_TYPES } from "../codes.ts";
import { displayName, type Name } from "../name.ts";
import { type Edge, EdgeBook, EdgeGroup } from "../select/edge.ts";
import type { Steering } from "../select/mod.ts";
import { IN_TURN } from "../select/mod.ts";
import type { Site, SiteNetwork } from "../select/selection.ts";
import { BytePool } from "./byte_pool.ts";
import { hashName, NameTable } from "./name_table.ts";
import type {
  EdgeSpec,
  RedirectSpec,
  SiteSpec,
  ZoneData,
  ZoneRecord,
} from "./zone.ts";

/** The edges of a name that have an address of one family. */
export interface RedirectFamily {
  readonly group: EdgeGroup;
  readonly sites: PrefixTable<SiteNetwork>;
}

/** A name whose address depends on who asks. */
export interface Redirect {
  readonly name: Name;
  readonly steering: Steering;
  readonly ttlSeconds: number;
  readonly nameHash: number;
  /** What is known of its edges. */
  readonly book: EdgeBook;
  /** Undefined if no edge has such an address. */
  readonly ipv4: RedirectFamily | undefined;
  readonly ipv6: RedirectFamily | undefined;
}

/** What the command line says for all zones; it wins over what they say themselves. */
export interface RedirectOptions {
  readonly steering?: Steering;
  /** TTL of answers that name an edge. */
  readonly ttlSeconds?: number;
  /** Beside the zones' own. */
  readonly sites?: readonly SiteSpec[];
  /** Weights of edges that are only addresses in a master file. */
  readonly edges?: readonly EdgeSpec[];
  /** What is known of the edges; without it nothing is, and all are taken to be up. */
  readonly book?: EdgeBook;
}

function isAddressRecord(record: ZoneRecord): boolean {
  return record.type === RECORD_TYPES.A || record.type === RECORD_TYPES.AAAA;
}

/** Master files have no word for edges: a name with several addresses is a choice among them, except a name server's. */
function* redirectsOfRecords(
  { records }: ZoneData,
  options: RedirectOptions,
): Generator<
  void,
  { readonly specs: RedirectSpec[]; readonly edges: EdgeSpec[] }
> {
  const byName = new NameTable<ZoneRecord[]>(new BytePool());
  const servers: Name[] = [];
  yield* stepping(records, (record) => {
    if (record.type === RECORD_TYPES.NS) servers.push(record.rdata);
    if (!isAddressRecord(record)) return;
    const own = byName.get(record.name);
    if (own === undefined) byName.add(record.name, [record]);
    else own.push(record);
  });
  const isServer = namesIn(servers);
  const specs: RedirectSpec[] = [];
  const edges = new Map<string, EdgeSpec>();
  yield* stepping(byName.values, (own) => {
    if (own.length < 2 || isServer(own[0]!.name)) return;
    const hosts = [...new Set(own.map(({ rdata }) => formatAddress(rdata)))];
    const ipv6 = hosts.filter(isIpv6).length;
    const [first] = own;
    if (first === undefined || Math.max(ipv6, hosts.length - ipv6) < 2) {
      return;
    }
    for (const host of hosts) {
      const given = options.edges?.find((edge) => edge.name === host);
      const addresses = [parseAddress(host)];
      edges.set(host, given ?? { name: host, addresses, weight: 1 });
    }
    specs.push({
      name: first.name,
      steering: IN_TURN,
      ttlSeconds: Math.min(...own.map((record) => record.ttlSeconds)),
      edges: hosts,
    });
  });
  return { specs, edges: [...edges.values()] };
}

/** Returns what tells whether a name is one of these. */
function namesIn(names: readonly Name[]): (name: Name) => boolean {
  const table = new NameTable<true>(new BytePool());
  for (const name of names) {
    if (table.get(name) === undefined) table.add(name, true);
  }
  return (name) => table.get(name) !== undefined;
}

function edgesOf(spec: EdgeSpec, size: 4 | 16, book: EdgeBook): Edge[] {
  const { name, weight, port, admin } = spec;
  const hash = hashName(new Uint8Array([name.length, ...utf8(name), 0]));
  return spec.addresses.filter((address) => address.length === size).map(
    (bytes) => {
      const host = formatAddress(bytes);
      const place = [host, port ?? "", admin ?? ""].join(" ").trim();
      return {
        ...{ name, host, weight, hash, place, state: book.state(place) },
        address: new Uint8Array(bytes),
        ...(port === undefined ? {} : { port }),
        ...(admin === undefined ? {} : { admin }),
      };
    },
  );
}

/** Makes the redirects of one zone, sharing what names have in common. */
class RedirectMaker {
  readonly #called = new Map<string, EdgeSpec>();
  readonly #sites: readonly SiteSpec[];
  readonly #book: EdgeBook;
  readonly #families = new Map<string, RedirectFamily | undefined>();

  constructor(
    edges: readonly EdgeSpec[],
    sites: readonly SiteSpec[],
    book: EdgeBook,
  ) {
    this.#sites = sites;
    this.#book = book;
    for (const edge of edges) {
      const hosts = edge.addresses.map(formatAddress);
      for (const called of [edge.name, ...hosts]) {
        if (!this.#called.has(called)) this.#called.set(called, edge);
      }
    }
  }

  /** The edge of that name or address. */
  edge(called: string): EdgeSpec | undefined {
    return this.#called.get(called);
  }

  redirect(spec: RedirectSpec, options: RedirectOptions): Redirect {
    return {
      name: spec.name,
      steering: options.steering ?? spec.steering,
      ttlSeconds: options.ttlSeconds ?? spec.ttlSeconds,
      nameHash: hashName(spec.name),
      book: this.#book,
      ipv4: this.#family(spec, 4),
      ipv6: this.#family(spec, 16),
    };
  }

  #family(spec: RedirectSpec, size: 4 | 16): RedirectFamily | undefined {
    const key = `${size} ${spec.edges.join(" ")}`;
    if (this.#families.has(key)) return this.#families.get(key);
    const edges = this.#resolve(spec.edges, displayName(spec.name))
      .flatMap((edge) => edgesOf(edge, size, this.#book));
    const family = edges.length === 0 ? undefined : {
      group: new EdgeGroup(edges, this.#book),
      sites: this.#siteTable(edges),
    };
    this.#families.set(key, family);
    return family;
  }

  #resolve(called: readonly string[], by: string): EdgeSpec[] {
    return called.map((name) => {
      const edge = this.edge(name);
      if (edge === undefined) {
        throw new SyntaxError(`${by} names an edge that is none: ${name}`);
      }
      return edge;
    });
  }

  #siteTable(edges: readonly Edge[]): PrefixTable<SiteNetwork> {
    const table = new PrefixTable<SiteNetwork>({
      answerOf: ({ site }) => site,
    });
    // Networks that lead to the same edges are one site, whatever they are called: one answer, and one scope
    const sites = new Map<string, Site>();
    for (const spec of this.#sites) {
      const site = this.#site(spec, edges);
      if (site.ranks.length === 0) continue;
      const key = site.ranks.map((rank) =>
        rank.edges.map(({ host }) => host).join()
      ).join(";");
      const shared = sites.get(key) ?? site;
      sites.set(key, shared);
      for (const subnet of spec.subnets) {
        const network = formatCidr(subnet);
        const prefix = `longest prefix ${network}`;
        table.add(subnet, {
          site: shared,
          reason: spec.name === network
            ? prefix
            : `${prefix}, site ${spec.name}`,
        });
      }
    }
    // Now, while nobody waits
    table.settle();
    return table;
  }

  #site(
    { edges: nearest, farther = [] }: SiteSpec,
    edges: readonly Edge[],
  ): Site {
    const ranks = [nearest, ...farther].flatMap((rank) => {
      const called = new Set(rank.map((name) => this.edge(name)?.name));
      const own = edges.filter((edge) => called.has(edge.name));
      return own.length === 0 ? [] : [new EdgeGroup(own, this.#book)];
    });
    return { ranks };
  }
}

/**
 * Parts a zone's data into plain records and redirects, in steps.
 *
 * @throws {SyntaxError | RangeError} If a redirect or a site of the zone names an edge that is none, a network is in two sites, or
 * a name has both a redirect and address records.
 */
export function* redirectSteps(
  data: ZoneData,
  options: RedirectOptions,
): Generator<
  void,
  { readonly records: ZoneRecord[]; readonly redirects: Redirect[] }
> {
  const implied = yield* redirectsOfRecords(data, options);
  const given = [...data.edges, ...(options.edges ?? [])];
  const maker = new RedirectMaker(
    [
      ...given,
      ...implied.edges.filter((edge) =>
        !given.some((other) => other.name === edge.name)
      ),
    ],
    [...data.sites, ...(options.sites ?? [])],
    options.book ?? new EdgeBook(),
  );
  for (const site of data.sites) {
    for (const name of site.edges) {
      if (maker.edge(name) === undefined) {
        throw new SyntaxError(
          `site ${site.name} names an edge that is none: ${name}`,
        );
      }
    }
  }
  const isTaken = namesIn(implied.specs.map(({ name }) => name));
  const isExplicit = namesIn(data.redirects.map(({ name }) => name));
  const records: ZoneRecord[] = [];
  yield* stepping(data.records, (record) => {
    if (!isAddressRecord(record)) return void records.push(record);
    if (isExplicit(record.name)) {
      throw new SyntaxError(
        `${
          displayName(record.name)
        } has addresses and a redirect; it can have one of them`,
      );
    }
    if (!isTaken(record.name)) records.push(record);
  });
  const redirects: Redirect[] = [];
  yield* stepping([...data.redirects, ...implied.specs], (spec) => {
    redirects.push(maker.redirect(spec, options));
  });
  return { records, redirects };
}
