import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  decodeSnapshot,
  encodeSnapshot,
} from "../../../../../lib/bittorrent/tracker/table/swarm_snapshot.ts";
import { SwarmTable } from "../../../../../lib/bittorrent/tracker/table/swarm_table.ts";
import { parseAddress } from "../../../../../lib/core/address.ts";
import { ProtocolError } from "../../../../../lib/core/errors.ts";
import { concat, toHex, utf8 } from "../../../../../lib/core/bytes.ts";
import { seededRng } from "../../../../../lib/core/rng.ts";
import { runningSha256, sha256 } from "../../../../../lib/io/hash.ts";

const EXPIRY_MS = 10_000;

function emptyTable(
  change: {
    readonly allowed?: readonly string[];
    readonly maxSwarms?: number;
  } = {},
) {
  return new SwarmTable({
    ...{ rng: seededRng(3), expiryMs: EXPIRY_MS, maxPeers: 50, ...change },
  });
}

function infoHash(at: number): Uint8Array {
  return new Uint8Array(20).fill(at + 1);
}

/** Three swarms, the last one with downloads only. */
function filledTable(): SwarmTable {
  const table = emptyTable();
  for (let at = 0; at < 40; at++) {
    const host = at % 4 === 0 ? `2001:db8::${at + 1}` : `10.0.0.${at}`;
    table.announce({
      infoHash: infoHash(at % 3),
      peerId: utf8(`-RC0001-${at}`.padEnd(20, "-")),
      address: parseAddress(host),
      families: "both",
      port: 6881 + at,
      uploadedBytes: at,
      downloadedBytes: 2 ** 40 * at,
      leftBytes: at % 2 === 0 ? 0 : 1000 * at,
      event: at % 5 === 0 ? "completed" : "none",
      numWant: 0,
    }, 100 * at);
  }
  for (let at = 2; at < 40; at += 3) {
    table.announce({
      infoHash: infoHash(2),
      peerId: new Uint8Array(20),
      address: parseAddress(
        at % 4 === 0 ? `2001:db8::${at + 1}` : `10.0.0.${at}`,
      ),
      families: "both",
      port: 6881 + at,
      ...{ uploadedBytes: 0, downloadedBytes: 0, leftBytes: 0 },
      event: "stopped",
      numWant: 0,
    }, 4000);
  }
  return table;
}

function restored(bytes: Uint8Array, table = emptyTable(), nowMs = 70_000) {
  for (const swarm of decodeSnapshot(bytes, { sha256 }).swarms) {
    table.restore(swarm, nowMs);
  }
  return table;
}

function save(table: SwarmTable, nowMs: number): Uint8Array<ArrayBuffer> {
  return concat(...encodeSnapshot(table.stored(() => nowMs), {
    ...{ savedAtWallMs: 1e12, hash: runningSha256() },
  }));
}

Deno.test("a snapshot of the swarms restores every peer, its age, and the counts", () => {
  const before = filledTable();
  const bytes = save(before, 4000);
  assertEquals(decodeSnapshot(bytes, { sha256 }).savedAtWallMs, 1e12);
  const after = restored(bytes);
  // Ages are counted in ticks, a little longer than a millisecond here.
  const view = (table: SwarmTable, nowMs: number) =>
    table.view({ swarms: 10, peers: 100 }, nowMs).map((swarm) => ({
      ...swarm,
      peers: swarm.peers.map((peer) => ({
        ...peer,
        silentMs: Math.round(peer.silentMs / 50),
      })),
    }));
  assertEquals(view(after, 70_000), view(before, 4000));
  assertEquals(after.population(), before.population());
  assertEquals(after.totals.completed, before.totals.completed);
  assertEquals(after.scrape(infoHash(2)), before.scrape(infoHash(2)));
  assert(after.scrape(infoHash(2)).completed > 0);
  // Peers go on ageing: the first ones announced at 0, 4 s before the snapshot.
  const count = after.peerCount;
  assertEquals(after.sweep(70_000 + EXPIRY_MS - 4010), []);
  after.sweep(70_000 + EXPIRY_MS - 2000);
  assert(after.peerCount < count && after.peerCount > 0);
  // A repeated "completed" counts once, also across the restart.
  assertEquals(save(restored(save(before, 4000)), 70_000).length, bytes.length);
});

