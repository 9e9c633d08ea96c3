import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Machine } from "../../../lib/core/machine.ts";
import { drive } from "../../../lib/io/drive.ts";
import { countedSignal } from "../../support/counted_signal.ts";
import { ManualClock } from "../../support/manual_clock.ts";

/** Gives every input out as it is. */
const parrot: Machine<{ readonly kind: string }, string> = {
  handle: ({ kind }) => [kind],
  deadlineMs: Infinity,
};

Deno.test("drive throws what an input failed with while an output was performed, after the output", async () => {
  async function* inputs() {
    yield { kind: "question" };
    await Promise.resolve();
    throw new Error("reset by the client");
  }
  const performed: string[] = [];
  // Long enough for a rejection that nobody waits for to be reported as unhandled, which fails the test.
  const perform = async (output: string) => {
    await new Promise((wake) => setTimeout(wake, 5));
    performed.push(output);
  };
  const error = await assertRejects(() =>
    drive(parrot, inputs(), perform, {
      clock: new ManualClock(),
      signal: new AbortController().signal,
    })
  );
  assert(error instanceof Error);
  assertEquals(performed, ["question"]);
});

Deno.test("drive leaves no wait behind when its inputs fail", async () => {
  const { signal, listeners } = countedSignal();
  // deno-lint-ignore require-yield -- fails before it has one
  async function* inputs(): AsyncGenerator<{ readonly kind: string }> {
    await Promise.resolve();
    throw new Error("reset by the client");
  }
  const clock = new ManualClock();
  await assertRejects(() =>
    drive(parrot, inputs(), () => {}, { clock, signal })
  );
  assertEquals(listeners(), 0);
});
