import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type BencodeInput,
  encodeBencode,
} from "../../../../lib/bittorrent/bencode.ts";
import {
  pieceLengthOf,
  rangesOf,
} from "../../../../lib/bittorrent/metainfo/layout.ts";
import { magnetOf } from "../../../../lib/bittorrent/metainfo/magnet_of.ts";
import {
  comparePaths,
  makeMetainfo,
} from "../../../../lib/bittorrent/metainfo/make_metainfo.ts";
import {
  climb,
  layerMatches,
  leavesOf,
  Padding,
  pieceNodeOf,
  rootOver,
  rowsOver,
} from "../../../../lib/bittorrent/metainfo/merkle.ts";
import {
  parseInfo,
  parseMetainfo,
  type TorrentVersion,
} from "../../../../lib/bittorrent/metainfo/metainfo.ts";
import { PieceHashes } from "../../../../lib/bittorrent/metainfo/piece_hashes.ts";
import { concat, fromHex, toHex } from "../../../../lib/core/bytes.ts";
import { seededRng } from "../../../../lib/core/rng.ts";
import { hashing, sha1, sha256 } from "../../../../lib/io/hash.ts";
import { fuzz } from "../_fuzz.ts";

const PIECE = 32_768;
/** By length, of bytes 0, 1, … 255, 0, …: `pieces root` as create_torrent of libtorrent 2.0.8 has it, with pieces of 32 KiB. */
const KNOWN_ROOTS: Readonly<Record<number, string>> = {
  1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  16_384: "a1f259d4365ed4320c377ce26f5c8c56dcdc9a89e7b641bfd8eabfbbeac86654",
  16_385: "e6f75770e46f0a677d0a8a28e0d54be296cee3de7343fedef885c2659d7070ab",
  50_000: "1d9270fb7ed47dbd52f12a88d8642ee683e1086ab6e5706f9189a0ad5e8f143d",
  100_000: "47ef7178c4aa458963d46add44d36bd3524640c248fcd08a448096f1ad43fe6c",
};
const padding = new Padding(sha256);

/** Bytes 0, 1, … 255, 0, … */
function ramp(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => at);
}

function piecesOf(bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += PIECE) {
    pieces.push(bytes.subarray(at, at + PIECE));
  }
  return pieces;
}

/** A file of {@linkcode makeMetainfo} with its hashes. */
function hashed(path: readonly string[], bytes: Uint8Array) {
  const nodes = piecesOf(bytes).map((piece) =>
    pieceNodeOf(piece, {
      ...{ fileBytes: bytes.length, pieceLength: PIECE, sha256, padding },
    })
  );
  const piecesRoot = rootOver(nodes, { sha256, padding, layer: 1 });
  return {
    path,
    lengthBytes: bytes.length,
    piecesRoot,
    layer: concat(...nodes),
  };
}

/** A torrent of a folder with the files a (3 pieces), b (empty) and sub/c (1 piece). */
function make(version: TorrentVersion): Uint8Array {
  const a = hashed(["a"], ramp(80_000));
  const c = hashed(["sub", "c"], ramp(5));
  const filled = (bytes: Uint8Array) => {
    const whole = new Uint8Array(PIECE);
    whole.set(bytes);
    return whole;
  };
  return makeMetainfo({
    ...{ version, name: "folder", pieceLength: PIECE, sha256 },
    content: [a, { path: ["b"], lengthBytes: 0 }, c],
    pieces: concat(
      ...[...piecesOf(ramp(80_000)), ramp(5)].map((piece) =>
        sha1(filled(piece))
      ),
    ),
    pieceLayers: new Map([[toHex(a.piecesRoot), a.layer]]),
  });
}

Deno.test("merkle trees have the roots libtorrent 2.0.8 computes", () => {
  for (const [length, root] of Object.entries(KNOWN_ROOTS)) {
    const file = hashed(["x"], ramp(Number(length)));
    assertEquals(toHex(file.piecesRoot), root, length);
    // The tree over all leaves is the same tree.
    assertEquals(
      rootOver(leavesOf(ramp(Number(length)), sha256), {
        ...{ sha256, padding, layer: 0 },
      }),
      file.piecesRoot,
    );
  }
});

