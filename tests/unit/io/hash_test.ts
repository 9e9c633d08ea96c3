import { assert, assertEquals } from "@std/assert";
import { secretRng } from "../../../lib/io/hash.ts";

Deno.test("secretRng draws even numbers, never the same run of them", () => {
  const [one, other] = [secretRng(), secretRng()];
  const drawn = Array.from({ length: 10_000 }, one);
  assert(drawn.every((value) => value >= 0 && value < 1));
  // 10 parts of 1000 each, give or take six deviations of 30
  const parts = Array(10).fill(0);
  for (const value of drawn) parts[Math.floor(10 * value)] += 1;
  assert(parts.every((count) => Math.abs(count - 1000) < 180), parts.join());
  assertEquals(new Set(drawn.slice(0, 600)).size, 600);
  assert(other() !== drawn[0] || other() !== drawn[1]);
});
