import { assert, assertEquals } from "@std/assert";
import { RCODES } from "../../../../lib/dns/codes.ts";
import { formatName, parseName } from "../../../../lib/dns/name.ts";
import { encodeQuery } from "../../../../lib/dns/stub_query.ts";
import {
  altered,
  authority,
  eventsOf,
  EXAMPLE_HOST,
  exampleWith,
  KING_DELEGATION,
  KING_HOST,
  lastAddress,
  queryOf,
  ResolverWorld,
  serverOf,
  SILENT,
  slideAuthorities,
  slideAuthority,
  zoneOf,
} from "../../../support/resolver_world.ts";
import { lines } from "../authority/ask.ts";

const VIDEO = "video.netcinema.example";

Deno.test("Resolver walks from the root to the CDN and numbers the steps when it knows nothing", () => {
  const { message, events, sent } = new ResolverWorld().ask(VIDEO);
  assertEquals(lines(message.answers), [
    "video.netcinema.example. 300 CNAME video.kingcdn.example.",
    "video.kingcdn.example. 20 A 10.2.0.3",
  ]);
  assert(message.recursionAvailable && !message.authoritative);
  assertEquals(sent, 5);
  assertEquals(
    events.map((event) => "step" in event ? event.step : 0),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  );
  assertEquals(
    events.flatMap((event) =>
      event.type === "recursion.asked"
        ? [`${event.serverName} ${event.zone} ${event.question}`]
        : event.type === "recursion.replied"
        ? [event.result]
        : []
    ),
    [
      "a.root . video.netcinema.example",
      "referral",
      "ns.example example video.netcinema.example",
      "referral",
      "ns.netcinema.example netcinema.example video.netcinema.example",
      "alias",
      "ns.example example video.kingcdn.example",
      "referral",
      "ns.kingcdn.example kingcdn.example video.kingcdn.example",
      "answer",
    ],
  );
});

Deno.test("Resolver answers from its cache with the TTL that is left, and asks again when it is over", () => {
  const world = new ResolverWorld();
  world.ask(VIDEO);
  world.nowMs += 4500;
  const second = world.ask(VIDEO.toUpperCase());
  assertEquals(second.sent, 0);
  assertEquals(
    second.message.questions[0]?.name,
    parseName(VIDEO.toUpperCase()),
  );
  assertEquals(lines(second.message.answers).map(lowerCase), [
    "video.netcinema.example. 295 cname video.kingcdn.example.",
    "video.kingcdn.example. 15 a 10.2.0.3",
  ]);
  world.nowMs += 15_500;
  // the alias and the delegation still hold: only KingCDN is asked
  const third = world.ask(VIDEO);
  assertEquals(third.sent, 1);
  assertEquals(third.message.answers.at(-1)?.ttlSeconds, 20);
});

function lowerCase(text: string): string {
  return text.toLowerCase();
}

Deno.test("Resolver remembers for the SOA's time that there is no such name or record", () => {
  const world = new ResolverWorld();
  for (
    const [question, rcode] of [
      ["nope.kingcdn.example", RCODES.NXDOMAIN],
      ["video.kingcdn.example MX", RCODES.NOERROR],
    ] as const
  ) {
    const first = world.ask(question);
    assertEquals(first.message.rcode, rcode);
    assertEquals(first.message.authorities[0]?.ttlSeconds, 60);
    world.nowMs += 30_000;
    const second = world.ask(question);
    assertEquals([second.message.rcode, second.sent], [rcode, 0]);
    assertEquals(second.message.authorities[0]?.ttlSeconds, 30);
    world.nowMs += 30_000;
    assert(world.ask(question).sent > 0);
  }
  world.ask("nope.kingcdn.example");
  // NXDOMAIN is about every type
  assertEquals(world.ask("nope.kingcdn.example MX").sent, 0);
});

Deno.test("Resolver passes client subnets on, and gives an answer only to clients of its scope", () => {
  const world = new ResolverWorld();
  const first = world.ask(VIDEO, { subnet: "192.168.1.0/24" });
  assertEquals(first.message.edns?.clientSubnet?.scopeLength, 17);
  assertEquals(lines(first.message.answers).at(-1)?.slice(-8), "10.2.0.3");
  // the root and the top-level domain are not told who asks
  assertEquals(
    eventsOf(first.events, "recursion.asked").map(({ clientSubnet }) =>
      clientSubnet
    ),
    ["", "", "192.168.1.0/24", "", "192.168.1.0/24"],
  );
  assertEquals(world.ask(VIDEO, { subnet: "192.168.77.0/24" }).sent, 0);
  const other = world.ask(VIDEO, { subnet: "192.168.200.0/24" });
  assertEquals(other.sent, 1);
  assertEquals(lines(other.message.answers).at(-1)?.slice(-8), "10.2.0.4");
  // without a subnet neither of them holds
  assertEquals(world.ask(VIDEO).sent, 1);
  // no more than 24 bits are told
  const exact = world.ask(VIDEO, { subnet: "192.168.201.7/32" });
  assertEquals(exact.message.edns?.clientSubnet?.sourceLength, 32);
  assertEquals(exact.sent, 0);
});