Deno.test("climb reaches the root from any leaf with its uncles (seed 3)", () => {
  const rng = seededRng(3);
  for (let round = 0; round < 50; round++) {
    const count = 1 + Math.floor(rng() * 40);
    const leaves = Array.from(
      { length: count },
      () => Uint8Array.from({ length: 32 }, () => rng() * 256),
    );
    const rows = rowsOver(leaves, { sha256, padding, layer: 0 });
    const index = Math.floor(rng() * count);
    const uncles = rows.slice(0, -1).map((row, layer) =>
      row[(index >> layer) ^ 1] ?? padding.node(layer)
    );
    const root = rows.at(-1)![0]!;
    assertEquals(climb(leaves[index]!, { index, uncles, sha256 }), root);
    if (count === 1) continue;
    const other = (index + 1) % count;
    assert(
      toHex(climb(leaves[other]!, { index, uncles, sha256 })) !== toHex(root),
    );
    assert(
      !layerMatches(concat(...leaves.slice(1)), {
        ...{ piecesRoot: root, pieceLength: 16_384, sha256 },
      }),
    );
  }
});

Deno.test("parseMetainfo reads v2: files begin at pieces, a file's last piece is short", () => {
  const info = parseMetainfo(make("v2"), hashing);
  assertEquals([info.version, info.pieceCount, info.totalBytes], [
    "v2",
    4,
    80_005,
  ]);
  assertEquals(info.infoHash, info.infoHashV2!.subarray(0, 20));
  assertEquals(info.infoHashV2, sha256(info.infoBytes));
  assertEquals(
    info.files.map(({ path, offset }) => [path.join("/"), offset]),
    [["folder/a", 0], ["folder/b", 98_304], ["folder/sub/c", 98_304]],
  );
  assertEquals([0, 1, 2, 3].map((at) => pieceLengthOf(info, at)), [
    ...[32_768, 32_768, 80_000 - 65_536, 5],
  ]);
  assertEquals(rangesOf(info, { pieceIndex: 3, begin: 1, lengthBytes: 4 }), [
    { fileIndex: 2, offset: 1, lengthBytes: 4 },
  ]);
  const hashes = new PieceHashes(info, hashing);
  const right = [...piecesOf(ramp(80_000)), ramp(5)];
  for (const [index, piece] of right.entries()) {
    assertEquals(hashes.matches(index, piece), true);
    const wrong = piece.slice();
    wrong[piece.length - 1]! ^= 1;
    assertEquals(hashes.matches(index, wrong), false);
  }
});

Deno.test("parseMetainfo reads a hybrid, whose pieces must have both hashes", () => {
  const info = parseMetainfo(make("hybrid"), hashing);
  assertEquals([info.version, info.pieceCount, info.totalBytes], [
    "hybrid",
    4,
    80_005,
  ]);
  assertEquals(info.infoHash, sha1(info.infoBytes));
  assertEquals(info.infoHashV2, sha256(info.infoBytes));
  const pieces = [...piecesOf(ramp(80_000)), ramp(5)];
  const hashes = new PieceHashes(info, hashing);
  for (const [index, piece] of pieces.entries()) {
    assertEquals(hashes.matches(index, piece), true);
  }
  // Right by one of the two only.
  for (const half of ["sha1", "sha256"] as const) {
    const liar = new PieceHashes(info, {
      ...hashing,
      [half]: () => new Uint8Array(half === "sha1" ? 20 : 32),
    });
    assertEquals(liar.matches(0, pieces[0]!), false);
  }
});

Deno.test("PieceHashes knows pieces of v2 from a magnet only when it has learned the layer", () => {
  const full = parseMetainfo(make("v2"), hashing);
  const [[root, layer]] = full.pieceLayers as unknown as [[string, Uint8Array]];
  const hashes = new PieceHashes(parseInfo(full.infoBytes, hashing), hashing);
  assertEquals([0, 1, 2, 3].map((at) => hashes.known(at)), [
    ...[false, false, false, true],
  ]);
  assertEquals(hashes.matches(0, ramp(PIECE)), false);
  const wrong = layer.slice();
  wrong[0]! ^= 1;
  assertEquals(hashes.learn(fromHex(root), wrong), false);
  assertEquals(hashes.learn(fromHex(root), layer), true);
  assertEquals(hashes.known(0), true);
  assertEquals(hashes.matches(0, ramp(PIECE)), true);
  // A hybrid can be checked by SHA-1 meanwhile.
  const hybrid = parseMetainfo(make("hybrid"), hashing).infoBytes;
  const half = new PieceHashes(parseInfo(hybrid, hashing), hashing);
  assertEquals([half.known(0), half.matches(0, ramp(PIECE))], [true, true]);
});

const ROOT = new Uint8Array(32).fill(1);
const file = (change: Record<string, BencodeInput> = {}): BencodeInput => ({
  "": { length: 10, "pieces root": ROOT, ...change },
});

