import { assert, assertEquals } from "@std/assert";
import { CLASSES, RCODES, RECORD_TYPES } from "../../../../lib/dns/codes.ts";
import { formatClientSubnet } from "../../../../lib/dns/edns.ts";
import { decodeMessage, encodeMessage } from "../../../../lib/dns/message.ts";
import { parseName } from "../../../../lib/dns/name.ts";
import { parseSteering } from "../../../../lib/dns/select/mod.ts";
import { encodeQuery } from "../../../../lib/dns/stub_query.ts";
import {
  ask,
  ASKER,
  lines,
  responderFor,
  site,
  SITE_ZONE,
  ZONE,
} from "./ask.ts";

const SOA =
  "kingcdn.example. 30 SOA ns1.kingcdn.example. hostmaster.kingcdn.example. 1 86400 7200 2419200 30";

/** question, code, AA, answers, authorities */
const TABLE: readonly [string, number, boolean, string[], string[]][] = [
  ["mail.kingcdn.example", 0, true, [
    "mail.kingcdn.example. 3600 A 127.0.0.9",
  ], []],
  ["mail.kingcdn.example AAAA", 0, true, [], [SOA]],
  ["nowhere.kingcdn.example", 3, true, [], [SOA]],
  ["a.mail.kingcdn.example", 3, true, [], [SOA]],
  ["ent.kingcdn.example", 0, true, [], [SOA]],
  ["b.ent.kingcdn.example", 0, true, [], [SOA]],
  ["x.wild.kingcdn.example", 0, true, [
    "x.wild.kingcdn.example. 3600 A 127.0.0.8",
  ], []],
  ["y.x.wild.kingcdn.example", 0, true, [
    "y.x.wild.kingcdn.example. 3600 A 127.0.0.8",
  ], []],
  ["x.wild.kingcdn.example MX", 0, true, [], [SOA]],
  ["known.wild.kingcdn.example", 0, true, [
    "known.wild.kingcdn.example. 3600 A 127.0.0.7",
  ], []],
  // RFC 4592 §2.2.1: a name that is there keeps the wildcard from what is below it
  ["x.known.wild.kingcdn.example", 3, true, [], [SOA]],
  ["wild.kingcdn.example", 0, true, [], [SOA]],
  ["kingcdn.example SOA", 0, true, [SOA.replace(" 30 SOA", " 3600 SOA")], []],
  ["kingcdn.example NS", 0, true, [
    "kingcdn.example. 3600 NS ns1.kingcdn.example.",
    "kingcdn.example. 3600 NS ns2.kingcdn.example.",
  ], []],
  ["ns1.kingcdn.example", 0, true, [
    "ns1.kingcdn.example. 3600 A 127.0.0.1",
    "ns1.kingcdn.example. 3600 A 127.0.0.2",
  ], []],
  ["y.sub.kingcdn.example", 0, false, [], [
    "sub.kingcdn.example. 3600 NS ns.sub.kingcdn.example.",
  ]],
  ["sub.kingcdn.example NS", 0, false, [], [
    "sub.kingcdn.example. 3600 NS ns.sub.kingcdn.example.",
  ]],
  ["sub.kingcdn.example DS", 0, true, [], [SOA]],
  ["kingcdn.example MX", 0, true, [
    "kingcdn.example. 3600 MX 10 mail.kingcdn.example.",
  ], []],
  ["txt.kingcdn.example TXT", 0, true, [
    'txt.kingcdn.example. 3600 TXT "hello world" "second; \\"quoted\\""',
  ], []],
  ["kingcdn.example ANY", 0, true, [
    'kingcdn.example. 3600 HINFO "RFC8482" ""',
  ], []],
  ["www.kingcdn.example CNAME", 0, true, [
    "www.kingcdn.example. 3600 CNAME video.kingcdn.example.",
  ], []],
  ["deep1.kingcdn.example", 0, true, [
    "deep1.kingcdn.example. 3600 CNAME deep2.kingcdn.example.",
    "deep2.kingcdn.example. 3600 CNAME www.kingcdn.example.",
    "www.kingcdn.example. 3600 CNAME video.kingcdn.example.",
    "video.kingcdn.example. 20 A 127.0.0.3",
  ], []],
  ["www.kingcdn.example MX", 0, true, [
    "www.kingcdn.example. 3600 CNAME video.kingcdn.example.",
  ], [SOA]],
  ["loop1.kingcdn.example", 0, true, [
    "loop1.kingcdn.example. 3600 CNAME loop2.kingcdn.example.",
    "loop2.kingcdn.example. 3600 CNAME loop1.kingcdn.example.",
  ], []],
  ["lost.kingcdn.example", 3, true, [
    "lost.kingcdn.example. 3600 CNAME nowhere.kingcdn.example.",
  ], [SOA]],
  ["out.kingcdn.example", 0, true, [
    "out.kingcdn.example. 3600 CNAME www.elsewhere.example.",
  ], []],
  ["video.netcinema.example", 0, true, [
    "video.netcinema.example. 300 CNAME video.kingcdn.example.",
    "video.kingcdn.example. 20 A 127.0.0.3",
  ], []],
  ["example", 5, false, [], []],
  ["other.test", 5, false, [], []],
  [".", 5, false, [], []],
  ["kingcdn.example AXFR", 4, false, [], []],
];

