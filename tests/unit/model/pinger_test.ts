import { assertEquals } from "@std/assert";
import { Pinger, type PingerOutput } from "../../../lib/model/pinger.ts";

function pinger(count = 3): Pinger {
  return new Pinger({
    count,
    intervalMs: 200,
    timeoutMs: 1000,
    message: "ping",
    startAtMs: 50,
  });
}

/** Feeds the pinger its deadlines up to `untilMs`; the server answers by `echoes`: text to time, in order. */
function run(
  machine: Pinger,
  echoes: readonly (readonly [atMs: number, text: string])[],
): [number, PingerOutput][] {
  const seen: [number, PingerOutput][] = [];
  const left = [...echoes];
  for (;;) {
    const reply = left[0];
    const atMs = Math.min(machine.deadlineMs, reply?.[0] ?? Infinity);
    if (atMs === Infinity) return seen;
    const isReply = reply !== undefined && reply[0] === atMs;
    if (isReply) left.shift();
    const input = isReply
      ? { kind: "reply" as const, text: reply[1] }
      : { kind: "timeout" as const };
    for (const output of machine.handle(input, atMs)) {
      seen.push([atMs, output]);
    }
  }
}

Deno.test("Pinger sends on time, matches echoes out of order and gives up the lost one", () => {
  const machine = pinger();
  assertEquals(machine.deadlineMs, 50);
  assertEquals(run(machine, [[460, "PING 3"], [470, "PING 1"]]), [
    [50, { kind: "send", seq: 1, text: "ping 1" }],
    [250, { kind: "send", seq: 2, text: "ping 2" }],
    [450, { kind: "send", seq: 3, text: "ping 3" }],
    [460, { kind: "received", seq: 3, receivedBytes: 6, rttMs: 10 }],
    [470, { kind: "received", seq: 1, receivedBytes: 6, rttMs: 420 }],
    [1250, { kind: "missed", seq: 2 }],
    [1250, { kind: "done" }],
  ]);
  assertEquals(machine.rttsMs, [420, null, 10]);
});

Deno.test("Pinger ignores echoes that are late, doubled or of nothing it sent", () => {
  const machine = pinger(1);
  const seen = run(machine, [
    [60, "ping 1"], // not in capitals: no echo
    [61, "PING 2"],
    [1051, "PING 1"],
  ]);
  assertEquals(seen.map(([atMs, { kind }]) => [atMs, kind]), [
    [50, "send"],
    [1050, "missed"],
    [1050, "done"],
    [1051, "done"],
  ]);
  assertEquals(machine.rttsMs, [null]);

  const answered = pinger(2);
  run(answered, [[60, "PING 1"], [70, "PING 1"], [260, "PING 2"]]);
  assertEquals(answered.rttsMs, [10, 10]);
});

Deno.test("Pinger makes no burst after the process has slept", () => {
  const machine = pinger();
  machine.handle({ kind: "timeout" }, 50);
  const late = machine.handle({ kind: "timeout" }, 60_000);
  assertEquals(late.map(({ kind }) => kind), ["missed", "send"]);
  assertEquals(machine.deadlineMs, 60_200);
});
