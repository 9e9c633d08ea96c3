import { assert, assertEquals, assertThrows } from "@std/assert";
import type { DrawnPeers } from "../../../../../lib/bittorrent/tracker/messages.ts";
import { EXPIRY_TICKS } from "../../../../../lib/bittorrent/tracker/table/peer_store.ts";
import type {
  SwarmAnswer,
  TableAnnounce,
} from "../../../../../lib/bittorrent/tracker/table/messages.ts";
import {
  SwarmTable,
  type SwarmTableOptions,
} from "../../../../../lib/bittorrent/tracker/table/swarm_table.ts";
import {
  decodeCompactPeers,
  type PeerAddress,
} from "../../../../../lib/bittorrent/peer_endpoint.ts";
import {
  type Family,
  familyOf,
  parseAddress,
} from "../../../../../lib/core/address.ts";
import { toHex, utf8 } from "../../../../../lib/core/bytes.ts";
import { ProtocolError } from "../../../../../lib/core/errors.ts";
import { seededRng } from "../../../../../lib/core/rng.ts";

const HASH = new Uint8Array(20).fill(1);

function tableWith(options: Partial<SwarmTableOptions> = {}): SwarmTable {
  return new SwarmTable({
    rng: seededRng(2),
    expiryMs: 1000,
    maxPeers: 50,
    ...options,
  });
}

function from(
  host: string,
  change: Partial<TableAnnounce> = {},
): TableAnnounce {
  return {
    address: parseAddress(host),
    families: familyOf(host),
    infoHash: HASH,
    peerId: utf8(`-RC0001-${host}`.padEnd(20, "-")),
    port: 6881,
    uploadedBytes: 0,
    downloadedBytes: 0,
    leftBytes: 10,
    event: "none",
    numWant: null,
    ...change,
  };
}

function peersOf(answer: SwarmAnswer): PeerAddress[] {
  const peers = ({ count, compact }: DrawnPeers, family: Family) =>
    decodeCompactPeers(
      compact.subarray(0, count * (family === "ipv4" ? 6 : 18)),
      family,
    );
  return [...peers(answer.ipv4, "ipv4"), ...peers(answer.ipv6, "ipv6")];
}

function hostsOf(answer: SwarmAnswer): string[] {
  return peersOf(answer).map((peer) => peer.host);
}

function codeOf(run: () => unknown): string {
  return assertThrows(run, ProtocolError).code;
}

Deno.test("SwarmTable introduces peers to each other and counts seeders, leechers and downloads", () => {
  const table = tableWith();
  const first = table.announce(from("10.0.0.1", { leftBytes: 0 }), 0);
  assertEquals([first.seeders, first.leechers, hostsOf(first)], [1, 0, []]);
  const second = table.announce(from("10.0.0.2"), 1);
  assertEquals([second.seeders, second.leechers], [1, 1]);
  assertEquals(hostsOf(second), ["10.0.0.1"]);
  table.announce(from("10.0.0.2", { leftBytes: 0, event: "completed" }), 2);
  // UDP repeats requests: still one download.
  table.announce(from("10.0.0.2", { leftBytes: 0, event: "completed" }), 2);
  assertEquals(table.scrape(HASH), {
    infoHash: HASH,
    seeders: 2,
    leechers: 0,
    completed: 1,
  });
  table.announce(from("10.0.0.1", { event: "stopped" }), 4);
  assertEquals(table.scrape(HASH).seeders, 1);
  assertEquals(table.peerCount, 1);
});

Deno.test("SwarmTable answers stopped without peers, also from a peer it never met", () => {
  const table = tableWith();
  const answer = table.announce(from("10.0.0.1", { event: "stopped" }), 0);
  assertEquals([answer.seeders, answer.leechers, hostsOf(answer)], [0, 0, []]);
  assertEquals(table.swarmCount, 0);
});

Deno.test("SwarmTable never returns the asker, not at its other address nor after a restart with a new peer id", () => {
  const table = tableWith();
  const peerId = utf8("-RC0001-multi-homed-");
  table.announce(from("10.0.0.1", { peerId }), 0);
  table.announce(from("2001:db8::1", { peerId }), 0);
  const again = table.announce(
    from("10.0.0.1", {
      peerId: utf8("-RC0001-another one-"),
      families: "both",
    }),
    1,
  );
  assertEquals(hostsOf(again), ["2001:db8::1"]);
  const other = table.announce(
    from("10.0.0.1", { peerId, families: "both" }),
    1,
  );
  assertEquals(hostsOf(other), []);
  assertEquals(table.peerCount, 2);
});

