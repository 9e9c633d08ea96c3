import { assert, assertEquals } from "@std/assert";
import { PeerDraw } from "../../../../../lib/bittorrent/tracker/table/peer_draw.ts";
import {
  EXPIRY_TICKS,
  NO_RECORD,
  PeerStore,
} from "../../../../../lib/bittorrent/tracker/table/peer_store.ts";
import { seededRng } from "../../../../../lib/core/rng.ts";

function compact(at: number): Uint8Array {
  return Uint8Array.of(10, 0, at >> 8, at, at >> 4, at);
}

function peerId(at: number): Uint8Array {
  return new Uint8Array(20).fill(at).fill(at >> 8, 0, 10);
}

/** An id whose beginning nobody shares. */
function strangeId(at: number): Uint8Array {
  const id = peerId(at);
  new DataView(id.buffer).setUint32(2, Math.imul(at + 1, 0x9e3779b1));
  return id;
}

Deno.test("PeerStore agrees with a Map under random joins, changes and departures in many swarms (seed 61)", () => {
  const rng = seededRng(61);
  const store = new PeerStore(6, rng);
  // Numbers with gaps: swarms come and go.
  const numbers = [0, 1, 70, 1003, 20];
  const model = numbers.map(() => new Map<number, number>());
  const read = new Uint8Array(20);
  for (let round = 0; round < 60_000; round++) {
    const swarm = Math.floor(rng() * numbers.length);
    const peers = model[swarm]!;
    const own = numbers[swarm]!;
    const at = Math.floor(rng() * 4000);
    const record = store.find(own, compact(at));
    assertEquals(record !== NO_RECORD, peers.has(at));
    // More joins than departures in the first half: the table of chains grows past several splits.
    if (rng() < (round < 30_000 ? 0.3 : 0.7)) {
      if (record !== NO_RECORD) store.remove(own, record);
      peers.delete(at);
    } else {
      const to = record === NO_RECORD ? store.add(own, compact(at)) : record;
      if (record === NO_RECORD) assertEquals(store.size16(to, 0), 0);
      store.touch(to, peerId(at), round);
      store.setSize16(to, 0, at);
      store.setSize16(to, 1, round & 0xffff);
      peers.set(at, round);
    }
    assertEquals(store.count(own), peers.size);
  }
  for (const [swarm, peers] of model.entries()) {
    const own = numbers[swarm]!;
    for (const [at, round] of peers) {
      const record = store.find(own, compact(at));
      assertEquals(store.at(own, store.positionOf(record)), record);
      assertEquals(store.size16(record, 0), at);
      assertEquals(store.size16(record, 1), round & 0xffff);
      assertEquals(store.silence(record, round + 5), 5);
      store.copyId(record, read, 0);
      assertEquals(read, peerId(at));
    }
  }
  let total = 0;
  for (const peers of model) total += peers.size;
  assertEquals(store.size, total);
});

Deno.test("PeerStore keeps every id in full, however many begin as no other does (seed 73)", () => {
  const rng = seededRng(73);
  const store = new PeerStore(6, rng);
  const ids = new Map<number, Uint8Array>();
  const own = 3;
  // First known programs, then more inventions than numbers are given, and known programs among and after them.
  for (let round = 0; round < 20_000; round++) {
    const at = Math.floor(rng() * 6000);
    const record = store.find(own, compact(at));
    if (record !== NO_RECORD && rng() < 0.3) {
      store.remove(own, record);
      ids.delete(at);
      continue;
    }
    const id = round < 500 || round % 3 === 0 ? peerId(at) : strangeId(at);
    const to = record === NO_RECORD ? store.add(own, compact(at)) : record;
    store.touch(to, id, 0);
    ids.set(at, id);
  }
  const read = new Uint8Array(20);
  const draw = new PeerDraw(store, { rng, maxPeers: 6000 });
  for (const [at, id] of ids) {
    store.copyId(store.find(own, compact(at)), read, 0);
    assertEquals(read, id);
  }
  for (const [at, id] of [...ids].slice(0, 40)) {
    const { count } = draw.draw({
      ...{ swarm: own, wanted: 6000, asker: NO_RECORD, peerId: id },
      ...{ withIds: false, tick: 0 },
    });
    const alike = [...ids.values()].filter((other) =>
      other.every((byte, index) => byte === id[index])
    );
    assertEquals(count, store.count(own) - alike.length, `${at}`);
  }
});

Deno.test("PeerStore does not take the id of an empty record for one of zeros", () => {
  const store = new PeerStore(6, seededRng(79));
  const read = new Uint8Array(20);
  const zeros = store.add(0, compact(0));
  store.touch(zeros, new Uint8Array(20), 0);
  const other = store.add(0, compact(1));
  store.touch(other, strangeId(1), 0);
  store.copyId(zeros, read, 0);
  assertEquals(read, new Uint8Array(20));
  store.copyId(other, read, 0);
  assertEquals(read, strangeId(1));
});

Deno.test("PeerDraw gives every ordered pair the same chance, also after departures (seed 67)", () => {
  const rng = seededRng(67);
  const store = new PeerStore(6, rng);
  const own = 1;
  for (let at = 0; at < 12; at++) {
    store.touch(store.add(own, compact(at)), peerId(at), 0);
  }
  for (const at of [0, 5, 11, 7, 2]) {
    store.remove(own, store.find(own, compact(at)));
  }
  const draw = new PeerDraw(store, { rng, maxPeers: 50 });
  const asker = store.find(own, compact(3));
  const seen = new Map<string, number>();
  const rounds = 15_000;
  for (let round = 0; round < rounds; round++) {
    const drawn = draw.draw({
      ...{ swarm: own, wanted: 2, asker, peerId: peerId(3) },
      ...{ withIds: true, tick: 0 },
    });
    assertEquals(drawn.count, 2);
    const pair = `${drawn.compact[3]} ${drawn.compact[9]}`;
    assertEquals(
      [drawn.ids?.[19], drawn.ids?.[39]],
      pair.split(" ").map(Number),
    );
    seen.set(pair, (seen.get(pair) ?? 0) + 1);
  }
  // Six others remain: 30 ordered pairs, 29 degrees of freedom, above 58.3 once in a thousand.
  assertEquals(seen.size, 30);
  let chiSquared = 0;
  for (const count of seen.values()) {
    chiSquared += (count - rounds / 30) ** 2 / (rounds / 30);
  }
  assert(chiSquared < 58.3, `chi squared ${chiSquared}`);
});

Deno.test("PeerDraw gives up when all have gone, and draws all of a swarm larger than before", () => {
  const rng = seededRng(71);
  const store = new PeerStore(6, rng);
  const own = 1;
  for (let at = 0; at < 5000; at++) {
    store.touch(store.add(own, compact(at)), peerId(at), 0);
  }
  const draw = new PeerDraw(store, { rng, maxPeers: 1000 });
  const draws = (tick: number, wanted: number) =>
    draw.draw({
      ...{
        swarm: own,
        wanted,
        asker: NO_RECORD,
        peerId: new Uint8Array(20).fill(1),
      },
      ...{ withIds: false, tick },
    });
  assertEquals(draws(EXPIRY_TICKS, 50).count, 0);
  assertEquals(draws(EXPIRY_TICKS - 1, 1000).count, 1000);
  const { count, compact: bytes } = draws(0, 1000);
  const distinct = new Set<string>();
  for (let at = 0; at < count; at++) {
    distinct.add(bytes.subarray(6 * at, 6 * at + 6).join("."));
  }
  assertEquals(distinct.size, 1000);
});
