import { assertEquals } from "@std/assert";
import { utf8 } from "../../../lib/core/bytes.ts";
import { EventStreamReader } from "../../../lib/core/event_stream.ts";

function read(text: string, options = { maxLineBytes: 64, piece: 1 << 20 }) {
  const reader = new EventStreamReader(options);
  const bytes = utf8(text);
  const events = [];
  for (let at = 0; at < bytes.length; at += options.piece) {
    events.push(...reader.push(bytes.subarray(at, at + options.piece)));
  }
  return events;
}

const STREAM = ': a comment\nid: 7\nevent: peer.connected\ndata: {"a":1}\n\n' +
  "data: first\r\ndata:second\r\n\r\nretry: 10\nevent: empty\n\ndata: ä\n\n";
const EVENTS = [
  { event: "peer.connected", data: '{"a":1}', id: "7" },
  { event: "message", data: "first\nsecond", id: "7" },
  { event: "message", data: "ä", id: "7" },
];

Deno.test("EventStreamReader reads fields, comments and several data lines, however they are split", () => {
  for (const piece of [1, 2, 3, 7, 1000]) {
    assertEquals(read(STREAM, { maxLineBytes: 64, piece }), EVENTS);
  }
});

Deno.test("EventStreamReader keeps an event until it is whole", () => {
  const reader = new EventStreamReader({ maxLineBytes: 64 });
  assertEquals(reader.push(utf8("data: x\n")), []);
  assertEquals(reader.push(utf8("\n")).map(({ data }) => data), ["x"]);
});

Deno.test("EventStreamReader passes over lines that are too long, and data that adds up to too much", () => {
  const long = `data: ${"x".repeat(200)}\n\n`;
  const many = `${"data: 0123456789\n".repeat(10)}\n`;
  for (const piece of [5, 1000]) {
    assertEquals(
      read(`${long}${many}data: ok\n\n`, { maxLineBytes: 64, piece })
        .map(({ data }) => data),
      ["ok"],
    );
  }
});
