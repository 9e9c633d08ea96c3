import { assertEquals } from "@std/assert";
import { RecentMap } from "../../../lib/core/recent_map.ts";

Deno.test("RecentMap forgets the key that was set longest ago, however often it was asked for", () => {
  const map = new RecentMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  assertEquals(map.get("a"), 1);
  map.set("c", 3);
  assertEquals([map.size, map.get("a"), [...map.values()]], [
    2,
    undefined,
    [2, 3],
  ]);
});

Deno.test("RecentMap makes room for a new key only, and a key that is set again is the newest", () => {
  const map = new RecentMap<string | undefined, number>(2);
  map.set(undefined, 1);
  map.set("b", 2);
  map.set(undefined, 3);
  assertEquals([...map.values()], [2, 3]);
  map.set("c", 4);
  assertEquals([map.get("b"), map.get(undefined)], [undefined, 3]);
  assertEquals([map.delete("c"), map.delete("c"), map.size], [true, false, 1]);
});
