import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertThrows,
} from "@std/assert";
import {
  counted,
  formatBitRate,
  formatBytes,
  formatMs,
  parseBitRate,
  parseByteRate,
  parseDurationMs,
  parseSizeBytes,
} from "../../../lib/core/units.ts";

Deno.test("units are read as people write them", () => {
  assertEquals(parseDurationMs("250ms"), 250);
  assertEquals(parseDurationMs("1.5s"), 1500);
  assertEquals(parseDurationMs("2min"), 120_000);
  assertEquals(parseDurationMs("0"), 0);
  assertEquals(parseSizeBytes("512"), 512);
  assertEquals(parseSizeBytes("256KiB"), 262_144);
  assertEquals(parseSizeBytes("1MB"), 1_000_000);
  assertEquals(parseSizeBytes("1TiB"), 2 ** 40);
  assertEquals(parseByteRate("10MiB/s"), 10_485_760);
  assertEquals(parseBitRate("2500k"), 2_500_000);
  assertEquals(parseBitRate("8Mbit/s"), 8_000_000);
});

Deno.test("units refuse what they do not know", () => {
  for (
    const wrong of [
      () => parseDurationMs("5"),
      () => parseDurationMs("-1s"),
      () => parseDurationMs("1 fortnight"),
      () => parseSizeBytes("1kb"),
      () => parseSizeBytes("constructor"),
      () => parseByteRate(""),
      () => parseBitRate("fast"),
    ]
  ) assertInstanceOf(assertThrows(wrong), RangeError);
  const error = assertThrows(() => parseByteRate("10Mbit/s"), RangeError);
  assertMatch(error.message, /got "10Mbit\/s"/);
});

Deno.test("units are written for people", () => {
  assertEquals(formatBytes(12), "12 B");
  assertEquals(formatBytes(30.518787), "31 B");
  assertEquals(formatBytes(33_554_432), "32.0 MiB");
  assertEquals(formatBitRate(2_500_000), "2.50 Mbit/s");
  assertEquals(counted(1, "peer"), "1 peer");
  assertEquals(counted(0, "query", "queries"), "0 queries");
  assertEquals(formatMs(0.25), "0.25 ms");
  assertEquals(formatMs(320), "320 ms");
  assertEquals(formatMs(12_345), "12.3 s");
  assertEquals(formatMs(125_000), "2 min 05 s");
  assertEquals(formatMs(0), "0 ms");
  assertEquals(formatMs(9.997), "10 ms");
  assertEquals(formatMs(999.7), "1.0 s");
  assertEquals(formatMs(119_949), "119.9 s");
  assertEquals(formatMs(119_970), "2 min 00 s");
});
