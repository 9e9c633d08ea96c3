/**
 * What six servers were found to answer to 33 questions and 30 damaged messages, asked of ours. Where gdnsd and BIND agree,
 * ours does as they do; where they do not, the row says whom it follows, or why neither.
 *
 * Messages are built byte by byte here, not by the code under test.
 */
import { assert, assertEquals } from "@std/assert";
import type { Responder } from "../../lib/dns/authority/responder.ts";
import { RCODES } from "../../lib/dns/codes.ts";
import { decodeMessage } from "../../lib/dns/message.ts";
import { ASKER, responderFor } from "../unit/dns/authority/ask.ts";

const ZONE = `
$ORIGIN cdn.test.
$TTL 300
@ SOA ns1 hostmaster 1 1d 2h 4w 60
@ NS ns1
@ NS ns2
ns1 A 192.0.2.1
ns2 A 192.0.2.2
www A 192.0.2.80
alias CNAME www
`;

const responder: Responder = responderFor([ZONE]);

/** A name on the wire. */
function name(text: string): number[] {
  const labels = text === "" ? [] : text.split(".");
  return [
    ...labels.flatMap((
      label,
    ) => [label.length, ...new TextEncoder().encode(label)]),
    0,
  ];
}

const u16 = (value: number) => [value >> 8, value & 255];

const NO_QUESTION = { qd: 0, an: 0, ns: 0, ar: 0 };

/** A head: id 0x4242, flags as given. */
function head(flags: number, counts: Partial<typeof NO_QUESTION>): number[] {
  const { qd, an, ns, ar } = { ...NO_QUESTION, ...counts };
  return [0x42, 0x42, ...u16(flags), ...[qd, an, ns, ar].flatMap(u16)];
}

interface Asked {
  readonly type?: number;
  readonly class?: number;
  /** The whole flags word. */
  readonly flags?: number;
  /** RDATA of an OPT record; without it there is no OPT. */
  readonly options?: readonly number[];
  readonly ednsVersion?: number;
}

function ask(text: string, asked: Asked = {}): number[] {
  const { options, flags = 0 } = asked;
  return [
    ...head(flags, { qd: 1, ar: options === undefined ? 0 : 1 }),
    ...name(text),
    ...u16(asked.type ?? 1),
    ...u16(asked.class ?? 1),
    ...(options === undefined ? [] : opt(options, asked.ednsVersion)),
  ];
}

function opt(options: readonly number[], version = 0): number[] {
  const ttl = [0, version, 0, 0];
  return [
    0,
    ...u16(41),
    ...u16(1400),
    ...ttl,
    ...u16(options.length),
    ...options,
  ];
}

function option(code: number, data: readonly number[]): number[] {
  return [...u16(code), ...u16(data.length), ...data];
}

const ECS_24 = option(8, [0, 1, 24, 0, 192, 0, 2]);

/** `drop`, or the code, AA, TC, the counts of the sections without OPT, and OPT. */
function told(query: readonly number[]): string {
  const reply = responder.respond(new Uint8Array(query), ASKER);
  if (reply === undefined || reply.bytes.length === 0) return "drop";
  // It never amplifies what it cannot read.
  const { bytes } = reply;
  assertEquals([bytes[0], bytes[1]], [0x42, 0x42]);
  assert((bytes[2]! & 0x80) !== 0, "an answer is a response");
  const message = decodeMessage(bytes);
  const { rcode } = reply;
  const code = Object.entries(RCODES).find(([, value]) => value === rcode)?.[0];
  const additionals = message.additionals.filter(({ type }) => type !== 41);
  if (code === "FORMERR") assert(bytes.length <= Math.max(12, query.length));
  return [
    code ?? String(rcode),
    ...message.authoritative ? ["AA"] : [],
    ...message.truncated ? ["TC"] : [],
    [message.answers, message.authorities, additionals]
      .map(({ length }) => length).join("/"),
    ...message.edns === undefined ? [] : ["OPT"],
  ].join(" ");
}

/** Case, message, what is told, and a word on it where the two do not agree. */
type Case = readonly [string, readonly number[], string, string?];

