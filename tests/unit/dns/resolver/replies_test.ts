/** What a resolver makes of replies and for its clients: sizes, negative answers, aliases, servers elsewhere. */
import { assert, assertEquals } from "@std/assert";
import { RCODES, RECORD_TYPES } from "../../../../lib/dns/codes.ts";
import { decodeMessage, encodeMessage } from "../../../../lib/dns/message.ts";
import { parseName } from "../../../../lib/dns/name.ts";
import {
  altered,
  type Authority,
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

/** An authority for names that have so many bytes of text. */
function textAuthority(): Map<string, Authority> {
  const text = (bytes: number) =>
    Array.from(
      { length: Math.ceil(bytes / 250) },
      (_, at) => `"${"x".repeat(Math.min(250, bytes - 250 * at))}"`,
    ).join(" ");
  const lengths = [400, 451, 452, 1100, 1300];
  const lines = lengths.map((bytes) => `t${bytes} TXT ${text(bytes)}`);
  return slideAuthorities({
    [KING_HOST]: serverOf("kingcdn.example.", KING_HOST, ...lines),
  });
}

Deno.test("Resolver sends a client over UDP 512 bytes, with EDNS as many as it takes, at most 1232", () => {
  const world = new ResolverWorld(textAuthority());
  const lengthOf = (bytes: number, udpBytes?: number) => {
    const message = decodeMessage(queryOf(`t${bytes}.kingcdn.example TXT`));
    const { edns, ...plain } = message;
    assert(edns !== undefined);
    const query = encodeMessage(
      udpBytes === undefined
        ? plain
        : { ...plain, edns: { ...edns, udpBytes } },
    );
    const client = world.query(query);
    while (!world.replies.has(client)) world.pass();
    const reply = world.replies.get(client);
    assert(reply !== undefined);
    const { truncated, answers } = decodeMessage(reply);
    assertEquals(answers.length, truncated ? 0 : 1);
    return truncated ? "TC" : reply.length;
  };
  // head 12, question 26, record 12, and a byte for each 250 of text
  assertEquals(lengthOf(400), 452);
  assertEquals([lengthOf(452), lengthOf(1100)], [504, "TC"]);
  assertEquals([lengthOf(451, 514), lengthOf(451, 513)], [514, "TC"]);
  assertEquals(lengthOf(452, 100), "TC");
  assertEquals(lengthOf(1100, 4096), 1167);
  assertEquals(lengthOf(1300, 4096), "TC");
});

Deno.test("Resolver keeps a negative answer for the lesser of the SOA's TTL and its last field (RFC 2308 §5)", () => {
  for (const [ttl, minimum] of [[300, 60], [60, 300]]) {
    const zone = zoneOf("kingcdn.example.", `ns A ${KING_HOST}`)
      .replace("$TTL 300", `$TTL ${ttl}`).replace("4w 60", `4w ${minimum}`);
    // another server may not have done it for us
    const king = altered(authority([zone]), ({ authorities }) => ({
      authorities: authorities.map((record) => ({
        ...record,
        ttlSeconds: ttl ?? 0,
      })),
    }));
    const world = new ResolverWorld(slideAuthorities({ [KING_HOST]: king }));
    const { message } = world.ask("none.kingcdn.example");
    assertEquals(message.authorities.map(({ ttlSeconds }) => ttlSeconds), [60]);
    world.nowMs += 59_999;
    assertEquals(world.ask("none.kingcdn.example").sent, 0);
    world.nowMs += 1;
    assertEquals(world.ask("none.kingcdn.example").sent, 1);
  }
});

Deno.test("Resolver follows no alias for who asks for the alias itself, whatever was asked before (RFC 1034 §3.6.2)", () => {
  for (const before of ["A", "CNAME"]) {
    const world = new ResolverWorld();
    world.ask(`video.netcinema.example ${before}`);
    const { message, sent } = world.ask("video.netcinema.example CNAME");
    assertEquals([sent, message.answers.length], [0, 1]);
    assertEquals(message.authorities, []);
    const { answers } = world.ask("video.netcinema.example").message;
    assertEquals(answers.length, 2);
  }
});

Deno.test("Resolver tells its first client no longer TTL than it believes itself: a day, and 3 h that there is nothing", () => {
  const king = altered(
    serverOf("kingcdn.example.", KING_HOST, "host A 10.2.0.9"),
    ({ answers, authorities }) => ({
      answers: answers.map((record) => ({ ...record, ttlSeconds: 0x7fffffff })),
      authorities: authorities.map((record) => ({
        ...record,
        rdata: record.rdata.map((byte, at, { length }) =>
          at < length - 4 ? byte : 0x7f
        ),
        ttlSeconds: 0x7fffffff,
      })),
    }),
  );
  const world = new ResolverWorld(slideAuthorities({ [KING_HOST]: king }));
  for (let time = 0; time < 2; time++) {
    const { answers } = world.ask("host.kingcdn.example").message;
    assertEquals(answers.map(({ ttlSeconds }) => ttlSeconds), [86_400]);
    const { authorities } = world.ask("none.kingcdn.example").message;
    assertEquals(authorities.map(({ ttlSeconds }) => ttlSeconds), [10_800]);
  }
});

Deno.test("Resolver tells one TTL for one set, the least, at once and from its cache (RFC 2181 §5.2)", () => {
  const king = altered(
    serverOf("kingcdn.example.", KING_HOST, "host TXT a", "host TXT b"),
    ({ answers }) => ({
      answers: answers.map((record, at) => ({
        ...record,
        ttlSeconds: 500 - 100 * at,
      })),
    }),
  );
  const world = new ResolverWorld(slideAuthorities({ [KING_HOST]: king }));
  for (let time = 0; time < 2; time++) {
    const { answers } = world.ask("host.kingcdn.example TXT").message;
    assertEquals(answers.map(({ ttlSeconds }) => ttlSeconds), [400, 400]);
  }
});

Deno.test("Resolver takes what is cut off over TCP for no answer: it would be one that there is nothing", () => {
  const king = altered(
    serverOf("kingcdn.example.", KING_HOST, "host A 10.2.0.9"),
    () => ({ answers: [], truncated: true }),
  );
  const world = new ResolverWorld(slideAuthorities({ [KING_HOST]: king }));
  const { message, events } = world.ask("host.kingcdn.example");
  assertEquals(message.rcode, RCODES.SERVFAIL);
  assertEquals(
    eventsOf(events, "recursion.finished").map(({ reason }) => reason),
    ["the servers of kingcdn.example: cut off, though over TCP"],
  );
});

Deno.test("Resolver asks the zone above for DS, and takes all aliases that one reply has", () => {
  const world = new ResolverWorld(slideAuthorities({
    [KING_HOST]: serverOf("kingcdn.example.", KING_HOST, "top CNAME @"),
    [EXAMPLE_HOST]: exampleWith(
      ...KING_DELEGATION,
      "kingcdn DS \\# 4 00010203",
      "one CNAME two",
      "two CNAME three",
      "three CNAME four",
      "four A 10.4.4.4",
    ),
  }));
  world.ask("video.kingcdn.example");
  const ds = world.ask("kingcdn.example DS");
  assertEquals([ds.message.answers.length, ds.sent], [1, 1]);
  // an alias to the top of its own zone: that has no say about its DS
  const top = world.ask("top.kingcdn.example DS");
  assertEquals(
    top.message.answers.map((record) => record.type),
    [RECORD_TYPES.CNAME, RECORD_TYPES.DS],
  );
  const four = world.ask("one.example");
  assertEquals([four.message.answers.length, four.sent], [4, 1]);
  assertEquals(world.ask("three.example").sent, 0);
});

Deno.test("Resolver tells no network when it looks up a server's address, and takes no servers from who says there is no such name", () => {
  const authorities = slideAuthorities({
    [EXAMPLE_HOST]: exampleWith(...KING_DELEGATION, "shop NS ns.sub.kingcdn"),
    [KING_HOST]: authority([
      zoneOf(
        "kingcdn.example.",
        `ns A ${KING_HOST}`,
        `ns.sub A ${KING_HOST}`,
      ),
      zoneOf("shop.example.", "www A 10.7.7.7").replace(
        "@ NS ns",
        "@ NS ns.sub.kingcdn.example.",
      ),
    ]),
  });
  const { message, events } = new ResolverWorld(authorities).ask(
    "www.shop.example",
    { subnet: "192.168.1.0/24" },
  );
  assertEquals(lastAddress(message), "10.7.7.7");
  assertEquals(
    eventsOf(events, "recursion.asked")
      .filter(({ clientSubnet }) => clientSubnet !== "")
      .map(({ zone }) => zone),
    ["shop.example"],
  );
  const king = altered(slideAuthority(KING_HOST), (reply) => {
    if (reply.rcode !== RCODES.NXDOMAIN) return {};
    const [soa] = reply.authorities;
    assert(soa !== undefined);
    const name = parseName("sub.kingcdn.example");
    const ns = { ...soa, name, type: RECORD_TYPES.NS, rdata: name };
    return { authorities: [soa, ns] };
  });
  const world = new ResolverWorld(slideAuthorities({ [KING_HOST]: king }));
  const missing = world.ask("www.sub.kingcdn.example").message;
  assertEquals(missing.rcode, RCODES.NXDOMAIN);
});

Deno.test("Resolver numbers its questions, and who joins one takes its number and the next step", () => {
  const world = new ResolverWorld();
  world.authorities.set(KING_HOST, SILENT);
  for (const name of ["a", "a", "b"]) {
    world.query(queryOf(`${name}.kingcdn.example`), "192.168.0.9");
  }
  const started = eventsOf(world.events, "recursion.started").map(
    ({ resolution, step, cache }) => [resolution, step, cache],
  );
  // the walk of the first has asked three servers, two of which have replied
  assertEquals(started, [[1, 1, "miss"], [1, 7, "joined"], [3, 1, "miss"]]);
  while (world.resolver.deadlineMs < Infinity) world.pass();
  assert(
    world.events.some((event) =>
      event.type === "recursion.replied" && event.result === "no-answer" &&
      event.detail === "in time"
    ),
  );
});
