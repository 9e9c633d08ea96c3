import { assertEquals } from "@std/assert";
import { Broadcast } from "../../../lib/observe/broadcast.ts";
import { ManualClock } from "../../support/manual_clock.ts";

function start() {
  const clock = new ManualClock();
  const broadcast = new Broadcast<string>((data) => ({ data }), { clock });
  const join = (first: readonly string[] = []) => {
    const { status, body } = broadcast.answer(first);
    const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
    return {
      status,
      next: async () => (await reader.read()).value,
      leave: () => reader.cancel(),
    };
  };
  return { clock, broadcast, join };
}

Deno.test("Broadcast writes to silent readers every 10 s, so that one that has gone is noticed", async () => {
  const { clock, broadcast, join } = start();
  const reader = join(["first"]);
  broadcast.send("second");
  assertEquals(await reader.next(), "data:first\n\n");
  assertEquals(await reader.next(), "data:second\n\n");
  await clock.advanceTo(10_000);
  assertEquals(await reader.next(), ": still here\n\n");
  await clock.advanceTo(20_000);
  broadcast.send("third");
  assertEquals(await reader.next(), ": still here\n\n");
  assertEquals(await reader.next(), "data:third\n\n");
  broadcast.close();
  assertEquals(await reader.next(), undefined);
});

Deno.test("Broadcast has room again for those that leave, and goes on after all have left", async () => {
  const { clock, broadcast, join } = start();
  const readers = Array.from({ length: 64 }, () => join());
  assertEquals(readers.at(-1)?.status, 200);
  assertEquals(broadcast.answer([]).status, 503);
  for (const reader of readers) await reader.leave();
  await clock.advanceTo(10_000);
  const again = join();
  assertEquals(again.status, 200);
  await clock.advanceTo(20_000);
  assertEquals(await again.next(), ": still here\n\n");
  broadcast.close();
});
