import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  BencodeError,
  type BencodeInput,
  type BencodeValue,
  bytesOfKey,
  decodeBencode,
  decodeBencodeDictionary,
  decodeBencodePrefix,
  encodeBencode,
  keyOfBytes,
} from "../../../lib/bittorrent/bencode.ts";
import { concat, fromUtf8, utf8 } from "../../../lib/core/bytes.ts";
import { type Rng, seededRng } from "../../../lib/core/rng.ts";
import { fuzz } from "./_fuzz.ts";

const VECTORS: readonly (readonly [string, BencodeValue])[] = [
  // BEP 3, "bencoding".
  ["4:spam", utf8("spam")],
  ["i3e", 3],
  ["i-3e", -3],
  ["i0e", 0],
  ["l4:spam4:eggse", [utf8("spam"), utf8("eggs")]],
  [
    "d3:cow3:moo4:spam4:eggse",
    new Map([["cow", utf8("moo")], ["spam", utf8("eggs")]]),
  ],
  ["d4:spaml1:a1:bee", new Map([["spam", [utf8("a"), utf8("b")]]])],
  ["0:", new Uint8Array()],
  ["le", []],
  ["de", new Map()],
  ["i9007199254740991e", Number.MAX_SAFE_INTEGER],
  ["d0:i1ee", new Map([["", 1]])],
];

Deno.test("decodeBencode and encodeBencode agree with the examples of BEP 3", () => {
  for (const [text, value] of VECTORS) {
    assertEquals(decodeBencode(utf8(text)), value, text);
    assertEquals(fromUtf8(encodeBencode(value)), text);
  }
});

Deno.test("decodeBencode refuses what is not canonical, and says where", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["", 0],
    ["i", 1],
    ["ie", 1],
    ["i-0e", 2],
    ["i03e", 1],
    ["i-03e", 2],
    ["i--3e", 2],
    ["i3", 2],
    ["i 3e", 1],
    ["i+3e", 1],
    ["i9007199254740992e", 1],
    ["03:abc", 0],
    ["-1:a", 0],
    ["4:abc", 0],
    ["99999999999999999999:a", 0],
    ["4", 1],
    ["l", 1],
    ["li1e", 4],
    ["d3:cow", 6],
    ["d3:cowe", 6],
    ["di1ei2ee", 1],
    ["d1:bi1e1:ai2ee", 7],
    ["d1:ai1e1:ai2ee", 7],
    ["i1ei2e", 3],
    ["e", 0],
    ["x", 0],
    ["i1e\n", 3],
  ];
  for (const [text, offset] of cases) {
    const error = assertThrows(() => decodeBencode(utf8(text)), BencodeError);
    assertEquals(error.offset, offset, text);
  }
});

Deno.test("decodeBencode accepts unsorted keys only when asked, repeated keys never", () => {
  const unsorted = utf8("d1:bi1e1:ai2ee");
  assertEquals(
    decodeBencode(unsorted, { anyKeyOrder: true }),
    new Map([["b", 1], ["a", 2]]),
  );
  assertThrows(
    () => decodeBencode(utf8("d1:ai1e1:ai2ee"), { anyKeyOrder: true }),
    BencodeError,
  );
});

Deno.test("decodeBencode bounds depth, size, number of values and length of keys", () => {
  const nested = (depth: number) =>
    utf8("l".repeat(depth) + "i1e" + "e".repeat(depth));
  decodeBencode(nested(64));
  assertThrows(() => decodeBencode(nested(65)), BencodeError);
  assertThrows(() => decodeBencode(utf8("l".repeat(1e6))), BencodeError);
  assertThrows(
    () => decodeBencode(utf8("4:spam"), { maxBytes: 5 }),
    BencodeError,
  );
  assertThrows(
    () => decodeBencode(utf8(`l${"0:".repeat(1_000_001)}e`)),
    BencodeError,
  );
  assertThrows(
    () => decodeBencode(utf8(`d4097:${"k".repeat(4097)}i1ee`)),
    BencodeError,
  );
});

Deno.test("encodeBencode sorts keys as raw bytes and leaves out what is undefined", () => {
  assertEquals(
    fromUtf8(encodeBencode({ b: 1, a: "ä", Z: [], c: undefined })),
    "d1:Zle1:a2:ä1:bi1ee",
  );
  const high = keyOfBytes(Uint8Array.of(0xff));
  assertEquals(
    encodeBencode(new Map([[high, 1], ["~", 2]])),
    concat(utf8("d1:~i2e1:"), Uint8Array.of(0xff), utf8("i1ee")),
  );
  assertEquals(fromUtf8(encodeBencode(-0)), "i0e");
});

Deno.test("encodeBencode throws RangeError for what has no encoding", () => {
  for (const bad of [1.5, NaN, Infinity, 2 ** 53, { "€": 1 }]) {
    assertThrows(() => encodeBencode(bad), RangeError);
  }
});

Deno.test("keyOfBytes and bytesOfKey are each other's inverse for all bytes", () => {
  const all = Uint8Array.from({ length: 256 }, (_, at) => at);
  assertEquals(bytesOfKey(keyOfBytes(all)), all);
});

Deno.test("decodeBencodePrefix says where the value ends", () => {
  const { value, endOffset } = decodeBencodePrefix(
    utf8("d8:msg_typei1eerest"),
  );
  assertEquals(value, new Map([["msg_type", 1]]));
  assertEquals(endOffset, 15);
});

Deno.test("decodeBencodeDictionary keeps the exact bytes of the dictionary's own entries", () => {
  const { raw } = decodeBencodeDictionary(utf8("d1:ad1:bi1ee1:cl1:xee"));
  assertEquals(
    [...raw].map(([key, bytes]) => [key, fromUtf8(bytes)]),
    [["a", "d1:bi1ee"], ["c", "l1:xe"]],
  );
  assertThrows(() => decodeBencodeDictionary(utf8("le")), BencodeError);
});

Deno.test("decodeBencode and encodeBencode round-trip random values (seed 5)", () => {
  const rng = seededRng(5);
  for (let round = 0; round < 500; round++) {
    const bytes = encodeBencode(randomValue(rng, 4));
    assertEquals(encodeBencode(decodeBencode(bytes)), bytes);
  }
});

Deno.test("decodeBencode throws nothing but SyntaxError; what it accepts is canonical (seed 11)", () => {
  const samples = VECTORS.map(([text]) => utf8(text));
  samples.push(encodeBencode(randomValue(seededRng(3), 5)));
  const seen = fuzz(samples, (bytes) => {
    assertEquals(encodeBencode(decodeBencode(bytes)), bytes);
  }, { seed: 11, rounds: 20_000 });
  assert(seen.accepted > 100 && seen.refused > 1000, JSON.stringify(seen));
});

function randomValue(rng: Rng, depth: number): BencodeInput {
  const size = Math.floor(rng() * 5);
  switch (Math.floor(rng() * (depth > 0 ? 4 : 2))) {
    case 0:
      return Math.floor((rng() - 0.5) * 2 ** (1 + rng() * 53));
    case 1:
      return Uint8Array.from({ length: size * 7 }, () => rng() * 256);
    case 2:
      return Array.from({ length: size }, () => randomValue(rng, depth - 1));
    default:
      return new Map(
        Array.from(
          { length: size },
          () => [
            keyOfBytes(Uint8Array.from({ length: 3 }, () => rng() * 256)),
            randomValue(rng, depth - 1),
          ],
        ),
      );
  }
}
