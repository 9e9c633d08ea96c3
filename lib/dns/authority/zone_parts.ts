import { RECORD_TYPES } from "../codes.ts";
import { formatName, type Name, parseName } from "../name.ts";
import { parseRdata } from "../rdata.ts";
import type { ZoneRecord } from "./zone.ts";

/** TTL of answers that name an edge, unless told otherwise: short, so that a client follows when its edge changes. */
export const DEFAULT_EDGE_TTL_SECONDS = 20;
/** How long "there is no such name" may be kept, in zones that do not say. */
const DEFAULT_NEGATIVE_TTL_SECONDS = 30;
/** TTL of what seldom changes (SOA, NS, aliases), in zones that do not say. */
export const DEFAULT_TTL_SECONDS = 300;

/** Returns a record from its data as a master file has it, `words` apart by spaces. */
export function recordOf(
  name: Name,
  type: keyof typeof RECORD_TYPES,
  options: { readonly ttlSeconds: number; readonly data: string },
): ZoneRecord {
  const words = options.data.split(" ").map((text) => ({
    text,
    quoted: false,
  }));
  return {
    name,
    type: RECORD_TYPES[type],
    ttlSeconds: options.ttlSeconds,
    rdata: parseRdata(RECORD_TYPES[type], words, name),
  };
}

/** Returns the SOA and NS records of a zone that does not write its own. The first of `nameServers` (relative to `origin`) is the primary. */
export function topRecords(
  origin: Name,
  options: {
    readonly nameServers?: readonly string[];
    readonly serial?: number;
    readonly negativeTtlSeconds?: number;
  } = {},
): ZoneRecord[] {
  const {
    nameServers = ["ns1"],
    serial = 1,
    negativeTtlSeconds = DEFAULT_NEGATIVE_TTL_SECONDS,
  } = options;
  const servers = nameServers.map((name) =>
    formatName(parseName(name, origin))
  );
  const ttlSeconds = DEFAULT_TTL_SECONDS;
  const hostmaster = formatName(parseName("hostmaster", origin));
  const soa = recordOf(origin, "SOA", {
    ttlSeconds,
    // Refresh, retry and expire as RIPE-203 recommends; nobody transfers this zone
    data: `${
      servers[0] ?? "."
    } ${hostmaster} ${serial} 86400 7200 3600000 ${negativeTtlSeconds}`,
  });
  return [
    soa,
    ...servers.map((data) => recordOf(origin, "NS", { ttlSeconds, data })),
  ];
}
