import { assert, assertEquals } from "@std/assert";
import {
  nodesOf,
  Padding,
  rootOver,
} from "../../../../lib/bittorrent/metainfo/merkle.ts";
import type { TorrentInfo } from "../../../../lib/bittorrent/metainfo/metainfo.ts";
import { PieceHashes } from "../../../../lib/bittorrent/metainfo/piece_hashes.ts";
import { HashAnswers } from "../../../../lib/bittorrent/swarm/hashes/hash_answers.ts";
import { HashQuest } from "../../../../lib/bittorrent/swarm/hashes/hash_quest.ts";
import { toHex } from "../../../../lib/core/bytes.ts";
import { seededRng } from "../../../../lib/core/rng.ts";
import { hashing, sha256 } from "../../../../lib/io/hash.ts";
import { SwarmTalk } from "../../../support/swarm_talk.ts";

const V1 = new Uint8Array(20).fill(7);
const V2 = new Uint8Array(20).fill(8);
const PIECES = 100;

/** A torrent of one file of 100 pieces of 64 KiB, with made-up hashes. */
function torrent(known: boolean) {
  const rng = seededRng(41);
  const layer = Uint8Array.from({ length: PIECES * 32 }, () => rng() * 256);
  const piecesRoot = rootOver(nodesOf(layer), {
    ...{ sha256, padding: new Padding(sha256), layer: 2 },
  });
  const lengthBytes = PIECES * 65_536;
  const info = {
    ...{ pieceLength: 65_536, pieceCount: PIECES, version: "v2" },
    files: [{ path: ["f"], lengthBytes, offset: 0, piecesRoot }],
  } as unknown as TorrentInfo;
  const pieceLayers = new Map([[toHex(piecesRoot), layer]]);
  const hashes = new PieceHashes(
    known ? { ...info, pieceLayers } : info,
    hashing,
  );
  return {
    piecesRoot,
    v2: {
      infoHash: V2,
      known: (pieceIndex: number) => hashes.known(pieceIndex),
      answers: new HashAnswers(info, hashes, sha256),
      quest: new HashQuest(info, hashes, sha256),
    },
  };
}

function codes(talk: SwarmTalk): string[] {
  return talk.events.flatMap((event) =>
    event.type === "protocol.violated" ? [event.code] : []
  );
}

Deno.test("Swarm takes a hybrid's peers by either name, and answers by the new one those that know it", () => {
  const talk = SwarmTalk.create({ v2: torrent(true).v2, have: "all" });
  assertEquals(talk.accept().infoHash, V1);
  assertEquals(talk.accept({ features: { v2: true } }).infoHash, V2);
  assertEquals(talk.accept({ infoHash: V2 }).infoHash, V2);
  const stranger = talk.accept({ infoHash: new Uint8Array(20) });
  assertEquals(stranger.isClosed, true);
  assertEquals(codes(talk), ["handshake-other-torrent"]);
  // Without v2 there is one name.
  const old = SwarmTalk.create({ have: "all" });
  assertEquals(old.accept({ features: { v2: true } }).infoHash, V1);
  assertEquals(old.accept({ infoHash: V2 }).isClosed, true);
});

Deno.test("Swarm asks for hashes before pieces, and for pieces when it has them", () => {
  const talk = SwarmTalk.create({ v2: torrent(false).v2, infoHash: V2 });
  const seed = talk.accept({ infoHash: V2, features: { fast: true } });
  seed.say({ kind: "have-all" }, { kind: "unchoke" });
  const heard = seed.heard();
  const [request] = heard.flatMap((message) =>
    message.kind === "hash-request" ? [message] : []
  );
  assert(request !== undefined);
  assertEquals([request.length, request.proofLayers], [128, 6]);
  assertEquals(heard.filter(({ kind }) => kind === "request"), []);
  const answer = torrent(true).v2.answers.answer(request, () => undefined);
  assert(answer.kind === "hashes");
  seed.say(answer);
  assert(seed.heard().some(({ kind }) => kind === "request"));
  assertEquals(codes(talk), []);
  // A liar is gone at once.
  const other = SwarmTalk.create({ v2: torrent(false).v2, infoHash: V2 });
  const liar = other.accept({ infoHash: V2, features: { fast: true } });
  liar.say({ kind: "have-all" });
  liar.say({ ...answer, hashes: answer.hashes.map((byte) => byte ^ 1) });
  assertEquals([liar.isClosed, codes(other)], [true, ["hashes-wrong"]]);
});

Deno.test("Swarm answers requests for hashes, rejects a flood of them, and takes none on a connection of v1", () => {
  const { v2, piecesRoot } = torrent(true);
  const talk = SwarmTalk.create({ v2, have: "all" });
  const range = {
    ...{ piecesRoot, baseLayer: 2, index: 0, length: 2, proofLayers: 6 },
  };
  const asker = talk.accept({ infoHash: V2 });
  asker.heard();
  for (let at = 0; at < 60; at++) asker.say({ kind: "hash-request", ...range });
  const kinds = asker.heard().map(({ kind }) => kind);
  assertEquals(kinds, [
    ...Array(50).fill("hashes"),
    ...Array(10).fill("hash-reject"),
  ]);
  talk.wait(1_000);
  asker.say({ kind: "hash-request", ...range });
  assertEquals(asker.heard().at(-1)?.kind, "hashes");
  const old = talk.accept();
  old.say({ kind: "hash-request", ...range });
  assertEquals([old.isClosed, codes(talk)], [true, ["hashes-not-agreed"]]);
});
