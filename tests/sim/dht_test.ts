/** Whole DHTs in virtual time: who joins through one node finds what another announced, through loss, dead nodes and liars. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { toHex } from "../../lib/core/bytes.ts";
import { seededRng } from "../../lib/core/rng.ts";
import { compareDistance } from "../../lib/bittorrent/dht/id.ts";
import {
  decodeKrpc,
  encodeResponse,
} from "../../lib/bittorrent/dht/message.ts";
import type { DhtEvent } from "../../lib/events/dht.ts";
import { type DhtHost, DhtWorld } from "../support/dht_world.ts";

const INFO_HASH = new Uint8Array(20).map((_, at) => at * 13 + 5);

/** A DHT of `count` nodes that join one second after the other through the first. */
function build(
  count: number,
  options: { readonly seed: number; readonly loss?: number },
): DhtWorld {
  const world = new DhtWorld(options);
  const first = world.add();
  for (let index = 1; index < count; index++) {
    world.run(world.nowMs + 1000);
    world.add([first]);
  }
  world.run(world.nowMs + 60_000);
  return world;
}

function foundBy(host: DhtHost): Set<string> {
  return host.found.get(toHex(INFO_HASH)) ?? new Set();
}

/** How long one host searches until it has found the other; `limitMs` if it never does. */
function searchMs(
  world: DhtWorld,
  { seeker, sharer, limitMs }: {
    readonly seeker: DhtHost;
    readonly sharer: DhtHost;
    readonly limitMs: number;
  },
): number {
  const startedAtMs = world.nowMs;
  world.share(seeker, INFO_HASH);
  world.run(
    startedAtMs + limitMs,
    () => foundBy(seeker).has(`${sharer.host} 6881`),
  );
  return world.nowMs - startedAtMs;
}

function eventsOf<T extends DhtEvent["type"]>(
  host: DhtHost,
  type: T,
): Extract<DhtEvent, { type: T }>[] {
  return host.events.map(({ event }) => event).filter((event) =>
    event.type === type
  ) as Extract<DhtEvent, { type: T }>[];
}

Deno.test("DhtNode: of 120 nodes any finds what any other announced, in few steps", () => {
  const world = build(120, { seed: 1 });
  for (const host of world.hosts) assert(host.node.status.joined);
  const [sharer, seeker] = [world.hosts[37]!, world.hosts[111]!];
  world.share(sharer, INFO_HASH);
  world.run(world.nowMs + 5_000);
  assertLess(searchMs(world, { seeker, sharer, limitMs: 30_000 }), 1_000);
  world.run(world.nowMs + 5_000);
  // It was stored at the 8 nodes that are nearest of all.
  const nearest = [...world.hosts].sort((a, b) =>
    compareDistance(INFO_HASH, a.id, b.id)
  ).slice(0, 8);
  const storing = nearest.filter((host) => host.node.status.storedPeers > 0);
  assert(storing.length >= 7, `${storing.length} of 8`);
  const [searched] = eventsOf(seeker, "dht.searched");
  assertLess(searched!.asked, 40);
  assertLess(searched!.steps, 6);
  // The one that was there first is told by the other's announce, or its next search.
  world.run(world.nowMs + 20_000);
  assert(foundBy(sharer).has(`${seeker.host} 6881`));
});

Deno.test("DhtNode: two nodes are enough, whichever shares first", () => {
  const world = new DhtWorld({ seed: 2 });
  const first = world.add();
  world.share(first, INFO_HASH);
  const second = world.add([first]);
  world.share(second, INFO_HASH);
  world.run(10_000, () => foundBy(first).size > 0);
  assert(foundBy(first).has(`${second.host} 6881`));
  assertLess(world.nowMs, 1_000);
});

