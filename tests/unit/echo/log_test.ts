import { assertEquals } from "@std/assert";
import type { RolecallEvent } from "../../../lib/events/mod.ts";
import { EchoLog } from "../../../lib/echo/log.ts";
import { ManualClock } from "../../support/manual_clock.ts";

function logOf() {
  const clock = new ManualClock();
  const stop = new AbortController();
  const events: RolecallEvent[] = [];
  const log = new EchoLog({
    clock,
    signal: stop.signal,
    emit: (event) => void events.push(event),
  });
  const answer = (times: number) => {
    for (let time = 0; time < times; time++) {
      log.add({
        type: "echo.answered",
        remote: "192.0.2.1:4711",
        receivedBytes: 2,
        sentBytes: 3,
      });
    }
  };
  const told = () =>
    events.map((event) =>
      event.type === "echo.summarized"
        ? [event.answered, event.dropped, event.failed, event.receivedBytes]
        : event.type
    );
  return { clock, stop, log, answer, told };
}

Deno.test("EchoLog tells few messages singly and the rest of a second in one sum", async () => {
  const { clock, log, answer, told } = logOf();
  answer(25);
  log.add({
    type: "echo.dropped",
    remote: "192.0.2.1:4711",
    receivedBytes: 5,
    reason: "loss",
  });
  const singles = Array.from({ length: 20 }, () => "echo.answered" as const);
  assertEquals(told(), singles);
  await clock.advanceTo(1000);
  assertEquals(told(), [...singles, [5, 1, 0, 15]]);
  answer(1);
  assertEquals(told(), [...singles, [5, 1, 0, 15], "echo.answered"]);
});

Deno.test("EchoLog tells what is left when the role stops", async () => {
  const { stop, log, answer, told } = logOf();
  answer(21);
  stop.abort();
  await log[Symbol.asyncDispose]();
  assertEquals(told().at(-1), [1, 0, 0, 2]);
});
