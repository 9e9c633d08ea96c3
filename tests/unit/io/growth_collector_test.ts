import { assertEquals } from "@std/assert";
import { GrowthCollector } from "../../../lib/io/growth_collector.ts";

Deno.test("growth collector: once each time so much has been added, and not while it stays", () => {
  let count = 0;
  const collector = new GrowthCollector(100, () => void count++);
  const after = (...sizes: readonly number[]) => {
    for (const size of sizes) collector.measured(size);
    return count;
  };
  assertEquals(after(0, 99), 0);
  assertEquals(after(100, 101, 101), 1);
  assertEquals(after(199, 350), 2, "once, however much came since");
  assertEquals(after(449, 449, 450, 450), 3);
  assertEquals(after(400, 450, 499), 3, "it fell to 400");
  assertEquals(after(500), 4);
});
