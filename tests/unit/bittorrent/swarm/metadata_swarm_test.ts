import { assert, assertEquals } from "@std/assert";
import {
  MetadataSwarm,
  UNKNOWN_LAYOUT,
} from "../../../../lib/bittorrent/swarm/metadata_swarm.ts";
import { Swarm } from "../../../../lib/bittorrent/swarm/swarm.ts";
import type { SwarmOptions } from "../../../../lib/bittorrent/swarm/options.ts";
import type { SwarmInput } from "../../../../lib/bittorrent/swarm/in_out.ts";
import {
  decodeMetadataMessage,
  encodeMetadataMessage,
  type MetadataMessage,
} from "../../../../lib/bittorrent/wire/ut_metadata.ts";
import { encodeMessage } from "../../../../lib/bittorrent/wire/messages.ts";
import { equalBytes, utf8 } from "../../../../lib/core/bytes.ts";
import {
  swarmOptions,
  SwarmTalk,
  type TalkPeer,
} from "../../../support/swarm_talk.ts";
import { layoutOf } from "../../../support/swarm_world.ts";

const METADATA = Uint8Array.from({ length: 40_000 }, (_, at) => at % 251);
const EXTENDED = { features: { extended: true, fast: true } };
/** The number our peer gives to ut_metadata. */
const ID = 30;

/** A machine without metadata, and the one it hands over to. */
class MetadataTalk extends SwarmTalk {
  constructor(
    readonly metadata: MetadataSwarm = new MetadataSwarm(
      swarmOptions(UNKNOWN_LAYOUT),
      0,
    ),
  ) {
    super(metadata);
  }

  /** Answers `verify-metadata` of everyone. */
  verify(): void {
    for (const output of this.others.splice(0)) {
      if (output.kind !== "verify-metadata") {
        this.others.push(output);
        continue;
      }
      const valid = equalBytes(output.bytes, METADATA);
      this.feed({ kind: "metadata-verified", link: output.link, valid });
    }
  }

  /** Goes on as the swarm of a torrent with 8 pieces. */
  goOn(
    have: readonly number[] = [],
    more: Partial<SwarmOptions> = {},
  ): void {
    this.swarm = new Swarm(
      {
        ...swarmOptions(layoutOf(8 * 65_536, 65_536)),
        ...{ have, metadata: METADATA },
        ...more,
      },
      this.nowMs,
      this.metadata.handOver(),
    );
    this.feed({ kind: "start" });
  }
}

function hello(peer: TalkPeer, metadataBytes = METADATA.length): void {
  peer.say({
    kind: "extended",
    id: 0,
    payload: utf8(
      `d1:md11:ut_metadatai${ID}ee13:metadata_sizei${metadataBytes}ee`,
    ),
  });
}

/** The blocks the machine asks a peer for. */
function asked(peer: TalkPeer): number[] {
  return peer.heard().flatMap((message) => {
    if (message.kind !== "extended" || message.id !== ID) return [];
    const request = decodeMetadataMessage(message.payload);
    return request?.kind === "request" ? [request.block] : [];
  });
}

function answer(peer: TalkPeer, message: MetadataMessage): void {
  const payload = encodeMetadataMessage(message);
  peer.say({ kind: "extended", id: 2, payload });
}

function give(peer: TalkPeer, block: number, metadata = METADATA): void {
  const bytes = metadata.subarray(block * 16_384, (block + 1) * 16_384);
  answer(peer, { kind: "data", block, totalBytes: metadata.length, bytes });
}

function metadataOf(talk: SwarmTalk): Uint8Array[] {
  return talk.others.flatMap((output) =>
    output.kind === "metadata" ? [output.bytes] : []
  );
}

Deno.test("MetadataSwarm fetches the metadata of a peer, block by block, in any order", () => {
  const talk = new MetadataTalk();
  const peer = talk.accept(EXTENDED);
  assertEquals(peer.heard().map(({ kind }) => kind), ["extended", "have-none"]);
  hello(peer);
  assertEquals(asked(peer), [0, 1, 2]);
  for (const block of [2, 0, 1]) give(peer, block);
  talk.verify();
  assertEquals(metadataOf(talk), [METADATA]);
});

