/**
 * What a resolver remembers: record sets, that there are none (RFC 2308), and which answers hold for whom (RFC 7871 §7.3).
 *
 * Every entry has a name and a type; one name and type can have several, each for a network of clients, at most one for
 * everybody, and one for those whose network no authority is told: it was chosen for the resolver's own. What has expired is kept for a while, to be served when no authority can be reached (RFC 8767).
 */
import { type Cidr, cidrContains, formatCidr } from "../../core/address.ts";
import { RECORD_TYPES } from "../codes.ts";
import type { DnsRecord } from "../message.ts";
import { lowerName, type Name } from "../name.ts";

/** What was found out about one name and type. */
export interface CachedSet {
  /** `alias` when another type was asked for; `no-such-name` is about all types of the name. */
  readonly kind: "answer" | "alias" | "no-data" | "no-such-name";
  /** The records of the name; of a negative answer none. */
  readonly records: readonly DnsRecord[];
  /** The SOA of a negative answer, if there was one. */
  readonly soa: DnsRecord | undefined;
}

/** What the cache has. */
export interface CacheHit extends CachedSet {
  /** For how many bits of the client's address it holds; 0 is everybody. */
  readonly scopeLength: number;
  /** Expired. */
  readonly isStale: boolean;
}

/** For whom a set holds: a network of clients, everybody (undefined), or those whose network is not told to authorities. */
export type Audience = Cidr | "untold" | undefined;

interface Entry {
  readonly set: CachedSet;
  readonly audience: Audience;
  readonly expiresAtMs: number;
}

/** How a name and type are found; the type of `no-such-name` is all of them. */
const ALL_TYPES = 0;
/** RFC 8767 §4: TTL of what is served although it has expired. */
const STALE_TTL_SECONDS = 30;
/** Answers of one name and type for different networks; a CDN may make one for each client. */
const MAX_NETWORKS = 1024;
/** RFC 8767 §4 and RFC 2308 §5: nothing is believed for longer, whatever its TTL says. */
export const MAX_TTL_SECONDS = 86_400;
/** The same for what is not there. */
export const MAX_NEGATIVE_TTL_SECONDS = 10_800;

/** Returns the key of a name: equal for equal names. */
export function nameKey(name: Uint8Array): string {
  return String.fromCharCode(...lowerName(name));
}

/** Returns what is equal for equal questions of the clients of a network. */
export function questionKey(
  { name, type }: { readonly name: Name; readonly type: number },
  client: Cidr | undefined,
): string {
  const network = client === undefined ? "" : formatCidr(client);
  return `${type} ${network} ${nameKey(name)}`;
}

/** See the head of this file. */
export class ResolverCache {
  readonly #entries = new Map<string, Entry[]>();
  readonly #maxEntries: number;
  readonly #staleMs: number;
  #count = 0;

  /**
   * Creates an empty cache.
   *
   * @param options.maxEntries Beyond them, what was not used for the longest goes.
   * @param options.staleMs How long what has expired may still be served.
   */
  constructor(
    options: { readonly maxEntries: number; readonly staleMs: number },
  ) {
    this.#maxEntries = options.maxEntries;
    this.#staleMs = options.staleMs;
  }

  /** How many sets are there, expired ones included. */
  get size(): number {
    return this.#count;
  }

  /**
   * Looks for what holds for a client: the set itself, an alias in its stead, or that there is no such name. Of the
   * networks that hold the client the longest wins; what is stale is only found if nothing else is and `mayBeStale`.
   *
   * @param client The client's network, if the question says so; without it only what holds for everybody is found.
   */
  find(
    name: Name,
    type: number,
    about: {
      readonly client: Cidr | undefined;
      readonly nowMs: number;
      readonly mayBeStale?: boolean;
    },
  ): CacheHit | undefined {
    const key = nameKey(name);
    let stale: CacheHit | undefined;
    for (const each of [type, RECORD_TYPES.CNAME, ALL_TYPES]) {
      const hit = this.#find(`${each} ${key}`, about);
      const isAlias = each === RECORD_TYPES.CNAME && type !== each;
      // That a name has no alias says nothing about its other records
      if (hit === undefined || isAlias && hit.kind === "no-data") continue;
      // It is the answer to who asks for the alias itself, however it was found (RFC 1034 §3.6.2)
      const kind: CachedSet["kind"] = isAlias
        ? "alias"
        : hit.kind === "alias"
        ? "answer"
        : hit.kind;
      const found = kind === hit.kind ? hit : { ...hit, kind };
      if (!found.isStale) return found;
      stale ??= found;
    }
    return about.mayBeStale === true ? stale : undefined;
  }

