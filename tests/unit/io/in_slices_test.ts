import { assertEquals, assertRejects } from "@std/assert";
import { inSlices } from "../../../lib/io/in_slices.ts";
import { ManualClock } from "../../support/manual_clock.ts";

/** Steps that take 2 ms each, by a clock that they move. */
function work(count: number) {
  let nowMs = 0;
  const seen: string[] = [];
  const clock = {
    nowMs: () => nowMs,
    sleepUntil(atMs: number) {
      seen.push(`rest until ${atMs}`);
      nowMs = atMs;
      return Promise.resolve();
    },
  };
  function* steps(): Generator<void, string> {
    for (let step = 0; step < count; step++) {
      nowMs += 2;
      seen.push(`step at ${nowMs}`);
      yield;
    }
    return "done";
  }
  return { clock, seen, steps };
}

Deno.test("inSlices rests a millisecond after five of work, and returns what the steps end with", async () => {
  const { clock, seen, steps } = work(5);
  const { signal } = new AbortController();
  assertEquals(await inSlices(steps(), { clock, signal }), "done");
  assertEquals(seen, [
    ...["step at 2", "step at 4", "step at 6", "rest until 7"],
    ...["step at 9", "step at 11"],
  ]);
});

Deno.test("inSlices ends with the signal while it rests, and with what a step throws", async () => {
  const stop = new AbortController();
  const still = new ManualClock();
  let nowMs = 0;
  const clock = {
    nowMs: () => nowMs += 5,
    sleepUntil: (atMs: number, signal?: AbortSignal) =>
      still.sleepUntil(atMs, signal),
  };
  function* endless(): Generator<void, void> {
    for (;;) yield;
  }
  const running = inSlices(endless(), { clock, signal: stop.signal });
  stop.abort(new Error("enough"));
  await assertRejects(() => running, Error, "enough");
  // deno-lint-ignore require-yield
  function* wrong(): Generator<void, void> {
    throw new SyntaxError("line 3");
  }
  const { signal } = new AbortController();
  await assertRejects(
    () => inSlices(wrong(), { clock, signal }),
    SyntaxError,
    "line 3",
  );
});
