import { assertEquals, assertThrows } from "@std/assert";
import { FakeTime } from "@std/testing/time";

Deno.test("FakeTime runs timers in order as time is moved", () => {
  using time = new FakeTime(1000);
  const seen: string[] = [];
  setTimeout(() => seen.push(`late ${Date.now()}`), 20);
  setTimeout(() => seen.push(`soon ${Date.now()}`), 10);
  const timer = setInterval(() => seen.push(`again ${Date.now()}`), 15);
  time.tick(9);
  assertEquals(seen, []);
  time.tick(21);
  assertEquals(seen, ["soon 1010", "again 1015", "late 1020", "again 1030"]);
  clearInterval(timer);
  assertEquals([time.start, time.now, new Date().valueOf()], [
    1000,
    1030,
    1030,
  ]);
});

Deno.test("FakeTime.next goes to the next timer, false without one", async () => {
  using time = new FakeTime(0);
  setTimeout(() => {}, 50);
  assertEquals([time.next(), time.now, time.next()], [true, 50, false]);
  Promise.resolve().then(() => setTimeout(() => {}, 5));
  assertEquals([await time.nextAsync(), time.now], [true, 55]);
});

Deno.test("FakeTime.tickAsync lets promises run before it ticks, and not after", async () => {
  using time = new FakeTime();
  let fired = 0;
  (async () => {
    await Promise.resolve();
    setTimeout(() => fired += 1, 10);
  })();
  await time.tickAsync(10);
  assertEquals(fired, 1);
});

Deno.test("FakeTime.runAllAsync runs timers that timers start", async () => {
  using time = new FakeTime();
  let left = 3;
  const again = () => {
    left -= 1;
    if (left > 0) Promise.resolve().then(() => setTimeout(again, 10));
  };
  setTimeout(again, 10);
  while (left > 0) {
    await time.runMicrotasks();
    await time.runAllAsync();
  }
  assertEquals([left, time.now - time.start], [0, 30]);
});

Deno.test("FakeTime cannot be faked twice, restored twice or turned back", () => {
  const time = new FakeTime(5);
  assertThrows(() => new FakeTime());
  assertThrows(() => time.now = 4, RangeError);
  time.restore();
  assertThrows(() => time.restore());
});
