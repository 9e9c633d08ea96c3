/** What a resolver says to its clients and about them: the log's account of a question, its limits, privacy, and odd authorities. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { RCODES } from "../../../../lib/dns/codes.ts";
import { decodeMessage, encodeMessage } from "../../../../lib/dns/message.ts";
import { lowerName } from "../../../../lib/dns/name.ts";
import { MAX_TASKS } from "../../../../lib/dns/resolver/resolver.ts";
import {
  altered,
  authority,
  eventsOf,
  EXAMPLE_HOST,
  exampleWith,
  KING_DELEGATION,
  KING_HOST,
  lastAddress,
  type Outcome,
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

/** How the cache stood at the start, where the answer is from, and why. */
function account({ events }: Pick<Outcome, "events">): string[] {
  return events.flatMap((event) =>
    event.type === "recursion.started"
      ? [event.cache]
      : event.type === "recursion.finished"
      ? [event.source, event.reason].filter((word) => word !== "")
      : []
  );
}

Deno.test("Resolver tells whether the cache had the answer, and where it is from in the end", () => {
  const world = new ResolverWorld();
  assertEquals(account(world.ask(VIDEO)), ["miss", "authorities"]);
  assertEquals(account(world.ask(VIDEO)), ["hit", "cache"]);
  world.nowMs += 30_000;
  world.authorities.set(KING_HOST, SILENT);
  assertEquals(account(world.ask(VIDEO)), [
    "stale",
    "stale",
    "the authorities take their time",
  ]);
  // who comes while they still do does not wait for the same again
  const nowMs = world.nowMs;
  assertEquals(account(world.ask(VIDEO)), [
    "stale",
    "stale",
    "the authorities take their time",
  ]);
  assertEquals(world.nowMs, nowMs);
  const silent = "the servers of kingcdn.example: no answer";
  while (world.resolver.deadlineMs < Infinity) world.pass();
  assertEquals(account(world.ask(VIDEO)), ["stale", "stale", silent]);
  const none = "none.kingcdn.example";
  const known = "no server of kingcdn.example answers lately";
  // its servers were found to be silent: another name need not wait for them for 8 s
  const failedAtMs = world.nowMs;
  assertEquals(account(world.ask(none)), ["miss", "failure", known]);
  assertEquals(account(world.ask(none)), ["failed", "failure", known]);
  assertEquals(world.nowMs, failedAtMs);
  // RFC 9520 §3.2: not for more than 5 s; one name finds out whether they are back, the next does not wait for that
  world.nowMs += 5000;
  const [first, second] = [world.ask(none), world.ask("other.kingcdn.example")];
  assert(first.sent > 0);
  assertEquals(account(second), ["miss", "failure", known]);
  world.authorities.set(KING_HOST, slideAuthority(KING_HOST));
  world.nowMs += 5000;
  assertEquals(account(world.ask(none)), ["miss", "authorities"]);
});

Deno.test("Resolver gives a question up after 8 s, however many servers there are to wait for", () => {
  const servers = Array.from({ length: 9 }, (_, at) => `s${at}.slow`);
  const lines = servers.flatMap((server, at) => [
    `slow NS ${server}`,
    `${server} A 10.4.0.${at}`,
  ]);
  const world = new ResolverWorld(
    slideAuthorities({ [EXAMPLE_HOST]: exampleWith(...lines) }),
  );
  // who has failed before is given more time, and more of it each time
  for (let round = 0; round < 3; round++) {
    world.ask(`warm${round}.slow.example`);
  }
  const startedAtMs = world.nowMs;
  const { message, events } = world.ask("www.slow.example");
  assertEquals(message.rcode, RCODES.SERVFAIL);
  assertEquals(world.nowMs - startedAtMs, 8000);
  assertEquals(account({ events }), ["miss", "failure", "no answer in 8 s"]);
  assertEquals(world.resolver.deadlineMs, Infinity);
});

