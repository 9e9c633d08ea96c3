import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../../lib/core/errors.ts";
import { readLines } from "../../../lib/dns/authority/master_lines.ts";
import { RECORD_TYPES, typeName, typeNumber } from "../../../lib/dns/codes.ts";
import { clientSubnetOf } from "../../../lib/dns/edns.ts";
import {
  decodeMessage,
  type DnsMessage,
  type DnsRecord,
  encodeMessage,
} from "../../../lib/dns/message.ts";
import { parseName } from "../../../lib/dns/name.ts";
import { formatRdata, parseRdata } from "../../../lib/dns/rdata.ts";
import { frameMessage, MessageDecoder } from "../../../lib/dns/stream.ts";

const ORIGIN = parseName("kingcdn.example.");

function rdata(type: string, text: string) {
  const number = typeNumber(type);
  assert(number !== undefined);
  const [line] = readLines(text);
  return parseRdata(number, line?.words ?? [], ORIGIN);
}

/** type, as written, as shown */
const RDATA: readonly [string, string, string][] = [
  ["A", "127.0.0.3", "127.0.0.3"],
  ["AAAA", "FD00:0::3", "fd00::3"],
  ["NS", "ns1", "ns1.kingcdn.example."],
  ["CNAME", "@", "kingcdn.example."],
  ["PTR", "a.b.", "a.b."],
  ["MX", "10 mail", "10 mail.kingcdn.example."],
  ["SRV", "0 5 8080 video", "0 5 8080 video.kingcdn.example."],
  ["TXT", 'a "b c" "d;\\"e\\\\" \\233', '"a" "b c" "d;\\"e\\\\" "\\233"'],
  ["TXT", '"grün"', '"gr\\195\\188n"'],
  ["CAA", '0 issue "ca.example; x=1"', '0 issue "ca.example; x=1"'],
  ["HINFO", "PC Linux", '"PC" "Linux"'],
  [
    "SOA",
    "ns1 host\\.master 1 1d 2h 1w1d 30",
    "ns1.kingcdn.example. host\\.master.kingcdn.example. 1 86400 7200 691200 30",
  ],
  ["TYPE666", "\\# 3 a1b2 c3", "\\# 3 a1b2c3"],
  ["SVCB", "\\# 3 0101 00", "\\# 3 010100"],
  ["SSHFP", "\\# 3 0101 ff", "1 1 ff"],
  ["SSHFP", "1 2 0A0b 0 c", "1 2 0a0b0c"],
  ["DS", "12345 8 2 0102 03", "12345 8 2 010203"],
  ["TLSA", "3 1 1 aabb", "3 1 1 aabb"],
  ["RP", "x .", "x.kingcdn.example. ."],
  ["AFSDB", "1 b", "1 b.kingcdn.example."],
  [
    "NAPTR",
    '1 2 u "E2U+sip" "!^.*$!x!" .',
    '1 2 "u" "E2U+sip" "!^.*$!x!" .',
  ],
  ["SPF", "v=spf1 -all", '"v=spf1" "-all"'],
  ["URI", '1 2 "http://a.example/"', '1 2 "http://a.example/"'],
  ["A", "\\# 4 7f000003", "127.0.0.3"],
  ["TYPE257", '0 iodef "mailto:a@b.example"', '0 iodef "mailto:a@b.example"'],
];

Deno.test("parseRdata and formatRdata go both ways", () => {
  for (const [type, given, shown] of RDATA) {
    const number = typeNumber(type) ?? 0;
    assertEquals(formatRdata(number, rdata(type, given)), shown);
    assertEquals(rdata(type, shown), rdata(type, given));
  }
});

Deno.test("formatRdata shows a CAA tag that is none without what a terminal would obey", () => {
  const data = new Uint8Array([0, 2, 0x1b, 0x5b, 0x78]);
  assertEquals(formatRdata(RECORD_TYPES.CAA, data), '0 "\\027[" "x"');
});

Deno.test("parseRdata refuses data of another type", () => {
  for (
    const [type, text] of [
      ["A", "127.0.0"],
      ["A", "::1"],
      ["AAAA", "127.0.0.1"],
      ["A", "127.0.0.1 127.0.0.2"],
      ["A", ""],
      ["MX", "mail"],
      ["MX", "65536 mail"],
      ["MX", "-1 mail"],
      ["SOA", "ns1 hostmaster 1 1d 2h 1w"],
      ["SOA", "ns1 hostmaster 4294967296 1d 2h 1w 1"],
      ["SOA", "ns1 hostmaster 1 1x 2h 1w 1"],
      ["TXT", ""],
      ["TXT", `"${"x".repeat(256)}"`],
      ["TXT", '"\\256"'],
      ["HTTPS", "1 . alpn=h2"],
      ["CAA", '0 "is sue" x'],
      ["CAA", '0 "" x'],
      ["DS", "1 2 3"],
      ["DS", "1 2 3 abc"],
      ["DS", "1 2 3 xy"],
      ["NAPTR", "1 2 u . ."],
      ["TYPE666", "abc"],
      ["TYPE666", "\\# 3 a1b2"],
      ["TYPE666", "\\# 1 a"],
      ["A", "\\# 3 7f0000"],
      ["NS", "\\# 2 c000"],
      ["MX", "\\# 4 0001c000"],
      ["TYPE666", "\\# 0x1 01"],
      ["TYPE666", "\\# +1 01"],
    ] as const
  ) assertThrows(() => rdata(type, text), SyntaxError);
});

