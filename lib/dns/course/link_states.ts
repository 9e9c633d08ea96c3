import { formatAddress, isAddress, parseAddress } from "../../core/address.ts";
import type { SiteSpec } from "../authority/zone.ts";
import { type FileLine, FileLineError, readFileLines } from "../file_lines.ts";
import { nearestServers, Network } from "./distances.ts";
import { siteOfClient } from "./geography.ts";

interface LinkState {
  readonly sequence: number;
  readonly neighbours: readonly string[];
}

/**
 * Reads the link-state advertisements of course projects, lines `SENDER SEQUENCE NEIGHBOUR,NEIGHBOUR…`; a name that is an
 * address is a host, any other a router. Of several lines of one sender the one with the highest sequence number holds (of
 * equal ones the first), and each link costs one hop. A client's server is the nearest of `servers`, and of equally near
 * ones the first in their order; the others follow, for when it is down.
 *
 * @returns The site of each sender that is an address and no server.
 * @throws {SyntaxError} That names the line.
 */
export function parseLinkStates(
  text: string,
  servers: readonly string[],
): SiteSpec[] {
  const states = new Map<string, LinkState>();
  for (const line of readFileLines(text)) {
    const { sender, state } = stateOf(line);
    const before = states.get(sender);
    if (before === undefined || state.sequence > before.sequence) {
      states.set(sender, state);
    }
  }
  const nodeOf = new Map<string, number>();
  const names = [
    ...servers,
    ...[...states].flatMap(([sender, { neighbours }]) => [
      sender,
      ...neighbours,
    ]),
  ];
  for (const name of names) {
    if (!nodeOf.has(name)) nodeOf.set(name, nodeOf.size);
  }
  const network = new Network(nodeOf.size);
  for (const [sender, { neighbours }] of states) {
    for (const neighbour of neighbours) {
      network.link(nodeOf.get(sender)!, nodeOf.get(neighbour)!, 1);
    }
  }
  const clients = [...states.keys()].filter((name) =>
    isAddress(name) && !servers.includes(name)
  );
  const nearest = nearestServers(
    network,
    servers.map((host) => ({ host, node: nodeOf.get(host)! })),
    clients.map((name) => nodeOf.get(name)!),
  );
  return clients.flatMap((client, at) => siteOfClient(client, nearest[at]!));
}

function stateOf(
  line: FileLine,
): { readonly sender: string; readonly state: LinkState } {
  const [sender = "", sequence = "", neighbours = "", ...more] = line.words;
  if (!/^[0-9]{1,15}$/.test(sequence) || more.length > 0) {
    throw new FileLineError(
      line.number,
      `must be "SENDER SEQUENCE NEIGHBOUR,NEIGHBOUR", got "${
        line.words.join(" ")
      }"`,
    );
  }
  return {
    sender: canonical(sender),
    state: {
      sequence: Number(sequence),
      neighbours: neighbours.split(",").filter((name) => name !== "")
        .map(canonical),
    },
  };
}

function canonical(name: string): string {
  return isAddress(name) ? formatAddress(parseAddress(name)) : name;
}
