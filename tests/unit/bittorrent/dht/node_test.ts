import { assert, assertEquals, assertLess } from "@std/assert";
import type { Family } from "../../../../lib/core/address.ts";
import { fromUtf8, utf8 } from "../../../../lib/core/bytes.ts";
import { type Rng, seededRng } from "../../../../lib/core/rng.ts";
import { mayContact } from "../../../../lib/bittorrent/dht/contact.ts";
import {
  decodeKrpc,
  type DhtQuestion,
  encodeQuery,
  encodeResponse,
} from "../../../../lib/bittorrent/dht/message.ts";
import { DhtNode } from "../../../../lib/bittorrent/dht/node.ts";
import type { DhtOutput } from "../../../../lib/bittorrent/dht/state.ts";
import { DhtPeerStore } from "../../../../lib/bittorrent/dht/peer_store.ts";
import { DhtTokens } from "../../../../lib/bittorrent/dht/tokens.ts";
import { DhtTransactions } from "../../../../lib/bittorrent/dht/transactions.ts";
import { sha1 } from "../../../../lib/io/hash.ts";

const OWN = utf8("abcdefghij0123456789");
const OTHER = utf8("mnopqrstuvwxyz123456");
const INFO_HASH = utf8("0123456789abcdefghij");
const AA = utf8("aa");
const MINUTE_MS = 60_000;
const ALICE = { host: "10.0.0.1", port: 7001 };

function newNode(family: Family = "ipv4"): DhtNode {
  return new DhtNode({
    ...{ id: OWN, family, rng: seededRng(1), hash: sha1 },
    secret: utf8("nobody can guess"),
  }, 0);
}

/** What `node` sends because of a query from `from`. */
function ask(
  node: DhtNode,
  question: DhtQuestion,
  { from = ALICE, nowMs = 0, id = OTHER as Uint8Array } = {},
): DhtOutput[] {
  const bytes = encodeQuery({ transactionId: AA, id, question });
  return node.handle({ kind: "datagram", bytes, from }, nowMs);
}

/** The first answer to a query, decoded. */
function answer(outputs: readonly DhtOutput[]) {
  const send = outputs.find((output) => output.kind === "send");
  assert(send?.kind === "send", "there is no answer");
  return decodeKrpc(send.bytes);
}

/** Who asks, and when. */
interface Asking {
  readonly from?: typeof ALICE;
  readonly nowMs?: number;
  readonly id?: Uint8Array;
}

function tokenOf(node: DhtNode, asking: Asking = {}): Uint8Array {
  const question = { kind: "get_peers", infoHash: INFO_HASH } as const;
  const read = answer(ask(node, question, asking));
  assert(read.kind === "response" && read.answer.token !== null);
  return read.answer.token;
}

function announce(
  node: DhtNode,
  token: Uint8Array,
  { impliedPort = false, ...asking }: Asking & {
    readonly impliedPort?: boolean;
  } = {},
) {
  return answer(ask(node, {
    ...{ kind: "announce_peer", infoHash: INFO_HASH, token },
    ...{ port: 6881, impliedPort },
  }, asking));
}

Deno.test("DhtNode answers a ping, and pings back whoever it does not know", () => {
  const [pong, ping, ...rest] = ask(newNode(), { kind: "ping" });
  assert(pong?.kind === "send" && ping?.kind === "send");
  const read = decodeKrpc(pong.bytes);
  assert(read.kind === "response");
  assertEquals([fromUtf8(read.id), read.transactionId], [fromUtf8(OWN), AA]);
  const back = decodeKrpc(ping.bytes);
  assert(back.kind === "query" && back.question.kind === "ping");
  assertEquals([pong.to, ping.to, rest], [ALICE, ALICE, []]);
});

Deno.test("DhtNode does not ping a read-only node (BEP 43)", () => {
  const bytes = utf8(
    "d1:ad2:id20:mnopqrstuvwxyz123456e1:q4:ping2:roi1e1:t2:aa1:y1:qe",
  );
  const node = newNode();
  const outputs = node.handle({ kind: "datagram", bytes, from: ALICE }, 0);
  assertEquals(outputs.length, 1);
});

Deno.test("DhtNode hands out a peer that was announced with a token, and takes the UDP port for it if it is implied", () => {
  for (const impliedPort of [false, true]) {
    const node = newNode();
    const told = announce(node, tokenOf(node), { impliedPort });
    assertEquals(told.kind, "response");
    const asker = { host: "10.0.0.2", port: 1 };
    const question = { kind: "get_peers", infoHash: INFO_HASH } as const;
    const read = answer(ask(node, question, { from: asker }));
    assert(read.kind === "response");
    const port = impliedPort ? 7001 : 6881;
    assertEquals(read.answer.peers, [{ host: "10.0.0.1", port }]);
  }
});

