import { assert, assertEquals } from "@std/assert";
import { concat, fromUtf8, utf8 } from "../../../lib/core/bytes.ts";
import {
  EchoSession,
  MAX_LINE_BYTES,
  QUIET_MS,
  type SessionInput,
  type SessionOutput,
} from "../../../roles/tcp_echo/session.ts";

function session(idleMs = Infinity): EchoSession {
  return new EchoSession({ nowMs: 0, idleMs });
}

function bytes(text: string | Uint8Array): SessionInput {
  return {
    kind: "bytes",
    bytes: typeof text === "string" ? utf8(text) : text,
  };
}

/** What was sent as text, and why it was closed. */
function said(outputs: readonly SessionOutput[]): string[] {
  return outputs.map((output) =>
    output.kind === "send" ? fromUtf8(output.bytes) : `<${output.reason}>`
  );
}

Deno.test("EchoSession answers complete lines at once, CRLF and empty ones as they came", () => {
  const machine = session();
  assertEquals(said(machine.handle(bytes("a\r\n\nb\nrest"), 1)), [
    "A\r\n\nB\n",
  ]);
  assertEquals(machine.deadlineMs, 1 + QUIET_MS);
});

Deno.test("EchoSession answers text without a newline after the quiet time, and not before", () => {
  const machine = session();
  assertEquals(said(machine.handle(bytes("hel"), 0)), []);
  assertEquals(said(machine.handle(bytes("lo"), QUIET_MS - 1)), []);
  assertEquals(said(machine.handle({ kind: "timeout" }, QUIET_MS)), []);
  assertEquals(machine.deadlineMs, 2 * QUIET_MS - 1);
  assertEquals(said(machine.handle({ kind: "timeout" }, 2 * QUIET_MS - 1)), [
    "HELLO",
  ]);
  assertEquals(machine.deadlineMs, Infinity);
});

Deno.test("EchoSession never cuts a character: not in a read, not in a pause", () => {
  const machine = session();
  const text = utf8("ά🎉");
  assertEquals(said(machine.handle(bytes(text.subarray(0, 1)), 0)), []);
  assertEquals(said(machine.handle({ kind: "timeout" }, QUIET_MS)), []);
  assertEquals(said(machine.handle(bytes(text.subarray(1, 4)), 1000)), []);
  assertEquals(said(machine.handle({ kind: "timeout" }, 1000 + QUIET_MS)), [
    "Ά",
  ]);
  assertEquals(said(machine.handle(bytes(text.subarray(4)), 2000)), []);
  assertEquals(said(machine.handle({ kind: "end" }, 2001)), [
    "🎉",
    "<by-client>",
  ]);
});

Deno.test("EchoSession answers the same text however it was split", () => {
  const text = utf8("γειά\r\nstraße 🎉\nthe end");
  for (let cut = 0; cut <= text.length; cut++) {
    const machine = session();
    const outputs = [
      ...machine.handle(bytes(text.subarray(0, cut)), 0),
      ...machine.handle(bytes(text.subarray(cut)), 1),
      ...machine.handle({ kind: "end" }, 2),
    ];
    assertEquals(
      said(outputs).join(""),
      "ΓΕΙΆ\r\nSTRASSE 🎉\nTHE END<by-client>",
      `cut at ${cut}`,
    );
  }
});

Deno.test("EchoSession answers what is not UTF-8 with U+FFFD and goes on", () => {
  const machine = session();
  assertEquals(
    said(machine.handle(bytes(concat(new Uint8Array([0xff]), utf8("a\n"))), 0)),
    ["\ufffdA\n"],
  );
  machine.handle(bytes(new Uint8Array([0xe2, 0x82])), 1);
  assertEquals(said(machine.handle({ kind: "end" }, 2)), [
    "\ufffd",
    "<by-client>",
  ]);
});

Deno.test("EchoSession answers an endless line in pieces of bounded size", () => {
  const machine = session();
  const part = "ä".repeat(5000);
  let answer = "";
  for (let round = 0; round < 100; round++) {
    for (const output of machine.handle(bytes(part), round)) {
      assert(output.kind === "send");
      assert(output.answersBytes <= MAX_LINE_BYTES);
      answer += fromUtf8(output.bytes);
    }
  }
  for (const output of machine.handle({ kind: "end" }, 100)) {
    if (output.kind === "send") answer += fromUtf8(output.bytes);
  }
  assertEquals(answer, "Ä".repeat(500_000));
});

Deno.test("EchoSession closes after the idle time, and each byte starts it anew", () => {
  const machine = session(1000);
  assertEquals(machine.deadlineMs, 1000);
  machine.handle(bytes("a\n"), 900);
  assertEquals(machine.deadlineMs, 1900);
  assertEquals(said(machine.handle({ kind: "timeout" }, 1899)), []);
  assertEquals(said(machine.handle({ kind: "timeout" }, 1900)), ["<idle>"]);
});
