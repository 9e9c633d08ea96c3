import { assert, assertEquals } from "@std/assert";
import { MessageWriter } from "../../../lib/dns/message_writer.ts";
import { decodeMessage } from "../../../lib/dns/message.ts";
import { formatName, parseName } from "../../../lib/dns/name.ts";
import { seededRng } from "../../../lib/core/rng.ts";
import { encodeQuery } from "../../../lib/dns/stub_query.ts";
import { ask, responderFor, ZONE } from "./authority/ask.ts";

function text(name: string, length: number) {
  const rdata = new Uint8Array(length + 1);
  rdata[0] = length;
  return { name: parseName(name), type: 16, class: 1, ttlSeconds: 5, rdata };
}

Deno.test("MessageWriter takes back a record that does not fit, and its names", () => {
  const writer = new MessageWriter();
  writer.reset(100, 12);
  assert(writer.record(text("a.b", 10)));
  const { length } = writer;
  assert(!writer.record(text("long.c", 100)));
  assertEquals(writer.length, length);
  // were the names of the record taken back still known, this would point to bytes that are no longer there
  assert(writer.record(text("c", 1)));
  assertEquals([...writer.buffer.subarray(length, length + 3)], [1, 0x63, 0]);
});

Deno.test("MessageWriter points to names whose own end is a pointer, far into the message, whatever their case", () => {
  const writer = new MessageWriter();
  writer.reset(4096, 12);
  assert(writer.record(text("pad", 250)));
  const names = [
    "example.test",
    "www.example.test",
    "a.www.example.test",
    "A.WWW.Example.TEST",
    "wwx.example.test",
    "ww.example.test",
    "a.www.example.tes",
  ];
  const lengths = names.map((name) => {
    const { length } = writer;
    assert(writer.record(text(name, 0)));
    // type, class, TTL, length and data have 11 bytes
    return writer.length - length - 11;
  });
  assertEquals(lengths, [14, 6, 4, 2, 6, 5, 19]);
  const bytes = writer.buffer.slice(0, writer.length);
  bytes.set([0, 1, 0x80, 0, 0, 0, 0, names.length + 1, 0, 0, 0, 0]);
  assertEquals(
    decodeMessage(bytes).answers.slice(1).map(({ name }) =>
      formatName(name).toLowerCase()
    ),
    names.map((name) => `${name.toLowerCase()}.`),
  );
});

Deno.test("MessageWriter points to whole names only, not into the one that it writes, whatever an older message left there", () => {
  const rng = seededRng(20261128);
  const writer = new MessageWriter();
  const label = () => rng() < 0.5 ? "a" : "b";
  for (let round = 0; round < 2000; round++) {
    const names = Array.from(
      { length: 3 },
      () => Array.from({ length: 1 + Math.floor(6 * rng()) }, label).join("."),
    );
    writer.reset(4096, 12);
    for (const name of names) assert(writer.record(text(name, 0)));
    const bytes = writer.buffer.slice(0, writer.length);
    bytes.set([0, 1, 0x80, 0, 0, 0, 0, names.length, 0, 0, 0, 0]);
    assertEquals(
      decodeMessage(bytes).answers.map(({ name }) => formatName(name)),
      names.map((name) => `${name}.`),
    );
  }
  const query = encodeQuery({ id: 1, name: parseName("a.a"), type: 1 });
  assertEquals(formatName(decodeMessage(query).questions[0]!.name), "a.a.");
});

Deno.test("an answer never passes the limit, EDNS and client subnet included", () => {
  for (let length = 1; length < 250; length++) {
    const lines = Array.from(
      { length: 5 },
      (_, index) => `t TXT "${index}${"x".repeat(length)}"`,
    );
    const { reply } = ask(
      responderFor([`${ZONE}\n${lines.join("\n")}`]),
      "t.kingcdn.example TXT",
      { subnet: "2001:db8::/56" },
    );
    assert(reply.bytes.length <= 1232);
    assertEquals(reply.truncated, reply.answers === 0);
  }
});
