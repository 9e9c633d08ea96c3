import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  layersAbove,
  leavesOf,
  nodesOf,
  Padding,
  pieceNodeOf,
  rootOver,
} from "../../../../../lib/bittorrent/metainfo/merkle.ts";
import type { TorrentInfo } from "../../../../../lib/bittorrent/metainfo/metainfo.ts";
import { PieceHashes } from "../../../../../lib/bittorrent/metainfo/piece_hashes.ts";
import { HashAnswers } from "../../../../../lib/bittorrent/swarm/hashes/hash_answers.ts";
import { HashQuest } from "../../../../../lib/bittorrent/swarm/hashes/hash_quest.ts";
import { Bitfield } from "../../../../../lib/bittorrent/wire/bitfield.ts";
import {
  decodeHashMessage,
  encodeHashMessage,
  type HashMessage,
  type HashRange,
  uncleCountOf,
} from "../../../../../lib/bittorrent/wire/hash_messages.ts";
import { concat, toHex } from "../../../../../lib/core/bytes.ts";
import { ProtocolError } from "../../../../../lib/core/errors.ts";
import { seededRng } from "../../../../../lib/core/rng.ts";
import { hashing, sha256 } from "../../../../../lib/io/hash.ts";
import { fuzz } from "../../_fuzz.ts";

const PIECE = 65_536;
const padding = new Padding(sha256);

/** A torrent of v2 whose files have so many pieces, with made-up piece layers. */
function torrentOf(pieceCounts: readonly number[], seed: number) {
  const rng = seededRng(seed);
  const pieceLayers = new Map<string, Uint8Array>();
  let offset = 0;
  const files = pieceCounts.map((count, index) => {
    const layer = Uint8Array.from({ length: count * 32 }, () => rng() * 256);
    const piecesRoot = rootOver(nodesOf(layer), { sha256, padding, layer: 2 });
    pieceLayers.set(toHex(piecesRoot), layer);
    const lengthBytes = count * PIECE - Math.floor(rng() * 60_000);
    const file = { path: [`f${index}`], lengthBytes, offset, piecesRoot };
    offset += count * PIECE;
    return file;
  });
  const info = {
    ...{ files, pieceLength: PIECE, version: "v2", pieces: new Uint8Array() },
    ...{ pieceCount: offset / PIECE, totalBytes: offset },
  } as unknown as TorrentInfo;
  return { info, pieceLayers };
}

function all(count: number): Bitfield {
  const field = new Bitfield(count);
  field.addAll();
  return field;
}

const nothing = () => undefined;

Deno.test("HashQuest gets from HashAnswers every layer of files of any size (seed 31)", () => {
  const { info, pieceLayers } = torrentOf([2, 3, 512, 513, 1025, 7, 1500], 31);
  const seed = new HashAnswers(
    info,
    new PieceHashes({ ...info, pieceLayers }, hashing),
    sha256,
  );
  const hashes = new PieceHashes(info, hashing);
  const quest = new HashQuest(info, hashes, sha256);
  const peer = { link: 1, pieces: all(info.pieceCount) };
  let rounds = 0;
  while (!quest.done) {
    const asked = quest.next(peer, 0);
    assert(asked.length > 0 && asked.length <= 2);
    for (const request of asked) {
      const sent = encodeHashMessage(seed.answer(request, nothing));
      quest.take(1, decodeHashMessage("hashes", sent));
    }
    rounds += 1;
    assert(rounds < 20);
  }
  for (const { piecesRoot } of info.files) {
    assertEquals(
      hashes.layerOf(piecesRoot!),
      pieceLayers.get(toHex(piecesRoot!)),
    );
  }
  assertEquals(quest.next(peer, 0), []);
});

Deno.test("HashQuest finds the liar, and asks others when one refuses, leaves, is slow or has nothing there", () => {
  const { info, pieceLayers } = torrentOf([600], 32);
  const seed = new HashAnswers(
    info,
    new PieceHashes({ ...info, pieceLayers }, hashing),
    sha256,
  );
  const quest = new HashQuest(info, new PieceHashes(info, hashing), sha256);
  const pieces = all(info.pieceCount);
  assertEquals(quest.next({ link: 9, pieces: new Bitfield(600) }, 0), []);
  const late = new Bitfield(600);
  late.add(599);
  const [second] = quest.next({ link: 8, pieces: late }, 0);
  assertEquals((second as HashRange).index, 512);
  const [first] = quest.next({ link: 1, pieces }, 0);
  assertEquals([(first as HashRange).index, (first as HashRange).length], [
    ...[0, 512],
  ]);
  const right = seed.answer(first!, nothing);
  assert(right.kind === "hashes");
  for (const at of [0, 511 * 32, right.hashes.length - 1]) {
    const hashes = right.hashes.slice();
    hashes[at]! ^= 1;
    const error = assertThrows(
      () => quest.take(1, { ...right, hashes }),
      ProtocolError,
    );
    assertEquals((error as ProtocolError).code, "hashes-wrong");
  }
  quest.left(1);
  const again = (link: number, nowMs: number) =>
    quest.next({ link, pieces }, nowMs).map((range) =>
      (range as HashRange).index
    );
  assertEquals(again(2, 0), [0]);
  quest.take(2, { ...first!, kind: "hash-reject" } as HashMessage);
  assertEquals(again(2, 0), []);
  assertEquals(again(3, 1), [0]);
  assertEquals(again(4, 9_000), []);
  assertEquals(again(4, 10_001), [0, 512]);
  // Nobody asked for that.
  assertEquals(quest.take(4, { ...right, proofLayers: 1 }), false);
  assertEquals(quest.take(4, right), false);
  assertEquals(quest.take(4, seed.answer(second!, nothing)), true);
  assertEquals(quest.done, true);
});