Deno.test("Resolver gives no client that says where it is what was chosen for who did not (RFC 7871 §7.3.1)", () => {
  for (const clientSubnets of ["forward", "add"] as const) {
    const world = new ResolverWorld(undefined, { clientSubnets });
    // 0 bits: not to be told
    const untold = clientSubnets === "add" ? { subnet: "0.0.0.0/0" } : {};
    world.ask(VIDEO, untold);
    const told = world.ask(VIDEO, { subnet: "192.168.200.0/24" });
    assertEquals(lines(told.message.answers).at(-1)?.slice(-8), "10.2.0.4");
    assertEquals(told.message.edns?.clientSubnet?.scopeLength, 17);
    assertEquals(world.ask(VIDEO, untold).sent, 0);
    // the alias is for everybody by now
    assertEquals(world.ask(VIDEO, { subnet: "192.168.1.0/24" }).sent, 1);
  }
});

Deno.test("Resolver tells authorities the network of each client when it is to add it, and none when it is to tell none", () => {
  const adding = new ResolverWorld(undefined, { clientSubnets: "add" });
  const far = adding.ask(VIDEO, { from: "192.168.200.5" });
  assertEquals(lines(far.message.answers).at(-1)?.slice(-8), "10.2.0.4");
  assertEquals(far.message.edns?.clientSubnet, undefined);
  const silent = new ResolverWorld(undefined, { clientSubnets: "off" });
  const { events, message } = silent.ask(VIDEO, { subnet: "192.168.1.0/24" });
  assert(
    events.every((event) =>
      event.type !== "recursion.asked" || event.clientSubnet === ""
    ),
  );
  assertEquals(message.edns?.clientSubnet?.scopeLength, 0);
});

Deno.test("Resolver serves what has expired when no authority answers, and says so", () => {
  const world = new ResolverWorld();
  world.ask(VIDEO);
  world.nowMs += 30_000;
  world.authorities.set(KING_HOST, SILENT);
  const startedAtMs = world.nowMs;
  const stale = world.ask(VIDEO);
  assertEquals(lines(stale.message.answers), [
    "video.netcinema.example. 268 CNAME video.kingcdn.example.",
    "video.kingcdn.example. 30 A 10.2.0.3",
  ]);
  // RFC 8767 §5: the client waits 1.8 s, not until the last try is over
  assertEquals(world.nowMs - startedAtMs, 1800);
  assertEquals(stale.events.at(-1)?.type, "recursion.finished");
  while (world.resolver.deadlineMs < Infinity) world.pass();
  // RFC 8767 §5: for 30 s nobody waits, and no authority is asked; then both again
  const failedAtMs = world.nowMs;
  for (const afterMs of [0, 29_999]) {
    world.nowMs = failedAtMs + afterMs;
    const again = world.ask(VIDEO);
    assertEquals(again.message.answers.length, 2);
    assertEquals([again.sent, world.nowMs - failedAtMs], [0, afterMs]);
  }
  world.nowMs = failedAtMs + 30_000;
  assert(world.ask(VIDEO).sent > 0);
  assertEquals(world.nowMs - failedAtMs, 31_800);
  while (world.resolver.deadlineMs < Infinity) world.pass();
  // a day later it is too old to be of use
  world.nowMs += 86_400_000;
  assertEquals(world.ask(VIDEO).message.rcode, RCODES.SERVFAIL);
});

Deno.test("Resolver does not serve what has expired when it is told not to", () => {
  const world = new ResolverWorld(undefined, { staleMs: 0 });
  world.ask(VIDEO);
  world.nowMs += 30_000;
  world.authorities.set(KING_HOST, SILENT);
  assertEquals(world.ask(VIDEO).message.rcode, RCODES.SERVFAIL);
  // RFC 9520: the failure is remembered
  assertEquals(world.ask(VIDEO).sent, 0);
});

Deno.test("Resolver asks once for all clients that ask the same", () => {
  const world = new ResolverWorld();
  const king = slideAuthority(KING_HOST);
  let isOpen = false;
  world.authorities.set(
    KING_HOST,
    (query, about) => isOpen ? king(query, about) : [],
  );
  const clients = Array.from({ length: 5 }, () => world.query(queryOf(VIDEO)));
  assertEquals(world.sent, 5);
  isOpen = true;
  world.pass();
  assert(clients.every((client) => world.replies.get(client) !== undefined));
  assertEquals(world.sent, 6);
  assertEquals(
    world.events.filter((event) =>
      event.type === "recursion.started" && event.cache === "joined"
    ).length,
    4,
  );
});

