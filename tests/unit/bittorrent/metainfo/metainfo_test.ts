import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type BencodeInput,
  encodeBencode,
} from "../../../../lib/bittorrent/bencode.ts";
import {
  hashOfPiece,
  parseInfo,
  parseMetainfo,
} from "../../../../lib/bittorrent/metainfo/metainfo.ts";
import { makeMetainfo } from "../../../../lib/bittorrent/metainfo/make_metainfo.ts";
import { concat, toHex, utf8 } from "../../../../lib/core/bytes.ts";
import { hashing, sha1 } from "../../../../lib/io/hash.ts";
import { fuzz } from "../_fuzz.ts";

const hashes = (count: number) =>
  Uint8Array.from({ length: 20 * count }, (_, at) => at);

const SINGLE: Record<string, BencodeInput> = {
  length: 100_000,
  name: "movie.mp4",
  "piece length": 65_536,
  pieces: hashes(2),
};
const FILES: readonly Record<string, BencodeInput>[] = [
  { length: 3, path: ["a.txt"] },
  { length: 0, path: ["sub", "empty"] },
  { length: 70_000, path: ["sub", "deep", "ß.bin"] },
];
const MULTI: Record<string, BencodeInput> = {
  files: FILES,
  name: "folder",
  "piece length": 65_536,
  pieces: hashes(2),
};

function torrent(
  info: BencodeInput,
  rest: Record<string, BencodeInput> = {},
): Uint8Array {
  return encodeBencode({
    announce: "http://10.0.0.1:6969/announce",
    info,
    ...rest,
  });
}

Deno.test("parseMetainfo reads a torrent of one file", () => {
  const metainfo = parseMetainfo(torrent(SINGLE), hashing);
  assertEquals(metainfo.name, "movie.mp4");
  assertEquals(metainfo.multiFile, false);
  assertEquals(metainfo.totalBytes, 100_000);
  assertEquals(metainfo.pieceCount, 2);
  assertEquals(metainfo.files, [
    { path: ["movie.mp4"], lengthBytes: 100_000, offset: 0 },
  ]);
  assertEquals(metainfo.announce, "http://10.0.0.1:6969/announce");
  assertEquals(metainfo.announceList, [["http://10.0.0.1:6969/announce"]]);
  assertEquals(metainfo.private, false);
  assertEquals(hashOfPiece(metainfo, 1), hashes(2).slice(20));
  assertThrows(() => hashOfPiece(metainfo, 2), RangeError);
});

Deno.test("parseMetainfo reads a torrent of a folder, private, with tiers of trackers", () => {
  const metainfo = parseMetainfo(
    torrent({ ...MULTI, private: 1 }, {
      "announce-list": [["http://a/", "udp://b:1"], [], ["http://c/"]],
      comment: "hello",
      "created by": Uint8Array.of(0xe4),
    }),
    hashing,
  );
  assertEquals(metainfo.multiFile, true);
  assertEquals(metainfo.private, true);
  assertEquals(metainfo.files, [
    { path: ["folder", "a.txt"], lengthBytes: 3, offset: 0 },
    { path: ["folder", "sub", "empty"], lengthBytes: 0, offset: 3 },
    {
      path: ["folder", "sub", "deep", "ß.bin"],
      lengthBytes: 70_000,
      offset: 3,
    },
  ]);
  assertEquals(metainfo.announceList, [["http://a/", "udp://b:1"], [
    "http://c/",
  ]]);
  assertEquals(metainfo.comment, "hello");
  assertEquals(metainfo.createdBy, "\ufffd");
});

Deno.test("parseMetainfo hashes the info dictionary exactly as it stands, unknown keys and all", () => {
  const info = encodeBencode({ ...SINGLE, "x-unknown": ["kept", 1] });
  const bytes = concat(utf8("d4:info"), info, utf8("e"));
  const metainfo = parseMetainfo(bytes, hashing);
  assertEquals(metainfo.infoBytes, info);
  assertEquals(metainfo.infoHash, sha1(info));
  assertEquals(metainfo.announce, null);
  assertEquals(metainfo.announceList, []);
  assertEquals(toHex(parseInfo(info, hashing).infoHash), toHex(sha1(info)));
});

