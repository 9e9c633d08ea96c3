import { assertEquals } from "@std/assert";
import { formatHttpDate, parseHttpDate } from "../../../lib/http/http_date.ts";

const NOW = Date.UTC(2026, 10, 23);
const SIX_NOV_94 = 784_111_777_000;

Deno.test("parseHttpDate reads the three forms of RFC 9110 §5.6.7 and no other", () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ["Sun, 06 Nov 1994 08:49:37 GMT", SIX_NOV_94],
    ["Sunday, 06-Nov-94 08:49:37 GMT", SIX_NOV_94],
    ["Sun Nov  6 08:49:37 1994", SIX_NOV_94],
    ["Sunday, 06-Nov-30 08:49:37 GMT", Date.UTC(2030, 10, 6, 8, 49, 37)],
    ["Sun, 31 Dec 2016 23:59:60 GMT", Date.UTC(2016, 11, 31, 23, 59, 59)],
    // RFC 9111 §4.2: caches should not mind the case.
    ["sun, 06 Nov 1994 08:49:37 GMT", SIX_NOV_94],
    ["Sun, 06 NOV 1994 08:49:37 gmt", SIX_NOV_94],
    ["Sun, 06 Nov 1994 08:49:37 UTC", undefined],
    ["Sun, 06 Nov 94 08:49:37 GMT", undefined],
    ["Sun 06 Nov 1994 08:49:37 GMT", undefined],
    ["Sun, 06 Nov 1994 8:49:37 GMT", undefined],
    ["Sun, 30 Feb 2024 08:49:37 GMT", undefined],
    ["Sun, 00 Feb 2024 08:49:37 GMT", undefined],
    ["Sun, 06 Nov 1994 24:00:00 GMT", undefined],
    ["0", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of cases) {
    assertEquals(parseHttpDate(text, NOW), expected, text);
  }
});

Deno.test("formatHttpDate writes what parseHttpDate reads", () => {
  assertEquals(
    formatHttpDate(SIX_NOV_94 + 999),
    "Sun, 06 Nov 1994 08:49:37 GMT",
  );
  for (let at = 0; at < 4e12; at += 123_456_789_000) {
    assertEquals(parseHttpDate(formatHttpDate(at), NOW), at);
  }
});
