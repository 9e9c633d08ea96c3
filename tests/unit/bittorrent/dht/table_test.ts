import { assert, assertEquals } from "@std/assert";
import { seededRng } from "../../../../lib/core/rng.ts";
import {
  compareDistance,
  randomIdBeside,
  sharedBits,
} from "../../../../lib/bittorrent/dht/id.ts";
import { RoutingTable } from "../../../../lib/bittorrent/dht/table.ts";

const OWN = new Uint8Array(20);
const MINUTE_MS = 60_000;

/** A node whose id begins with a byte; the rest is `rest`. */
function node(first: number, rest: number, host = `10.0.${first}.${rest}`) {
  const id = new Uint8Array(20).fill(rest);
  id[0] = first;
  return { id, host, port: 6881 };
}

/** A table whose far bucket is full of eight nodes, heard of one minute after the other. */
function fullTable() {
  const table = new RoutingTable(OWN, 0);
  for (let at = 0; at < 8; at++) {
    assert(table.responded(node(0x80, at), at * MINUTE_MS).added);
  }
  // One of our half, so that the far bucket is not the last one.
  assert(table.responded(node(0x01, 1), 8 * MINUTE_MS).added);
  assertEquals(table.bucketSizes, [8, 1]);
  return table;
}

Deno.test("sharedBits and compareDistance are about leading bits and XOR", () => {
  const [a, b] = [node(0b1010_0000, 0).id, node(0b1000_0000, 0).id];
  assertEquals(sharedBits(a, b), 2);
  assertEquals(sharedBits(a, a), 160);
  assert(compareDistance(OWN, b, a) < 0);
  assert(compareDistance(a, a, b) < 0);
  assertEquals(compareDistance(a, b, b), 0);
});

Deno.test("randomIdBeside shares exactly the bits it is to share", () => {
  const rng = seededRng(3);
  const own = Uint8Array.from({ length: 20 }, () => rng() * 256);
  for (let bits = 0; bits < 160; bits++) {
    assertEquals(sharedBits(own, randomIdBeside(own, bits, rng)), bits);
  }
});

Deno.test("RoutingTable splits only the bucket of our own id", () => {
  const table = new RoutingTable(OWN, 0);
  for (let at = 0; at < 20; at++) table.responded(node(0x80, at), 0);
  assertEquals(table.bucketSizes, [8, 0]);
  for (let at = 0; at < 20; at++) table.responded(node(0x01, at), 0);
  assertEquals(table.bucketSizes, [8, 0, 0, 0, 0, 0, 0, 8, 0]);
  assertEquals(table.size, 16);
});

Deno.test("RoutingTable keeps eight good nodes and turns a ninth away", () => {
  const table = fullTable();
  assertEquals(table.responded(node(0x80, 9), 9 * MINUTE_MS), {
    added: false,
    ping: null,
  });
  assert(!table.queried(node(0x80, 9), 9 * MINUTE_MS));
});

Deno.test("RoutingTable pings the questionable node seen longest ago, twice, then replaces it", () => {
  const table = fullTable();
  const atMs = 17 * MINUTE_MS; // The first three were last seen 15 minutes ago or more.
  const first = table.responded(node(0x80, 9), atMs);
  assertEquals([first.added, first.ping?.host], [false, "10.0.128.0"]);
  assertEquals(table.failed(node(0x80, 0), atMs)?.host, "10.0.128.0");
  // The newcomer takes the place; nobody waits any more.
  assertEquals(table.failed(node(0x80, 0), atMs), null);
  const hosts = table.closest(node(0x80, 0).id, 20).map(({ host }) => host);
  assert(hosts.includes("10.0.128.9"));
  assert(!hosts.includes("10.0.128.0"));
  assertEquals(table.bucketSizes, [8, 1]);
});

Deno.test("RoutingTable goes on to the next questionable node when the first answers, and forgets who waits when all are good", () => {
  const table = fullTable();
  const atMs = 17 * MINUTE_MS;
  table.responded(node(0x80, 9), atMs);
  const pinged: (string | undefined)[] = [];
  for (let at = 0; at < 3; at++) {
    pinged.push(table.responded(node(0x80, at), atMs).ping?.host);
  }
  assertEquals(pinged, ["10.0.128.1", "10.0.128.2", undefined]);
  assertEquals(table.failed(node(0x80, 5), atMs), null);
});

Deno.test("RoutingTable takes a node that asked us within 15 minutes for good if it ever answered", () => {
  const table = fullTable();
  const atMs = 17 * MINUTE_MS;
  for (let at = 0; at < 3; at++) table.queried(node(0x80, at), atMs);
  assertEquals(table.responded(node(0x80, 9), atMs).ping, null);
});

Deno.test("RoutingTable replaces a bad node at once, and hands none out", () => {
  const table = fullTable();
  const bad = node(0x80, 4);
  table.failed(bad, 9 * MINUTE_MS);
  table.failed(bad, 9 * MINUTE_MS);
  assertEquals(table.usable, 8);
  const near = table.closest(bad.id).map(({ host }) => host);
  assert(!near.includes(bad.host));
  assert(table.queried(node(0x80, 9), 9 * MINUTE_MS));
  assert(table.responded(node(0x80, 9), 9 * MINUTE_MS).added);
  assertEquals(table.bucketSizes, [8, 1]);
});

Deno.test("RoutingTable keeps one id for each place and one place for each id", () => {
  const table = new RoutingTable(OWN, 0);
  assert(table.responded(node(0x80, 1, "10.0.0.1"), 0).added);
  // The same host comes back under another id, and a thief claims the first host's.
  assert(table.responded(node(0x80, 2, "10.0.0.1"), 0).added);
  assert(!table.responded(node(0x80, 2, "10.6.6.6"), 0).added);
  assertEquals(table.closest(OWN).map(({ host, id }) => [host, id[5]]), [
    ["10.0.0.1", 2],
  ]);
  assert(!table.responded({ id: OWN, host: "10.0.0.9", port: 1 }, 0).added);
});

Deno.test("RoutingTable closest is sorted by distance", () => {
  const rng = seededRng(8);
  const table = new RoutingTable(OWN, 0);
  for (let at = 0; at < 200; at++) {
    const id = Uint8Array.from({ length: 20 }, () => rng() * 256);
    table.responded({ id, host: `10.0.0.${at}`, port: 1 }, 0);
  }
  const target = Uint8Array.from({ length: 20 }, () => rng() * 256);
  const near = table.closest(target);
  assertEquals(near.length, 8);
  for (let at = 1; at < 8; at++) {
    assert(compareDistance(target, near[at - 1]!.id, near[at]!.id) < 0);
  }
});

Deno.test("RoutingTable names an id of each bucket that was quiet for 15 minutes", () => {
  const table = fullTable();
  const rng = seededRng(1);
  assertEquals(table.staleAtMs, 22 * MINUTE_MS);
  assertEquals(table.refresh(22 * MINUTE_MS - 1, rng), null);
  const far = table.refresh(22 * MINUTE_MS, rng)!;
  assertEquals(sharedBits(OWN, far), 0);
  assertEquals(table.refresh(22 * MINUTE_MS, rng), null);
  const near = table.refresh(23 * MINUTE_MS, rng)!;
  assertEquals(sharedBits(OWN, near), 1);
});