Deno.test("parseMetainfo refuses names that leave the folder or cannot be written", () => {
  const bad: readonly string[][] = [
    [],
    [""],
    ["a", ""],
    [".."],
    ["."],
    ["a", "..", "..", "b"],
    [".. "],
    ["..."],
    ["/etc/passwd"],
    ["a/b"],
    ["a\\b"],
    ["C:"],
    ["c:evil"],
    ["a\0b"],
    ["a\nb"],
    ["x".repeat(256)],
    ["ä".repeat(128)],
    ["CON"],
    ["a", "nul"],
    ["Aux.txt"],
    ["com1"],
    ["LPT9.tar.gz"],
    ["COM\u00b2"],
    ["prn ", "b"],
    ["conin$"],
    ["name."],
    ["name "],
    ["folder.", "b"],
    Array.from({ length: 65 }, () => "d"),
    Array.from({ length: 20 }, () => "d".repeat(200)),
  ];
  for (const path of bad) {
    const files = [{ length: 70_000, path }];
    assertThrows(
      () => parseMetainfo(torrent({ ...MULTI, files }), hashing),
      SyntaxError,
    );
    if (path.length !== 1) continue;
    assertThrows(
      () => parseMetainfo(torrent({ ...SINGLE, name: path[0] ?? "" }), hashing),
      SyntaxError,
    );
  }
  const good = [
    ["...a"],
    ["a b"],
    [".hidden"],
    ["x".repeat(255)],
    ["ab:c"],
    ["console"],
    ["com10"],
    ["null"],
    ["a.con"],
  ];
  for (const path of good) {
    const files = [{ length: 70_000, path }];
    parseMetainfo(torrent({ ...MULTI, files }), hashing);
  }
});

Deno.test("parseMetainfo refuses two files in one place and a file where a folder must be", () => {
  const collisions = [
    [["a"], ["a"]],
    [["a"], ["a", "b"]],
    [["a", "b", "c"], ["a"]],
    [["Read.me"], ["read.ME"]],
    [["A"], ["a", "b"]],
    [["caf\u00e9"], ["cafe\u0301"]],
  ];
  for (const paths of collisions) {
    const files = paths.map((path) => ({ length: 40_000, path }));
    assertThrows(
      () => parseMetainfo(torrent({ ...MULTI, files }), hashing),
      SyntaxError,
    );
  }
  // The same folder in two spellings holds different files: no harm.
  const files = [["A", "x"], ["a", "y"]].map((path) => ({
    ...{ length: 40_000, path },
  }));
  parseMetainfo(torrent({ ...MULTI, files }), hashing);
});