Deno.test("DhtNode refuses a token of another host, of eleven minutes ago, or made up, with error 203", () => {
  const node = newNode();
  const token = tokenOf(node);
  const bad = { kind: "error", transactionId: AA, code: 203 };
  const refused = { ...bad, message: "Bad token" } as ReturnType<typeof answer>;
  const mallory = { host: "10.0.0.66", port: 7001 };
  assertEquals(announce(node, token, { from: mallory }), refused);
  assertEquals(announce(node, utf8("aoeusnth")), refused);
  assertEquals(announce(node, new Uint8Array()), refused);
  assertEquals(announce(node, token, { nowMs: 11 * MINUTE_MS }), refused);
  assertEquals(node.status.storedPeers, 0);
  const later = newNode();
  const good = tokenOf(later, { nowMs: 4 * MINUTE_MS });
  const told = announce(later, good, { nowMs: 9.5 * MINUTE_MS });
  assertEquals(told.kind, "response");
});

Deno.test("DhtTokens are good for five to ten minutes, whenever they were given out", () => {
  const tokens = new DhtTokens({
    hash: sha1,
    secret: utf8("nobody can guess"),
  });
  for (let minute = 0; minute < 20; minute += 0.5) {
    const atMs = minute * MINUTE_MS;
    const token = tokens.issue("10.0.0.1", atMs);
    assertEquals(token.length, 8);
    assert(tokens.accepts(token, "10.0.0.1", atMs + 5 * MINUTE_MS));
    const others = new DhtTokens({ hash: sha1, secret: utf8("another one") });
    assert(!others.accepts(token, "10.0.0.1", atMs));
    assert(!tokens.accepts(token, "10.0.0.1", atMs + 10 * MINUTE_MS));
  }
});

Deno.test("DhtNode tells at once whom it stores for a torrent that it shares itself", () => {
  const node = newNode();
  const share = { infoHash: INFO_HASH, port: 6881 };
  node.handle({ kind: "share", share }, 0);
  const question = {
    ...{ kind: "announce_peer", infoHash: INFO_HASH, port: 6881 } as const,
    ...{ token: tokenOf(node), impliedPort: false },
  };
  const found = ask(node, question).filter((output) =>
    output.kind === "peers-found"
  );
  assertEquals(found, [{
    ...{ kind: "peers-found", infoHash: INFO_HASH },
    peers: [{ host: "10.0.0.1", port: 6881 }],
  }]);
});

Deno.test("DhtNode takes an answer only from the node it asked, with the transaction it gave", () => {
  const node = newNode();
  const [ping] = node.handle({ kind: "node-hinted", node: ALICE }, 0);
  assert(ping?.kind === "send");
  const query = decodeKrpc(ping.bytes);
  assert(query.kind === "query");
  const { transactionId } = query;
  const none = { nodes: [], peers: [], token: null };
  const respond = (id: Uint8Array, from: typeof ALICE) => {
    const bytes = encodeResponse({
      transactionId: id,
      id: OTHER,
      answer: none,
    });
    node.handle({ kind: "datagram", bytes, from }, 10);
    return node.status.nodes;
  };
  const turned = transactionId.map((byte) => byte ^ 1);
  assertEquals(respond(turned, ALICE), 0);
  assertEquals(respond(transactionId, { ...ALICE, port: 1 }), 0);
  assertEquals(respond(transactionId, { ...ALICE, host: "10.0.0.2" }), 0);
  assertEquals(respond(transactionId, ALICE), 1);
});

Deno.test("DhtNode of IPv6 hands out nodes6 and peers of 18 bytes, and is deaf to IPv4 (BEP 32)", () => {
  const node = newNode("ipv6");
  const alice = { host: "fd00::1", port: 7001 };
  const [ping] = node.handle({ kind: "node-hinted", node: alice }, 0);
  assert(ping?.kind === "send");
  const { transactionId } = decodeKrpc(ping.bytes) as {
    transactionId: Uint8Array;
  };
  const none = { nodes: [], peers: [], token: null };
  const bytes = encodeResponse({ transactionId, id: OTHER, answer: none });
  node.handle({ kind: "datagram", bytes, from: alice }, 0);
  announce(node, tokenOf(node, { from: alice }), { from: alice });
  const bob = { host: "fd00::2", port: 7001 };
  const question = { kind: "get_peers", infoHash: INFO_HASH } as const;
  const read = answer(ask(node, question, { from: bob }));
  assert(read.kind === "response");
  assertEquals(read.answer.nodes, [{ id: OTHER, ...alice }]);
  assertEquals(read.answer.peers, [{ host: "fd00::1", port: 6881 }]);
  assertEquals(ask(node, { kind: "ping" }), []);
  // Nodes of IPv4 are in the other DHT.
  const want = ["ipv4"] as const;
  const other = answer(ask(node, { ...question, want }, { from: bob }));
  assert(other.kind === "response");
  assertEquals(other.answer.nodes, []);
});

