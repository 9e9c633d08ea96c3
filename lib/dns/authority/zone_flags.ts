/** Zones from the command line: `--domain`, `--edge`, `--cname`, `--site`. */
import {
  formatAddress,
  formatCidr,
  isIpv6,
  parseAddress,
  parseCidr,
} from "../../core/address.ts";
import {
  displayName,
  equalNames,
  formatName,
  labelCount,
  type Name,
  parentName,
  parseName,
} from "../name.ts";
import { IN_TURN } from "../select/mod.ts";
import type {
  EdgeSpec,
  RedirectSpec,
  SiteSpec,
  ZoneData,
  ZoneRecord,
} from "./zone.ts";
import {
  DEFAULT_EDGE_TTL_SECONDS,
  DEFAULT_TTL_SECONDS,
  recordOf,
  topRecords,
} from "./zone_parts.ts";

/** An alias: what `--cname NAME=TARGET` says. */
export interface AliasSpec {
  readonly name: Name;
  readonly target: Name;
}

/** Reads a flag's text; the frame wants a RangeError for what is wrong with it. */
function asRange<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new RangeError(error.message, { cause: error });
  }
}

/** Reads a domain name; the dot at its end may be left out. @throws {RangeError} If it is none. */
export function parseDomainFlag(text: string): Name {
  return asRange(() => parseName(text));
}

const EDGE_RULE =
  "must be an address, perhaps with weight=N, port=N and admin=[ADDR:]PORT, such as 127.0.0.3,weight=2";

/** Reads an edge: `127.0.0.3`, or `127.0.0.3,weight=2,port=8081,admin=9100`. @throws {RangeError} If it is none. */
export function parseEdgeFlag(text: string): EdgeSpec {
  const [host = "", ...options] = text.split(",");
  const address = asRange(() => parseAddress(host));
  const given = new Map<string, string>();
  for (const option of options) {
    const [key = "", value = ""] = option.split("=");
    if (!["weight", "port", "admin"].includes(key) || given.has(key)) {
      throw new RangeError(`${EDGE_RULE}, got "${text}"`);
    }
    given.set(key, value);
  }
  const weight = given.get("weight") ?? "1";
  if (!/^[0-9]+(\.[0-9]+)?$/.test(weight)) {
    throw new RangeError(`${EDGE_RULE}, got "${text}"`);
  }
  return {
    name: formatAddress(address),
    addresses: [address],
    weight: Number(weight),
    ...asRange(() => edgePlaces(given.get("port"), given.get("admin"))),
  };
}

