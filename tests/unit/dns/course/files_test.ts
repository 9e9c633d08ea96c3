import { assertEquals, assertThrows } from "@std/assert";
import { seededRng } from "../../../../lib/core/rng.ts";
import {
  nearestServers,
  Network,
} from "../../../../lib/dns/course/distances.ts";
import { parseGeography } from "../../../../lib/dns/course/geography.ts";
import { parseLinkStates } from "../../../../lib/dns/course/link_states.ts";
import { parseServerList } from "../../../../lib/dns/course/server_list.ts";
import { parseSiteFile } from "../../../../lib/dns/authority/site_file.ts";
import { formatCidr } from "../../../../lib/core/address.ts";
import type { SiteSpec } from "../../../../lib/dns/authority/zone.ts";

/** Sites as `10.0.0.1/32: nearest, next`. */
function shown(sites: readonly SiteSpec[]): string[] {
  return sites.map(({ subnets, edges, farther = [] }) =>
    `${subnets.map(formatCidr).join(" ")}: ${[...edges, ...farther].join(", ")}`
  );
}

Deno.test("parseServerList reads an address a line, or NUM_SERVERS and addresses with ports", () => {
  const names = parseServerList("10.0.0.4\n\n10.0.0.3 # near\r\n2001:DB8::1\n")
    .map(({ name }) => name);
  assertEquals(names, ["10.0.0.4", "10.0.0.3", "2001:db8::1"]);
  assertEquals(
    parseServerList("NUM_SERVERS: 2\n10.0.0.1 8000\n10.0.0.2 8001\n")
      .map(({ name, port }) => [name, port]),
    [["10.0.0.1", 8000], ["10.0.0.2", 8001]],
  );
});

for (
  const [text, rule] of [
    ["", "must be a server"],
    ["10.0.0.1\n10.0.0\n", "line 2: must be an address such as"],
    ["10.0.0.1 80\n", "line 1: must be an address, got"],
    ["10.0.0.1\n\n10.0.0.1\n", "line 3: 10.0.0.1 is given twice"],
    ["NUM_SERVERS: x\n", 'line 1: must be "NUM_SERVERS: n"'],
    ["NUM_SERVERS: 2\n10.0.0.1 80\n", "line 1: 2 lines must follow, got 1"],
    ["NUM_SERVERS: 1\n10.0.0.1\n", "line 2: must be an address and a port"],
    ["NUM_SERVERS: 1\n10.0.0.1 0\n", "line 2: the port must be"],
    ["NUM_SERVERS: 1\n10.0.0.1 1\n10.0.0.2 1\n", "line 3: only 1 servers"],
    ["NUM_SERVERS: 0\n", "must be a server"],
  ] as const
) {
  Deno.test(`parseServerList says ${rule} of ${JSON.stringify(text)}`, () => {
    assertThrows(() => parseServerList(text), SyntaxError, rule);
  });
}

/** Two clients, two switches, three servers; 4 and 6 are equally far from client 1. */
const GEOGRAPHY = `
NUM_NODES: 7
0 CLIENT 10.0.0.1
1 CLIENT 10.0.0.2
2 SWITCH NO_IP
3 SWITCH NO_IP
4 SERVER 10.0.0.4
6 SERVER 10.0.0.6
9 CLIENT 10.0.0.9

NUM_LINKS: 6
0 2 1
2 4 10
2 3 1
3 6 2
1 4 5
1 6 5
`;

Deno.test("parseGeography finds each client's servers by total cost, ties to the lower id", () => {
  const { edges, sites } = parseGeography(GEOGRAPHY);
  assertEquals(edges.map(({ name }) => name), ["10.0.0.4", "10.0.0.6"]);
  assertEquals(shown(sites), [
    "10.0.0.1/32: 10.0.0.6, 10.0.0.4", // 0-2-3-6 costs 4, 0-2-4 costs 11
    "10.0.0.2/32: 10.0.0.4, 10.0.0.6", // 5 and 5
  ]);
});

for (
  const [text, rule] of [
    ["", 'must be a line "NUM_NODES: n"'],
    ["NUM_LINKS: 0", 'line 1: must be "NUM_NODES: n"'],
    ["NUM_NODES: 1\n0 ROUTER NO_IP", "line 2: must be"],
    ["NUM_NODES: 1\n0 SERVER NO_IP", "line 2: a SERVER must have an address"],
    ["NUM_NODES: 1\n0 SERVER 1.2.3", "line 2: must be an address such as"],
    ["NUM_NODES: 2\n0 SERVER 1.1.1.1\n0 CLIENT 1.1.1.2", "line 3: node 0 is"],
    ["NUM_NODES: 2\n0 SERVER 1.1.1.1\n1 CLIENT 1.1.1.1", "line 3: 1.1.1.1 is"],
    ["NUM_NODES: 1\n0 SERVER 1.1.1.1", 'must be a line "NUM_LINKS: n"'],
    [
      "NUM_NODES: 1\n0 SERVER 1.1.1.1\nNUM_LINKS: 1\n0 5 1",
      "line 4: there is no node 5",
    ],
    ["NUM_NODES: 1\n0 SERVER 1.1.1.1\nNUM_LINKS: 1\n0 0 -1", "line 4: must be"],
    [
      "NUM_NODES: 1\n0 SERVER 1.1.1.1\nNUM_LINKS: 0\nmore",
      "line 4: there must be no more",
    ],
    ["NUM_NODES: 1\n0 CLIENT 1.1.1.1\nNUM_LINKS: 0", "must be a SERVER"],
  ] as const
) {
  Deno.test(`parseGeography says ${rule} of ${JSON.stringify(text)}`, () => {
    assertThrows(() => parseGeography(text), SyntaxError, rule);
  });
}