Deno.test("MetadataSwarm bans the peer whose metadata has a wrong hash, and takes it from another", () => {
  const talk = new MetadataTalk();
  const liar = talk.accept(EXTENDED);
  hello(liar);
  const bad = METADATA.slice();
  bad[20_000] = 0;
  for (const block of asked(liar)) give(liar, block, bad);
  talk.verify();
  assert(liar.isClosed);
  assertEquals(
    talk.events.find((event) => event.type === "peer.banned")?.reason,
    "the metadata it sent has a wrong hash",
  );
  const again = talk.accept(EXTENDED);
  assert(again.isClosed, "the same host is banned");
  const honest = talk.accept({ ...EXTENDED, host: "80.4.4.1" });
  hello(honest);
  for (const block of asked(honest)) give(honest, block);
  talk.verify();
  assertEquals(metadataOf(talk).length, 1);
});

Deno.test("MetadataSwarm asks three peers side by side, others when one rejects, stalls or leaves", () => {
  const talk = new MetadataTalk();
  const peers = [1, 2, 3, 4, 5, 6].map((at) => {
    const peer = talk.accept({ ...EXTENDED, host: `80.4.4.${at}` });
    hello(peer);
    return peer;
  });
  const asks = () => peers.map((peer) => asked(peer).length);
  assertEquals(asks(), [3, 3, 3, 0, 0, 0]);
  answer(peers[0]!, { kind: "reject", block: 0 });
  assertEquals(asks(), [0, 0, 0, 3, 0, 0]);
  talk.feed({ kind: "closed", link: peers[1]!.link, reason: "" });
  assertEquals(asks(), [0, 0, 0, 0, 3, 0]);
  talk.wait(9_000);
  give(peers[3]!, 0);
  assertEquals(asks(), [0, 0, 0, 0, 0, 0]);
  talk.wait(2_000);
  assertEquals(asks(), [0, 0, 0, 0, 0, 3]);
  // After a while the one that rejected is asked again.
  talk.wait(20_000);
  assert(asks()[0]! > 0);
});

Deno.test("MetadataSwarm comes to everyone, however many who connected first give nothing, or a block now and then", () => {
  const silent = new MetadataTalk();
  for (let count = 0; count < 20; count++) {
    const liar = silent.accept(EXTENDED);
    hello(liar);
  }
  const last = silent.accept(EXTENDED);
  hello(last);
  silent.wait(80_000);
  assertEquals(asked(last), [0, 1, 2]);

  const slow = new MetadataTalk();
  const length = 8 * 2 ** 20;
  const sluggish = [1, 2, 3].map(() => {
    const peer = slow.accept(EXTENDED);
    hello(peer, length);
    return { peer, blocks: asked(peer) };
  });
  const quick = slow.accept(EXTENDED);
  hello(quick);
  assertEquals(asked(quick), []);
  slow.wait(9_000);
  for (const { peer, blocks } of sluggish) {
    give(peer, blocks[0]!, new Uint8Array(length));
  }
  slow.wait(2_000);
  assertEquals(asked(quick), [0, 1, 2]);
});

Deno.test("MetadataSwarm asks nobody for more than 8 MiB, and says why it has nothing", () => {
  const talk = new MetadataTalk();
  const peer = talk.accept(EXTENDED);
  hello(peer, 9_000_000_000);
  assertEquals(asked(peer), []);
  assert(talk.metadata.lastRefusal.includes("9000000000"));
  const zero = talk.accept({ ...EXTENDED, host: "80.4.4.2" });
  hello(zero, 0);
  assertEquals(asked(zero), []);
});

Deno.test("MetadataSwarm closes on data of a wrong length or size, and ignores what it did not ask for", () => {
  for (
    const data of [
      { block: 0, totalBytes: 40_000, bytes: new Uint8Array(16_383) },
      { block: 0, totalBytes: 40_001, bytes: new Uint8Array(16_384) },
      { block: 2, totalBytes: 40_000, bytes: new Uint8Array(16_384) },
    ]
  ) {
    const talk = new MetadataTalk();
    const peer = talk.accept(EXTENDED);
    hello(peer);
    answer(peer, { kind: "data", ...data });
    assert(peer.isClosed);
  }
  const talk = new MetadataTalk();
  const peer = talk.accept(EXTENDED);
  hello(peer);
  give(peer, 0);
  give(peer, 0);
  give(peer, 9);
  assert(!peer.isClosed);
});