Deno.test("Responder answers as RFC 1034 §4.3.2 has it", () => {
  for (const [question, rcode, authoritative, answers, authorities] of TABLE) {
    const { message } = ask(responderFor([ZONE, SITE_ZONE]), question);
    assertEquals({
      question,
      rcode: message.rcode,
      authoritative: message.authoritative,
      answers: lines(message.answers),
      authorities: lines(message.authorities),
    }, { question, rcode, authoritative, answers, authorities });
    assertEquals(message.id, 0x1234);
    assert(message.isResponse && message.recursionDesired);
    assert(!message.recursionAvailable && !message.truncated);
    assertEquals(message.edns?.udpBytes, 1232);
  }
});

Deno.test("Responder refuses a zone transfer over TCP", () => {
  const { message } = ask(responderFor([ZONE]), "kingcdn.example AXFR", {
    transport: "tcp",
  });
  assertEquals(message.rcode, RCODES.REFUSED);
});

Deno.test("Responder answers only its own alias when the target is another server's", () => {
  const { message } = ask(responderFor([SITE_ZONE]), "video.netcinema.example");
  assertEquals(lines(message.answers), [
    "video.netcinema.example. 300 CNAME video.kingcdn.example.",
  ]);
  assertEquals(message.rcode, 0);
});

Deno.test("Responder names the servers of a delegation with their addresses", () => {
  const { message } = ask(responderFor([ZONE]), "y.sub.kingcdn.example");
  assertEquals(lines(message.additionals), [
    "ns.sub.kingcdn.example. 3600 A 127.0.0.10",
  ]);
});

Deno.test("Responder brings along the addresses of a name's targets, as far as they are its own to tell", () => {
  const zone = [
    ZONE,
    "own MX 1 mail",
    "gone MX 1 nowhere",
    "wild MX 1 any.wild.kingcdn.example.",
    "*.wild A 127.0.0.20",
    "below MX 1 ns.sub",
    "away MX 1 mail.other.example.",
    "",
  ].join("\n");
  const additionals = (name: string) => {
    const query = encodeQuery({
      ...{ id: 1, name: parseName(`${name}.kingcdn.example`) },
      ...{ type: RECORD_TYPES.MX, edns: false },
    });
    const reply = responderFor([zone]).respond(query, ASKER);
    assert(reply !== undefined);
    const message = decodeMessage(reply.bytes);
    assertEquals(message.answers.length, 1, name);
    return lines(message.additionals);
  };
  assertEquals(additionals("own"), ["mail.kingcdn.example. 3600 A 127.0.0.9"]);
  // not there; a wildcard's, of which nobody knows whether it is meant; below a delegation; elsewhere
  for (const name of ["gone", "wild", "below", "away"]) {
    assertEquals(additionals(name), [], name);
  }
});

