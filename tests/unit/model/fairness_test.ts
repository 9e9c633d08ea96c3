import { assertAlmostEquals, assertEquals } from "@std/assert";
import { instability, jainIndex } from "../../../lib/model/fairness.ts";

Deno.test("jainIndex is 1 for equal shares, k/n when k of n share, and does not care for the unit", () => {
  assertEquals(jainIndex([]), 1);
  assertEquals(jainIndex([0, 0]), 1);
  assertEquals(jainIndex([5, 5, 5]), 1);
  assertEquals(jainIndex([1, 0, 0, 0]), 0.25);
  assertAlmostEquals(jainIndex([1, 2, 3]), 36 / 42, 1e-12);
  assertAlmostEquals(jainIndex([1000, 2000, 3000]), 36 / 42, 1e-12);
});

Deno.test("instability weighs the changes of the last 20 s by how new they are", () => {
  const play = (...rates: number[]) =>
    instability(rates.map((bitsPerSecond) => ({
      ...{ bitsPerSecond, mediaMs: 10_000 },
    })));
  assertEquals(play(), 0);
  assertEquals(play(7), 0);
  assertEquals(play(3, 3, 3), 0);
  // One look: a change of 1 over a rate of 2.
  assertEquals(play(1, 2), 0.5);
  // Then, 10 s later, the change has half the weight: 0.5 over 2 + 1.
  assertAlmostEquals(play(1, 2, 2), (0.5 + 0.5 / 3) / 2, 1e-12);
});
