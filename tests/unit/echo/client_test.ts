import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { RunError } from "../../../lib/core/errors.ts";
import {
  type EchoChannel,
  type EchoClientContext,
  runEchoClient,
} from "../../../lib/echo/client.ts";
import type { RolecallEvent } from "../../../lib/events/mod.ts";
import { ManualClock } from "../../support/manual_clock.ts";

/** A channel whose server echoes message n after `delaysMs[n]`; null loses it; the stream ends after `closeAfter` echoes. */
function clientOf(
  delaysMs: readonly (number | null)[],
  { isReliable = false, closeAfter = Infinity } = {},
) {
  const clock = new ManualClock();
  const events: RolecallEvent[] = [];
  const results: { text: string; json: unknown }[] = [];
  const arrived: string[] = [];
  let echoes = 0;
  let wake = () => {};
  const left = [...delaysMs];
  const channel: EchoChannel = {
    remote: { host: "192.0.2.1", port: 12000 },
    isReliable,
    send(message) {
      const delayMs = left.shift() ?? null;
      if (delayMs !== null) {
        clock.sleepUntil(clock.nowMs() + delayMs).then(() => {
          arrived.push(message.toUpperCase());
          wake();
        });
      }
      return Promise.resolve();
    },
    replies: (async function* () {
      while (echoes < closeAfter) {
        while (arrived.length === 0) {
          await new Promise<void>((resolve) => wake = resolve);
        }
        echoes += 1;
        yield arrived.shift()!;
      }
    })(),
  };
  const ctx: EchoClientContext = {
    clock,
    signal: new AbortController().signal,
    terminal: {
      stdinIsTerminal: false,
      stdoutIsTerminal: false,
      columns: () => 80,
      write: () => {},
      lines: () => {
        throw new TypeError("not asked for");
      },
    },
    emit: (event) => void events.push(event),
    finish: (result) => void results.push(result),
  };
  const run = (messages: readonly string[], count?: number) =>
    runEchoClient(channel, {
      messages,
      count,
      interval: 100,
      timeout: 1000,
    }, ctx);
  return { clock, events, results, run };
}

function told(events: readonly RolecallEvent[]) {
  return events.map((event) =>
    event.type === "reply.received"
      ? [event.messageIndex, event.rttMs]
      : event.type === "reply.missed"
      ? [event.messageIndex, null]
      : []
  );
}

Deno.test("runEchoClient does not take a late echo for the next message's", async () => {
  const { clock, events, results, run } = clientOf([1500, 700]);
  const running = run(["one", "two"]);
  await clock.advanceTo(5000);
  await running;
  // "ONE" arrives at 1500, while "two", sent at 1000, is waited for; "TWO" at 1700.
  assertEquals(told(events), [[1, null], [2, 700]]);
  assertEquals(results[0]?.text, "TWO\n");
});

Deno.test("runEchoClient fails when nothing came back, with the result told", async () => {
  const { clock, results, run } = clientOf([null, null]);
  const failing = assertRejects(() => run(["one", "two"]));
  await clock.advanceTo(5000);
  const error = await failing;
  assertInstanceOf(error, RunError);
  assertEquals(error.code, "no-answer");
  assertEquals((results[0]?.json as { received: number }).received, 0);
});

Deno.test("runEchoClient stops at the first silence of a reliable channel, and when it is closed", async () => {
  const silent = clientOf([10, null, 10], { isReliable: true });
  const failing = assertRejects(() => silent.run(["one", "two", "three"]));
  await silent.clock.advanceTo(5000);
  const noAnswer = await failing;
  assertInstanceOf(noAnswer, RunError);
  assertEquals(noAnswer.code, "no-answer");
  assertEquals(told(silent.events), [[1, 10], [2, null]]);

  const closing = clientOf([10, 10], { isReliable: true, closeAfter: 1 });
  const closed = assertRejects(() => closing.run(["one", "two"]));
  await closing.clock.advanceTo(5000);
  const hungUp = await closed;
  assertInstanceOf(hungUp, RunError);
  assertEquals(hungUp.code, "connection-closed");
});

Deno.test("runEchoClient pings with numbered messages and finishes with the figures", async () => {
  const { clock, events, results, run } = clientOf([10, null, 30]);
  const running = run(["hi"], 3);
  await clock.advanceTo(5000);
  await running;
  assertEquals(told(events), [[1, 10], [3, 30], [2, null]]);
  const figures = results[0]?.json as { sent: number; rttAvgMs: number };
  assertEquals([figures.sent, figures.rttAvgMs], [3, 20]);
});

Deno.test("runEchoClient says that the server has closed the connection between two pings, with the figures", async () => {
  const { clock, results, run } = clientOf([10, 10], {
    isReliable: true,
    closeAfter: 1,
  });
  const closed = assertRejects(() => run(["hi"], 3));
  await clock.advanceTo(5000);
  const error = await closed;
  assertInstanceOf(error, RunError);
  assertEquals(error.code, "connection-closed");
  assertEquals((results[0]?.json as { received: number }).received, 1);
});
