import { assert, assertEquals } from "@std/assert";
import { seededRng, shuffled } from "../../../lib/core/rng.ts";

Deno.test("shuffled gives every order equally often, keeps what it was given, and repeats with the seed", () => {
  const items = ["a", "b", "c"];
  const counts = new Map<string, number>();
  const rng = seededRng(5);
  for (let round = 0; round < 6_000; round++) {
    const order = shuffled(items, rng).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals(counts.size, 6);
  for (const [order, count] of counts) {
    assert(Math.abs(count - 1_000) < 150, `${order} ${count}`);
  }
  assertEquals(items, ["a", "b", "c"]);
  assertEquals(
    shuffled(items, seededRng(9)),
    shuffled(items, seededRng(9)),
  );
});