Deno.test("MetadataSwarm rejects requests, and ends a peer that says too much before anything is known", () => {
  const talk = new MetadataTalk();
  const peer = talk.accept(EXTENDED);
  peer.heard();
  const request = {
    kind: "request",
    pieceIndex: 0,
    begin: 0,
    lengthBytes: 16_384,
  } as const;
  peer.say({ kind: "interested" }, request);
  assertEquals(peer.heard(), [{ ...request, kind: "reject" }]);
  for (let have = 0; have < 20_001 && !peer.isClosed; have++) {
    peer.say({ kind: "have", pieceIndex: have });
  }
  assert(peer.isClosed);
});

Deno.test("a Swarm goes on with the connections that brought its metadata: what was said holds, nobody connects anew", () => {
  const talk = new MetadataTalk();
  const giver = talk.accept({ ...EXTENDED, pieceCount: 8 });
  const other = talk.accept({ pieceCount: 8, host: "80.4.4.2" });
  const silent = talk.accept({ ...EXTENDED, pieceCount: 8, host: "80.4.4.3" });
  hello(giver);
  giver.say({ kind: "have-all" }, { kind: "unchoke" });
  other.say(
    { kind: "bitfield", bytes: Uint8Array.of(0x80) },
    { kind: "have", pieceIndex: 7 },
    { kind: "interested" },
  );
  for (const block of asked(giver)) give(giver, block);
  talk.verify();
  for (const peer of [giver, other, silent]) peer.heard();
  // Half of a message has come when the swarm takes over.
  const have = encodeMessage({ kind: "have", pieceIndex: 3 });
  const half = (bytes: Uint8Array): SwarmInput => ({
    kind: "received",
    link: silent.link,
    bytes,
  });
  talk.feed(half(have.subarray(0, 6)));
  talk.goOn([0]);
  talk.feed(half(have.subarray(6)));
  const kinds = (
    peer: TalkPeer,
  ) => [...new Set(peer.heard().map(({ kind }) => kind))];
  assertEquals(kinds(giver), ["extended", "have", "interested", "request"]);
  assertEquals(kinds(other), ["have", "unchoke", "interested"]);
  assertEquals(kinds(silent), ["extended", "have", "interested"]);
  assertEquals(
    talk.events.filter((event) => event.type === "peer.connected").length,
    3,
  );
  giver.say({ kind: "have", pieceIndex: 8 });
  assert(giver.isClosed);
});

Deno.test("a Swarm of a magnet link that turns out to be private connects to no peers but those of the tracker and the user", () => {
  const hosts = { "10.0.0.1": "dht", "10.0.0.2": "lsd", "10.0.0.3": "tracker" };
  const talk = new MetadataTalk();
  for (const [host, source] of Object.entries(hosts)) {
    talk.feed({
      kind: "peers-found",
      peers: [{ host, port: 1 }],
      source: source as "dht" | "lsd" | "tracker",
    });
  }
  const tried = () =>
    talk.others.splice(0).flatMap((output) => {
      if (output.kind !== "connect") return [];
      const { link, to } = output;
      talk.feed({ kind: "closed", link, reason: "nobody listens" });
      return [to.host];
    });
  assertEquals(tried(), Object.keys(hosts));
  const peer = talk.accept(EXTENDED);
  hello(peer);
  for (const block of asked(peer)) give(peer, block);
  talk.verify();
  talk.goOn([], { private: true });
  talk.wait(20_000);
  assertEquals(tried(), ["10.0.0.3"]);
});

Deno.test("a Swarm ends a connection it took over when the torrent shows that the peer lied", () => {
  const talk = new MetadataTalk();
  const peer = talk.accept({ ...EXTENDED, pieceCount: 8 });
  peer.say({ kind: "have", pieceIndex: 999 });
  talk.goOn();
  assert(peer.isClosed);
  assertEquals(
    talk.events.find((event) => event.type === "protocol.violated")?.code,
    "have-out-of-range",
  );
});