Deno.test("HashQuest comes to everyone, however many are silent and at hand first", () => {
  const { info } = torrentOf([2], 35);
  const quest = new HashQuest(info, new PieceHashes(info, hashing), sha256);
  const pieces = all(info.pieceCount);
  const asked: number[] = [];
  for (let nowMs = 0; nowMs < 60_000; nowMs += 1_000) {
    for (const link of [1, 2, 3]) {
      if (quest.next({ link, pieces }, nowMs).length > 0) asked.push(link);
    }
  }
  assertEquals(asked, [1, 2, 3, 1, 2, 3].slice(0, asked.length));
  assert(asked.includes(3), asked.join());
});

Deno.test("HashAnswers answers for leaves while the piece is in memory, with uncles up to the root", () => {
  const rng = seededRng(33);
  const bytes = Uint8Array.from(
    { length: 3 * PIECE - 50_000 },
    () => rng() * 256,
  );
  const nodes = [0, 1, 2].map((at) =>
    pieceNodeOf(bytes.subarray(at * PIECE, (at + 1) * PIECE), {
      ...{ fileBytes: bytes.length, pieceLength: PIECE, sha256, padding },
    })
  );
  const piecesRoot = rootOver(nodes, { sha256, padding, layer: 2 });
  const files = [{
    path: ["f"],
    lengthBytes: bytes.length,
    offset: 0,
    piecesRoot,
  }];
  const info = {
    ...{ files, pieceLength: PIECE, pieceCount: 3, version: "v2" },
  } as unknown as TorrentInfo;
  const pieceLayers = new Map([[toHex(piecesRoot), concat(...nodes)]]);
  const hashes = new PieceHashes({ ...info, pieceLayers }, hashing);
  const answers = new HashAnswers(info, hashes, sha256);
  const inMemory = (piece: number) =>
    bytes.subarray(piece * PIECE, (piece + 1) * PIECE);
  const range = {
    piecesRoot,
    baseLayer: 0,
    index: 8,
    length: 4,
    proofLayers: 3,
  };
  assertEquals(answers.answer(range, nothing).kind, "hash-reject");
  const answer = answers.answer(range, inMemory);
  assert(answer.kind === "hashes");
  const leaves = leavesOf(inMemory(2), sha256);
  assertEquals(
    answer.hashes,
    concat(
      ...[...leaves, ...Array(4 - leaves.length).fill(padding.node(0))],
      padding.node(2),
      sha256(concat(nodes[0]!, nodes[1]!)),
    ),
  );
  const bad: readonly Partial<HashRange>[] = [
    { piecesRoot: new Uint8Array(32) },
    { index: 2 },
    { index: 16 },
    { length: 0 },
    { length: 2 ** 31 },
    { baseLayer: 5 },
    { baseLayer: 2 ** 32 - 1 },
    { proofLayers: 4 },
    { index: 0, length: 8 },
  ];
  for (const change of bad) {
    assertEquals(
      answers.answer({ ...range, ...change }, inMemory).kind,
      "hash-reject",
      JSON.stringify(change),
    );
  }
});

Deno.test("uncleCountOf leaves out the layers that the nodes make themselves (BEP 52)", () => {
  const cases = [[512, 8, 0], [512, 9, 1], [512, 12, 4], [2, 0, 0], [2, 3, 3]];
  for (const [length, proofLayers, uncles] of cases) {
    assertEquals(
      uncleCountOf({ length: length!, proofLayers: proofLayers! }),
      uncles,
    );
  }
  assertEquals(layersAbove(1), 0);
});

Deno.test("decodeHashMessage throws nothing but ProtocolError (seed 34)", () => {
  const range = {
    ...{ piecesRoot: new Uint8Array(32), baseLayer: 2, index: 0 },
    ...{ length: 2, proofLayers: 2 },
  };
  const sample = encodeHashMessage({
    ...{ kind: "hashes", ...range, hashes: new Uint8Array(128) },
  });
  const decoded = decodeHashMessage("hashes", sample);
  assertEquals(encodeHashMessage(decoded), sample);
  const seen = fuzz(
    [sample],
    (bytes) =>
      // Shorter ones do not get past the decoder of the stream.
      bytes.length < 48 ? null : decodeHashMessage("hashes", bytes),
    { seed: 34, rounds: 3_000 },
  );
  assert(seen.refused > 500, JSON.stringify(seen));
});
