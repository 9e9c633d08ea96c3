import { assert, assertEquals } from "@std/assert";
import {
  decodeExtendedHandshake,
  type ExtendedHandshake,
} from "../../../../../lib/bittorrent/wire/extended.ts";
import {
  decodeMetadataMessage,
  encodeMetadataMessage,
} from "../../../../../lib/bittorrent/wire/ut_metadata.ts";
import {
  decodePex,
  encodePex,
  type PexContact,
} from "../../../../../lib/bittorrent/wire/ut_pex.ts";
import { canonicalPriority } from "../../../../../lib/bittorrent/swarm/contacts/canonical_priority.ts";
import { encodeMessage } from "../../../../../lib/bittorrent/wire/messages.ts";
import { concat, utf8 } from "../../../../../lib/core/bytes.ts";
import { SwarmTalk, type TalkPeer } from "../../../../support/swarm_talk.ts";

const EXTENDED = { features: { extended: true, fast: true } };
/** What our peer says of itself: numbers of its own for the extensions. */
const HELLO = "d1:md11:ut_metadatai30e6:ut_pexi40ee1:pi7000ee";

function hello(peer: TalkPeer, text = HELLO): void {
  peer.say({ kind: "extended", id: 0, payload: utf8(text) });
}

/** The payloads of what was heard with one number. */
function heard(peer: TalkPeer, id: number): Uint8Array[] {
  return peer.heard().flatMap((message) =>
    message.kind === "extended" && message.id === id ? [message.payload] : []
  );
}

function contact(host: string, port: number): PexContact {
  return { host, port, seed: false, reachable: true };
}

function exchange(added: readonly PexContact[]) {
  const payload = encodePex({ added, dropped: [] });
  return { kind: "extended", id: 1, payload } as const;
}

function connects(talk: SwarmTalk): string[] {
  return talk.others.flatMap((output) =>
    output.kind === "connect" ? [`${output.to.host}:${output.to.port}`] : []
  );
}

Deno.test("Swarm introduces itself by the extended handshake, to those who announce BEP 10 only", () => {
  const talk = SwarmTalk.create({
    ...{ have: "all", metadata: new Uint8Array(777), listenPort: 6999 },
    client: "rolecall 0.1.0",
  });
  const said = heard(talk.accept(EXTENDED), 0).map(decodeExtendedHandshake);
  assertEquals(said, [{
    extensions: { ut_pex: 1, ut_metadata: 2 },
    ...{ port: 6999, client: "rolecall 0.1.0", yourIp: "80.4.4.200" },
    ...{ reqq: 2048, metadataBytes: 777, uploadOnly: true },
  } as ExtendedHandshake]);
  assertEquals(heard(talk.accept(), 0), []);
  const hidden = SwarmTalk.create({ private: true }).accept(EXTENDED);
  assertEquals(
    heard(hidden, 0).map(decodeExtendedHandshake)[0]?.extensions,
    { ut_metadata: 2 },
  );
});

Deno.test("a super-seed does not call itself upload-only: it shows nothing yet, and libtorrent leaves who has and wants nothing", () => {
  const talk = SwarmTalk.create({ have: "all", superSeed: true });
  const said = heard(talk.accept(EXTENDED), 0).map(decodeExtendedHandshake);
  assertEquals(said[0]?.uploadOnly, undefined);
});

Deno.test("Swarm notes how a peer introduces itself, once, and closes on one that cannot", () => {
  const talk = SwarmTalk.create();
  const peer = talk.accept(EXTENDED);
  hello(peer, "d1:md6:ut_pexi1ee1:v4:Teste");
  hello(peer);
  peer.say({ kind: "extended", id: 99, payload: utf8("nonsense") });
  const introduced = talk.events.filter((event) =>
    event.type === "peer.introduced"
  );
  assertEquals(introduced.length, 1);
  assertEquals(introduced[0]?.client, "Test");
  assert(!peer.isClosed);
  hello(peer, "d1:m");
  assert(peer.isClosed);
});