Deno.test("Resolver tells authorities no more than 24 bits of an IPv4 client and 56 of an IPv6 one", () => {
  const told: string[] = [];
  const world = new ResolverWorld(undefined, { clientSubnets: "add" });
  for (
    const options of [
      { subnet: "192.168.7.9/32" },
      { subnet: "192.168.0.0/18" },
      { subnet: "2001:db8:1:2345::/64" },
      { from: "192.168.201.77" },
      { from: "fd00:1:2:3456::9" },
    ]
  ) {
    world.nowMs += 1_000_000;
    const { events } = world.ask(VIDEO, options);
    told.push(
      ...new Set(
        eventsOf(events, "recursion.asked")
          .map(({ clientSubnet }) => clientSubnet)
          .filter((clientSubnet) => clientSubnet !== ""),
      ),
    );
  }
  assertEquals(told, [
    "192.168.7.0/24",
    "192.168.0.0/18",
    "2001:db8:1:2300::/56",
    "192.168.201.0/24",
    "fd00:1:2:3400::/56",
  ]);
  // RFC 7871 §7.1.2: 0 bits are the wish not to be told apart
  world.nowMs += 1_000_000;
  const { events } = world.ask(VIDEO, { subnet: "0.0.0.0/0" });
  assert(
    eventsOf(events, "recursion.asked").every(({ clientSubnet }) =>
      clientSubnet === ""
    ),
  );
});

Deno.test("Resolver works on 512 questions at once, and 256 clients wait for one of them; the others are refused at once", () => {
  const world = new ResolverWorld(new Map([["10.1.0.1", SILENT]]));
  const rcodeOf = (client: number) => {
    const reply = world.replies.get(client);
    return reply === undefined ? "waits" : (reply[3] ?? 0) & 15;
  };
  const first = Array.from(
    { length: 257 },
    () => world.query(queryOf("first.example")),
  );
  assertEquals(first.map(rcodeOf), [
    ...Array(256).fill("waits"),
    RCODES.SERVFAIL,
  ]);
  const others = Array.from(
    { length: MAX_TASKS },
    (_, at) => world.query(queryOf(`n${at}.example`)),
  );
  assertEquals(others.map(rcodeOf), [
    ...Array(MAX_TASKS - 1).fill("waits"),
    RCODES.SERVFAIL,
  ]);
  while (world.resolver.deadlineMs < Infinity) world.pass();
  assert(
    [...first, ...others].every((client) =>
      rcodeOf(client) === RCODES.SERVFAIL
    ),
  );
});

Deno.test("Resolver says NOTIMP to what is no question, with the opcode it came with (RFC 1035 §4.1.1)", () => {
  const world = new ResolverWorld();
  for (const opcode of [1, 2, 4, 5, 15]) {
    const query = queryOf(VIDEO);
    query[2] = opcode << 3;
    const reply = world.replies.get(world.query(query));
    assert(reply !== undefined);
    const { rcode, opcode: told } = decodeMessage(reply);
    assertEquals([rcode, told], [RCODES.NOTIMP, opcode]);
  }
});

Deno.test("Resolver has no cookies to give: a query for one alone is FORMERR", () => {
  const world = new ResolverWorld();
  const query = encodeMessage({
    ...decodeMessage(queryOf(VIDEO)),
    questions: [],
  });
  // OPT with a cookie of 8 bytes (RFC 7873 §5.4)
  const withCookie = new Uint8Array([
    ...query.subarray(0, -2),
    ...[0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8],
  ]);
  const reply = world.replies.get(world.query(withCookie));
  assertEquals((reply?.[3] ?? 0) & 15, RCODES.FORMERR);
});

Deno.test("Resolver asks a server that does not keep the case over TCP, and does not mix the case there", () => {
  // as some servers do
  const inSmallLetters = altered(
    slideAuthority(KING_HOST),
    ({ questions }) => ({
      questions: questions.map((question) => ({
        ...question,
        name: lowerName(question.name),
      })),
    }),
  );
  const authorities = slideAuthorities({ [KING_HOST]: inSmallLetters });
  const { message, events } = new ResolverWorld(authorities).ask(VIDEO);
  assertMatch(
    lines(message.answers).at(-1) ?? "",
    /^video\.kingcdn\.example\. 20 A /,
  );
  assertEquals(
    events.flatMap((event) =>
      event.type === "recursion.asked" &&
        event.serverName === "ns.kingcdn.example"
        ? [event.transport]
        : event.type === "recursion.ignored"
        ? [event.reason]
        : []
    ),
    ["udp", "wrong-case", "tcp"],
  );
  // where the case is not mixed there is nothing to miss
  const plain = new ResolverWorld(authorities, { mixesCase: false }).ask(VIDEO);
  assert(
    eventsOf(plain.events, "recursion.asked").every(({ transport }) =>
      transport === "udp"
    ),
  );
});