Deno.test("parseLinkStates takes each sender's highest sequence number, and counts hops", () => {
  const servers = ["10.0.0.3", "10.0.0.4"];
  const lines = [
    "10.0.0.1 0 router1",
    "10.0.0.2 0 router2",
    "10.0.0.3 0 router1",
    "10.0.0.4 0 router2",
    "router1 2 10.0.0.1,router2",
    "router1 1 10.0.0.1,10.0.0.3,router2",
    "router2 0 10.0.0.2,10.0.0.4,router1",
  ];
  assertEquals(shown(parseLinkStates(lines.join("\n"), servers)), [
    "10.0.0.1/32: 10.0.0.4", // router1 has lost 10.0.0.3
    "10.0.0.2/32: 10.0.0.4",
  ]);
  lines.push("router1 3 10.0.0.1,10.0.0.3,router2,");
  assertEquals(shown(parseLinkStates(lines.join("\n"), servers)), [
    "10.0.0.1/32: 10.0.0.3, 10.0.0.4",
    "10.0.0.2/32: 10.0.0.4, 10.0.0.3",
  ]);
  const tie = "10.0.0.1 5 10.0.0.4,10.0.0.3\n10.0.0.1 5 10.0.0.4";
  assertEquals(shown(parseLinkStates(tie, servers)), [
    "10.0.0.1/32: 10.0.0.3, 10.0.0.4", // equally near: the servers' order
  ]);
});

Deno.test("parseLinkStates names the line that is none", () => {
  for (const bad of ["router1", "router1 x a,b", "router1 1 a, b"]) {
    assertThrows(
      () => parseLinkStates(`router2 1 a\n${bad}`, ["10.0.0.1"]),
      SyntaxError,
      'line 2: must be "SENDER SEQUENCE',
    );
  }
});

Deno.test("parseSiteFile gathers networks by their edges", () => {
  const { sites, lineOf } = parseSiteFile(
    "10.1.0.0/16 127.0.0.3\n# the islands\n10.2.0.0/16 crete,127.0.0.4\n10.3.0.0/16 127.0.0.3\n2001:db8::/32 crete,127.0.0.4\n",
  );
  assertEquals(shown(sites), [
    "10.1.0.0/16 10.3.0.0/16: 127.0.0.3",
    "10.2.0.0/16 2001:db8::/32: crete, 127.0.0.4",
  ]);
  assertEquals([...lineOf], [["127.0.0.3", 1], ["crete", 3], ["127.0.0.4", 3]]);
  for (
    const [text, rule] of [
      ["10.0.0.0/8", 'line 1: must be "NETWORK EDGE'],
      ["\n10.0.0.1/8 a", "line 2: must be a network without bits"],
      ["10.0.0.0/8 a\n10.0.0.0/8 b", "line 2: 10.0.0.0/8 is given twice"],
    ] as const
  ) assertThrows(() => parseSiteFile(text), SyntaxError, rule);
});

Deno.test("Network's distances are those of trying all paths", () => {
  const rng = seededRng(1959);
  const draw = (count: number) => Math.floor(rng() * count);
  for (let round = 0; round < 40; round++) {
    const size = 2 + draw(14);
    const network = new Network(size);
    const best = Array.from(
      { length: size },
      (_, from) =>
        Array.from({ length: size }, (_, to) => from === to ? 0 : Infinity),
    );
    for (let count = draw(3 * size); count > 0; count--) {
      const [from, to, cost] = [draw(size), draw(size), draw(9)];
      network.link(from, to, cost);
      best[from]![to] = Math.min(best[from]![to]!, cost);
    }
    for (let via = 0; via < size; via++) {
      for (const row of best) {
        for (let to = 0; to < size; to++) {
          row[to] = Math.min(row[to]!, row[via]! + best[via]![to]!);
        }
      }
    }
    for (let to = 0; to < size; to++) {
      assertEquals([...network.distancesTo(to)], best.map((row) => row[to]!));
    }
  }
});

Deno.test("nearestServers leaves out servers that cannot be reached", () => {
  const network = new Network(3);
  network.link(0, 1, 1);
  const servers = [{ host: "a", node: 2 }, { host: "b", node: 1 }];
  assertEquals(nearestServers(network, servers, [0, 2]), [["b"], ["a"]]);
});