Deno.test("Responder serves a zone below another of its own", () => {
  const below = `
$ORIGIN sub.kingcdn.example.
$TTL 60
@ SOA ns hostmaster 7 1d 2h 4w 30
@ NS ns
ns A 127.0.0.11
`;
  const responder = responderFor([ZONE, below]);
  const answers = (question: string) =>
    lines(ask(responder, question).message.answers);
  assertEquals(answers("ns.sub.kingcdn.example"), [
    "ns.sub.kingcdn.example. 60 A 127.0.0.11",
  ]);
  assertEquals(answers("sub.kingcdn.example NS"), [
    "sub.kingcdn.example. 60 NS ns.sub.kingcdn.example.",
  ]);
});

Deno.test("Responder leaves out what a zone has below another of its own, and nothing after that", () => {
  const above = [
    ZONE,
    "x.sub A 127.0.0.40",
    "after A 127.0.0.41",
    ...["two.sub A 127.0.0.42", "two.sub A 127.0.0.43"],
    ...["pair A 127.0.0.44", "pair A 127.0.0.45"],
    "",
  ].join("\n");
  const below = `$ORIGIN sub.kingcdn.example.
$TTL 60
@ SOA ns h 7 1d 2h 4w 30
@ NS ns
ns A 127.0.0.11
`;
  const responder = responderFor([above, below]);
  const said = (name: string) => {
    const { reply } = ask(responder, `${name}.kingcdn.example`);
    return [reply.rcode, reply.answers];
  };
  assertEquals(said("after"), [RCODES.NOERROR, 1]);
  assertEquals(said("pair"), [RCODES.NOERROR, 1]);
  for (const name of ["x.sub", "two.sub"]) {
    assertEquals(said(name), [RCODES.NXDOMAIN, 0], name);
  }
});

Deno.test("Responder answers a question of any class with records of class IN, and one about itself in its own", () => {
  for (
    const [name, type, asked, told] of [
      ["mail.kingcdn.example", RECORD_TYPES.A, CLASSES.ANY, CLASSES.IN],
      ["video.kingcdn.example", RECORD_TYPES.A, CLASSES.ANY, CLASSES.IN],
      ["video.kingcdn.example", RECORD_TYPES.A, CLASSES.IN, CLASSES.IN],
      ["version.bind", RECORD_TYPES.TXT, CLASSES.CH, CLASSES.CH],
    ] as const
  ) {
    const query = { id: 1, name: parseName(name), type, class: asked };
    const reply = responderFor([ZONE]).respond(encodeQuery(query), ASKER);
    assert(reply !== undefined);
    const { questions, answers } = decodeMessage(reply.bytes);
    assertEquals(questions.map((question) => question.class), [asked]);
    assertEquals(answers.map((record) => record.class), [told]);
  }
});

Deno.test("Responder keeps the question's case (0x20)", () => {
  const name = parseName("ViDeO.KiNgCdN.eXaMpLe.");
  const reply = responderFor([ZONE]).respond(
    encodeQuery({ id: 1, name, type: 1 }),
    ASKER,
  );
  assert(reply !== undefined);
  const message = decodeMessage(reply.bytes);
  assertEquals(message.questions[0]?.name, name);
  assertEquals(message.answers[0]?.name, name);
});

