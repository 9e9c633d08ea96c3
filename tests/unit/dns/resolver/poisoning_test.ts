import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseAddress } from "../../../../lib/core/address.ts";
import { seededRng } from "../../../../lib/core/rng.ts";
import { CLASSES, RCODES, RECORD_TYPES } from "../../../../lib/dns/codes.ts";
import {
  decodeMessage,
  type DnsMessage,
  type DnsRecord,
} from "../../../../lib/dns/message.ts";
import { equalNames, formatName, parseName } from "../../../../lib/dns/name.ts";
import { MAX_MESSAGES } from "../../../../lib/dns/resolver/walk.ts";
import {
  altered,
  type Authority,
  edited,
  eventsOf,
  EXAMPLE_HOST,
  exampleWith,
  KING_HOST,
  lastAddress,
  queryOf,
  ResolverWorld,
  type Sent,
  serverOf,
  SILENT,
  SITE_HOST,
  slideAuthorities,
  slideAuthority,
} from "../../../support/resolver_world.ts";
import { lines } from "../authority/ask.ts";

const VIDEO = "video.netcinema.example";
const EVIL = "10.66.6.6";
/** KingCDN's edges take turns, and some questions are asked twice. */
const EDGE = /^video\.kingcdn\.example\. 20 A 10\.2\.0\.[34]$/;

function record(name: string, type: "A" | "NS" | "CNAME", data: string) {
  return {
    name: parseName(name),
    type: RECORD_TYPES[type],
    class: CLASSES.IN,
    ttlSeconds: 3600,
    rdata: type === "A" ? parseAddress(data) : parseName(data),
  } satisfies DnsRecord;
}

/** What a forger would like to be believed. */
function forged(bytes: Uint8Array): Uint8Array {
  return edited(bytes, ({ questions }) => ({
    authoritative: true,
    answers: questions.map(({ name }) => ({ ...record(".", "A", EVIL), name })),
    authorities: [],
    additionals: [],
  }));
}

/** An authority whose replies a forger is quicker with. */
function outrun(
  real: Authority,
  forge: (bytes: Uint8Array) => Sent,
): Authority {
  return (query, about) =>
    real(query, about).flatMap((sent) =>
      about.transport === "udp" ? [forge(sent.bytes), sent] : [sent]
    );
}

Deno.test("Resolver believes no reply with another id, question, case, sender or port, and takes the real one after it", () => {
  const asking = (change: Partial<DnsMessage["questions"][number]>) =>
  (
    bytes: Uint8Array,
  ) => ({
    bytes: edited(forged(bytes), ({ questions }) => ({
      questions: questions.map((each) => ({ ...each, ...change })),
    })),
  });
  const forgers: readonly [string, (bytes: Uint8Array) => Sent][] = [
    ["wrong-id", (bytes) => {
      const copy = forged(bytes);
      copy[0] = (copy[0] ?? 0) ^ 1;
      return { bytes: copy };
    }],
    ["wrong-question", asking({ type: RECORD_TYPES.MX })],
    ["wrong-question", asking({ class: CLASSES.CH })],
    ["wrong-question", asking({ name: parseName("bank.example") })],
    ["wrong-question", (bytes) => ({
      bytes: edited(forged(bytes), ({ questions }) => ({
        questions: [...questions, ...questions],
      })),
    })],
    ["wrong-question", (bytes) => ({
      bytes: edited(forged(bytes), () => ({ questions: [] })),
    })],
    ["wrong-case", asking({ name: parseName("VIDEO.KINGCDN.EXAMPLE") })],
    ["wrong-source", (bytes) => ({ bytes: forged(bytes), host: EVIL })],
    ["malformed", (bytes) => ({ bytes: bytes.slice(0, 20) })],
  ];
  for (const [reason, forge] of forgers) {
    const authorities = slideAuthorities({
      [KING_HOST]: outrun(slideAuthority(KING_HOST), forge),
    });
    const { message, events } = new ResolverWorld(authorities).ask(VIDEO);
    assertMatch(lines(message.answers).at(-1) ?? "", EDGE, reason);
    const ignored = eventsOf(events, "recursion.ignored").map((event) =>
      event.reason
    );
    assertEquals(ignored, [reason as typeof ignored[number]]);
  }
  const byPort = slideAuthorities({
    [KING_HOST]: outrun(
      slideAuthority(KING_HOST),
      (bytes) => ({ bytes: forged(bytes), port: 5353 }),
    ),
  });
  const { message } = new ResolverWorld(byPort).ask(VIDEO);
  assertEquals(lastAddress(message), "10.2.0.3");
});

