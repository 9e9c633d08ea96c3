import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { parseAddress, parseCidr } from "../../lib/core/address.ts";
import { PrefixTable } from "../../lib/core/prefix_table.ts";
import { seededRng } from "../../lib/core/rng.ts";
import { smoothRoundTrip } from "../../lib/dns/select/by_latency.ts";
import { noteLoad } from "../../lib/dns/select/by_load.ts";
import { type Edge, EdgeBook, EdgeGroup } from "../../lib/dns/select/edge.ts";
import { parseSteering, POLICY_NAMES } from "../../lib/dns/select/mod.ts";
import type { SiteNetwork } from "../../lib/dns/select/selection.ts";
import {
  noteSelection,
  type Selection,
  steer,
  type SteeringRequest,
} from "../../lib/dns/select/steer.ts";

/** Each policy by itself, and together. */
const STEERINGS = [
  ...POLICY_NAMES,
  ...["geo,round-robin", "geo,weighted", "geo,load", "geo,latency"],
  ...["geo,hash", "load,hash", "load,latency", "geo,load,weighted"],
];

/** Edges 127.0.0.1, 127.0.0.2 … called e1, e2 … */
class World {
  readonly book = new EdgeBook();
  readonly edges: readonly Edge[];
  readonly group: EdgeGroup;
  readonly sites = new PrefixTable<SiteNetwork>({ answerOf: (of) => of.site });
  rng = seededRng(1);

  constructor(...weights: number[]) {
    this.edges = weights.map((weight, at) => ({
      name: `e${at + 1}`,
      address: new Uint8Array([127, 0, 0, at + 1]),
      host: `127.0.0.${at + 1}`,
      weight,
      hash: Math.imul(at + 1, 0x9e3779b1) >>> 0,
      state: this.book.state(`127.0.0.${at + 1}`),
      place: `127.0.0.${at + 1}`,
    }));
    this.group = new EdgeGroup(this.edges, this.book);
  }

  /** Clients of `networks` are near e`nearest[0]` …, then near e`nearest[1]` … */
  site(networks: readonly string[], ...nearest: number[][]): this {
    const site = {
      ranks: nearest.map((rank) =>
        new EdgeGroup(rank.map((at) => this.edges[at - 1]!), this.book)
      ),
    };
    for (const network of networks) {
      this.sites.add(parseCidr(network), { site, reason: `in ${network}` });
    }
    return this;
  }

  loads(...values: number[]): this {
    for (const [at, value] of values.entries()) {
      const format = (load: number) => `${load} B/s`;
      noteLoad(this.book, `127.0.0.${at + 1}`, { value, format });
    }
    return this;
  }

  roundTrips(...values: number[]): this {
    for (const [at, measuredMs] of values.entries()) {
      const state = this.book.state(`127.0.0.${at + 1}`);
      state.roundTrip = smoothRoundTrip(state.roundTrip, measuredMs);
    }
    return this;
  }

  choose(
    policy: string,
    more: Partial<SteeringRequest> = {},
  ): Selection & { readonly reason: string } {
    const selection = steer(parseSteering(policy), {
      group: this.group,
      sites: this.sites,
      client: parseAddress("10.1.2.3"),
      clientLength: 32,
      nameHash: 42,
      loadPerAnswer: this.book.loadPerAnswer,
      rng: this.rng,
      ...more,
    });
    noteSelection(selection);
    return { ...selection, reason: selection.reasons.join("; ") };
  }

  names(policy: string, count: number): string {
    return Array.from({ length: count }, () => this.choose(policy).edge.name)
      .join(" ");
  }

  /** How often each edge was chosen by clients of `count` networks. */
  shares(policy: string, count = 4000): Map<string, number> {
    const chosen = new Map<string, number>();
    for (let index = 0; index < count; index++) {
      const client = new Uint8Array([10, index >> 8, index, 1]);
      const { name } = this.choose(policy, { client }).edge;
      chosen.set(name, (chosen.get(name) ?? 0) + 1);
    }
    return chosen;
  }
}

for (const policy of STEERINGS) {
  Deno.test(`${policy} gives an edge that is up, a reason and a scope the client has`, () => {
    for (const client of ["10.1.2.3", "2001:db8::1"].map(parseAddress)) {
      for (const clientLength of [0, 9, 24, 8 * client.length]) {
        for (const down of [[], [2], [1, 3]]) {
          const world = new World(1, 1, 1).site(["10.0.0.0/8"], [1, 2])
            .loads(5, 1, 3).roundTrips(5, 1, 3);
          for (const at of down) world.book.setUp(`127.0.0.${at}`, false);
          const { edge, candidates, reason, scopeLength } = world.choose(
            policy,
            { client, clientLength },
          );
          assert(edge.state.isUp && candidates.includes(edge));
          assertEquals(candidates.length, 3 - down.length);
          assert(reason.length > 0);
          assert(scopeLength >= 0 && scopeLength <= 8 * client.length);
        }
      }
    }
  });

  Deno.test(`${policy} gives the only edge, even without weight and down`, () => {
    const world = new World(0);
    assertEquals(world.choose(policy).edge.name, "e1");
    world.book.setUp("127.0.0.1", false);
    assertEquals(world.choose(policy).edge.name, "e1");
    assertMatch(world.choose(policy).reason, /^all edges are down/);
  });

  Deno.test(`${policy} chooses the same again with the same seed, client and state`, () => {
    const choose = () => new World(1, 1, 1).names(policy, 5);
    assertEquals(choose(), choose());
  });
}

