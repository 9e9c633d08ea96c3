import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromHex } from "../../../lib/core/bytes.ts";
import { ProtocolError } from "../../../lib/core/errors.ts";
import {
  displayName,
  equalNames,
  formatName,
  isWithin,
  labelCount,
  parseName,
  readName,
} from "../../../lib/dns/name.ts";
import { BytePool } from "../../../lib/dns/authority/byte_pool.ts";
import { NameTable } from "../../../lib/dns/authority/name_table.ts";

Deno.test("parseName and formatName go both ways", () => {
  const origin = parseName("kingcdn.example.");
  for (
    const [given, text, bytes] of [
      [".", ".", 1],
      ["video", "video.kingcdn.example.", 23],
      ["Video.KingCDN.example.", "Video.KingCDN.example.", 23],
      ["a\\.b", "a\\.b.kingcdn.example.", 21],
      ["a\\046b", "a\\.b.kingcdn.example.", 21],
      ["a\\255.", "a\\255.", 4],
      ["*", "*.kingcdn.example.", 19],
      ["_http._tcp.", "_http._tcp.", 12],
    ] as const
  ) {
    const name = parseName(given, origin);
    assertEquals([formatName(name), name.length], [text, bytes]);
    assertEquals(parseName(text), name);
  }
});

Deno.test("parseName refuses what is no name", () => {
  const label = "a".repeat(63);
  parseName(`${label}.${label}.${label}.${"a".repeat(61)}.`);
  for (
    const text of [
      "",
      "..",
      ".a",
      "a..b",
      "a b",
      "bücher.example",
      "a\\",
      "a\\25",
      "a\\256",
      `${label}a`,
      `${label}.${label}.${label}.${"a".repeat(62)}.`,
    ]
  ) assertThrows(() => parseName(text), SyntaxError);
});

Deno.test("names are compared without regard to case", () => {
  const name = parseName("Video.KingCDN.example");
  assert(equalNames(name, parseName("vIDEO.kINGcdn.EXAMPLE")));
  assert(!equalNames(name, parseName("video.kingcdn.example2")));
  assert(isWithin(name, parseName("kingcdn.EXAMPLE")));
  assert(isWithin(name, parseName(".")));
  assert(!isWithin(name, parseName("cdn.example")));
  assert(!isWithin(parseName("example"), name));
  assertEquals(labelCount(name), 3);
  assertEquals(displayName(name), "video.kingcdn.example");
});

Deno.test("readName follows pointers back, and only back", () => {
  // 0: b.c. ; 5: a + pointer to 0 ; 9: pointer to 5
  const message = fromHex("016201630001" + "61c000" + "c005");
  const read = readName(message, 9);
  assertEquals([formatName(read.name), read.next], ["a.b.c.", 11]);
  for (
    const [hex, at, code] of [
      ["c000", 0, "dns-bad-pointer"],
      ["0161c000", 0, "dns-bad-pointer"],
      ["c002c000", 0, "dns-bad-pointer"],
      ["c002c000", 2, "dns-bad-pointer"],
      ["c0ff", 0, "dns-bad-pointer"],
      ["0161", 0, "dns-truncated"],
      ["05616263", 0, "dns-truncated"],
      ["c0", 0, "dns-truncated"],
      ["", 0, "dns-truncated"],
      ["4061", 0, "dns-bad-label"],
      ["8061", 0, "dns-bad-label"],
      [("3f" + "61".repeat(63)).repeat(4) + "00", 0, "dns-name-too-long"],
    ] as const
  ) {
    const error = assertThrows(() => readName(fromHex(hex), at), ProtocolError);
    assertEquals([hex, error.code], [hex, code]);
  }
});

Deno.test("NameTable finds names in a message, whatever their case, or the closest above them", () => {
  const pool = new BytePool();
  const table = new NameTable<number>(pool);
  for (let index = 0; index < 500; index++) {
    const at = table.add(parseName(`N${index}.cdn.test`), index);
    assertEquals(
      formatName(readName(pool.bytes, at).name),
      `N${index}.cdn.test.`,
    );
  }
  pool.trim();
  const message = new Uint8Array([9, 9, ...parseName("n7.cdn.TEST"), 1, 2]);
  assertEquals(table.get(message, 2), 7);
  assertEquals(table.get(parseName("n499.cdn.test")), 499);
  assertEquals(table.get(parseName("n500.cdn.test")), undefined);
  assertEquals(table.get(parseName("cdn.test")), undefined);
  assertEquals(table.values.length, 500);
  for (
    const [name, value, isExact] of [
      ["n7.cdn.test", 7, true],
      ["a.b.n7.cdn.test", 7, false],
      ["n500.cdn.test", undefined, false],
      [".", undefined, false],
    ] as const
  ) {
    assertEquals(table.closest(parseName(name)), value);
    if (value !== undefined) assertEquals(table.isExact, isExact);
  }
  const deepest = parseName(`${"a.".repeat(127)}`);
  table.add(deepest, 1000);
  assertEquals(table.closest(deepest), 1000);
});