Deno.test("Resolver asks over TCP when an answer does not fit, and cuts it off for a client over UDP", () => {
  const { message, events } = new ResolverWorld().ask(
    "big.netcinema.example TXT",
  );
  assert(message.truncated);
  assertEquals(message.answers, []);
  assertEquals(
    eventsOf(events, "recursion.asked").map(({ transport }) => transport),
    ["udp", "udp", "udp", "tcp"],
  );
});

Deno.test("Resolver asks the next server when one does not answer, refuses or is lame, and prefers the quick one later", () => {
  const authorities = slideAuthorities({
    [EXAMPLE_HOST]: exampleWith(
      ...["a", "b", "c", "d"].flatMap((server, at) => [
        `two NS ${server}.two`,
        `${server}.two A 10.3.0.${at + 1}`,
      ]),
    ),
    "10.3.0.1": SILENT,
    // refuses, as it serves another zone
    "10.3.0.2": serverOf("other.", "10.3.0.2"),
    // refers back to the root
    "10.3.0.3": slideAuthority("10.1.0.1"),
    "10.3.0.4": serverOf("two.example.", "10.3.0.4", "* 1 A 10.9.9.9"),
  });
  const world = new ResolverWorld(authorities);
  for (let round = 0; round < 6; round++) {
    const { message } = world.ask(`n${round}.two.example`);
    assertEquals(lastAddress(message), "10.9.9.9");
  }
  // once known, the one that answers is asked straight away
  assertEquals(world.ask("last.two.example").sent, 1);
});

Deno.test("Resolver looks up the address of a server that came without it", () => {
  // our own authority gives the address along where it has it; this one must not
  const parent = altered(
    exampleWith(...KING_DELEGATION, "shop NS ns.kingcdn.example."),
    ({ questions, additionals }) => ({
      additionals: formatName(questions[0]!.name).toLowerCase().includes("shop")
        ? []
        : additionals,
    }),
  );
  const authorities = slideAuthorities({
    [EXAMPLE_HOST]: parent,
    [KING_HOST]: authority([
      zoneOf("kingcdn.example.", `ns A ${KING_HOST}`),
      "$ORIGIN shop.example.\n$TTL 9\n@ SOA ns.kingcdn.example. h 1 1 1 1 1\n@ NS ns.kingcdn.example.\nwww A 10.7.7.7\n",
    ]),
  });
  const { message } = new ResolverWorld(authorities).ask("www.shop.example");
  assertEquals(lastAddress(message), "10.7.7.7");
});

Deno.test("Resolver asks without EDNS whoever does not know it", () => {
  const authorities = slideAuthorities();
  const king = slideAuthority(KING_HOST);
  authorities.set(KING_HOST, (query, about) => {
    if (query[11] === 0) return king(query, about);
    const refusal = query.slice(0, 12);
    refusal[2] = 0x80;
    refusal[3] = RCODES.FORMERR;
    refusal.fill(0, 4);
    return [{ bytes: refusal }];
  });
  const world = new ResolverWorld(authorities);
  assertEquals(world.ask(VIDEO).message.answers.length, 2);
  // remembered
  assertEquals(world.ask("ns.kingcdn.example").sent, 1);
});

Deno.test("Resolver answers private clients that ask for recursion, and refuses all others", () => {
  const world = new ResolverWorld();
  const refused = (from: string) => world.ask(VIDEO, { from }).message.rcode;
  for (
    const from of ["127.0.0.1", "10.1.1.1", "::1", "fd00::9", "fe80::1%lo"]
  ) {
    assertEquals(refused(from), RCODES.NOERROR, from);
  }
  for (const from of ["198.51.100.7", "2001:db8::1", "172.32.0.1"]) {
    assertEquals(refused(from), RCODES.REFUSED, from);
  }
  const rcodeOf = (bytes: Uint8Array) => {
    const reply = world.replies.get(world.query(bytes));
    return reply === undefined ? undefined : (reply[3] ?? 0) & 15;
  };
  const name = parseName(VIDEO);
  assertEquals(
    rcodeOf(encodeQuery({ id: 1, name, type: 1, recursionDesired: false })),
    RCODES.REFUSED,
  );
  assertEquals(rcodeOf(encodeQuery({ id: 1, name, type: 255 })), RCODES.NOTIMP);
  assertEquals(
    rcodeOf(encodeQuery({ id: 1, name, type: 1, class: 3 })),
    RCODES.REFUSED,
  );
  assertEquals(rcodeOf(new Uint8Array(12)), RCODES.FORMERR);
  assertEquals(rcodeOf(new Uint8Array(3)), undefined);
});

Deno.test("Resolver gives up when the root does not answer", () => {
  const world = new ResolverWorld(new Map());
  const { message, events } = world.ask(VIDEO);
  assertEquals(message.rcode, RCODES.SERVFAIL);
  assert(world.nowMs <= 8000);
  const last = events.at(-1);
  assert(last?.type === "recursion.finished" && last.source === "failure");
});
