import { assertEquals } from "@std/assert";
import { RecentMap } from "../../../lib/core/recent_map.ts";

/** Which of these keys are there, with what. */
function found(map: RecentMap<string, number>): string {
  return ["a", "b", "c"].map((key) => map.get(key) ?? "-").join("");
}

Deno.test("RecentMap forgets the key that was set longest ago, however often it was asked for", () => {
  const map = new RecentMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  assertEquals(found(map), "12-");
  map.set("c", 3);
  assertEquals(found(map), "-23");
});

Deno.test("RecentMap makes room for a new key only, and a key that is set again is the newest", () => {
  const map = new RecentMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  assertEquals(found(map), "32-");
  map.set("c", 4);
  assertEquals(found(map), "3-4");
  assertEquals([map.delete("c"), map.delete("c")], [true, false]);
  map.set("b", 5);
  assertEquals(found(map), "35-");
});
