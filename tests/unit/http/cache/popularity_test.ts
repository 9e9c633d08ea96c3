import { assert, assertEquals } from "@std/assert";
import { Popularity } from "../../../../lib/http/cache/popularity.ts";

const gone = (key: string, uses: number) => ({
  key,
  uses,
  period: 0,
  sizeBytes: 1,
});

Deno.test("Popularity halves counts when all were used twenty times on average", () => {
  const popularity = new Popularity();
  const use = popularity.recall("a");
  for (let n = 0; n < 8; n++) popularity.count(use, 10);
  assertEquals(popularity.usesOf(use), 8);
  const other = popularity.recall("b");
  for (let n = 8; n < 300; n++) popularity.count(other, 10);
  assertEquals(popularity.usesOf(use), 4);
  popularity.count(use, 10);
  assertEquals(popularity.usesOf(use), 5);
});

Deno.test("Popularity remembers the last that left, up to ten budgets of bytes and 100 000 of them", () => {
  const popularity = new Popularity();
  for (let n = 0; n < 80; n++) popularity.remember(gone(`k${n}`, n), 5);
  assertEquals(popularity.remembered, 50);
  assertEquals(popularity.recall("k29").uses, 0);
  assertEquals(popularity.recall("k30").uses, 30);
  assertEquals(popularity.remembered, 49);
  for (let n = 0; n < 101_000; n++) popularity.remember(gone(`m${n}`, 1), 1e9);
  assertEquals(popularity.remembered, 100_000);
  // One that comes back and leaves again is the last, and counted once.
  popularity.remember(gone("m100999", popularity.recall("m100999").uses), 1e9);
  assertEquals(popularity.remembered, 100_000);
  assert(popularity.recall("m100999").uses === 1);
});
