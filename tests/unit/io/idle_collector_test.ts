import { assertEquals } from "@std/assert";
import { IdleCollector } from "../../../lib/io/deno/idle_collector.ts";

Deno.test("idle collector: once for each pause, at most once a minute in the whole process", () => {
  let count = 0;
  const [first, second] = [0, 1].map(() => new IdleCollector(() => count++));
  const restUntil = (ms: number) => {
    first!.rested(ms);
    second!.rested(ms);
    return count;
  };
  assertEquals(restUntil(10_000), 0, "nothing was served yet");
  first!.served(10_000);
  assertEquals(restUntil(14_000), 0, "not a pause yet");
  assertEquals(restUntil(15_000), 1);
  assertEquals(restUntil(200_000), 1, "nothing came since");
  first!.served(200_000);
  second!.served(200_000);
  assertEquals(restUntil(206_000), 2, "for both");
  assertEquals(restUntil(265_000), 2, "too soon after the other's");
  assertEquals(restUntil(266_000), 3, "owed, and paid later");
  assertEquals(restUntil(999_000), 3);
});
