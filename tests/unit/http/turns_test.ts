import { assertEquals } from "@std/assert";
import { Turns } from "../../../lib/http/turns.ts";

Deno.test("Turns lets the queue in one by one, in its order, without those who left", async () => {
  const turns = new Turns({ most: 1, queueLength: 3 });
  assertEquals([turns.tryTake(), turns.tryTake()], [true, false]);
  const seen: number[] = [];
  const waiting = [1, 2, 3].map((n) => {
    const place = turns.queue()!;
    void place.admitted.then(() => seen.push(n));
    return place;
  });
  assertEquals([turns.queue(), turns.waiting], [undefined, 3]);
  waiting[0]!.leave();
  turns.give();
  await Promise.resolve();
  assertEquals([seen, turns.taken, turns.waiting], [[2], 1, 1]);
  // Let in while leaving: the turn goes on to the next.
  waiting[1]!.leave();
  await Promise.resolve();
  assertEquals([seen, turns.taken, turns.waiting], [[2, 3], 1, 0]);
  turns.give();
  assertEquals([turns.taken, turns.tryTake()], [0, true]);
});
