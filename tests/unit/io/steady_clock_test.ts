import { assertEquals, assertRejects } from "@std/assert";
import { SteadyClock } from "../../../lib/io/steady_clock.ts";
import { ManualClock } from "../../support/manual_clock.ts";

/** A clock whose sleepers wake `lateMs` late. */
class LateClock extends ManualClock {
  readonly #lateMs: number;

  constructor(lateMs: number) {
    super();
    this.#lateMs = lateMs;
  }

  override sleepUntil(atMs: number, signal?: AbortSignal): Promise<void> {
    return super.sleepUntil(atMs + this.#lateMs, signal);
  }
}

Deno.test("SteadyClock tells who wakes late the time it wanted", async () => {
  const late = new LateClock(7);
  const clock = new SteadyClock(late);
  const woken: number[] = [];
  const sleep = async () => {
    for (let at = 10; at <= 50; at += 10) {
      await clock.sleepUntil(at);
      woken.push(clock.nowMs());
    }
  };
  const sleeping = sleep();
  await late.advanceTo(200);
  await sleeping;
  assertEquals(woken, [10, 20, 30, 40, 50]);
  assertEquals(clock.behindMs, 35);
  assertEquals(clock.nowMs(), 165);
});

Deno.test("SteadyClock wakes several sleepers in their order, none too soon", async () => {
  const late = new LateClock(7);
  const clock = new SteadyClock(late);
  const woken: string[] = [];
  const sleep = async (name: string, atMs: number) => {
    await clock.sleepUntil(atMs);
    woken.push(`${name} ${clock.nowMs()}`);
  };
  const all = Promise.all([sleep("b", 12), sleep("a", 10), sleep("c", 40)]);
  await late.advanceTo(200);
  await all;
  assertEquals(woken, ["a 10", "b 12", "c 40"]);
});

Deno.test("SteadyClock counts time that nobody slept, and lets sleepers be woken", async () => {
  const late = new LateClock(5);
  const clock = new SteadyClock(late);
  await late.advanceTo(100);
  assertEquals(clock.nowMs(), 100);
  const given = new AbortController();
  const sleeping = clock.sleepUntil(Infinity, given.signal);
  const failing = assertRejects(() => sleeping, Error, "enough");
  given.abort(new Error("enough"));
  await failing;
  assertEquals(clock.behindMs, 0);
});