Deno.test("DhtNode: nodes that start before the one they are to join through find it when it comes", () => {
  const world = new DhtWorld({ seed: 3 });
  const boot = { host: "10.1.0.2", port: 6881 };
  const early = world.add([boot]);
  const other = world.add([boot]);
  for (const host of [early, other]) world.share(host, INFO_HASH);
  world.run(8_000);
  assertEquals(
    eventsOf(early, "dht.failed").map(({ message, retryMs }) =>
      `${message} ${retryMs}`
    ),
    ["No DHT node answers at 10.1.0.2:6881 5000"],
  );
  world.add(); // It is the third: 10.1.0.2.
  world.run(
    60_000,
    () => foundBy(early).size > 0 && foundBy(other).size > 0,
  );
  assertLess(world.nowMs, 25_000);
});

Deno.test("DhtNode finds through 20 % loss, with a third of the nodes dead", () => {
  const world = build(90, { seed: 4, loss: 0.2 });
  for (const [index, host] of world.hosts.entries()) {
    if (index % 3 === 1) host.alive = false;
  }
  const [sharer, seeker] = [world.hosts[36]!, world.hosts[78]!];
  world.share(sharer, INFO_HASH);
  world.run(world.nowMs + 60_000);
  assertLess(searchMs(world, { seeker, sharer, limitMs: 300_000 }), 30_000);
});

Deno.test("DhtNode finds although liars answer every query with nodes that do not exist, nearest of all", () => {
  const world = build(80, { seed: 5 });
  const rng = seededRng(99);
  const liars = Array.from({ length: 30 }, (_, index) => ({
    host: `10.66.0.${index + 1}`,
    port: 6881,
  }));
  for (const liar of liars) {
    const id = Uint8Array.from({ length: 20 }, () => rng() * 256);
    world.addStranger(liar, (bytes, to) => {
      const query = decodeKrpc(bytes);
      if (query.kind !== "query") return [];
      // Eight ids that share 8 to 18 bytes with the target, at places where nobody is, and peers that do not exist.
      const nodes = Array.from({ length: 8 }, () => ({
        id: INFO_HASH.map((byte, at) => at < 8 ? byte : rng() * 256),
        host: `10.67.${Math.floor(rng() * 256)}.${Math.floor(rng() * 256)}`,
        port: 1 + Math.floor(rng() * 60_000),
      }));
      const { transactionId } = query;
      const answer = { nodes, peers: [], token: Uint8Array.of(1) };
      return [{ bytes: encodeResponse({ transactionId, id, answer }), to }];
    });
    for (const host of world.hosts.slice(0, 20)) {
      world.feed(host, { kind: "node-hinted", node: liar });
    }
  }
  world.run(world.nowMs + 60_000);
  const [sharer, seeker] = [world.hosts[10]!, world.hosts[60]!];
  world.share(sharer, INFO_HASH);
  world.run(world.nowMs + 120_000);
  assertLess(searchMs(world, { seeker, sharer, limitMs: 600_000 }), 600_000);
  world.run(world.nowMs + 60_000);
  const searched = eventsOf(seeker, "dht.searched");
  assert(searched.length > 0);
  for (const { asked, durationMs } of searched) {
    assert(asked <= 96, `${asked}`);
    // 96 dead nodes, three every half second.
    assertLess(durationMs, 20_000);
  }
});

Deno.test("DhtNode says little when nothing happens: half an hour of 40 nodes", () => {
  const world = build(40, { seed: 6 });
  const before = world.hosts.map(({ sentDatagrams }) => sentDatagrams);
  world.run(world.nowMs + 1_860_000);
  for (const [at, { sentDatagrams, node }] of world.hosts.entries()) {
    const perMinute = (sentDatagrams - before[at]!) / 31;
    assertLess(perMinute, 20);
    assert(node.status.nodes >= 8, `${node.status.nodes}`);
  }
});

Deno.test("DhtNode joins anew when every node it knew was gone for an hour", () => {
  const world = build(4, { seed: 7 });
  const [alone, ...others] = world.hosts as [DhtHost, ...DhtHost[]];
  for (const host of others) host.alive = false;
  world.share(alone, INFO_HASH);
  world.run(world.nowMs + 3_600_000);
  assert(!alone.node.status.joined);
  for (const host of others) host.alive = true;
  world.run(world.nowMs + 120_000);
  assert(alone.node.status.joined);
});