Deno.test("Swarm keeps no more requests at a peer than it says it can keep", () => {
  for (const [reqq, expected] of [[3, 3], [2, 2], [5000, 6]] as const) {
    const peer = SwarmTalk.create().accept(EXTENDED);
    hello(peer, `d4:reqqi${reqq}ee`);
    peer.say({ kind: "have-all" }, { kind: "unchoke" });
    assertEquals(
      peer.heard().filter(({ kind }) => kind === "request").length,
      expected,
    );
  }
});

Deno.test("Swarm hands out its metadata, three times at most, and rejects what it lacks", () => {
  const metadata = Uint8Array.from({ length: 40_000 }, (_, at) => at % 256);
  const peer = SwarmTalk.create({ metadata }).accept(EXTENDED);
  hello(peer);
  const ask = (block: number) => {
    peer.say({
      kind: "extended",
      id: 2,
      payload: encodeMetadataMessage({ kind: "request", block }),
    });
    return heard(peer, 30).map(decodeMetadataMessage);
  };
  for (const [block, length] of [[0, 16384], [1, 16384], [2, 7232]] as const) {
    const at = block * 16384;
    assertEquals(ask(block), [{
      ...{ kind: "data", block, totalBytes: 40_000 },
      bytes: metadata.slice(at, at + length),
    }]);
  }
  assertEquals(ask(3), [{ kind: "reject", block: 3 }]);
  for (let more = 0; more < 6; more++) assertEquals(ask(0)[0]?.kind, "data");
  assertEquals(ask(0)[0]?.kind, "reject");
  const without = SwarmTalk.create().accept(EXTENDED);
  hello(without);
  without.say({
    kind: "extended",
    id: 2,
    payload: encodeMetadataMessage({ kind: "request", block: 0 }),
  });
  assertEquals(heard(without, 30).map(decodeMetadataMessage), [{
    kind: "reject",
    block: 0,
  }]);
});

Deno.test("Swarm keeps little in line for a peer that asks for all metadata and does not read", () => {
  const metadata = new Uint8Array(8 * 2 ** 20);
  const talk = SwarmTalk.create({ metadata });
  const peer = talk.accept(EXTENDED);
  hello(peer);
  let sent = 0;
  const ask = (block: number) =>
    talk.swarm.handle({
      kind: "received",
      link: peer.link,
      bytes: encodeMessage({
        kind: "extended",
        id: 2,
        payload: encodeMetadataMessage({ kind: "request", block }),
      }),
    }, 0);
  // Its first send never ends.
  for (let block = 0; block < 512; block++) {
    for (const output of ask(block)) {
      if (output.kind === "send") sent += output.bytes.length;
    }
  }
  assert(sent < 20_000, `${sent}`);
  const [next] = talk.swarm.handle({ kind: "sent", link: peer.link }, 0);
  assert(next?.kind === "send" && next.bytes.length < 90_000);
});

Deno.test("Swarm tells each peer once a minute who has come and gone", () => {
  const talk = SwarmTalk.create();
  const first = talk.accept(EXTENDED);
  hello(first);
  talk.wait(1_000);
  assertEquals(heard(first, 40), []);
  const second = talk.accept({ ...EXTENDED, host: "80.4.4.201" });
  hello(second);
  talk.wait(1_000);
  const told = heard(first, 40).map(decodePex);
  assertEquals(told.map(({ added }) => added), [[{
    ...{ host: "80.4.4.201", port: 7000, seed: false, reachable: false },
  }]]);
  // Who does not say where it listens cannot be named.
  talk.accept({ ...EXTENDED, host: "80.4.4.202" });
  const fourth = talk.accept({ ...EXTENDED, host: "fd00::4" });
  hello(fourth);
  second.say({ kind: "have", pieceIndex: 100 });
  assert(second.isClosed);
  talk.wait(58_000);
  assertEquals(heard(first, 40), []);
  talk.wait(2_000);
  const [later] = heard(first, 40).map(decodePex);
  assertEquals(later?.added.map(({ host }) => host), ["fd00::4"]);
  assertEquals(later?.dropped.map(({ host }) => host), ["80.4.4.201"]);
  talk.wait(120_000);
  assertEquals(heard(first, 40), []);
});