Deno.test("Resolver asks servers by the IPv6 addresses of a delegation", () => {
  const authorities = slideAuthorities({
    [EXAMPLE_HOST]: exampleWith("six NS ns.six", "ns.six AAAA 2001:db8::53"),
    "2001:db8::53": authority([
      zoneOf("six.example.", "ns AAAA 2001:db8::53", "www A 10.6.6.6"),
    ]),
  });
  const { message } = new ResolverWorld(authorities).ask("www.six.example");
  assertEquals(lastAddress(message), "10.6.6.6");
});

Deno.test("Resolver looks up the IPv6 address of a server that has no other", () => {
  const authorities = slideAuthorities({
    [EXAMPLE_HOST]: exampleWith("six NS ns6.kingcdn", ...KING_DELEGATION),
    [KING_HOST]: serverOf(
      "kingcdn.example.",
      KING_HOST,
      "ns6 AAAA 2001:db8::53",
    ),
    "2001:db8::53": serverOf("six.example.", "10.6.6.5", "www A 10.6.6.6"),
  });
  const { message } = new ResolverWorld(authorities).ask("www.six.example");
  assertEquals(lastAddress(message), "10.6.6.6");
});

Deno.test("Resolver takes no scope that is longer than the client is known for more than what was told (RFC 7871 §7.3.1)", () => {
  const king = altered(slideAuthority(KING_HOST), ({ edns }) => {
    if (edns?.clientSubnet === undefined) return {};
    const clientSubnet = { ...edns.clientSubnet, scopeLength: 32 };
    return { edns: { ...edns, clientSubnet } };
  });
  const world = new ResolverWorld(slideAuthorities({ [KING_HOST]: king }));
  const subnet = "192.168.1.0/24";
  const first = world.ask(VIDEO, { subnet });
  assertEquals(first.message.answers.length, 2);
  // the same network asks again: the answer is good for it
  assertEquals(world.ask(VIDEO, { subnet }).sent, 0);
  assertEquals(world.ask(VIDEO, { subnet: "192.168.2.0/24" }).sent, 1);
});

Deno.test("Resolver closes each exchange that it opened, however it ended, and once", () => {
  const world = new ResolverWorld();
  const clients = ["a", "b"].map((name) => {
    const client = world.query(queryOf(`${name}.netcinema.example`));
    assertEquals(world.open.size, 0);
    return client;
  });
  assert(clients.every((client) => world.replies.has(client)));
  // one at a time for each question that waits
  world.authorities.set(KING_HOST, SILENT);
  for (let at = 0; at < 3; at++) world.query(queryOf(`${at}.kingcdn.example`));
  assertEquals(world.open.size, 3);
  world.pass();
  assertEquals(world.open.size, 3);
  while (world.resolver.deadlineMs < Infinity) world.pass();
  assertEquals(world.open.size, 0);
  // nobody listens there: the driver says so
  const waiting = world.query(queryOf("none.kingcdn.example"));
  for (let round = 0; !world.replies.has(waiting); round++) {
    assert(round < 100);
    const [exchangeId = -1] = world.open;
    const gone = { kind: "disconnected", exchangeId } as const;
    world.perform(world.resolver.handle(gone, world.nowMs));
    if (exchangeId < 0) world.pass();
  }
  assertEquals(world.open.size, 0);
  // what comes too late is nobody's
  const late = { kind: "message", exchangeId: 1 } as const;
  const from = { host: "10.1.0.1", port: 53 };
  const bytes = queryOf("late.example");
  assertEquals(
    world.resolver.handle({ ...late, from, bytes }, world.nowMs),
    [],
  );
});