Deno.test("parseMetainfo refuses entries that are missing, of the wrong kind or out of range", () => {
  const broken: readonly Record<string, BencodeInput | undefined>[] = [
    { name: undefined },
    { name: 7 },
    { name: Uint8Array.of(0xff) },
    { length: undefined },
    { length: -1 },
    { length: 0, pieces: "" },
    { length: "5" },
    { length: 200_000 },
    { length: 65_536 },
    { "piece length": undefined },
    { "piece length": 0 },
    { "piece length": -65_536 },
    { "piece length": 2 ** 40 },
    { pieces: undefined },
    { pieces: 5 },
    { pieces: [] },
    { pieces: "" },
    { pieces: hashes(2).slice(1) },
    { pieces: hashes(3) },
    { files: FILES },
    { length: undefined, files: [] },
    { length: undefined, files: [7] },
    { length: undefined, files: [{ path: ["a"] }] },
    { length: undefined, files: [{ length: 100_000 }] },
    { length: undefined, files: [{ length: 100_000, path: "a" }] },
    { length: undefined, files: [{ length: 100_000, path: [1] }] },
    {
      length: undefined,
      files: [
        { length: Number.MAX_SAFE_INTEGER, path: ["a"] },
        { length: 1, path: ["b"] },
      ],
    },
    { pieces: undefined, "meta version": 2 },
    { "meta version": 3 },
    { attr: "l", "symlink path": ["x"] },
  ];
  for (const change of broken) {
    assertThrows(
      () =>
        parseMetainfo(
          torrent({ ...SINGLE, ...change } as BencodeInput),
          hashing,
        ),
      SyntaxError,
      "",
      JSON.stringify(change),
    );
  }
  for (const info of [[], 5, "info"]) {
    assertThrows(() => parseMetainfo(torrent(info), hashing), SyntaxError);
  }
  for (
    const bytes of ["", "le", "de", "<html>", "d8:announce3:urle"]
  ) {
    assertThrows(() => parseMetainfo(utf8(bytes), hashing), SyntaxError);
  }
  assertThrows(
    () => parseMetainfo(torrent(SINGLE, { announce: 5 }), hashing),
    SyntaxError,
  );
  for (
    const list of [5, ["http://a/"], [[5]], [Array(201).fill("http://a/")]]
  ) {
    assertThrows(
      () => parseMetainfo(torrent(SINGLE, { "announce-list": list }), hashing),
      SyntaxError,
    );
  }
});

Deno.test("makeMetainfo writes the same bytes every time, and parseMetainfo reads them", () => {
  const options = {
    name: "folder",
    content: [
      { path: ["a"], lengthBytes: 10 },
      { path: ["b", "c"], lengthBytes: 30 },
    ],
    pieceLength: 16,
    pieces: hashes(3),
    announceList: [["http://a/announce"], ["udp://b:6969"]],
    private: true,
    createdBy: "test",
  };
  const bytes = makeMetainfo(options);
  assertEquals(makeMetainfo({ ...options }), bytes);
  const metainfo = parseMetainfo(bytes, hashing);
  assertEquals(metainfo.announceList, options.announceList);
  assertEquals(metainfo.announce, "http://a/announce");
  assertEquals(metainfo.private, true);
  assertEquals(metainfo.files.map((file) => file.path.join("/")), [
    "folder/a",
    "folder/b/c",
  ]);
  assertEquals(metainfo.pieceCount, 3);
  assertThrows(() => makeMetainfo({ ...options, name: ".." }), SyntaxError);
  assertThrows(
    () => makeMetainfo({ ...options, pieces: hashes(2) }),
    SyntaxError,
  );
});

Deno.test("makeMetainfo gives the info-hash other programs compute for the same file", () => {
  // 524,289 bytes 0, 1, … 255, 0, … named "ramp.bin" in 256 KiB pieces; info-hash from transmission-create 3.00 -p.
  const content = Uint8Array.from({ length: 524_289 }, (_, at) => at);
  const pieces = concat(
    sha1(content.subarray(0, 262_144)),
    sha1(content.subarray(262_144, 524_288)),
    sha1(content.subarray(524_288)),
  );
  const bytes = makeMetainfo({
    name: "ramp.bin",
    content: content.length,
    pieceLength: 262_144,
    pieces,
    private: true,
  });
  assertEquals(
    toHex(parseMetainfo(bytes, hashing).infoHash),
    "2b3a3191a073e04abfc0f047394fc2fcf2106e7b",
  );
});

Deno.test("parseMetainfo throws nothing but SyntaxError (seed 21)", () => {
  const samples = [
    torrent(SINGLE, { "announce-list": [["http://a/"], ["udp://b:1"]] }),
    torrent({ ...MULTI, private: 1 }, { comment: "x" }),
  ];
  const seen = fuzz(samples, (bytes) => parseMetainfo(bytes, hashing), {
    seed: 21,
    rounds: 10_000,
  });
  assert(seen.accepted > 10 && seen.refused > 1000, JSON.stringify(seen));
});