for (const policy of STEERINGS.filter((name) => !name.includes("latency"))) {
  Deno.test(`${policy} gives equal edges about equal shares`, () => {
    const counts = new World(1, 1, 1, 1).loads(7, 7, 7, 7).shares(policy);
    assertEquals(counts.size, 4);
    for (const count of counts.values()) assert(count > 850 && count < 1150);
  });
}

for (const policy of ["weighted", "hash", "geo,hash"] as const) {
  Deno.test(`${policy} gives shares in proportion to weights, and none for 0`, () => {
    const counts = new World(3, 1, 0).shares(policy);
    const first = counts.get("e1") ?? 0;
    assert(first > 2880 && first < 3120, String(first));
    assertEquals(counts.get("e3"), undefined);
  });
}

Deno.test("hash moves only the clients of an edge that goes, and back when it comes back", () => {
  const world = new World(1, 1, 1, 1);
  let moved = 0;
  for (let index = 0; index < 1000; index++) {
    const client = new Uint8Array([10, index >> 8, index, 1]);
    const before = world.choose("hash", { client }).edge.name;
    world.book.setUp("127.0.0.3", false);
    const without = world.choose("hash", { client }).edge.name;
    world.book.setUp("127.0.0.3", true);
    if (before === "e3") moved += 1;
    else assertEquals(without, before);
    assertEquals(world.choose("hash", { client }).edge.name, before);
  }
  assert(moved > 150);
});

Deno.test("hash gives all clients of a /24 the same edge, and says so", () => {
  const world = new World(1, 1, 1);
  const choose = (client: string, clientLength: number) =>
    world.choose("hash", { client: parseAddress(client), clientLength });
  const first = choose("10.7.7.1", 32);
  assertEquals(first.scopeLength, 24);
  assertEquals(choose("10.7.7.200", 32).edge, first.edge);
  assertEquals(choose("10.7.7.0", 24).edge, first.edge);
  assertEquals(choose("2001:db8::1", 128).scopeLength, 56);
  assertEquals(choose("10.7.0.0", 16).scopeLength, 16);
});

Deno.test("geo takes the longest prefix, and turns within a site", () => {
  const world = new World(1, 1, 1).site(["10.0.0.0/8"], [1])
    .site(["10.1.0.0/16"], [2, 3]);
  const choose = (client: string) => {
    const { edge, scopeLength } = world.choose("geo", {
      client: parseAddress(client),
    });
    return [edge.name, scopeLength];
  };
  assertEquals(choose("10.1.2.3"), ["e2", 16]);
  assertEquals(choose("10.1.9.9"), ["e3", 16]);
  assertEquals(choose("10.1.2.3"), ["e2", 16]);
  assertEquals(choose("10.2.0.1"), ["e1", 15]);
  assertEquals(choose("11.0.0.1")[1], 8);
  assertEquals(choose("2001:db8::1")[1], 0);
});

Deno.test("geo goes outwards when the edges of a network are down, and inwards again", () => {
  const world = new World(1, 1, 1, 1).site(["10.0.0.0/8"], [1])
    .site(["10.1.0.0/16"], [2], [3]);
  const choose = () => {
    const { edge, reason } = world.choose("geo");
    return `${edge.name}: ${reason}`;
  };
  assertEquals(choose(), "e2: in 10.1.0.0/16");
  world.book.setUp("127.0.0.2", false);
  assertEquals(choose(), "e3: in 10.1.0.0/16, as all nearer edges are down");
  world.book.setUp("127.0.0.3", false);
  assertEquals(choose(), "e1: in 10.0.0.0/8, as all nearer edges are down");
  world.book.setUp("127.0.0.1", false);
  assertEquals(
    choose(),
    "e4: all edges of the client's sites are down: any other",
  );
  world.book.setUp("127.0.0.4", false);
  assertEquals(
    choose(),
    "e2: all edges are down, so as if up; in 10.1.0.0/16",
  );
  world.book.setUp("127.0.0.2", true);
  assertEquals(choose(), "e2: in 10.1.0.0/16");
});

