import { assert, assertEquals } from "@std/assert";
import { concat, toHex } from "../../../../lib/core/bytes.ts";
import { seededRng } from "../../../../lib/core/rng.ts";
import type { SwarmEvent } from "../../../../lib/bittorrent/swarm/in_out.ts";
import { encodeHandshake } from "../../../../lib/bittorrent/wire/handshake.ts";
import { encodeMessage } from "../../../../lib/bittorrent/wire/messages.ts";
import { WireDecoder } from "../../../../lib/bittorrent/wire/decoder.ts";
import {
  type Host,
  layoutOf,
  SwarmWorld,
} from "../../../support/swarm_world.ts";

const KIB = 1024;

function handshake(infoHash = 7, peerId = 99): Uint8Array {
  return encodeHandshake({
    infoHash: new Uint8Array(20).fill(infoHash),
    peerId: new Uint8Array(20).fill(peerId),
  });
}

function eventsOf<T extends SwarmEvent["type"]>(
  host: Host,
  type: T,
): Extract<SwarmEvent, { type: T }>[] {
  return host.events.map(({ event }) => event)
    .filter((event): event is Extract<SwarmEvent, { type: T }> =>
      event.type === type
    );
}

/** A world with a seed, and a stranger who has connected to it. */
function strangerAtSeed(seed = 1) {
  const world = new SwarmWorld(layoutOf(512 * KIB, 64 * KIB), { seed });
  const host = world.add({ seed: true });
  return { world, host, stranger: world.intrude(host) };
}

Deno.test("Swarm closes a connection that breaks the protocol, and only that one", () => {
  const bad: readonly [string, Uint8Array][] = [
    ["handshake-not-bittorrent", Uint8Array.of(19, 66, 0, 0)],
    ["handshake-other-torrent", handshake(8)],
    [
      "wire-too-long",
      concat(handshake(), Uint8Array.of(255, 255, 255, 255, 7)),
    ],
    [
      "have-out-of-range",
      concat(handshake(), encodeMessage({ kind: "have", pieceIndex: 8 })),
    ],
    [
      "bitfield-bad-length",
      concat(
        handshake(),
        encodeMessage({ kind: "bitfield", bytes: new Uint8Array(0) }),
      ),
    ],
    [
      "request-out-of-range",
      concat(
        handshake(),
        encodeMessage({
          kind: "request",
          pieceIndex: 0,
          begin: 60 * KIB,
          lengthBytes: 16 * KIB,
        }),
      ),
    ],
  ];
  for (const [code, bytes] of bad) {
    const { world, host, stranger } = strangerAtSeed();
    const leech = world.add();
    world.introduce(leech, [host]);
    world.run(5);
    stranger.send(bytes);
    assertEquals(
      eventsOf(host, "protocol.violated").map((event) => event.code),
      [code],
    );
    world.run(60_000, () => leech.completedAtMs < Infinity);
    assert(leech.completedAtMs < 2_000, `${code}: ${leech.completedAtMs}`);
  }
});

Deno.test("Swarm serves on through random bytes from 200 strangers (seed 4)", () => {
  const { world, host } = strangerAtSeed(4);
  const rng = seededRng(4);
  const leech = world.add();
  world.introduce(leech, [host]);
  for (let stranger = 0; stranger < 200; stranger++) {
    const link = world.intrude(host);
    const noise = Uint8Array.from(
      { length: 300 },
      () => rng() < 0.3 ? 0 : rng() * 256,
    );
    link.send(
      stranger % 2 === 0 ? noise : concat(handshake(7, stranger), noise),
    );
  }
  world.run(60_000, () => leech.completedAtMs < Infinity);
  assert(leech.completedAtMs < 5_000);
});

Deno.test("Swarm gives up on a handshake after 10 s and lets silent strangers keep no one out", () => {
  const { world, host } = strangerAtSeed();
  for (let stranger = 0; stranger < 100; stranger++) world.intrude(host);
  const leech = world.add();
  world.introduce(leech, [host]);
  world.run(3_000, () => leech.completedAtMs < Infinity);
  assert(leech.completedAtMs < 3_000);
  world.run(12_000);
  assertEquals(host.swarm.status.peers, 0);
});

Deno.test("Swarm lets in a class that comes at once, and makes room among silent strangers who had time to speak", () => {
  const world = new SwarmWorld(layoutOf(512 * KIB, 64 * KIB), { seed: 1 });
  const host = world.add({ seed: true });
  for (let at = 0; at < 60; at++) world.introduce(world.add(), [host]);
  world.run(10);
  assertEquals(eventsOf(host, "peer.connected").length, 60);
  // Silent ones, of 33 hosts, one after the other, then one more: at once, and after they had time to say who they are.
  for (const [afterMs, closed] of [[0, 0], [2_000, 1]] as const) {
    const { swarm } = new SwarmWorld(layoutOf(512 * KIB), { seed: 1 }).add();
    const accept = (link: number, nowMs: number) =>
      swarm.handle({
        kind: "accepted",
        link,
        remote: { host: `10.0.${link}.1`, port: 7000 },
      }, nowMs).filter(({ kind }) => kind === "close").length;
    for (let link = 1; link <= 32; link++) assertEquals(accept(link, 0), 0);
    assertEquals(accept(33, afterMs), closed);
  }
});

Deno.test("Swarm connects to the next as soon as one has answered", () => {
  const world = new SwarmWorld(layoutOf(512 * KIB, 64 * KIB), { seed: 1 });
  const others = Array.from({ length: 50 }, () => world.add());
  const host = world.add();
  world.introduce(host, others);
  world.run(100);
  assertEquals(eventsOf(host, "peer.connected").length, 50);
});

