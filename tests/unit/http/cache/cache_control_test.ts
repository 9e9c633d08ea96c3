import { assertEquals } from "@std/assert";
import {
  Directives,
  requestDirectives,
} from "../../../../lib/http/cache/cache_control.ts";
import { Fields } from "../../../../lib/http/fields.ts";

Deno.test("Directives reads max-age, and takes what it cannot read for 0", () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ["max-age=60", 60],
    ["Max-Age=60", 60],
    ['max-age="60"', 60],
    ["max-age=0060", 60],
    ["public, max-age=60, x", 60],
    ['x="max-age=1", max-age=60', 60],
    ["max-age=60, max-age=10", 10],
    ["max-age=99999999999", 2 ** 31],
    ["max-age", 0],
    ["max-age=", 0],
    ["max-age=-1", 0],
    ["max-age=1.5", 0],
    ["max-age='60'", 0],
    ["max-age=60s", 0],
    ["max-age =60", 0],
    ["max-age= 60", 0],
    ["s-maxage=60", undefined],
    ["", undefined],
  ];
  for (const [value, expected] of cases) {
    assertEquals(new Directives(value).seconds("max-age"), expected, value);
  }
});

Deno.test("Directives tells bare directives from those with field names", () => {
  const directives = new Directives('private="Set-Cookie, X-A", no-cache');
  assertEquals(directives.bare("private"), false);
  assertEquals(directives.fieldNames("private"), ["set-cookie", "x-a"]);
  assertEquals(directives.bare("no-cache"), true);
  assertEquals(directives.has("no-store"), false);
});

Deno.test("requestDirectives heeds Pragma only without Cache-Control", () => {
  const of = (...lines: [string, string][]) =>
    requestDirectives(new Fields(lines)).has("no-cache");
  assertEquals(of(["pragma", "no-cache"]), true);
  assertEquals(of(["pragma", "no-cache"], ["cache-control", "x"]), false);
  assertEquals(of(), false);
});