const FEATURES: readonly Case[] = [
  ["A", ask("www.cdn.test"), "NOERROR AA 1/0/0"],
  ["AAAA nodata", ask("www.cdn.test", { type: 28 }), "NOERROR AA 0/1/0"],
  ["NXDOMAIN", ask("no.cdn.test"), "NXDOMAIN AA 0/1/0"],
  ["CNAME chase", ask("alias.cdn.test"), "NOERROR AA 2/0/0", "as BIND"],
  ["SOA", ask("cdn.test", { type: 6 }), "NOERROR AA 1/0/0"],
  [
    "NS apex",
    ask("cdn.test", { type: 2 }),
    "NOERROR AA 2/0/2",
    "as BIND: the addresses of both",
  ],
  ["foreign zone", ask("www.other.test"), "REFUSED 0/0/0"],
  ["root NS", ask("", { type: 2 }), "REFUSED 0/0/0"],
  ["ANY", ask("www.cdn.test", { type: 255 }), "NOERROR AA 1/0/0"],
  [
    "AXFR over UDP",
    ask("cdn.test", { type: 252 }),
    "NOTIMP 0/0/0",
    "as gdnsd; BIND: FORMERR",
  ],
  [
    "class CH version.bind",
    ask("version.bind", { type: 16, class: 3 }),
    "NOERROR AA 1/0/0",
    "as BIND",
  ],
  ["class CH A", ask("version.bind", { class: 3 }), "NOERROR AA 0/0/0"],
  [
    "class CH version.server",
    ask("Version.Server", { type: 16, class: 3 }),
    "NOERROR AA 1/0/0",
  ],
  [
    "class CH hostname.bind",
    ask("hostname.bind", { type: 16, class: 3 }),
    "REFUSED 0/0/0",
  ],
  [
    "class ANY",
    ask("www.cdn.test", { class: 255 }),
    "NOERROR AA 1/0/0",
    "as gdnsd; BIND: FORMERR",
  ],
  ["class HS", ask("www.cdn.test", { class: 4 }), "REFUSED 0/0/0"],
  ["opcode STATUS", ask("cdn.test", { flags: 2 << 11 }), "NOTIMP 0/0/0"],
  [
    "opcode NOTIFY",
    ask("cdn.test", { flags: 4 << 11 }),
    "NOTIMP 0/0/0",
    "as gdnsd: nobody's secondary",
  ],
  [
    "opcode UPDATE",
    ask("cdn.test", { flags: 5 << 11 }),
    "NOTIMP 0/0/0",
    "as gdnsd; BIND: REFUSED",
  ],
  ["opcode DSO", head(6 << 11, {}), "NOTIMP 0/0/0", "as BIND"],
  ["opcode 15", ask("cdn.test", { flags: 15 << 11 }), "NOTIMP 0/0/0"],
  ["QR = 1", ask("www.cdn.test", { flags: 0x8000 }), "drop"],
  [
    "EDNS version 1",
    ask("www.cdn.test", { options: [], ednsVersion: 1 }),
    "BADVERS 0/0/0 OPT",
  ],
  ["EDNS", ask("www.cdn.test", { options: [] }), "NOERROR AA 1/0/0 OPT"],
  ["ECS", ask("www.cdn.test", { options: ECS_24 }), "NOERROR AA 1/0/0 OPT"],
  [
    "ECS of family 3",
    ask("www.cdn.test", { options: option(8, [0, 3, 24, 0, 1, 2, 3]) }),
    "FORMERR 0/0/0 OPT",
  ],
  [
    "ECS with a scope",
    ask("www.cdn.test", { options: option(8, [0, 1, 24, 24, 192, 0, 2]) }),
    "FORMERR 0/0/0 OPT",
  ],
  [
    "ECS with bits beyond the prefix",
    ask("www.cdn.test", { options: option(8, [0, 1, 20, 0, 192, 0, 0x2f]) }),
    "FORMERR 0/0/0 OPT",
  ],
  [
    "cookie of 9 bytes",
    ask("www.cdn.test", { options: option(10, [1, 2, 3, 4, 5, 6, 7, 8, 9]) }),
    "FORMERR 0/0/0 OPT",
  ],
  [
    "NSID",
    ask("www.cdn.test", { options: option(3, []) }),
    "NOERROR AA 1/0/0 OPT",
  ],
  [
    "unknown option",
    ask("www.cdn.test", { options: option(65001, [1, 2, 3]) }),
    "NOERROR AA 1/0/0 OPT",
  ],
];

const QUESTION = [...name("www.cdn.test"), ...u16(1), ...u16(1)];

/** A question whose name is these bytes. */
function named(bytes: readonly number[]): number[] {
  return [...head(0, { qd: 1 }), ...bytes, ...u16(1), ...u16(1)];
}

function additional(record: readonly number[], count = 1): number[] {
  return [...head(0, { qd: 1, ar: count }), ...QUESTION, ...record];
}

