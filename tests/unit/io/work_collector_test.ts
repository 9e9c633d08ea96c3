import { assertEquals } from "@std/assert";
import { WorkCollector } from "../../../lib/io/work_collector.ts";

Deno.test("work collector: once each time so much is done, and not when nothing is", () => {
  let count = 0;
  const collector = new WorkCollector(100, () => void count++);
  const after = (...totals: readonly number[]) => {
    for (const total of totals) collector.done(total);
    return count;
  };
  assertEquals(after(0, 99), 0);
  assertEquals(after(100, 101), 1);
  assertEquals(after(199, 350), 2, "once, however much came since");
  assertEquals(after(449, 449, 450, 450), 3);
});
