import { assertEquals } from "@std/assert";
import { normaliseTarget } from "../../../lib/http/target.ts";

Deno.test("normaliseTarget resolves dots, names no other host, refuses what is no path", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["/", "/"],
    ["/a/b?c=d", "/a/b?c=d"],
    ["/a/../b", "/b"],
    ["/a/%2e%2E/b", "/b"],
    ["/../../etc/passwd", "/etc/passwd"],
    ["/a/./b//c", "/a/b//c"],
    ["//other.example/x", "//other.example/x"],
    ["/\\other.example/x", "//other.example/x"],
    ["/@other.example/", "/@other.example/"],
    ["/:80/", "/:80/"],
    ["/?a=/../b", "/?a=/../b"],
    ["/ü", "/%C3%BC"],
    ["/%31.bin", "/1.bin"],
    ["/%7Eanna/%5f?a=%2D%3d", "/~anna/_?a=-%3D"],
    ["/%c3%bc%2f%252e", "/%C3%BC%2F%252e"],
    ["/%2531%3", "/%2531%3"],
    ["//%6Fther.example", "//other.example"],
    ["http://other.example/", undefined],
    ["other.example:443", undefined],
    ["*", undefined],
    ["", undefined],
    ["/a b", undefined],
    ["/a\r\nHost: x", undefined],
    ["/a#b", undefined],
  ];
  for (const [target, expected] of cases) {
    assertEquals(normaliseTarget(target), expected, target);
  }
});