const DAMAGED: readonly Case[] = [
  ["nothing", [], "drop"],
  ["11 bytes", head(0, { qd: 1 }).slice(0, 11), "drop"],
  ["only a head", head(0, { qd: 1 }), "FORMERR 0/0/0"],
  ["no question", head(0, {}), "FORMERR 0/0/0"],
  [
    "65,535 questions",
    [...head(0, { qd: 65_535 }), ...QUESTION],
    "FORMERR 0/0/0",
  ],
  ["a pointer to itself", named([0xc0, 12]), "FORMERR 0/0/0"],
  ["two pointers in a ring", named([0xc0, 14, 0xc0, 12]), "FORMERR 0/0/0"],
  ["a pointer forward", named([0xc0, 18]), "FORMERR 0/0/0"],
  ["a pointer past the end", named([0xff, 0xff]), "FORMERR 0/0/0"],
  ["a label of type 01", named([0x40, 1, 0]), "FORMERR 0/0/0"],
  ["a label of type 10", named([0x80, 1, 0]), "FORMERR 0/0/0"],
  [
    "a name of 321 bytes",
    named([...Array(5).fill([63, ...Array(63).fill(97)]).flat(), 0]),
    "FORMERR 0/0/0",
  ],
  ["a label cut off", [...head(0, { qd: 1 }), 9, 97, 98], "FORMERR 0/0/0"],
  ["no type", [...head(0, { qd: 1 }), ...name("cdn.test")], "FORMERR 0/0/0"],
  [
    "a dot in a label",
    named([3, 97, 46, 98, 4, ...new TextEncoder().encode("test"), 0]),
    "REFUSED 0/0/0",
  ],
  [
    "a byte that is no UTF-8",
    named([2, 97, 0xff, 4, ...new TextEncoder().encode("test"), 0]),
    "REFUSED 0/0/0",
  ],
  ["capitals, elsewhere", ask("WwW.OtHeR.tEsT"), "REFUSED 0/0/0"],
  [
    "bytes after the message",
    [...ask("www.cdn.test"), 1, 2, 3, 4],
    "NOERROR AA 1/0/0",
    "both answer",
  ],
  [
    "an OPT cut off",
    additional([0, ...u16(41), 4, 0, 0, 0, 0, 0, 0, 9, 1]),
    "FORMERR 0/0/0",
  ],
  [
    "an option longer than the OPT",
    ask("www.cdn.test", { options: [...u16(8), ...u16(40), 0, 1] }),
    "FORMERR 0/0/0 OPT",
    "as gdnsd",
  ],
  [
    "two OPTs",
    additional([...opt([]), ...opt([])], 2),
    "FORMERR 0/0/0 OPT",
    "as gdnsd",
  ],
  ["an OPT with a name", additional([1, 97, ...opt([])]), "FORMERR 0/0/0"],
  [
    "ECS with a prefix of 33",
    ask("www.cdn.test", { options: option(8, [0, 1, 33, 0, 1, 2, 3, 4, 5]) }),
    "FORMERR 0/0/0 OPT",
  ],
  ["type 666", ask("www.cdn.test", { type: 666 }), "NOERROR AA 0/1/0"],
  [
    "class 300",
    ask("www.cdn.test", { class: 300 }),
    "REFUSED 0/0/0",
    "as gdnsd",
  ],
  [
    "an answer in a question, of 3 bytes",
    [
      ...head(0, { qd: 1, an: 1 }),
      ...QUESTION,
      0xc0,
      12,
      ...u16(1),
      ...u16(1),
      0,
      0,
      0,
      9,
      ...u16(3),
      1,
      2,
      3,
    ],
    "NOERROR AA 1/0/0",
    "as gdnsd: what a question has beside the question is not read",
  ],
];

for (const [what, message, expected, why] of [...FEATURES, ...DAMAGED]) {
  const note = why === undefined ? "" : ` (${why})`;
  Deno.test(`dns-redirector tells ${expected} to ${what}${note}`, () => {
    assertEquals(told(message), expected);
  });
}

Deno.test("dns-redirector keeps the capitals of the question (0x20) and says 1232 in its OPT", () => {
  const query = ask("wWw.CdN.tEsT", { options: [] });
  const { bytes } = responder.respond(new Uint8Array(query), ASKER)!;
  const question = query.slice(12, 12 + name("wWw.CdN.tEsT").length);
  assertEquals([...bytes.slice(12, 12 + question.length)], question);
  assertEquals(decodeMessage(bytes).edns?.udpBytes, 1232);
});
