import { assertEquals, assertStringIncludes } from "@std/assert";
import type { EventRecord } from "../../../lib/events/mod.ts";
import { emitter } from "../../../lib/observe/emitter.ts";
import { jsonLog, terminalLog, textLog } from "../../../lib/observe/log.ts";
import { Metrics } from "../../../lib/observe/metrics.ts";
import { ManualClock } from "../../support/manual_clock.ts";

const WHO = { role: "edge", name: `e"1` };

function listening(host: string) {
  return { type: "role.listening", transport: "tcp", host, port: 80 } as const;
}

Deno.test("emitter numbers events and stamps them with both clocks", async () => {
  const clock = new ManualClock();
  const seen: EventRecord[] = [];
  const emit = emitter(WHO, clock, [(event) => seen.push(event)]);
  emit(listening("::1"));
  await clock.advanceTo(1500);
  emit(listening("10.0.0.1"));
  assertEquals(seen.map(({ seq, atMs }) => [seq, atMs]), [[1, 0], [2, 1500]]);
  assertEquals(seen[1]?.time, "2026-01-01T00:00:01.500Z");
  assertEquals(seen[1]?.name, `e"1`);
});

Deno.test("emitter gives every sink all events in order, also those that a sink emits", () => {
  const seen: number[] = [];
  const emit = emitter(WHO, new ManualClock(), [
    ({ type }) => {
      if (type !== "role.listening") return;
      emit({ type: "file.failed", path: "a", reason: "Cannot write a" });
    },
    ({ seq }) => seen.push(seq),
  ]);
  emit(listening("::1"));
  emit(listening("::1"));
  assertEquals(seen, [1, 2, 3, 4]);
});

Deno.test("logs write one line per event, and debug events only as JSON", () => {
  const lines: string[] = [];
  const emit = emitter(WHO, new ManualClock(), [
    textLog((text) => lines.push(text), { colours: false }),
    jsonLog((text) => lines.push(text)),
  ]);
  emit(listening("::1"));
  emit({ type: "role.finished", exitCode: 0 });
  assertEquals(lines.length, 3);
  assertStringIncludes(lines[0]!, "listening on tcp [::1]:80\n");
  assertEquals(JSON.parse(lines[2]!).type, "role.finished");
});

Deno.test("Metrics counts events and escapes labels", () => {
  const metrics = new Metrics({ ...WHO, version: "1" });
  const emit = emitter(WHO, new ManualClock(), [metrics.sink]);
  emit(listening("::1"));
  emit(listening("::1"));
  const text = metrics.text();
  assertStringIncludes(text, `name="e\\"1"`);
  assertStringIncludes(
    text,
    `rolecall_events_total{type="role.listening"} 2\n`,
  );
});

Deno.test("logs for people show nothing of a stranger's that would end a line or steer a terminal", () => {
  const hostile = "a\x1b[31m\r\nb\x9b1m\x07\x7f";
  const shown = "a·[31m··b·1m··";
  for (
    const make of [
      (write: (text: string) => void) => textLog(write, { colours: false }),
      (write: (text: string) => void) =>
        terminalLog(write, { colours: false, columns: () => 200 }).sink,
    ]
  ) {
    let text = "";
    const emit = emitter(WHO, new ManualClock(), [
      make((part) => text += part),
    ]);
    emit({ type: "file.failed", path: "x", reason: hostile });
    assertStringIncludes(text, shown);
    assertEquals(text.match(/\p{Cc}/gu), ["\n"]);
  }
});

Deno.test("terminalLog keeps what passes in one last line, and prints the rest above it", () => {
  let screen = "";
  const log = terminalLog((text) => screen += text, {
    colours: false,
    columns: () => 40,
  });
  const emit = emitter(WHO, new ManualClock(), [log.sink]);
  const progressed = (havePieces: number) =>
    emit({
      type: "peer.progressed",
      verifiedBytes: 0,
      totalBytes: 10,
      havePieces,
      pieceCount: 10,
      downloadedBytes: 0,
      uploadedBytes: 0,
      downloadBytesPerSecond: 1024,
      uploadBytesPerSecond: 0,
      peers: 1,
      remainingMs: 5000,
    });
  progressed(1);
  progressed(2);
  emit(listening("::1"));
  log.settle();
  log.settle();
  // What is left when a terminal has carried out the clears.
  const lines = screen.split("\n").map((line) =>
    line.split("\r\x1b[2K").at(-1)
  );
  assertEquals(lines.length, 2);
  assertStringIncludes(lines[0]!, "listening on tcp [::1]:80");
  assertEquals(lines[1], "");
  const passing = screen.split("\r\x1b[2K")[2]!;
  assertStringIncludes(passing, "20.0 % (2 of 10 pieces)");
  assertEquals(passing.length, 39);
});
