import { assertEquals } from "@std/assert";
import {
  formatCacheStatus,
  isNearestHit,
  tokenOf,
} from "../../../../lib/http/cache/cache_status.ts";

Deno.test("formatCacheStatus writes members of RFC 9211", () => {
  assertEquals(
    formatCacheStatus("e", { hit: true, ttlMs: 376_999 }),
    "e; hit; ttl=376",
  );
  assertEquals(
    formatCacheStatus("e", {
      forward: "stale",
      forwardStatus: 304,
      stored: true,
      collapsed: true,
      ttlMs: -1500,
      key: '/a"b\\ü',
      detail: "x",
    }),
    'e; fwd=stale; fwd-status=304; stored; collapsed; ttl=-2; key="/a\\"b\\\\%C3%BC"; detail=x',
  );
  assertEquals(formatCacheStatus("e", { ttlMs: -Infinity }), "e");
});

Deno.test("tokenOf makes a token of any name", () => {
  assertEquals(tokenOf("edge@lab 3"), "edge-lab-3");
  assertEquals(tokenOf("1"), "x1");
  assertEquals(tokenOf(""), "x");
  assertEquals(tokenOf("a;b\r\nc: d"), "a-b-c-d");
});

Deno.test("isNearestHit asks the last cache on the way, whatever the others had", () => {
  assertEquals(isNearestHit("e; hit; ttl=3"), true);
  assertEquals(isNearestHit("e;hit"), true);
  assertEquals(isNearestHit("a; fwd=uri-miss, e; hit"), true);
  // Two tiers may have one name.
  assertEquals(isNearestHit("e; hit, e; fwd=uri-miss; stored"), false);
  assertEquals(isNearestHit('e; fwd=stale; key="/a; hit; \\"; hit"'), false);
  assertEquals(isNearestHit("e; hits=3"), false);
  assertEquals(isNearestHit(null), false);
});