function v2(change: Record<string, BencodeInput | undefined>): Uint8Array {
  const info: BencodeInput = {
    "file tree": { a: file(), "b.bin": file() },
    "meta version": 2,
    name: "t",
    "piece length": 16_384,
    ...change,
  };
  return encodeBencode({ info, "piece layers": {} });
}

Deno.test("parseMetainfo refuses file trees that are wrong or dangerous", () => {
  parseMetainfo(v2({}), hashing);
  const trees: readonly (BencodeInput | undefined)[] = [
    undefined,
    {},
    [],
    file(),
    { a: {} },
    { a: 5 },
    { a: { ...(file() as Record<string, BencodeInput>), b: file() } },
    { a: file({ length: -1 }) },
    { a: { "": { "pieces root": ROOT } } },
    { a: { "": { length: 10 } } },
    { a: file({ "pieces root": ROOT.slice(1) }) },
    { a: file({ attr: "p" }) },
    { a: file({ length: 0 }) },
    { "..": file() },
    { "a/b": file() },
    { "C:": file() },
    { nul: { x: file() } },
    { A: file(), a: file() },
    { a: { b: { "..": { c: file() } } } },
    { "\u00ff": file() },
    { a: file(), l: { "": { attr: "l", length: 0, "symlink path": [".."] } } },
  ];
  for (const tree of trees) {
    assertThrows(
      () => parseMetainfo(v2({ "file tree": tree }), hashing),
      SyntaxError,
      "",
      JSON.stringify(tree),
    );
  }
  for (const length of [8_192, 20_000, 0]) {
    assertThrows(
      () => parseMetainfo(v2({ "piece length": length }), hashing),
      SyntaxError,
    );
  }
});

Deno.test("parseMetainfo refuses piece layers that are missing, of a wrong length or not below the root", () => {
  const { pieceLayers, infoBytes } = parseMetainfo(make("v2"), hashing);
  const [[root, layer]] = pieceLayers as unknown as [[string, Uint8Array]];
  const key = String.fromCharCode(...fromHex(root));
  const wrong = layer.slice();
  wrong[40]! ^= 1;
  const layers: readonly BencodeInput[] = [
    {},
    [],
    { [key]: layer.subarray(32) },
    { [key]: wrong },
    { [key]: 5 },
  ];
  const head = encodeBencode({ info: 0 }).subarray(0, 7);
  const whole = (bytes: BencodeInput) =>
    concat(
      head,
      infoBytes,
      encodeBencode({ "piece layers": bytes }).subarray(1),
    );
  parseMetainfo(whole({ [key]: layer }), hashing);
  for (const bad of layers) {
    assertThrows(() => parseMetainfo(whole(bad), hashing), SyntaxError);
  }
});

Deno.test("parseMetainfo refuses a hybrid whose two descriptions differ", () => {
  const one = { "": { length: 10, "pieces root": ROOT } };
  const base = {
    ...{ "meta version": 2, name: "t", "piece length": 16_384 },
    "file tree": { t: one },
    length: 10,
    pieces: new Uint8Array(20),
  };
  const read = (info: Record<string, BencodeInput>) =>
    parseMetainfo(encodeBencode({ info, "piece layers": {} }), hashing);
  assertEquals(read(base).version, "hybrid");
  assertThrows(() => read({ ...base, length: 11 }), SyntaxError);
  assertThrows(() => read({ ...base, "file tree": { u: one } }), SyntaxError);
  assertThrows(
    () => read({ ...base, "file tree": { t: one, u: one } }),
    SyntaxError,
  );
});

Deno.test("magnetOf names both hashes of a hybrid", () => {
  const link = magnetOf(parseMetainfo(make("hybrid"), hashing));
  assert(
    /^magnet:\?xt=urn:btih:[0-9a-f]{40}&xt=urn:btmh:1220[0-9a-f]{64}&dn=folder&xl=80005$/
      .test(link),
    link,
  );
});

Deno.test("comparePaths orders by the bytes of UTF-8, folders in place", () => {
  const paths = [["b"], ["a", "z"], ["a.x"], ["a"], ["\ufffd"], ["\u{10000}"]];
  assertEquals(paths.sort(comparePaths).map((path) => path.join("/")), [
    ...["a", "a/z", "a.x", "b", "\ufffd", "\u{10000}"],
  ]);
});

Deno.test("parseMetainfo throws nothing but SyntaxError for v2 and hybrids (seed 22)", () => {
  const samples = [v2({}), make("v2"), make("hybrid")];
  const seen = fuzz(samples, (bytes) => parseMetainfo(bytes, hashing), {
    ...{ seed: 22, rounds: 6_000 },
  });
  assert(seen.accepted > 10 && seen.refused > 1000, JSON.stringify(seen));
});