/** Returns whether a URL can have this where its host stands, perhaps with a port: `a.example`, `[::1]:80`, not `300.0.0.1`. */
export function isUrlHost(text: string): boolean {
  return /^([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?$/.test(text) &&
    URL.parse(`http://${text}/`) !== null;
}

/**
 * Reads where an edge is checked and where it tells its load: a port, and `PORT` or `ADDR:PORT`.
 *
 * @throws {SyntaxError} If one of them is neither.
 */
export function edgePlaces(
  port: string | undefined,
  admin: string | undefined,
): Pick<EdgeSpec, "port" | "admin"> {
  const isPort = (text: string) =>
    /^[0-9]{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535;
  if (port !== undefined && !isPort(port)) {
    throw new SyntaxError(`the port must be from 1 to 65535, got "${port}"`);
  }
  const at = /^(?:.+:)?([0-9]+)$/.exec(admin ?? "1")?.[1];
  if (
    at === undefined || !isPort(at) ||
    admin?.includes(":") && !isUrlHost(admin)
  ) {
    throw new SyntaxError(
      `admin must be PORT or ADDR:PORT, such as 127.0.0.3:9100, got "${admin}"`,
    );
  }
  return {
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(admin === undefined ? {} : { admin }),
  };
}

/** Reads a site: `127.1.0.0/16=127.0.0.3`, with several edges `…=127.0.0.3,127.0.0.4`. @throws {RangeError} If it is none. */
export function parseSiteFlag(text: string): SiteSpec {
  const equals = text.indexOf("=");
  if (equals < 0) {
    throw new RangeError(
      `must be NETWORK=EDGE, such as 127.1.0.0/16=127.0.0.3, got "${text}"`,
    );
  }
  const subnet = asRange(() => parseCidr(text.slice(0, equals)));
  const edges = asRange(() => parseEdgeNames(text.slice(equals + 1)));
  return { name: formatCidr(subnet), subnets: [subnet], edges };
}

/** Reads edges as sites name them, `127.0.0.3,crete`: by address, or as a zone file calls them. @throws {SyntaxError} If one is empty, or no whole address. */
export function parseEdgeNames(text: string): readonly string[] {
  return text.split(",").map((edge) => {
    if (edge === "") {
      throw new SyntaxError(`must name an edge, got "${text}"`);
    }
    return /^[0-9.]+$|:/.test(edge) ? formatAddress(parseAddress(edge)) : edge;
  });
}

/** Reads an alias: `video.netcinema.example=video.kingcdn.example`. @throws {RangeError} If it is none. */
export function parseAliasFlag(text: string): AliasSpec {
  const [name, target, more] = text.split("=");
  if (target === undefined || more !== undefined) {
    throw new RangeError(
      `must be NAME=TARGET, such as video.netcinema.example=video.kingcdn.example, got "${text}"`,
    );
  }
  return asRange(() => ({
    name: parseName(name ?? ""),
    target: parseName(target),
  }));
}

/** Returns the zone a name from the command line is served in: the name above it, unless that is a top-level domain. */
function zoneOfName(name: Name): Name {
  return labelCount(name) > 2 ? new Uint8Array(parentName(name)) : name;
}

/** Refuses an alias for the top of a zone. @throws {SyntaxError} If `name` is one. */
function refuseTop(name: Name): void {
  if (labelCount(name) > 2) return;
  throw new SyntaxError(
    `the alias ${
      displayName(name)
    } would be the top of its zone, where SOA and NS stand and none can be (RFC 1034 §3.6.2); take a name below it, such as www.${
      displayName(name)
    }`,
  );
}

/** Returns the names that the zones of `domains` and `aliases` have beside these, as zones must: their tops and their name servers. */
export function namesBeside(
  domains: readonly Name[],
  aliases: readonly AliasSpec[],
): Name[] {
  const given = [...domains, ...aliases.map(({ name }) => name)];
  return given.map(zoneOfName)
    .flatMap((origin) => [origin, parseName("ns1", origin)])
    .filter((name) => !given.some((own) => equalNames(own, name)));
}

/**
 * Returns the zones that serve `domains` with `edges`, and `aliases`.
 *
 * Each name's zone is the name above it (`kingcdn.example` for `video.kingcdn.example`), with a SOA and one name
 * server, `ns1`, at `serverAddress` if that is known. Names of one zone share it.
 */
export function zonesOfFlags(options: {
  readonly domains: readonly Name[];
  readonly aliases: readonly AliasSpec[];
  readonly edges: readonly EdgeSpec[];
  readonly serverAddress?: string;
}): ZoneData[] {
  const { domains, aliases, edges, serverAddress } = options;
  type Growing = ZoneData & {
    readonly records: ZoneRecord[];
    readonly redirects: RedirectSpec[];
  };
  const zones: Growing[] = [];
  const zoneFor = (name: Name): Growing => {
    const origin = zoneOfName(name);
    const known = zones.find((zone) => equalNames(zone.origin, origin));
    if (known !== undefined) return known;
    const records = topRecords(origin);
    if (serverAddress !== undefined) {
      records.push(
        recordOf(
          parseName("ns1", origin),
          isIpv6(serverAddress) ? "AAAA" : "A",
          { ttlSeconds: DEFAULT_TTL_SECONDS, data: serverAddress },
        ),
      );
    }
    const source = "--domain, --cname";
    const zone = { source, origin, records, edges, sites: [], redirects: [] };
    zones.push(zone);
    return zone;
  };
  for (const name of domains) {
    const { redirects } = zoneFor(name);
    if (redirects.some((redirect) => equalNames(redirect.name, name))) {
      throw new SyntaxError(`the domain ${displayName(name)} is given twice`);
    }
    redirects.push({
      name,
      steering: IN_TURN,
      ttlSeconds: DEFAULT_EDGE_TTL_SECONDS,
      edges: edges.map((edge) => edge.name),
    });
  }
  for (const { name, target } of aliases) {
    refuseTop(name);
    zoneFor(name).records.push(
      recordOf(name, "CNAME", {
        ttlSeconds: DEFAULT_TTL_SECONDS,
        data: formatName(target),
      }),
    );
  }
  return zones;
}