Deno.test("SwarmTable keeps the address families apart unless both are wanted", () => {
  const table = tableWith();
  for (const host of ["10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2"]) {
    table.announce(from(host), 0);
  }
  const hosts = (host: string, isBoth: boolean, numWant: number | null) =>
    hostsOf(table.announce(
      from(host, { numWant, ...isBoth ? { families: "both" } : {} }),
      1,
    ));
  assertEquals(hosts("10.0.0.1", false, null), ["10.0.0.2"]);
  assertEquals(hosts("2001:db8::2", false, null), ["2001:db8::1"]);
  assertEquals(hosts("10.0.0.1", true, 1), ["10.0.0.2"]);
  const both = hosts("10.0.0.1", true, null);
  assertEquals(both[0], "10.0.0.2");
  assertEquals(both.slice(1).sort(), ["2001:db8::1", "2001:db8::2"]);
});

Deno.test("SwarmTable forgets silent peers", () => {
  const table = tableWith();
  table.announce(from("10.0.0.1"), 0);
  table.announce(from("10.0.0.2"), 600);
  table.announce(from("10.0.0.1"), 900);
  assertEquals(table.sweep(1598), []);
  // Silent for too long, but not swept yet: nobody is told of it.
  const other = from("10.0.0.3", { event: "stopped" });
  table.announce({ ...other, event: "none" }, 1601);
  assertEquals(
    hostsOf(table.announce({ ...other, event: "none" }, 1601)),
    ["10.0.0.1"],
  );
  table.announce(other, 1601);
  assertEquals(table.sweep(1601), [{ infoHash: HASH, peers: 1 }]);
  assertEquals(table.scrape(HASH).leechers, 1);
  assertEquals(table.sweep(1901), [{ infoHash: HASH, peers: 1 }]);
  assertEquals([table.peerCount, table.swarmCount], [0, 0]);
  assertEquals(table.totals.expired, 2);
});

Deno.test("SwarmTable sweeps a few peers at a time, and all of them in the end", () => {
  const table = tableWith();
  const swarms = 7;
  for (let at = 0; at < 300; at++) {
    const host = at % 3 === 0
      ? `2001:db8::${at + 1}`
      : `10.0.${at >> 8}.${at & 255}`;
    const infoHash = new Uint8Array(20).fill(at % swarms);
    // Every fifth announced late.
    table.announce(from(host, { infoHash }), at % 5 === 0 ? 900 : 0);
  }
  let sweeps = 0;
  let gone = 0;
  while (gone < 240) {
    for (const { peers } of table.sweep(1100, 20)) gone += peers;
    sweeps += 1;
    assert(sweeps < 40, `${gone} gone after ${sweeps} sweeps`);
  }
  assert(sweeps >= 12, `${sweeps} sweeps`);
  assertEquals([table.peerCount, table.totals.expired], [60, 240]);
  assertEquals(table.sweep(1100), []);
  table.sweep(1901);
  assertEquals([table.peerCount, table.swarmCount], [0, 0]);
});

Deno.test("SwarmTable measures silence rightly after weeks", () => {
  const table = tableWith();
  const nowMs = 5e9 + 123;
  table.announce(from("10.0.0.1"), nowMs);
  assertEquals(
    table.view({ swarms: 1, peers: 1 }, nowMs + 500)[0]?.peers[0]?.silentMs,
    500,
  );
  // To a tick, 1/512 of the time to expiry.
  assertEquals(table.sweep(nowMs + 997), []);
  assertEquals(table.sweep(nowMs + 1002).length, 1);
});

Deno.test("SwarmTable returns at most what was asked for and never more than maxPeers", () => {
  const table = tableWith({ maxPeers: 5 });
  for (let at = 0; at < 30; at++) table.announce(from(`10.0.0.${at}`), 0);
  const count = (numWant: number | null) =>
    hostsOf(table.announce(from("10.0.0.1", { numWant }), 1)).length;
  assertEquals([null, 0, 3, 5, 6, 1e9].map(count), [5, 0, 3, 5, 5, 5]);
});

