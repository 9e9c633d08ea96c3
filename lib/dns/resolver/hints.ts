/** Where a resolver starts: the servers of the root (RFC 1034 §5.3.2, "SBELT"), by flag or from a file. */
import { formatAddress, parseAddress } from "../../core/address.ts";
import { parseRecords } from "../authority/master_file.ts";
import { RECORD_TYPES } from "../codes.ts";
import { equalNames, type Name, parseName, ROOT } from "../name.ts";
import type { Delegation, NameServer } from "./reply.ts";

/** What a hint that has no name calls its server. */
const UNNAMED = parseName("root-server.");

/**
 * Reads `a.root=127.0.1.1`, with `:5353` after the address if it listens elsewhere; the name may be left out.
 *
 * @throws {SyntaxError} If it is none.
 */
export function parseRootHint(text: string): NameServer {
  const equals = text.indexOf("=");
  const name: Name = equals < 0 ? UNNAMED : parseName(text.slice(0, equals));
  const rest = text.slice(equals + 1);
  const match = /^\[([^\]]*)\](?::([0-9]{1,5}))?$/.exec(rest) ??
    /^([^:]*):([0-9]{1,5})$/.exec(rest);
  const host = formatAddress(parseAddress(match?.[1] ?? rest));
  const port = match?.[2] === undefined ? undefined : Number(match[2]);
  if (port === 0 || (port ?? 0) > 65_535) {
    throw new SyntaxError(`must have a port from 1 to 65535, got "${text}"`);
  }
  return { name, addresses: [host], ...(port === undefined ? {} : { port }) };
}

/**
 * Reads root hints as IANA publishes them (`named.root`): NS records of the root, and their servers' addresses.
 *
 * @throws {SyntaxError} If it is no master file, or names no server with an address.
 */
export function parseRootHints(text: string): NameServer[] {
  const records = parseRecords(text, { origin: ROOT });
  const servers = records
    .filter(({ name, type }) =>
      type === RECORD_TYPES.NS && equalNames(name, ROOT)
    )
    .map(({ rdata }) => ({
      name: rdata,
      addresses: records.filter(({ name, type }) =>
        (type === RECORD_TYPES.A || type === RECORD_TYPES.AAAA) &&
        equalNames(name, rdata)
      ).map((record) => formatAddress(record.rdata)),
    }))
    .filter(({ addresses }) => addresses.length > 0);
  if (servers.length === 0) {
    throw new SyntaxError("there is no NS record of the root with an address");
  }
  return servers;
}

/** Returns the delegation of the root to its servers. */
export function rootOf(servers: readonly NameServer[]): Delegation {
  return { zone: ROOT, servers, ttlSeconds: Infinity };
}
