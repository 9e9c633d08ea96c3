/** What a resolver makes of replies and for its clients: sizes, negative answers, aliases, servers elsewhere. */
import { assert, assertEquals } from "@std/assert";
import { RCODES, RECORD_TYPES } from "../../../lib/dns/codes.ts";
import { decodeMessage, encodeMessage } from "../../../lib/dns/message.ts";
import { parseName } from "../../../lib/dns/name.ts";
import {
  type Authority,
  authority,
  queryOf,
  ResolverWorld,
  SILENT,
  slideAuthorities,
  zoneOf,
} from "./_resolver_world.ts";

/** An authority for names that have so many bytes of text. */
function textAuthority(): Map<string, Authority> {
  const authorities = slideAuthorities();
  const text = (bytes: number) =>
    Array.from(
      { length: Math.ceil(bytes / 250) },
      (_, at) => `"${"x".repeat(Math.min(250, bytes - 250 * at))}"`,
    ).join(" ");
  const lengths = [400, 451, 452, 1100, 1300];
  const lines = lengths.map((bytes) => `t${bytes} TXT ${text(bytes)}`);
  authorities.set(
    "10.1.0.4",
    authority([zoneOf("kingcdn.example.", "ns A 10.1.0.4", ...lines)]),
  );
  return authorities;
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
    const authorities = slideAuthorities();
    const zone = zoneOf("kingcdn.example.", "ns A 10.1.0.4")
      .replace("$TTL 300", `$TTL ${ttl}`).replace("4w 60", `4w ${minimum}`);
    // another server may not have done it for us
    const king = authority([zone]);
    authorities.set(
      "10.1.0.4",
      (query, about) =>
        king(query, about).map(({ bytes }) => {
          const message = decodeMessage(bytes);
          const raised = message.authorities.map((record) => ({
            ...record,
            ttlSeconds: ttl ?? 0,
          }));
          return { bytes: encodeMessage({ ...message, authorities: raised }) };
        }),
    );
    const world = new ResolverWorld(authorities);
    const { message } = world.ask("none.kingcdn.example");
    assertEquals(message.authorities.map(({ ttlSeconds }) => ttlSeconds), [60]);
    world.nowMs += 59_999;
    assertEquals(world.ask("none.kingcdn.example").sent, 0);
    world.nowMs += 1;
    assertEquals(world.ask("none.kingcdn.example").sent, 1);
  }
});

Deno.test("Resolver asks the zone above for DS, and takes all aliases that one reply has", () => {
  const authorities = slideAuthorities();
  authorities.set(
    "10.1.0.2",
    authority([
      zoneOf(
        "example.",
        "ns A 10.1.0.2",
        "kingcdn NS ns.kingcdn",
        "ns.kingcdn A 10.1.0.4",
        "kingcdn DS \\# 4 00010203",
        "one CNAME two",
        "two CNAME three",
        "three CNAME four",
        "four A 10.4.4.4",
      ),
    ]),
  );
  const world = new ResolverWorld(authorities);
  world.ask("video.kingcdn.example");
  const ds = world.ask("kingcdn.example DS");
  assertEquals([ds.message.answers.length, ds.sent], [1, 1]);
  const four = world.ask("one.example");
  assertEquals([four.message.answers.length, four.sent], [4, 1]);
  assertEquals(world.ask("three.example").sent, 0);
});

Deno.test("Resolver tells no network when it looks up a server's address, and takes no servers from who says there is no such name", () => {
  const authorities = slideAuthorities();
  authorities.set(
    "10.1.0.2",
    authority([
      zoneOf(
        "example.",
        "ns A 10.1.0.2",
        "kingcdn NS ns.kingcdn",
        "ns.kingcdn A 10.1.0.4",
        "shop NS ns.sub.kingcdn",
      ),
    ]),
  );
  authorities.set(
    "10.1.0.4",
    authority([
      zoneOf("kingcdn.example.", "ns A 10.1.0.4", "ns.sub A 10.1.0.4"),
      zoneOf("shop.example.", "www A 10.7.7.7").replace(
        "@ NS ns",
        "@ NS ns.sub.kingcdn.example.",
      ),
    ]),
  );
  const { message, events } = new ResolverWorld(authorities).ask(
    "www.shop.example",
    { subnet: "192.168.1.0/24" },
  );
  assertEquals(message.answers[0]?.rdata.join("."), "10.7.7.7");
  assertEquals(
    events.flatMap((event) =>
      event.type === "recursion.asked" && event.clientSubnet !== ""
        ? [event.zone]
        : []
    ),
    ["shop.example"],
  );
  const king = slideAuthorities();
  const real = king.get("10.1.0.4")!;
  king.set("10.1.0.4", (query, about) =>
    real(query, about).map(({ bytes }) => {
      const reply = decodeMessage(bytes);
      if (reply.rcode !== RCODES.NXDOMAIN) return { bytes };
      const [soa] = reply.authorities;
      assert(soa !== undefined);
      const name = parseName("sub.kingcdn.example");
      const ns = { ...soa, name, type: RECORD_TYPES.NS, rdata: name };
      return {
        bytes: encodeMessage({ ...reply, authorities: [soa, ns] }),
      };
    }));
  const world = new ResolverWorld(king);
  const missing = world.ask("www.sub.kingcdn.example").message;
  assertEquals(missing.rcode, RCODES.NXDOMAIN);
});

Deno.test("Resolver numbers its questions, and who joins one takes its number and the next step", () => {
  const world = new ResolverWorld();
  world.authorities.set("10.1.0.4", SILENT);
  for (const name of ["a", "a", "b"]) {
    world.query(queryOf(`${name}.kingcdn.example`), "192.168.0.9");
  }
  const started = world.events.flatMap((event) =>
    event.type === "recursion.started"
      ? [[event.resolution, event.step, event.cache]]
      : []
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
