import { assert, assertEquals, assertThrows } from "@std/assert";
import { seededRng } from "../../../lib/core/rng.ts";
import { EventQueue } from "../../../lib/sim/event_queue.ts";

Deno.test("EventQueue hands out by time, equals in the order they were added, and grows", () => {
  const rng = seededRng(5);
  const queue = new EventQueue<{ atMs: number; order: number }>();
  const expected: { atMs: number; order: number }[] = [];
  const seen: { atMs: number; order: number }[] = [];
  let nowMs = 0;
  for (let order = 0; order < 20_000; order++) {
    const item = { atMs: nowMs + Math.floor(rng() * 50), order };
    queue.push(item.atMs, item);
    expected.push(item);
    if (rng() < 0.4) {
      nowMs = queue.nextAtMs;
      seen.push(queue.pop()!);
    }
  }
  while (queue.length > 0) seen.push(queue.pop()!);
  assertEquals(queue.pop(), undefined);
  assertEquals(queue.nextAtMs, Infinity);
  assertEquals(seen.length, expected.length);
  // What came later was never earlier, so that one sort is the whole truth.
  assertEquals(
    seen,
    expected.toSorted((a, b) => a.atMs - b.atMs || a.order - b.order),
  );
});

Deno.test("EventQueue refuses a time that is none", () => {
  const queue = new EventQueue<string>();
  assert(assertThrows(() => queue.push(NaN, "never")) instanceof RangeError);
});