Deno.test("load takes the least busy, by turns among those as little busy", () => {
  const world = new World(1, 1, 1).loads(1000, 200, 900);
  assertEquals(
    world.choose("load").reason,
    "least busy (200 B/s)",
  );
  assertEquals(world.names("load", 3), "e2 e2 e2");
  const tied = new World(1, 1, 1).loads(1000, 200, 290);
  assertEquals(tied.names("load", 4), "e2 e3 e2 e3");
  assertMatch(tied.choose("load").reason, /^2 are equally little busy/);
});

Deno.test("load leaves out edges that have not told, unless none has", () => {
  const world = new World(1, 1, 1);
  assertEquals(
    world.choose("load").reason,
    "no edge has told its load; next in turn",
  );
  world.loads(500);
  assertEquals(world.names("load", 3), "e1 e1 e1");
});

Deno.test("load does not send everybody to one edge until it is read again", () => {
  const world = new World(1, 1);
  // each answer brings 10, on both edges
  world.names("round-robin", 20);
  world.loads(100, 100);
  world.names("round-robin", 20);
  world.loads(100, 60); // smoothed: 100 and 80
  const counts = world.shares("load", 20);
  assert((counts.get("e2") ?? 0) > (counts.get("e1") ?? 0));
  assert((counts.get("e1") ?? 0) >= 5, [...counts].join(" "));
});

Deno.test("noteLoad smooths by halves and reckons what an answer brings from all edges", () => {
  const book = new EdgeBook();
  const note = (place: string, value: number) =>
    noteLoad(book, place, { value, format: (value) => `${value}` });
  note("a", 100);
  // nobody was sent there: nothing is known of what an answer brings
  assertEquals(book.loadPerAnswer, 0);
  note("b", 300);
  book.state("a").answersSince = 10;
  book.state("b").answersSince = 30;
  note("a", 200);
  assertEquals(book.state("a").load, { value: 150, text: "150" });
  assertEquals(book.loadPerAnswer, (150 + 300) / 40);
  assertEquals([book.state("a").answersSince, book.state("b").answersSince], [
    ...[0, 30],
  ]);
});

Deno.test("geo,load looks at the load within the site only", () => {
  const world = new World(1, 1, 1).site(["10.1.0.0/16"], [2, 3])
    .loads(0, 500, 100);
  const { edge, reason, scopeLength } = world.choose("geo,load");
  assertEquals([edge.name, scopeLength], ["e3", 16]);
  assertEquals(reason, "in 10.1.0.0/16; least busy (100 B/s)");
});

Deno.test("latency takes the nearest, and stays until another is clearly nearer", () => {
  const world = new World(1, 1).roundTrips(10, 20);
  assertEquals(world.names("latency", 3), "e1 e1 e1");
  // the two change places by a little, again and again
  for (let turn = 0; turn < 50; turn++) {
    world.roundTrips(turn % 2 ? 10 : 12, turn % 2 ? 12 : 10);
    assertEquals(world.choose("latency").edge.name, "e1");
  }
  assertMatch(world.choose("latency").reason, /as before|nearest/);
  for (let turn = 0; turn < 20; turn++) world.roundTrips(40, 10);
  assertEquals(world.names("latency", 2), "e2 e2");
  world.book.setUp("127.0.0.2", false);
  assertEquals(world.choose("latency").edge.name, "e1");
});

Deno.test("latency is not moved by one slow measurement", () => {
  const world = new World(1, 1);
  for (let turn = 0; turn < 20; turn++) world.roundTrips(10, 15);
  world.choose("latency");
  world.roundTrips(25, 15);
  assertEquals(world.choose("latency").edge.name, "e1");
});

Deno.test("latency leaves out edges that were never measured, unless none was", () => {
  const world = new World(1, 1, 1);
  assertEquals(
    world.choose("latency").reason,
    "no edge has been measured: in turn",
  );
  world.roundTrips(80);
  assertEquals(world.names("latency", 2), "e1 e1");
});

Deno.test("smoothRoundTrip follows RFC 6298 with a gain of a quarter", () => {
  const first = smoothRoundTrip(undefined, 100);
  assertEquals([first.smoothedMs, first.variationMs], [100, 50]);
  const second = smoothRoundTrip(first, 140);
  assertEquals([second.smoothedMs, second.variationMs], [110, 47.5]);
  assertEquals(second.text, "110 ms");
});

Deno.test("parseSteering takes geo first, then load, then one that chooses", () => {
  assertEquals(parseSteering("geo, load,hash").name, "geo,load,hash");
  for (
    const text of [
      ...["", "luck", "geo,", "load,geo", "hash,load", "geo,geo"],
      ...["load,load", "round-robin,hash", "latency,load", "GEO"],
    ]
  ) assertThrows(() => parseSteering(text), RangeError, "must be");
});