Deno.test("DhtNode is of no use for flooding: a host gets 4 KiB/s after a burst, all together 256 KiB/s", () => {
  const node = newNode();
  const question = { kind: "get_peers", infoHash: INFO_HASH } as const;
  let bytes = 0;
  for (let at = 0; at < 4_000; at++) {
    for (const output of ask(node, question, { nowMs: 5 * at })) {
      if (output.kind === "send") bytes += output.bytes.length;
    }
  }
  assertLess(bytes, (48 + 20 * 4 + 2) * 1024);
  let all = 0;
  for (let at = 0; at < 12_000; at++) {
    const from = { host: `10.1.${at >> 8}.${at & 255}`, port: 7001 };
    for (const output of ask(node, question, { from, nowMs: 20_000 })) {
      if (output.kind === "send") all += output.bytes.length;
    }
  }
  assertLess(all, 1024 * 1024 + 32 * 100);
});

Deno.test("DhtNode: an answer with everything in it fits the 1024 bytes of BEP 32", () => {
  const node = newNode();
  const rng = seededRng(2);
  for (let at = 0; at < 100; at++) {
    const host = { host: `10.2.0.${at}`, port: 7001 };
    const [ping] = node.handle({ kind: "node-hinted", node: host }, 0);
    assert(ping?.kind === "send");
    const query = decodeKrpc(ping.bytes);
    assert(query.kind === "query");
    const { transactionId } = query;
    const id = Uint8Array.from({ length: 20 }, () => rng() * 256);
    const none = { nodes: [], peers: [], token: null };
    const bytes = encodeResponse({ transactionId, id, answer: none });
    node.handle({ kind: "datagram", bytes, from: host }, 0);
    announce(node, tokenOf(node, { from: host, id }), { from: host, id });
  }
  const question = { kind: "get_peers", infoHash: INFO_HASH } as const;
  const send = ask(node, question).find(({ kind }) => kind === "send");
  assert(send?.kind === "send");
  const read = decodeKrpc(send.bytes);
  assert(read.kind === "response");
  assertEquals([read.answer.nodes.length, read.answer.peers.length], [8, 50]);
  assertLess(send.bytes.length, 1024);
});

Deno.test("DhtNode: 100,000 hostile datagrams get well-formed answers or silence, and leave little behind", () => {
  const rng = seededRng(77);
  const node = newNode();
  const share = { infoHash: INFO_HASH, port: 6881 };
  node.handle({ kind: "share", share }, 0);
  const hosts = Array.from({ length: 500 }, (_, at) => ({
    host: `10.3.${at >> 8}.${at & 255}`,
    port: 1 + Math.floor(rng() * 65_535),
  }));
  const samples = samplesFor(node);
  let answered = 0;
  let nowMs = 0;
  for (let round = 0; round < 100_000; round++) {
    nowMs += rng() * 0.4;
    const from = hosts[Math.floor(rng() * hosts.length)]!;
    const sample = samples[Math.floor(rng() * samples.length)]!;
    const bytes = round % 3 === 0 ? sample : mutated(sample, rng);
    const outputs = node.handle({ kind: "datagram", bytes, from }, nowMs);
    for (const output of outputs) {
      if (output.kind !== "send") continue;
      answered += 1;
      if (output.bytes.length > 1024) throw new Error("too long");
      decodeKrpc(output.bytes); // Throws if it is not well-formed.
      if (output.to.host !== from.host || output.to.port !== from.port) {
        throw new Error(`sent to ${output.to.host}, asked by ${from.host}`);
      }
    }
    if (node.deadlineMs <= nowMs) node.handle({ kind: "timeout" }, nowMs);
  }
  assert(answered > 1_000, `${answered}`);
  const { nodes, storedPeers } = node.status;
  // Nobody answered a ping of ours, so nobody is in the table.
  assertEquals(nodes, 0);
  assertLess(storedPeers, 1_000);
});

/** A copy with up to three bytes changed, or cut short; cheaper than the mutations of _fuzz.ts. */
function mutated(sample: Uint8Array, rng: Rng): Uint8Array {
  const bytes = sample.slice(0, rng() < 0.1 ? rng() * sample.length : Infinity);
  for (let change = rng() * 3; change > 0; change--) {
    bytes[Math.floor(rng() * bytes.length)] = rng() < 0.5
      ? rng() * 256
      : "0123456789ilde:-".charCodeAt(rng() * 16);
  }
  return bytes;
}