Deno.test("a table is stored, and a snapshot read, without memory for each peer: at most five seconds are left when a tracker stops", () => {
  const table = filledTable();
  for (const { peerCount, peers } of table.stored(() => 4000)) {
    const arrays = new Set([...peers].map((peer) => peer.compact));
    // One for IPv4, one for IPv6.
    assert(peerCount <= 2 || arrays.size <= 2, `${peerCount} ${arrays.size}`);
  }
  const { swarms } = decodeSnapshot(save(table, 4000), { sha256 });
  for (const { peers } of swarms) assert(!Array.isArray(peers));
});

Deno.test("a snapshot that is written while peers come and go has everyone who was there all the time", () => {
  const table = emptyTable();
  const announce = (at: number, event: "none" | "stopped" = "none") =>
    table.announce({
      infoHash: infoHash(at % 2),
      peerId: new Uint8Array(20).fill(at),
      address: Uint8Array.of(10, at >> 16, at >> 8, at),
      families: "both",
      port: 6881,
      ...{ uploadedBytes: 0, downloadedBytes: 0, leftBytes: 1 },
      ...{ event, numWant: 0 },
    }, 0);
  const COUNT = 20_000;
  for (let at = 0; at < COUNT; at++) announce(at);
  const rng = seededRng(5);
  const gone = new Set<number>();
  const pieces: Uint8Array[] = [];
  const parts = encodeSnapshot(table.stored(() => 0), {
    ...{ savedAtWallMs: 1e12, hash: runningSha256() },
  });
  for (const piece of parts) {
    pieces.push(piece);
    for (let count = 0; count < 500; count++) {
      const at = Math.floor(rng() * COUNT);
      gone.add(at);
      announce(at, "stopped");
      announce(COUNT + at);
    }
  }
  // None is so long that announces would wait for it.
  assert(pieces.length > 8 && pieces.every(({ length }) => length < 200_000));
  const after = restored(concat(...pieces), emptyTable(), 0);
  const known = new Set(
    after.view({ swarms: 2, peers: 100_000 }, 0).flatMap(({ peers }) =>
      peers.map(({ compact: [, a = 0, b = 0, c = 0] }) => a << 16 | b << 8 | c)
    ),
  );
  for (let at = 0; at < COUNT; at++) {
    assert(known.has(at) || gone.has(at), String(at));
  }
});

Deno.test("restore leaves out who has been silent for too long, and what is not allowed any more", () => {
  const bytes = save(filledTable(), EXPIRY_MS + 1000);
  const table = restored(bytes);
  const silent = Math.ceil(1000 / 100);
  assert(table.peerCount <= 27 - Math.floor(silent * 2 / 3) + 1);
  const listed = restored(
    save(filledTable(), 4000),
    emptyTable({ allowed: [toHex(infoHash(0))] }),
  );
  assertEquals(listed.swarmCount, 1);
});

Deno.test("restore keeps a swarm whose peers come in a later part, when places for swarms are needed", () => {
  const table = emptyTable({ maxSwarms: 1 });
  const [swarm] = filledTable().stored(() => 4000);
  const peers = [...swarm!.peers].slice(-1);
  table.restore({ ...swarm!, peers: [] }, 0);
  table.restore({ ...swarm!, completed: 0, peers }, 0);
  assertThrows(() =>
    table.announce({
      infoHash: infoHash(9),
      peerId: new Uint8Array(20),
      address: Uint8Array.of(10, 0, 0, 1),
      families: "both",
      port: 6881,
      ...{ uploadedBytes: 0, downloadedBytes: 0, leftBytes: 1 },
      ...{ event: "none", numWant: 0 },
    }, 0), ProtocolError);
  assertEquals(table.peerCount, 1);
});

Deno.test("restoring twice changes nothing but the counts of downloads", () => {
  const bytes = save(filledTable(), 4000);
  const table = restored(bytes);
  const peers = table.peerCount;
  restored(bytes, table);
  assertEquals(table.peerCount, peers);
});

Deno.test("decodeSnapshot refuses every truncation and every changed byte", () => {
  const bytes = save(filledTable(), 4000);
  const refuses = (bad: Uint8Array) =>
    assertThrows(() => decodeSnapshot(bad, { sha256 }), SyntaxError);
  for (let length = 0; length < bytes.length; length += 7) {
    refuses(bytes.subarray(0, length));
  }
  for (let at = 0; at < bytes.length; at += 5) {
    const bad = bytes.slice();
    bad[at] = bad[at]! ^ 0x40;
    refuses(bad);
  }
  refuses(concat(bytes, Uint8Array.of(0)));
  refuses(utf8("hello"));
});

Deno.test("an empty table has a snapshot, too", () => {
  assertEquals(restored(save(emptyTable(), 0)).swarmCount, 0);
});