Deno.test("Swarm connects to peers that others name, but not near ones that far ones name, nor many ports of one host", () => {
  const talk = SwarmTalk.create();
  const far = talk.accept({ ...EXTENDED, host: "80.4.4.200" });
  far.say(exchange([
    contact("9.9.9.9", 1),
    contact("9.9.9.9", 2),
    contact("127.0.0.1", 80),
    contact("192.168.1.1", 80),
    contact("0.0.0.0", 80),
    contact("2001:db8::9", 5),
  ]));
  assertEquals(connects(talk), ["9.9.9.9:1", "2001:db8::9:5"]);
  const near = talk.accept({ ...EXTENDED, host: "127.0.0.1" });
  near.say(exchange([contact("127.0.0.1", 81), contact("127.0.0.1", 82)]));
  assertEquals(connects(talk).slice(2), ["127.0.0.1:81", "127.0.0.1:82"]);
});

Deno.test("Swarm does not connect to a peer that has connected to it, and does when that connection is over", () => {
  const talk = SwarmTalk.create();
  const peer = talk.accept({ ...EXTENDED, host: "80.4.4.9" });
  hello(peer);
  const peers = [{ host: "80.4.4.9", port: 7000 }];
  talk.feed({ kind: "peers-found", peers, source: "tracker" });
  talk.wait(3_000);
  assertEquals(connects(talk), []);
  talk.feed({ kind: "closed", link: peer.link, reason: "" });
  assertEquals(connects(talk), ["80.4.4.9:7000"]);
});

Deno.test("Swarm neither gives nor takes contacts of a private torrent, and ends a flood of them", () => {
  const talk = SwarmTalk.create({ private: true });
  const peer = talk.accept(EXTENDED);
  hello(peer);
  hello(talk.accept({ ...EXTENDED, host: "80.4.4.201" }));
  peer.say(exchange([contact("9.9.9.9", 1)]));
  talk.wait(5_000);
  assertEquals([connects(talk), heard(peer, 40)], [[], []]);
  for (let more = 0; more < 20; more++) peer.say(exchange([]));
  assert(peer.isClosed);
});

Deno.test("A seed lets peers go that want nothing, and does not connect to seeds others name", () => {
  const talk = SwarmTalk.create({ have: "all" });
  const peer = talk.accept(EXTENDED);
  peer.say(exchange([
    { ...contact("9.9.9.9", 1), seed: true },
    contact("9.9.9.8", 1),
  ]));
  assertEquals(connects(talk), ["9.9.9.8:1"]);
  hello(peer, "d11:upload_onlyi1ee");
  assert(peer.isClosed);
  const leech = SwarmTalk.create().accept(EXTENDED);
  hello(leech, "d11:upload_onlyi1ee");
  assert(!leech.isClosed);
});

Deno.test("Swarm tells DHT nodes of each other by port, if it runs one", () => {
  const features = { dht: true };
  const talk = SwarmTalk.create({ dhtPort: 6882 });
  const peer = talk.accept({ features });
  assertEquals(peer.heard(), [{ kind: "port", port: 6882 }]);
  assertEquals(peer.reserved?.[7]! & 1, 1);
  peer.say({ kind: "port", port: 999 });
  assertEquals(talk.others, [{
    kind: "dht-node",
    node: { host: "80.4.4.200", port: 999 },
  }]);
  const without = SwarmTalk.create();
  const other = without.accept({ features });
  other.say({ kind: "port", port: 999 });
  assertEquals([other.reserved?.[7]! & 1, other.heard(), without.others], [
    0,
    [],
    [],
  ]);
});

