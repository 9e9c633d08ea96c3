/**
 * Zones as JSON: what a master file has no words for (edges, sites, policies), and the rest in its words.
 * `docs/protocols/dns.md` describes it with an example.
 */
import { parseAddress, parseCidr } from "../../core/address.ts";
import { displayName, equalNames, type Name, parseName } from "../name.ts";
import { parseSteering } from "../select/mod.ts";
import { parseRecords } from "./master_file.ts";
import { edgePlaces } from "./zone_flags.ts";
import type { EdgeSpec, RedirectSpec, SiteSpec, ZoneData } from "./zone.ts";
import { DEFAULT_EDGE_TTL_SECONDS, topRecords } from "./zone_parts.ts";

type Json = { readonly [key: string]: unknown };

function wrong(path: string, rule: string): SyntaxError {
  return new SyntaxError(`${path} must be ${rule}`);
}

/** Returns `value` as an object that has no keys but `keys` (any, if none are given). */
function object(value: unknown, path: string, keys?: readonly string[]): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(path, "an object");
  }
  const unknown = Object.keys(value).find((key) =>
    keys !== undefined && !keys.includes(key)
  );
  if (unknown !== undefined) {
    throw new SyntaxError(
      `${path} has no "${unknown}"; it can have ${keys?.join(", ")}`,
    );
  }
  return value as Json;
}

function text(value: unknown, path: string): string {
  if (typeof value !== "string") throw wrong(path, "a text");
  return value;
}

function texts(value: unknown, path: string): string[] {
  if (!Array.isArray(value)) throw wrong(path, "a list of texts");
  return value.map((each, index) => text(each, `${path}[${index}]`));
}

/** Returns a list of texts that says something. */
function someTexts(value: unknown, path: string): string[] {
  const list = texts(value, path);
  if (list.length === 0) throw wrong(path, "a list of one text or more");
  return list;
}

function whole(
  value: unknown,
  path: string,
  { most, what }: { readonly most: number; readonly what: string },
): number {
  if (
    typeof value !== "number" || !Number.isInteger(value) || value < 0 ||
    value > most
  ) throw wrong(path, `${what}, 0 to ${most}`);
  return value;
}

function seconds(value: unknown, path: string): number {
  const what = "a whole number of seconds";
  return whole(value, path, { most: 0x7fffffff, what });
}

/** Reads with `parse`, and says where when it cannot. */
function at<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError)) {
      throw error;
    }
    throw new SyntaxError(`${path}: ${error.message}`, { cause: error });
  }
}

function edges(value: unknown, path: string): EdgeSpec[] {
  return Object.entries(object(value ?? {}, path)).map(([name, each]) => {
    const here = `${path}.${name}`;
    const edge = object(each, here, [
      ...["addresses", "weight", "port", "admin"],
    ]);
    const weight = edge.weight ?? 1;
    if (typeof weight !== "number" || !(weight >= 0 && weight < Infinity)) {
      throw wrong(`${here}.weight`, "a number, 0 or more");
    }
    const addresses = someTexts(edge.addresses, `${here}.addresses`).map(
      (each) => at(`${here}.addresses`, () => parseAddress(each)),
    );
    const word = (key: "port" | "admin") =>
      edge[key] === undefined
        ? undefined
        : typeof edge[key] === "number"
        ? String(edge[key])
        : text(edge[key], `${here}.${key}`);
    const places = at(here, () => edgePlaces(word("port"), word("admin")));
    return { name, weight, addresses, ...places };
  });
}

function sites(value: unknown, path: string): SiteSpec[] {
  return Object.entries(object(value ?? {}, path)).map(([name, each]) => {
    const here = `${path}.${name}`;
    const site = object(each, here, ["subnets", "edges"]);
    return {
      name,
      subnets: texts(site.subnets, `${here}.subnets`).map((each) =>
        at(`${here}.subnets`, () => parseCidr(each))
      ),
      edges: texts(site.edges, `${here}.edges`),
    };
  });
}

function redirects(
  value: unknown,
  path: string,
  zone: { readonly origin: Name; readonly ttlSeconds: number },
): RedirectSpec[] {
  const specs = Object.entries(object(value ?? {}, path)).map(
    ([name, each]) => {
      const here = `${path}.${name}`;
      const spec = object(each, here, ["policy", "edges", "ttlSeconds"]);
      const policy = text(spec.policy ?? "round-robin", `${here}.policy`);
      return {
        name: at(
          here,
          () => name === "@" ? zone.origin : parseName(name, zone.origin),
        ),
        steering: at(`${here}.policy`, () => parseSteering(policy)),
        ttlSeconds: spec.ttlSeconds === undefined
          ? zone.ttlSeconds
          : seconds(spec.ttlSeconds, `${here}.ttlSeconds`),
        edges: someTexts(spec.edges, `${here}.edges`),
      };
    },
  );
  for (const [index, { name }] of specs.entries()) {
    if (specs.findIndex((spec) => equalNames(spec.name, name)) < index) {
      throw new SyntaxError(`${path} has ${displayName(name)} twice`);
    }
  }
  return specs;
}

function zone(value: unknown, path: string): ZoneData {
  const json = object(value, path, [
    "zone",
    "ttlSeconds",
    "negativeTtlSeconds",
    "serial",
    "nameServers",
    "records",
    "edges",
    "sites",
    "redirects",
  ]);
  const called = text(json.zone, `${path}.zone`);
  const origin = at(`${path}.zone`, () => parseName(called));
  const ttlSeconds = json.ttlSeconds === undefined
    ? DEFAULT_EDGE_TTL_SECONDS
    : seconds(json.ttlSeconds, `${path}.ttlSeconds`);
  const lines = texts(json.records ?? [], `${path}.records`).join("\n");
  const records = at(
    `${path}.records`,
    () => parseRecords(lines, { origin, ttlSeconds }),
  );
  const nameServers = someTexts(
    json.nameServers ?? ["ns1"],
    `${path}.nameServers`,
  );
  const serial = json.serial === undefined ? {} : {
    serial: whole(json.serial, `${path}.serial`, {
      ...{ most: 0xffffffff, what: "a whole number" },
    }),
  };
  const negative = json.negativeTtlSeconds === undefined ? {} : {
    negativeTtlSeconds: seconds(
      json.negativeTtlSeconds,
      `${path}.negativeTtlSeconds`,
    ),
  };
  const top = at(
    `${path}.nameServers`,
    () => topRecords(origin, { nameServers, ...serial, ...negative }),
  );
  const here = displayName(origin);
  return {
    origin,
    records: [...top, ...records],
    edges: edges(json.edges, `${here}.edges`),
    sites: sites(json.sites, `${here}.sites`),
    redirects: redirects(json.redirects, `${here}.redirects`, {
      origin,
      ttlSeconds,
    }),
  };
}

/**
 * Reads zones written as JSON: one as an object with `zone`, several as `{ "zones": [ … ] }`.
 *
 * @throws {SyntaxError} With the path of the value that is wrong.
 */
export function parseZoneJson(source: string): ZoneData[] {
  const json = object(JSON.parse(source), "the file");
  if (json.zones === undefined) return [zone(json, "the file")];
  const { zones } = object(json, "the file", ["zones"]);
  if (!Array.isArray(zones) || zones.length === 0) {
    throw wrong("zones", "a list of zones");
  }
  return zones.map((each, index) => zone(each, `zones[${index}]`));
}