Deno.test("Responder chooses by the client's network, and echoes the scope", () => {
  const responder = responderFor([ZONE], {
    steering: parseSteering("geo"),
    sites: [
      site("127.1.0.0/16", "127.0.0.3"),
      site("127.2.0.0/16", "127.0.0.4"),
    ],
  });
  for (
    const [from, subnet, address, echoed] of [
      ["127.1.0.5", undefined, "127.0.0.3", undefined],
      ["127.2.0.5", undefined, "127.0.0.4", undefined],
      ["127.1.0.5", "127.2.9.0/24", "127.0.0.4", "127.2.9.0/24/16"],
      ["127.2.0.5", "127.1.0.0/16", "127.0.0.3", "127.1.0.0/16/16"],
      // the prefix is too short to tell which network it is
      ["127.1.0.5", "127.0.0.0/9", undefined, "127.0.0.0/9/16"],
      // RFC 7871 §7.1.2: 0 is the wish not to be told apart; the resolver's own address does
      ["127.2.0.5", "0.0.0.0/0", "127.0.0.4", "0.0.0.0/0/0"],
    ] as const
  ) {
    const { message, reply } = ask(responder, "video.kingcdn.example", {
      from,
      ...(subnet === undefined ? {} : { subnet }),
    });
    const given = message.edns?.clientSubnet;
    if (address !== undefined) {
      assertEquals(lines(message.answers), [
        `video.kingcdn.example. 20 A ${address}`,
      ]);
    }
    assertEquals(given && formatClientSubnet(given), echoed);
    assertEquals(
      reply.choice?.fromOption,
      subnet !== undefined && subnet !== "0.0.0.0/0",
    );
  }
});

Deno.test("Responder echoes a subnet with scope 0 when the answer is for everybody", () => {
  const { message } = ask(responderFor([ZONE]), "mail.kingcdn.example", {
    subnet: "127.2.9.0/24",
  });
  assertEquals(message.edns?.clientSubnet?.scopeLength, 0);
  assertEquals(message.edns?.clientSubnet?.sourceLength, 24);
});

Deno.test("Responder lets the edges take turns", () => {
  const responder = responderFor([ZONE]);
  const hosts = Array.from(
    { length: 4 },
    () => ask(responder, "video.kingcdn.example").reply.choice?.edge.host,
  );
  assertEquals(hosts, ["127.0.0.3", "127.0.0.4", "127.0.0.3", "127.0.0.4"]);
  const six = ask(responder, "video.kingcdn.example AAAA");
  assertEquals(lines(six.message.answers), [
    "video.kingcdn.example. 20 AAAA fd00::3",
  ]);
});

Deno.test("Responder takes policy and TTL from the command line first", () => {
  const responder = responderFor([ZONE], {
    steering: parseSteering("hash"),
    ttlSeconds: 5,
  });
  const { message, reply } = ask(responder, "video.kingcdn.example");
  assertEquals(reply.choice?.redirect.steering.name, "hash");
  assertEquals(message.answers[0]?.ttlSeconds, 5);
});

Deno.test("Responder cuts off what does not fit into a datagram, and gives all of it over TCP", () => {
  const many = Array.from(
    { length: 100 },
    (_, index) => `big TXT "${index} ${"x".repeat(50)}"`,
  ).join("\n");
  const responder = responderFor([`${ZONE}\n${many}`]);
  const cut = ask(responder, "big.kingcdn.example TXT");
  assert(cut.message.truncated && cut.reply.truncated);
  assertEquals(cut.message.answers.length, 0);
  assert(cut.message.edns !== undefined);
  const whole = ask(responder, "big.kingcdn.example TXT", { transport: "tcp" });
  assertEquals(whole.message.answers.length, 100);
  assert(!whole.message.truncated);
});

Deno.test("Responder keeps to 512 bytes without EDNS and to the asker's size with it", () => {
  const zone = `${ZONE}\n${
    Array.from({ length: 12 }, (_, i) => `mid TXT "${i} ${"x".repeat(50)}"`)
      .join("\n")
  }`;
  const responder = responderFor([zone]);
  const query = {
    ...decodeMessage(
      encodeQuery({ id: 1, name: parseName("mid.kingcdn.example"), type: 16 }),
    ),
  };
  for (
    const [udpBytes, truncated] of [
      [undefined, true],
      [100, true],
      [700, true],
      [1232, false],
      [65535, false],
    ] as const
  ) {
    const { edns, ...rest } = query;
    assert(edns !== undefined);
    const bytes = encodeMessage(
      udpBytes === undefined ? rest : { ...rest, edns: { ...edns, udpBytes } },
    );
    const reply = responder.respond(bytes, ASKER);
    assertEquals([udpBytes, reply?.truncated], [udpBytes, truncated]);
    assert((reply?.bytes.length ?? 0) <= Math.max(512, udpBytes ?? 512));
  }
});