  /**
   * Remembers a set; of its records the least TTL counts, of a negative answer that of its SOA (RFC 2308 §5).
   *
   * @param about.audience For whom it holds.
   */
  put(
    name: Name,
    type: number,
    about: {
      readonly set: CachedSet;
      readonly audience: Audience;
      readonly nowMs: number;
    },
  ): void {
    const { set, audience, nowMs } = about;
    const ttlSeconds = ttlOf(set);
    if (ttlSeconds <= 0) return;
    const name0 = nameKey(name);
    if (set.kind !== "no-such-name") this.#remove(`${ALL_TYPES} ${name0}`);
    const key = `${set.kind === "no-such-name" ? ALL_TYPES : type} ${name0}`;
    const others = (this.#entries.get(key) ?? []).filter((entry) =>
      !sameAudience(entry.audience, audience) &&
      entry.expiresAtMs + this.#staleMs > nowMs
    );
    this.#remove(key);
    const entries = [...others.slice(-MAX_NETWORKS + 1), {
      set,
      audience,
      expiresAtMs: nowMs + 1000 * ttlSeconds,
    }];
    this.#entries.set(key, entries);
    this.#count += entries.length;
    while (this.#count > this.#maxEntries) {
      this.#remove(this.#entries.keys().next().value ?? "");
    }
  }

  #find(
    key: string,
    { client, nowMs }: {
      readonly client: Cidr | undefined;
      readonly nowMs: number;
    },
  ): CacheHit | undefined {
    const entries = this.#entries.get(key);
    if (entries === undefined) return undefined;
    let best: Entry | undefined;
    for (const entry of entries) {
      if (nowMs >= entry.expiresAtMs + this.#staleMs) continue;
      if (!holdsFor(entry, client)) continue;
      if (best === undefined || rank(entry, nowMs) >= rank(best, nowMs)) {
        best = entry;
      }
    }
    if (best === undefined) return undefined;
    // Used last, forgotten last
    this.#entries.delete(key);
    this.#entries.set(key, entries);
    return hitOf(best, nowMs);
  }

  #remove(key: string): void {
    this.#count -= this.#entries.get(key)?.length ?? 0;
    this.#entries.delete(key);
  }
}

function holdsFor({ audience }: Entry, client: Cidr | undefined): boolean {
  if (audience === undefined) return true;
  if (audience === "untold") return client === undefined;
  return client !== undefined &&
    client.prefixLength >= audience.prefixLength &&
    cidrContains(audience, client.bytes);
}

function lengthOf(audience: Audience): number {
  return typeof audience === "object" ? audience.prefixLength : 0;
}

/** What has not expired wins, then the longest prefix, and of equal ones the newest. */
function rank({ audience, expiresAtMs }: Entry, nowMs: number): number {
  return (nowMs < expiresAtMs ? 1000 : 0) + lengthOf(audience);
}

function sameAudience(a: Audience, b: Audience): boolean {
  if (typeof a !== "object" || typeof b !== "object") return a === b;
  return a.prefixLength === b.prefixLength && cidrContains(a, b.bytes);
}

function ttlOf({ records, soa }: CachedSet): number {
  if (records.length > 0) {
    return Math.min(MAX_TTL_SECONDS, ...records.map((each) => each.ttlSeconds));
  }
  return soa === undefined
    ? 0
    : Math.min(MAX_NEGATIVE_TTL_SECONDS, soa.ttlSeconds);
}

/** Returns the set as it stands now: TTLs count down, whole seconds that are left. */
function hitOf(entry: Entry, nowMs: number): CacheHit {
  const { set, audience, expiresAtMs } = entry;
  const isStale = nowMs >= expiresAtMs;
  const ttlSeconds = isStale
    ? STALE_TTL_SECONDS
    : Math.floor((expiresAtMs - nowMs) / 1000);
  const aged = (record: DnsRecord) => ({ ...record, ttlSeconds });
  return {
    kind: set.kind,
    records: set.records.map(aged),
    soa: set.soa === undefined ? undefined : aged(set.soa),
    scopeLength: lengthOf(audience),
    isStale,
  };
}