Deno.test("Swarm leaves room for other hosts when one host connects again and again", () => {
  const talk = SwarmTalk.create({ maxConnections: 20 });
  const flood = Array.from(
    { length: 15 },
    () => talk.accept({ host: "80.4.4.66" }),
  );
  assertEquals(flood.filter(({ isClosed }) => !isClosed).length, 10);
  assert(!talk.accept({ host: "80.4.4.67" }).isClosed);
  for (let link = -100; link > -150; link--) {
    talk.feed({
      kind: "accepted",
      link,
      remote: { host: "80.4.4.68", port: 1 },
    });
  }
  assert(!talk.accept({ host: "80.4.4.69" }).isClosed);
});

Deno.test("Swarm takes a class behind one address, and of a host that floods it pushes out that host's own", () => {
  // Silent ones of a host connect, one each `everyMs`; returns the links that were closed for them.
  const come = (talk: SwarmTalk, first: number, options: {
    readonly host: string;
    readonly count?: number;
    readonly everyMs?: number;
  }) =>
    Array.from({ length: options.count ?? 1 }, (_, at) => {
      talk.nowMs += options.everyMs ?? 0;
      const remote = { host: options.host, port: 1 };
      return talk.swarm.handle(
        { kind: "accepted", link: first - at, remote },
        talk.nowMs,
      ).flatMap((output) => output.kind === "close" ? [output.link] : []);
    }).flat();
  const host = "80.4.4.66";
  assertEquals(come(SwarmTalk.create(), -1, { host, count: 30 }), []);
  // The slow one of another host came first, and stays.
  const flooded = SwarmTalk.create();
  come(flooded, -1, { host: "80.4.4.67" });
  const pushed = come(flooded, -100, { host, count: 100, everyMs: 50 });
  assertEquals(pushed, Array.from({ length: 69 }, (_, at) => -100 - at));
  // So it does when the host has its share of the connections, however fast it comes.
  const shared = SwarmTalk.create({ maxConnections: 20 });
  come(shared, -1, { host: "80.4.4.67" });
  const own = come(shared, -100, { host, count: 50 });
  assertEquals(own, Array.from({ length: 40 }, (_, at) => -100 - at));
  assert(!shared.accept({ host }).isClosed);
});

Deno.test("Swarm with all connections taken makes room for a peer of higher canonical priority", () => {
  const talk = SwarmTalk.create({ maxConnections: 4, listenPort: 1 });
  const peers = ["80.4.1.1", "80.5.1.1", "80.6.1.1", "80.7.1.1"].map((host) => {
    const peer = talk.accept({ ...EXTENDED, host });
    peer.say({
      kind: "extended",
      id: 0,
      payload: concat(
        utf8("d6:yourip4:"),
        Uint8Array.of(20, 1, 1, 1),
        utf8("e"),
      ),
    });
    return peer;
  });
  const rank = (host: string) =>
    canonicalPriority({ host: "20.1.1.1", port: 1 }, { host, port: 1 });
  const ranked = ["80.4.1.1", "80.5.1.1", "80.6.1.1", "80.7.1.1"]
    .map((host, at) => ({ at, rank: rank(host) }))
    .sort((a, b) => a.rank - b.rank);
  const hosts = Array.from({ length: 200 }, (_, at) => `80.${at + 8}.1.1`);
  const high = hosts.find((host) => rank(host) > ranked[0]!.rank)!;
  const low = hosts.find((host) => rank(host) < ranked[0]!.rank)!;
  assert(talk.accept({ host: low }).isClosed);
  assert(!talk.accept({ host: high }).isClosed);
  assertEquals(
    peers.map(({ isClosed }) => isClosed),
    peers.map((_, at) => at === ranked[0]!.at),
  );
});