Deno.test("Swarm ends a connection whose peer floods it with requests", () => {
  const { world, host, stranger } = strangerAtSeed();
  stranger.send(concat(handshake(), encodeMessage({ kind: "interested" })));
  const request = encodeMessage({
    kind: "request",
    pieceIndex: 1,
    begin: 0,
    lengthBytes: 16 * KIB,
  });
  stranger.send(concat(...new Array<Uint8Array>(3000).fill(request)));
  world.run(1);
  assertEquals(eventsOf(host, "protocol.violated")[0]?.code, "request-flood");
});

Deno.test("Swarm unchokes at once whoever is interested while a slot is free, and never as a free rider", () => {
  for (const freeRide of [false, true]) {
    const world = new SwarmWorld(layoutOf(512 * KIB, 64 * KIB), { seed: 1 });
    const host = world.add({ seed: true, freeRide });
    const stranger = world.intrude(host);
    stranger.send(concat(handshake(), encodeMessage({ kind: "interested" })));
    world.run(freeRide ? 60_000 : 1);
    assertEquals(eventsOf(host, "peer.unchoked").length, freeRide ? 0 : 1);
  }
});

Deno.test("Swarm says its bitfield first to a peer without extensions", () => {
  const world = new SwarmWorld(layoutOf(512 * KIB, 64 * KIB), { seed: 1 });
  const host = world.add({ seed: true });
  const outputs = [
    ...host.swarm.handle({
      kind: "accepted",
      link: -99,
      remote: { host: "10.0.0.9", port: 1 },
    }, 0),
    ...host.swarm.handle(
      { kind: "received", link: -99, bytes: handshake() },
      0,
    ),
  ];
  const send = outputs.find((output) => output.kind === "send");
  assert(send?.kind === "send");
  const decoder = new WireDecoder({ pieceCount: 8 });
  const [first] = decoder.push(send.bytes);
  assertEquals(first, { kind: "bitfield", bytes: Uint8Array.of(0xff) });
});

Deno.test("Swarm bans the peer that sends bad pieces and completes from the others", () => {
  const world = new SwarmWorld(layoutOf(1024 * KIB, 64 * KIB), { seed: 2 });
  const liar = world.add({ seed: true, corrupt: true });
  const honest = world.add({
    seed: true,
    uploadBytesPerSecond: 100 * KIB,
    superSeed: false,
  });
  const leech = world.add();
  world.introduce(leech, [liar, honest]);
  world.run(120_000, () => leech.completedAtMs < Infinity);
  assert(leech.completedAtMs < 60_000, `${leech.completedAtMs}`);
  assert(eventsOf(leech, "piece.rejected").length > 0);
  const banned = eventsOf(leech, "peer.banned").map((event) => event.peerId);
  assert(banned.includes(toHex(liar.peerId)), `${banned}`);
});

Deno.test("Swarm bans the liar and nobody else, although all gave blocks of the bad pieces", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = new SwarmWorld(layoutOf(8192 * KIB, 512 * KIB), { seed });
    const host = (corrupt: boolean) =>
      world.add({
        ...{ seed: true, corrupt, superSeed: false },
        uploadBytesPerSecond: 200 * KIB,
      });
    const liar = host(true);
    const honest = [host(false), host(false), host(false)];
    const leech = world.add();
    world.introduce(leech, [liar, ...honest]);
    world.run(120_000, () => leech.completedAtMs < Infinity);
    assert(leech.completedAtMs < 60_000, `${leech.completedAtMs}`);
    const banned = eventsOf(leech, "peer.banned").map((event) => event.peerId);
    assertEquals(banned, [toHex(liar.peerId)]);
  }
});

Deno.test("Swarm keeps one connection of two peers that connect to each other at once, and none to itself", () => {
  const world = new SwarmWorld(layoutOf(4096 * KIB), { seed: 1 });
  const a = world.add({ seed: true, uploadBytesPerSecond: 1024 * KIB });
  const b = world.add();
  world.introduce(a, [a, b]);
  world.introduce(b, [a, b]);
  world.run(1_000);
  assertEquals([a.swarm.status.peers, b.swarm.status.peers], [1, 1]);
  world.run(60_000, () => b.completedAtMs < Infinity);
  assert(b.completedAtMs < 6_000);
});

Deno.test("Swarm asks others after 60 s when a peer that was asked stays silent", () => {
  const world = new SwarmWorld(layoutOf(128 * KIB, 64 * KIB), { seed: 1 });
  const leech = world.add();
  const stranger = world.intrude(leech);
  stranger.send(concat(
    handshake(),
    encodeMessage({ kind: "bitfield", bytes: Uint8Array.of(0xc0) }),
    encodeMessage({ kind: "unchoke" }),
  ));
  world.run(50_000);
  const seed = world.add({ seed: true });
  world.introduce(leech, [seed]);
  world.run(120_000, () => leech.completedAtMs < Infinity);
  assert(leech.completedAtMs < 70_000, `${leech.completedAtMs}`);
});

Deno.test("Swarm keeps a download limit within 2 % and sends keep-alives into silence", () => {
  const world = new SwarmWorld(layoutOf(10 * 1024 * KIB), { seed: 1 });
  const seed = world.add({ seed: true });
  const leech = world.add({ downloadBytesPerSecond: 1024 * KIB });
  const idle = world.intrude(seed);
  idle.send(handshake(7, 50));
  world.introduce(leech, [seed]);
  world.run(60_000, () => leech.completedAtMs < Infinity);
  assert(
    Math.abs(leech.completedAtMs - 10_000) < 200,
    `${leech.completedAtMs}`,
  );
  world.run(170_000);
  assertEquals(seed.swarm.status.peers, 1);
  world.run(190_000);
  assertEquals(seed.swarm.status.peers, 0);
});