Deno.test("Resolver takes the question over TCP when somebody guesses ids", () => {
  const authorities = slideAuthorities();
  const king = slideAuthority(KING_HOST);
  authorities.set(KING_HOST, (query, about) => {
    const real = king(query, about);
    if (about.transport === "tcp") return real;
    // 200 guesses, the real reply is lost
    return Array.from({ length: 200 }, (_, at) => {
      const bytes = forged(real[0]!.bytes);
      bytes[1] = at;
      bytes[0] = (query[0] ?? 0) ^ 0x80;
      return { bytes };
    });
  });
  const { message, events } = new ResolverWorld(authorities).ask(VIDEO);
  assertMatch(lines(message.answers).at(-1) ?? "", EDGE);
  assert(
    eventsOf(events, "recursion.ignored").length <= 10,
  );
  const last = eventsOf(events, "recursion.asked").at(-1);
  assertEquals(last?.transport, "tcp");
});

Deno.test("Resolver sends each question with another id and other capitals", () => {
  const seen = new Set<string>();
  const authorities = slideAuthorities();
  const king = slideAuthority(KING_HOST);
  authorities.set(KING_HOST, (query, about) => {
    const { id, questions } = decodeMessage(query);
    seen.add(`${id}`).add(questions[0]!.name.join());
    assert(equalNames(questions[0]!.name, parseName("video.kingcdn.example")));
    return king(query, about);
  });
  const world = new ResolverWorld(authorities);
  for (let round = 0; round < 20; round++) {
    world.ask("video.kingcdn.example");
    world.nowMs += 21_000;
  }
  assert(seen.size >= 38, `${seen.size} ids and names in 20 questions`);
});

Deno.test("Resolver draws ids and capitals from the secret generator, and only them", () => {
  const heads = (secretRng: () => number) => {
    const seen: string[] = [];
    const authorities = slideAuthorities();
    for (const [host, real] of authorities) {
      authorities.set(host, (query, about) => {
        const { id, questions: [question] } = decodeMessage(query);
        assert(question !== undefined);
        seen.push(`${host} ${id} ${formatName(question.name)}`);
        return real(query, about);
      });
    }
    new ResolverWorld(authorities, { secretRng }).ask(VIDEO);
    return seen;
  };
  assertEquals(heads(() => 0.75).slice(0, 2), [
    "10.1.0.1 49152 video.netcinema.example.",
    "10.1.0.2 49152 video.netcinema.example.",
  ]);
  assertEquals(heads(() => 0.25).slice(0, 2), [
    "10.1.0.1 16384 VIDEO.NETCINEMA.EXAMPLE.",
    "10.1.0.2 16384 VIDEO.NETCINEMA.EXAMPLE.",
  ]);
});

Deno.test("Resolver leaves out what a server says of names outside its zone", () => {
  const site = altered(slideAuthority(SITE_HOST), ({ answers }) => ({
    answers: [
      ...answers,
      record("video.kingcdn.example", "A", EVIL),
      record("www.bank.example", "A", EVIL),
    ],
    authorities: [
      record("example", "NS", "ns.evil.example"),
      record(".", "NS", "ns.evil.example"),
      record("kingcdn.example", "NS", "ns.evil.example"),
    ],
    additionals: [
      record("ns.evil.example", "A", EVIL),
      record("ns.kingcdn.example", "A", EVIL),
      record("a.root", "A", EVIL),
    ],
  }));
  const world = new ResolverWorld(slideAuthorities({ [SITE_HOST]: site }));
  const { message, events } = world.ask(VIDEO);
  assertEquals(lastAddress(message), "10.2.0.3");
  assertEquals(
    eventsOf(events, "recursion.replied")
      .map(({ outOfBailiwick }) => outOfBailiwick)
      .filter((left) => left > 0),
    [8],
  );
  assertEquals(world.ask("www.bank.example").message.rcode, RCODES.NXDOMAIN);
  assertEquals(
    lastAddress(world.ask("ns.kingcdn.example").message),
    "10.1.0.4",
  );
});

Deno.test("Resolver tells no client what a referral said of a server's address", () => {
  // the zone above says one thing, the zone itself another
  const world = new ResolverWorld(slideAuthorities({
    [KING_HOST]: serverOf("kingcdn.example.", "10.1.0.99", "www A 10.2.0.9"),
  }));
  world.ask("www.kingcdn.example");
  const { message } = world.ask("ns.kingcdn.example");
  assertEquals(lastAddress(message), "10.1.0.99");
});

Deno.test("Resolver does not follow a referral that leads up, aside or in a circle", () => {
  const referral = (zone: string): Authority => (query) => [{
    bytes: edited(query, () => ({
      isResponse: true,
      authorities: [record(zone, "NS", "ns.kingcdn.example")],
      additionals: [record("ns.kingcdn.example", "A", "10.1.0.4")],
    })),
  }];
  for (const zone of [".", "example", "kingcdn.example", "netcinema.example"]) {
    const authorities = slideAuthorities({ [KING_HOST]: referral(zone) });
    const { message, sent } = new ResolverWorld(authorities).ask(VIDEO);
    assertEquals(message.rcode, RCODES.SERVFAIL, zone);
    assert(sent <= 12, `${sent} messages for ${zone}`);
  }
});

