import { formatAddress, parseAddress, parseCidr } from "../../core/address.ts";
import type { EdgeSpec, SiteSpec } from "../authority/zone.ts";
import {
  type FileLine,
  FileLineError,
  inLine,
  readFileLines,
  takeSection,
} from "../file_lines.ts";
import { nearestServers, Network } from "./distances.ts";

/** Content servers, and which of them are near which clients. */
export interface Geography {
  readonly edges: readonly EdgeSpec[];
  readonly sites: readonly SiteSpec[];
}

interface Place {
  readonly id: number;
  readonly kind: "CLIENT" | "SWITCH" | "SERVER";
  /** Canonical; "" for `NO_IP`. */
  readonly host: string;
}

/** Returns the site of one client: the nearest server, and behind it the others in their order. */
export function siteOfClient(
  client: string,
  nearest: readonly string[],
): SiteSpec[] {
  const [first, ...farther] = nearest;
  return first === undefined ? [] : [{
    name: `of ${client}`,
    subnets: [parseCidr(client)],
    edges: [first],
    farther: farther.map((host) => [host]),
  }];
}

/**
 * Reads a geography file of course projects: `NUM_NODES: n`, n lines `ID CLIENT|SWITCH|SERVER ADDRESS|NO_IP`, `NUM_LINKS: m`,
 * m lines `ID ID COST`. Links lead both ways. A client's server is the one at the least total cost, and of equally near
 * ones the one with the lower id; the others follow, for when it is down. A client that no path leads from has no site.
 *
 * @throws {SyntaxError} That names the line.
 */
export function parseGeography(text: string): Geography {
  const lines = readFileLines(text);
  const places = new Map<number, Place>();
  const hosts = new Set<string>();
  for (const line of takeSection(lines, "NUM_NODES")) {
    const place = placeOf(line);
    if (places.has(place.id)) {
      throw new FileLineError(line.number, `node ${place.id} is given twice`);
    }
    if (place.host !== "" && hosts.has(place.host)) {
      throw new FileLineError(line.number, `${place.host} is given twice`);
    }
    places.set(place.id, place);
    hosts.add(place.host);
  }
  const byId = [...places.values()].toSorted((a, b) => a.id - b.id);
  const nodeOf = new Map(byId.map(({ id }, node) => [id, node]));
  const network = new Network(byId.length);
  for (const line of takeSection(lines, "NUM_LINKS")) {
    const { ends: [from, to], cost } = linkOf(line, nodeOf);
    network.link(from, to, cost);
    network.link(to, from, cost);
  }
  if (lines[0] !== undefined) {
    throw new FileLineError(lines[0].number, "there must be no more lines");
  }
  const servers = byId.flatMap(({ kind, host }, node) =>
    kind === "SERVER" ? [{ host, node }] : []
  );
  if (servers.length === 0) {
    throw new SyntaxError("there must be a SERVER in it");
  }
  const clients = byId.filter(({ kind }) => kind === "CLIENT");
  const nearest = nearestServers(
    network,
    servers,
    clients.map(({ id }) => nodeOf.get(id)!),
  );
  return {
    edges: servers.map(({ host }) => ({
      name: host,
      addresses: [parseAddress(host)],
      weight: 1,
    })),
    sites: clients.flatMap(({ host }, at) => siteOfClient(host, nearest[at]!)),
  };
}

function placeOf(line: FileLine): Place {
  const [id = "", kind, host = "", ...more] = line.words;
  if (
    !/^[0-9]{1,9}$/.test(id) || more.length > 0 || host === "" ||
    (kind !== "CLIENT" && kind !== "SWITCH" && kind !== "SERVER")
  ) {
    throw new FileLineError(
      line.number,
      `must be "ID CLIENT|SWITCH|SERVER ADDRESS|NO_IP", got "${
        line.words.join(" ")
      }"`,
    );
  }
  if (host === "NO_IP") {
    if (kind === "SWITCH") return { id: Number(id), kind, host: "" };
    throw new FileLineError(line.number, `a ${kind} must have an address`);
  }
  const address = inLine(line, () => parseAddress(host));
  return { id: Number(id), kind, host: formatAddress(address) };
}

function linkOf(
  line: FileLine,
  nodeOf: ReadonlyMap<number, number>,
): { readonly ends: readonly [number, number]; readonly cost: number } {
  const [a = "", b = "", cost = "", ...more] = line.words;
  const isNumber = (word: string) => /^[0-9]{1,9}(\.[0-9]{1,9})?$/.test(word);
  if (![a, b, cost].every(isNumber) || more.length > 0) {
    throw new FileLineError(
      line.number,
      `must be "ID ID COST", got "${line.words.join(" ")}"`,
    );
  }
  const [from, to] = [nodeOf.get(Number(a)), nodeOf.get(Number(b))];
  if (from === undefined || to === undefined) {
    throw new FileLineError(
      line.number,
      `there is no node ${from === undefined ? a : b}`,
    );
  }
  return { ends: [from, to], cost: Number(cost) };
}