Deno.test("typeNumber and typeName know names and numbers", () => {
  assertEquals(typeNumber("aaaa"), 28);
  assertEquals(typeNumber("TYPE1"), 1);
  assertEquals(typeNumber("TYPE65536"), undefined);
  assertEquals(typeNumber("toString"), undefined);
  assertEquals(typeName(28), "AAAA");
  assertEquals(typeName(666), "TYPE666");
  // those whose data is bytes to us have names, too
  assertEquals(["https", "TLSA", "DNAME"].map(typeNumber), [65, 52, 39]);
  assertEquals([65, 48].map(typeName), ["HTTPS", "DNSKEY"]);
});

function record(name: string, type: string, text: string): DnsRecord {
  return {
    name: parseName(name, ORIGIN),
    type: typeNumber(type) ?? 0,
    class: 1,
    ttlSeconds: 20,
    rdata: rdata(type, text),
  };
}

const MESSAGE: DnsMessage = {
  id: 0xabcd,
  isResponse: true,
  opcode: 0,
  authoritative: true,
  truncated: false,
  recursionDesired: true,
  recursionAvailable: false,
  rcode: 16,
  questions: [{ name: parseName("Video", ORIGIN), type: 255, class: 1 }],
  answers: RDATA.map(([type, text]) => record("video", type, text)),
  authorities: [record("@".replace("@", "x"), "NS", "ns1")],
  additionals: [record("ns1", "A", "127.0.0.1")],
  edns: {
    udpBytes: 1232,
    version: 0,
    dnssecOk: true,
    upperRcode: 1,
    clientSubnet: clientSubnetOf({
      bytes: new Uint8Array([127, 2, 3, 0]),
      prefixLength: 23,
    }),
  },
};

Deno.test("decodeMessage reads what encodeMessage writes, names compressed", () => {
  const bytes = encodeMessage(MESSAGE);
  const decoded = decodeMessage(bytes);
  // compression takes the case of the name that stands there already
  const lower = (message: DnsMessage) =>
    JSON.stringify(message.answers.map(({ type, rdata }) => [type, ...rdata]));
  assertEquals(lower(decoded), lower(MESSAGE));
  assertEquals(decoded.edns, MESSAGE.edns);
  assertEquals(decoded.rcode, 16);
  assertEquals(decoded.additionals, MESSAGE.additionals);
  const uncompressed = MESSAGE.answers.length * ORIGIN.length;
  assert(bytes.length < 900 && uncompressed > 200);
});

Deno.test("decodeMessage throws ProtocolError for every message cut short", () => {
  const bytes = encodeMessage(MESSAGE);
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => decodeMessage(bytes.subarray(0, length)), ProtocolError);
  }
});

Deno.test("decodeMessage throws nothing but ProtocolError, and what it reads can be written", () => {
  const original = encodeMessage(MESSAGE);
  let state = 15;
  const next = () =>
    (state = Math.imul(state, 1664525) + 1013904223 >>> 0) >>> 8;
  let readable = 0;
  for (let turn = 0; turn < 8000; turn++) {
    const bytes = turn % 4 === 0
      ? new Uint8Array(12 + next() % 60).map(() => next() % 5)
      : original.slice();
    for (let change = 1 + next() % 3; change > 0; change--) {
      bytes[next() % bytes.length] = next();
    }
    try {
      const message = decodeMessage(bytes);
      readable += 1;
      for (const { type, rdata } of message.answers) formatRdata(type, rdata);
      assertEquals(
        decodeMessage(encodeMessage(message)).answers.length,
        message.answers.length,
      );
    } catch (error) {
      assert(error instanceof ProtocolError, String(error));
    }
  }
  assert(readable > 500);
});

Deno.test("decodeMessage takes a TTL with its first bit set for 0 (RFC 2181 §8)", () => {
  const bytes = encodeMessage({
    ...MESSAGE,
    questions: [],
    answers: [{ ...record("a", "A", "127.0.0.1"), ttlSeconds: 0x80000000 }],
  });
  assertEquals(decodeMessage(bytes).answers[0]?.ttlSeconds, 0);
});

Deno.test("encodeMessage refuses a message that is too long", () => {
  const answers = Array.from(
    { length: 300 },
    () => record("a", "TXT", `"${"x".repeat(250)}"`),
  );
  assertThrows(() => encodeMessage({ ...MESSAGE, answers }), RangeError);
});

Deno.test("MessageDecoder gives the same messages however the stream is split", () => {
  const messages = [0, 1, 5, 300, 70, 5000, 65535].map((length) =>
    new Uint8Array(length).map((_, at) => at * 7 + length)
  );
  const stream = messages.flatMap((message) => [...frameMessage(message)]);
  for (const step of [1, 2, 3, 700, 9999, stream.length]) {
    const decoder = new MessageDecoder();
    const seen: Uint8Array[] = [];
    for (let at = 0; at < stream.length; at += step) {
      for (
        const message of decoder.push(
          new Uint8Array(stream.slice(at, at + step)),
        )
      ) seen.push(message.slice());
    }
    assertEquals(seen.length, messages.length);
    assert(
      seen.every((one, index) =>
        one.length === messages[index]?.length &&
        one.every((byte, at) => byte === messages[index]?.[at])
      ),
    );
    assertEquals(decoder.pendingBytes, 0);
  }
  assertThrows(() => frameMessage(new Uint8Array(65536)), RangeError);
});

Deno.test("RECORD_TYPES has no two names for one number", () => {
  const numbers = Object.values(RECORD_TYPES);
  assertEquals(new Set(numbers).size, numbers.length);
});