Deno.test("SwarmTable draws every pair of peers equally often, whatever was drawn before (seed 17)", () => {
  const table = tableWith({ rng: seededRng(17) });
  const others = 5;
  for (let at = 0; at <= others; at++) table.announce(from(`10.0.0.${at}`), 0);
  const seen = new Map<string, number>();
  const rounds = 10_000;
  for (let round = 0; round < rounds; round++) {
    const answer = table.announce(from("10.0.0.0", { numWant: 2 }), 0);
    const key = hostsOf(answer).sort().join(" ");
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  const expected = rounds / (others * (others - 1) / 2);
  assertEquals(seen.size, 10);
  let chiSquared = 0;
  for (const count of seen.values()) {
    chiSquared += (count - expected) ** 2 / expected;
  }
  // 9 degrees of freedom: above 27.9 once in a thousand.
  assert(chiSquared < 27.9, `chi squared ${chiSquared}`);
});

Deno.test("SwarmTable refuses what is not on its list, and what no longer fits", () => {
  const other = new Uint8Array(20).fill(2);
  const listed = tableWith({ allowed: new Set([toHex(HASH)]) });
  listed.announce(from("10.0.0.1"), 0);
  assertEquals(
    codeOf(() => listed.announce(from("10.0.0.1", { infoHash: other }), 0)),
    "torrent-not-allowed",
  );
  const swarms = tableWith({ maxSwarms: 1 });
  swarms.announce(from("10.0.0.1"), 0);
  const second = () =>
    swarms.announce(from("10.0.0.1", { infoHash: other }), 0);
  assertEquals(codeOf(second), "tracker-full");
  swarms.announce(from("10.0.0.1", { event: "stopped" }), 0);
  second();
  // A swarm that was deserted after downloads makes room, too.
  swarms.announce(from("10.0.0.1", { infoHash: other, event: "completed" }), 0);
  swarms.announce(from("10.0.0.1", { infoHash: other, event: "stopped" }), 0);
  assertEquals(swarms.scrape(other).completed, 1);
  swarms.announce(from("10.0.0.1"), 0);
  assertEquals([swarms.swarmCount, swarms.scrape(other).completed], [1, 0]);
  const crowded = tableWith({ maxSwarmPeers: 1 });
  crowded.announce(from("10.0.0.1"), 0);
  assertEquals(
    codeOf(() => crowded.announce(from("2001:db8::1"), 0)),
    "swarm-full",
  );
  crowded.announce(from("2001:db8::1", { infoHash: other }), 0);
  const peers = tableWith({ maxTracked: 1 });
  peers.announce(from("10.0.0.1"), 0);
  peers.announce(from("10.0.0.1"), 0);
  assertEquals(
    codeOf(() => peers.announce(from("10.0.0.2"), 0)),
    "tracker-full",
  );
});

Deno.test("SwarmTable shows the swarms that have peers, and scrapes them all", () => {
  const table = tableWith();
  const other = new Uint8Array(20).fill(2);
  table.announce(from("10.0.0.1", { uploadedBytes: 7 }), 5);
  table.announce(from("10.0.0.2"), 6);
  table.announce(from("10.0.0.1", { infoHash: other }), 6);
  table.announce(from("10.0.0.1", { infoHash: other, event: "stopped" }), 6);
  const view = table.view({ swarms: 10, peers: 1 }, 7);
  assertEquals(view.length, 1);
  assertEquals(view[0]?.leechers, 2);
  assertEquals(view[0]?.peers.length, 1);
  assertEquals(view[0]?.peers[0]?.uploadedBytes, 7);
  assertEquals(view[0]?.peers[0]?.silentMs, 2);
  assertEquals(table.scrapeAll(10).map((entry) => entry.leechers), [2]);
  assertEquals(table.scrapeAll(0), []);
});

Deno.test("SwarmTable stays consistent under random announces (seed 23)", () => {
  const rng = seededRng(23);
  const table = tableWith({ rng, maxPeers: 4 });
  const model = new Map<string, { left: number; atMs: number }>();
  let nowMs = 0;
  for (let round = 0; round < 5000; round++) {
    nowMs += Math.floor(rng() * 40);
    const host = rng() < 0.5
      ? `10.0.0.${Math.floor(rng() * 40)}`
      : `2001:db8::${Math.floor(rng() * 40) + 1}`;
    const leftBytes = rng() < 0.3 ? 0 : 5;
    const event = rng() < 0.15 ? "stopped" : "none";
    for (const [key, peer] of model) {
      // Silence is counted in ticks.
      const [now, last] = [nowMs, peer.atMs].map((atMs) =>
        Math.floor(atMs * EXPIRY_TICKS / 1000)
      );
      if (now! - last! >= EXPIRY_TICKS) model.delete(key);
    }
    table.sweep(nowMs);
    if (event === "stopped") model.delete(host);
    else model.set(host, { left: leftBytes, atMs: nowMs });
    const answer = table.announce(
      from(host, {
        leftBytes,
        event,
        ...rng() < 0.5 ? { families: "both" } : {},
      }),
      nowMs,
    );
    const seeders = [...model.values()].filter((peer) => peer.left === 0);
    assertEquals(answer.seeders, seeders.length);
    assertEquals(answer.leechers, model.size - seeders.length);
    const hosts = hostsOf(answer);
    assertEquals(new Set(hosts).size, hosts.length);
    for (const other of hosts) assert(other !== host && model.has(other));
    assertEquals(table.population(), {
      seeders: seeders.length,
      peers: model.size,
    });
  }
});