/** Queries of every kind, those that announce with a good token too, and responses and errors nobody asked for. */
function samplesFor(node: DhtNode): Uint8Array[] {
  const token = tokenOf(node, { from: { host: "10.3.0.5", port: 1 } });
  const questions: DhtQuestion[] = [
    { kind: "ping" },
    { kind: "find_node", target: OTHER, want: ["ipv4", "ipv6"] },
    { kind: "get_peers", infoHash: INFO_HASH },
    {
      ...{ kind: "announce_peer", infoHash: INFO_HASH, token },
      ...{ port: 6881, impliedPort: false },
    },
  ];
  const nodes = [{ id: OTHER, host: "10.9.9.9", port: 9 }];
  const peers = [{ host: "10.9.9.8", port: 8 }];
  return [
    ...questions.map((question) =>
      encodeQuery({ transactionId: AA, id: OTHER, question })
    ),
    encodeResponse({
      ...{ transactionId: AA, id: OTHER },
      answer: { nodes, peers, token },
    }),
    utf8("d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee"),
    utf8("d1:ade1:q4:vote1:t2:aa1:y1:qe"),
  ];
}

Deno.test("DhtTransactions forgets what is not answered, and opens no more than it can hold", () => {
  const transactions = new DhtTransactions<string>(seededRng(4));
  let opened = 0;
  while (transactions.open(ALICE, "why", 0) !== null) opened += 1;
  assertEquals(opened, 512);
  assertEquals(transactions.expire(1_999).length, 0);
  assertEquals(transactions.expire(2_000).length, 512);
  assertEquals(transactions.deadlineMs, Infinity);
});

Deno.test("DhtPeerStore forgets after 30 minutes, and bounds what one host and one torrent may take", () => {
  const store = new DhtPeerStore(seededRng(5));
  const hashOf = (at: number) =>
    new Uint8Array(20).map((_, byte) => at >> (8 * byte) & 255);
  assertEquals(store.add(INFO_HASH, ALICE, 0), "new");
  assertEquals(store.add(INFO_HASH, ALICE, 20 * MINUTE_MS), "known");
  assertEquals(store.peersOf(INFO_HASH, 9, 49 * MINUTE_MS), [ALICE]);
  assertEquals(store.peersOf(INFO_HASH, 9, 50 * MINUTE_MS), []);
  assertEquals(store.size, 0);
  for (let at = 0; at < 1_000; at++) {
    assertEquals(store.add(hashOf(at), ALICE, 0), "new");
  }
  assertEquals(store.add(INFO_HASH, ALICE, 0), "full");
  for (let at = 0; at < 30_000; at++) {
    store.add(
      hashOf(at % 40),
      { host: `10.${at >> 8}.0.${at & 255}`, port: 1 },
      1,
    );
  }
  assertEquals(store.size, 20_000);
  // What has expired makes room.
  assertEquals(store.add(INFO_HASH, ALICE, 31 * MINUTE_MS), "new");
  assertEquals(store.size, 1);
});

Deno.test("DhtPeerStore draws peers without bias", () => {
  const store = new DhtPeerStore(seededRng(6));
  for (let at = 0; at < 10; at++) {
    store.add(INFO_HASH, { host: `10.0.0.${at}`, port: 1 }, 0);
  }
  const drawn = new Map<string, number>();
  for (let round = 0; round < 3_000; round++) {
    for (const { host } of store.peersOf(INFO_HASH, 3, 0)) {
      drawn.set(host, (drawn.get(host) ?? 0) + 1);
    }
  }
  assertEquals(drawn.size, 10);
  // 900 each are expected, give or take 25.
  for (const count of drawn.values()) assert(Math.abs(count - 900) < 130);
});

Deno.test("mayContact refuses what a stranger must not make us talk to", () => {
  const stranger = "10.0.0.1";
  for (
    const [host, port, allowed] of [
      ["10.0.0.2", 6881, true],
      ["10.0.0.2", 0, false],
      ["127.0.0.1", 53, false],
      ["0.0.0.0", 53, false],
      ["239.192.152.143", 6771, false],
      ["255.255.255.255", 53, false],
      ["::1", 53, false],
      ["::", 53, false],
      ["ff02::1", 53, false],
      ["::ffff:10.0.0.2", 53, false],
      ["2001:db8::1", 6881, true],
    ] as const
  ) assertEquals(mayContact({ host, port }, stranger), allowed, host);
  assert(mayContact({ host: "127.0.0.1", port: 6881 }, "127.0.0.1"));
});
