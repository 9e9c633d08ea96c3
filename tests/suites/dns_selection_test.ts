import { assert, assertEquals } from "@std/assert";
import { parseAddress, parseCidr } from "../../lib/core/address.ts";
import { PrefixTable } from "../../lib/core/prefix_table.ts";
import { seededRng } from "../../lib/core/rng.ts";
import {
  POLICIES,
  POLICY_NAMES,
  type PolicyName,
} from "../../lib/dns/select/mod.ts";
import type {
  Edge,
  EdgeGroup,
  SelectionRequest,
  SiteGroup,
} from "../../lib/dns/select/selection.ts";

function edge(index: number, weight = 1): Edge {
  return {
    name: `e${index}`,
    address: new Uint8Array([127, 0, 0, index]),
    host: `127.0.0.${index}`,
    weight,
    hash: Math.imul(index, 0x9e3779b1) >>> 0,
  };
}

function group(...edges: Edge[]): EdgeGroup {
  return { edges, turn: 0 };
}

function request(
  edges: EdgeGroup,
  more: Partial<SelectionRequest> = {},
): SelectionRequest {
  return {
    group: edges,
    sites: new PrefixTable<SiteGroup>(),
    client: parseAddress("10.1.2.3"),
    clientLength: 32,
    nameHash: 42,
    rng: seededRng(1),
    ...more,
  };
}

/** How often each edge was chosen by clients of `count` networks. */
function shares(policy: PolicyName, edges: EdgeGroup, count = 4000) {
  const rng = seededRng(8);
  const chosen = new Map<string, number>();
  for (let index = 0; index < count; index++) {
    const client = new Uint8Array([10, index >> 8, index, 1]);
    const selection = POLICIES[policy](request(edges, { client, rng }));
    selection.from.turn += 1;
    const { name } = selection.edge;
    chosen.set(name, (chosen.get(name) ?? 0) + 1);
  }
  return chosen;
}

for (const name of POLICY_NAMES) {
  Deno.test(`${name} gives an edge of the group, a reason and a scope the client has`, () => {
    for (const client of ["10.1.2.3", "2001:db8::1"].map(parseAddress)) {
      for (const clientLength of [0, 9, 24, 8 * client.length]) {
        const edges = group(edge(1), edge(2), edge(3));
        const { edge: chosen, reason, scopeLength, from } = POLICIES[name](
          request(edges, { client, clientLength }),
        );
        assert(from.edges.includes(chosen) && edges.edges.includes(chosen));
        assert(reason.length > 0);
        assert(scopeLength >= 0 && scopeLength <= 8 * client.length);
      }
    }
  });

  Deno.test(`${name} gives the only edge, even without weight`, () => {
    const only = edge(1, 0);
    assertEquals(POLICIES[name](request(group(only))).edge, only);
  });

  Deno.test(`${name} gives equal edges about equal shares`, () => {
    const counts = shares(name, group(edge(1), edge(2), edge(3), edge(4)));
    assertEquals(counts.size, 4);
    for (const count of counts.values()) assert(count > 850 && count < 1150);
  });

  Deno.test(`${name} chooses the same again with the same seed, client and turn`, () => {
    const choose = () =>
      POLICIES[name](request(group(edge(1), edge(2), edge(3)))).edge.name;
    assertEquals(choose(), choose());
  });
}

for (const name of ["weighted", "hash"] as const) {
  Deno.test(`${name} gives shares in proportion to weights, and none for 0`, () => {
    const counts = shares(name, group(edge(1, 3), edge(2, 1), edge(3, 0)));
    const first = counts.get("e1") ?? 0;
    assert(first > 2880 && first < 3120, String(first));
    assertEquals(counts.get("e3"), undefined);
  });
}

Deno.test("hash moves only the clients of an edge that goes", () => {
  const all = group(edge(1), edge(2), edge(3), edge(4));
  const fewer = group(edge(1), edge(2), edge(4));
  let moved = 0;
  for (let index = 0; index < 1000; index++) {
    const client = new Uint8Array([10, index >> 8, index, 1]);
    const before = POLICIES.hash(request(all, { client })).edge.name;
    const after = POLICIES.hash(request(fewer, { client })).edge.name;
    if (before === "e3") moved += 1;
    else assertEquals(after, before);
  }
  assert(moved > 150);
});

Deno.test("hash gives all clients of a /24 the same edge, and says so", () => {
  const edges = group(edge(1), edge(2), edge(3));
  const choose = (client: string, clientLength: number) =>
    POLICIES.hash(
      request(edges, { client: parseAddress(client), clientLength }),
    );
  const first = choose("10.7.7.1", 32);
  assertEquals(first.scopeLength, 24);
  assertEquals(choose("10.7.7.200", 32).edge, first.edge);
  assertEquals(choose("10.7.7.0", 24).edge, first.edge);
  assertEquals(choose("2001:db8::1", 128).scopeLength, 56);
  assertEquals(choose("10.7.0.0", 16).scopeLength, 16);
});

Deno.test("geo takes the longest prefix, and turns within a site", () => {
  const edges = group(edge(1), edge(2), edge(3));
  const sites = new PrefixTable<SiteGroup>();
  const add = (cidr: string, ...own: Edge[]) =>
    sites.add(parseCidr(cidr), {
      edges: own,
      turn: 0,
      site: cidr,
      reason: `longest prefix ${cidr}`,
    });
  add("10.0.0.0/8", edge(1));
  add("10.1.0.0/16", edge(2), edge(3));
  const choose = (client: string) => {
    const selection = POLICIES.geo(
      request(edges, { sites, client: parseAddress(client) }),
    );
    selection.from.turn += 1;
    return [selection.edge.name, selection.scopeLength];
  };
  assertEquals(choose("10.1.2.3"), ["e2", 16]);
  assertEquals(choose("10.1.9.9"), ["e3", 16]);
  assertEquals(choose("10.1.2.3"), ["e2", 16]);
  assertEquals(choose("10.2.0.1"), ["e1", 15]);
  assertEquals(choose("11.0.0.1")[1], 8);
  assertEquals(choose("2001:db8::1"), ["e2", 0]);
});