Deno.test("Resolver gives up on aliases that lead in a circle or never end", () => {
  const circle = slideAuthorities({
    [KING_HOST]: serverOf(
      "kingcdn.example.",
      KING_HOST,
      "video CNAME video.netcinema.example.",
      "a CNAME b",
      "b CNAME a",
      "self CNAME self",
    ),
  });
  for (
    const name of [VIDEO, "a.kingcdn.example", "self.kingcdn.example"]
  ) {
    const { message, sent } = new ResolverWorld(circle).ask(name);
    assertEquals(message.rcode, RCODES.SERVFAIL, name);
    assert(sent <= 10, `${sent} messages`);
  }
  const endless = slideAuthorities();
  endless.set(KING_HOST, (query) => [{
    bytes: edited(query, ({ questions }) => ({
      isResponse: true,
      authoritative: true,
      answers: questions.map(({ name }) => ({
        ...record(".", "CNAME", "."),
        name,
        rdata: parseName(`x${name.join("")}`.slice(-40) + ".kingcdn.example"),
      })),
    })),
  }]);
  const { message, sent } = new ResolverWorld(endless).ask(
    "video.kingcdn.example",
  );
  assertEquals(message.rcode, RCODES.SERVFAIL);
  assert(sent <= 20, `${sent} messages`);
});

Deno.test("Resolver sends few messages for a delegation to many servers without an address (NXNS)", () => {
  let asked = 0;
  const evil: Authority = (query) => {
    asked += 1;
    return [{
      bytes: edited(query, ({ questions }) => ({
        isResponse: true,
        // each name leads to a deeper zone with 100 servers, all of them in another victim's zone
        authorities: Array.from({ length: 100 }, (_, at) => ({
          ...record(".", "NS", `n${at}-${asked}.victim.example`),
          name: questions[0]!.name,
        })),
      })),
    }];
  };
  const authorities = slideAuthorities({
    [EXAMPLE_HOST]: exampleWith(
      "evil NS ns.evil",
      "ns.evil A 10.6.0.1",
      "victim NS ns.victim",
      "ns.victim A 10.6.0.2",
    ),
    "10.6.0.1": evil,
  });
  let victims = 0;
  const victim = serverOf("victim.example.", "10.6.0.2");
  authorities.set("10.6.0.2", (query, about) => {
    victims += 1;
    return victim(query, about);
  });
  const { message, sent } = new ResolverWorld(authorities).ask(
    "www.evil.example",
  );
  assertEquals(message.rcode, RCODES.SERVFAIL);
  assert(victims <= 6, `${victims} messages to the victim`);
  assert(sent <= MAX_MESSAGES);
});

Deno.test("Resolver sends no more than its limit however a zone's servers hide behind each other", () => {
  const authorities = slideAuthorities();
  // every server of every zone is in two zones whose servers are in two more
  let zone = 0;
  authorities.set(EXAMPLE_HOST, (query) => [{
    bytes: edited(query, ({ questions }) => ({
      isResponse: true,
      authorities: [0, 1, 2].map(() => ({
        ...record(".", "NS", `ns.z${++zone}.example`),
        name: questions[0]!.name,
      })),
    })),
  }]);
  const { message, sent } = new ResolverWorld(authorities).ask("z0.example");
  assertEquals(message.rcode, RCODES.SERVFAIL);
  assert(sent <= MAX_MESSAGES, `${sent} messages`);
});

Deno.test("Resolver survives whatever authorities send, and answers or fails each question", () => {
  const rng = seededRng(Number(20_261_126));
  const real = slideAuthorities();
  const mangled = new Map(
    [...real].map(([host, each]): [string, Authority] => [
      host,
      (query, about) =>
        each(query, about).map(({ bytes }) => {
          const copy = bytes.slice(
            0,
            bytes.length - Math.floor(rng() ** 4 * 30),
          );
          for (let left = Math.floor(rng() * 4); left > 0; left--) {
            // id and question stay, or it would never get past the first check
            const at = 40 + Math.floor(rng() * Math.max(1, copy.length - 40));
            if (at < copy.length) copy[at] = Math.floor(rng() * 256);
          }
          return { bytes: copy };
        }),
    ]),
  );
  mangled.set("10.9.9.9", SILENT);
  for (let round = 0; round < 300; round++) {
    const world = new ResolverWorld(mangled);
    const client = world.query(queryOf(VIDEO, { subnet: "192.168.1.0/24" }));
    while (!world.replies.has(client)) world.pass();
    const reply = world.replies.get(client);
    assert(reply !== undefined);
    decodeMessage(reply);
    assert(world.nowMs <= 8000 && world.sent <= MAX_MESSAGES);
  }
});
