import { assertEquals, assertRejects } from "@std/assert";
import { fromUtf8, utf8 } from "../../../lib/core/bytes.ts";
import { RunError } from "../../../lib/core/errors.ts";
import { readBody } from "../../../lib/io/read_body.ts";
import { ManualClock } from "../../support/manual_clock.ts";

const LIMITS = { what: "it", maxBytes: 10, limitMs: 100 };

Deno.test("readBody gives all of a body, and nothing for none", async () => {
  const clock = new ManualClock();
  const body = ReadableStream.from([utf8("ab"), utf8(""), utf8("cde")]);
  assertEquals(fromUtf8(await readBody(body, { ...LIMITS, clock })), "abcde");
  assertEquals((await readBody(null, { ...LIMITS, clock })).length, 0);
});

Deno.test("readBody refuses a body over its limit, and cancels it", async () => {
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(utf8("abc")),
    cancel: () => void (isCancelled = true),
  });
  const clock = new ManualClock();
  const error = await assertRejects(
    () => readBody(body, { ...LIMITS, clock }),
    RunError,
  );
  assertEquals(error.code, "too-large");
  assertEquals(isCancelled, true);
});

Deno.test("readBody gives up a body that drips for ever", async () => {
  const clock = new ManualClock();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await clock.sleepUntil(clock.nowMs() + 30);
      controller.enqueue(utf8("x"));
    },
  });
  const reading = assertRejects(
    () => readBody(body, { ...LIMITS, clock }),
    RunError,
  );
  await clock.advanceTo(200);
  assertEquals((await reading).code, "timed-out");
  assertEquals(clock.nowMs(), 200);
});

Deno.test("readBody says that a body broke off, in words and not as a bug", async () => {
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new TypeError("broken")),
  });
  const clock = new ManualClock();
  const error = await assertRejects(
    () => readBody(body, { ...LIMITS, clock }),
    RunError,
  );
  assertEquals(error.code, "connection-lost");
});
