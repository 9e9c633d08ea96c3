import { assertAlmostEquals, assertEquals } from "@std/assert";
import { summarize } from "../../../lib/model/stats.ts";

Deno.test("summarize gives the textbook's figures", () => {
  assertEquals(summarize([2, 4, 4, 4, 5, 5, 7, 9]), {
    count: 8,
    min: 2,
    avg: 5,
    max: 9,
    stddev: 2,
  });
});

Deno.test("summarize of one value has no scatter, of none there is nothing to say", () => {
  assertEquals(summarize([0.25]), {
    count: 1,
    min: 0.25,
    avg: 0.25,
    max: 0.25,
    stddev: 0,
  });
  assertEquals(summarize([]), null);
});

Deno.test("summarize keeps a small scatter beside large values", () => {
  const summary = summarize([1e9 + 1, 1e9 + 2, 1e9 + 3]);
  assertAlmostEquals(summary!.stddev, Math.sqrt(2 / 3), 1e-9);
});
