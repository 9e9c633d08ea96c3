import { assertEquals, assertThrows } from "@std/assert";
import {
  type BencodeInput,
  encodeBencode,
} from "../../../../lib/bittorrent/bencode.ts";
import {
  pieceLengthOf,
  pieceSpanOf,
  rangesOf,
} from "../../../../lib/bittorrent/metainfo/layout.ts";
import { parseMetainfo } from "../../../../lib/bittorrent/metainfo/metainfo.ts";
import { PieceHashes } from "../../../../lib/bittorrent/metainfo/piece_hashes.ts";
import { concat, utf8 } from "../../../../lib/core/bytes.ts";
import { hashing, sha1 } from "../../../../lib/io/hash.ts";

type Entry = Record<string, BencodeInput>;

/** A torrent of v1 with pieces of 16 bytes. */
function torrent(
  files: readonly Entry[],
  rest: Record<string, BencodeInput> = {},
): Uint8Array {
  let length = 0;
  for (const file of files) length += Number(file["length"] ?? 0);
  const pieces = new Uint8Array(Math.ceil(length / 16) * 20);
  const info = { files, name: "t", "piece length": 16, pieces };
  return encodeBencode({ info, ...rest });
}

const PADDED: readonly Entry[] = [
  { length: 20, path: ["a"] },
  { attr: "p", length: 12, path: [".pad", "12"] },
  { length: 5, path: ["b"] },
  { attr: "p", length: 3 },
  { length: 8, path: ["c"] },
  { attr: "p", length: 16, path: [".pad", "16"] },
  { length: 3, path: ["d"] },
];

Deno.test("parseMetainfo reads padding files (BEP 47) and leaves what ends a piece out of its length", () => {
  const info = parseMetainfo(torrent(PADDED), hashing);
  assertEquals(info.files.map((file) => file.padding ?? false), [
    ...[false, true, false, true, false, true, false],
  ]);
  // a | a and padding | b, padding, c | nothing but padding | d
  const lengths = [0, 1, 2, 3, 4].map((at) => pieceLengthOf(info, at));
  assertEquals(lengths, [16, 4, 16, 16, 3]);
  assertEquals([0, 1, 2, 3, 4].map((at) => pieceSpanOf(info, at)), [
    ...[16, 16, 16, 16, 3],
  ]);
  assertEquals(info.totalBytes, 16 + 4 + 16 + 16 + 3);
  assertEquals(rangesOf(info, { pieceIndex: 2, begin: 0, lengthBytes: 16 }), [
    { fileIndex: 2, offset: 0, lengthBytes: 5 },
    { fileIndex: 3, offset: 0, lengthBytes: 3 },
    { fileIndex: 4, offset: 0, lengthBytes: 8 },
  ]);
});

Deno.test("PieceHashes counts padding as zeros", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  const pieces = concat(
    sha1(new Uint8Array(16)),
    sha1(concat(bytes, new Uint8Array(12))),
  );
  const files = PADDED.slice(0, 2);
  const info = { files, name: "t", "piece length": 16, pieces };
  const metainfo = parseMetainfo(encodeBencode({ info }), hashing);
  const hashes = new PieceHashes(metainfo, hashing);
  assertEquals(hashes.matches(1, bytes), true);
  assertEquals(hashes.matches(1, Uint8Array.of(1, 2, 3, 5)), false);
  assertEquals(hashes.matches(0, new Uint8Array(16)), true);
});

Deno.test("parseMetainfo reads attributes (BEP 47) and refuses links that lead outside", () => {
  const info = parseMetainfo(
    torrent([
      { attr: "xh?", length: 16, path: ["run"] },
      { attr: "l", length: 0, path: ["sub", "link"], "symlink path": ["run"] },
      { attr: "l", path: ["dangling"], "symlink path": ["no", "where"] },
    ]),
    hashing,
  );
  assertEquals(info.files, [
    {
      path: ["t", "run"],
      lengthBytes: 16,
      offset: 0,
      executable: true,
      hidden: true,
    },
    {
      path: ["t", "sub", "link"],
      lengthBytes: 0,
      offset: 16,
      link: ["t", "run"],
    },
    {
      path: ["t", "dangling"],
      lengthBytes: 0,
      offset: 16,
      link: ["t", "no", "where"],
    },
  ]);
  const bad: readonly Entry[] = [
    { "symlink path": ["..", "x"] },
    { "symlink path": ["/etc/passwd"] },
    { "symlink path": [] },
    { "symlink path": "run" },
    {},
    { "symlink path": ["run"], length: 4 },
  ];
  for (const change of bad) {
    const link = { attr: "l", length: 0, path: ["link"], ...change };
    const file = { length: 16, path: ["run"] };
    assertThrows(
      () => parseMetainfo(torrent([file, link]), hashing),
      SyntaxError,
    );
  }
  // A file below a link would be written wherever the link leads.
  const below = [
    { attr: "l", path: ["d"], "symlink path": ["run"] },
    { length: 16, path: ["d", "evil"] },
  ];
  assertThrows(() => parseMetainfo(torrent(below), hashing), SyntaxError);
});

Deno.test("parseMetainfo reads web seeds, HTTP seeds, DHT nodes, source and date, and leaves out what makes no sense", () => {
  const file = [{ length: 16, path: ["run"] }];
  const info = parseMetainfo(
    torrent(file, {
      "url-list": ["http://10.0.0.1/files/", "", 7, "no url"],
      httpseeds: ["http://10.0.0.2/seed"],
      nodes: [["10.0.0.3", 6881], ["::1", 0], "x", ["a"], [1, 2]],
      "creation date": 1_700_000_000,
    }),
    hashing,
  );
  assertEquals(info.webSeeds, ["http://10.0.0.1/files/"]);
  assertEquals(info.httpSeeds, ["http://10.0.0.2/seed"]);
  assertEquals(info.nodes, [{ host: "10.0.0.3", port: 6881 }]);
  assertEquals(info.createdAtSeconds, 1_700_000_000);
  assertEquals(info.source, null);
  const one = parseMetainfo(
    torrent(file, { "url-list": "http://10.0.0.1/run", nodes: 3 }),
    hashing,
  );
  assertEquals(one.webSeeds, ["http://10.0.0.1/run"]);
});

Deno.test("parseMetainfo refuses huge counts and nested bombs before anything else", () => {
  const entry = "d6:lengthi9e4:pathl1:aee";
  const many = utf8(
    `d4:infod5:filesl${entry.repeat(100_001)}e4:name1:t12:piece lengthi16eee`,
  );
  assertThrows(() => parseMetainfo(many, hashing), SyntaxError, "100000");
  let bomb: BencodeInput = [];
  for (let depth = 0; depth < 100; depth++) bomb = [bomb];
  assertThrows(
    () => parseMetainfo(encodeBencode({ info: bomb }), hashing),
    SyntaxError,
    "levels",
  );
  const file = { "": { length: 2 ** 50, "pieces root": new Uint8Array(32) } };
  const info = {
    ...{ "meta version": 2, name: "f", "piece length": 16_384 },
    "file tree": { f: file },
  };
  assertThrows(
    () => parseMetainfo(encodeBencode({ info }), hashing),
    SyntaxError,
    "pieces",
  );
});
