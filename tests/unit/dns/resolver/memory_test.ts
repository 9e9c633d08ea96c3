/** What a resolver remembers: answers, servers, delegations; and where it starts. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Cidr, parseCidr } from "../../../../lib/core/address.ts";
import { seededRng } from "../../../../lib/core/rng.ts";
import { CLASSES, RECORD_TYPES } from "../../../../lib/dns/codes.ts";
import type { DnsRecord } from "../../../../lib/dns/message.ts";
import { formatName, type Name, parseName } from "../../../../lib/dns/name.ts";
import {
  type CachedSet,
  ResolverCache,
} from "../../../../lib/dns/resolver/cache.ts";
import { DelegationTable } from "../../../../lib/dns/resolver/delegations.ts";
import { mixCase } from "../../../../lib/dns/resolver/exchange.ts";
import {
  parseRootHint,
  parseRootHints,
  rootOf,
} from "../../../../lib/dns/resolver/hints.ts";
import { ServerTable } from "../../../../lib/dns/resolver/servers.ts";

const NAME = parseName("www.example");
const ZONE = parseName("example");
const { A, AAAA, CNAME, SOA } = RECORD_TYPES;

function record(ttlSeconds: number, data: string, type: number = A): DnsRecord {
  const rdata = type === A
    ? Uint8Array.from(data.split("."), Number)
    : parseName(data);
  return { name: NAME, type, class: CLASSES.IN, ttlSeconds, rdata };
}

function answer(ttlSeconds: number, ...hosts: string[]): CachedSet {
  const records = hosts.map((host) => record(ttlSeconds, host));
  return { kind: "answer", records, soa: undefined };
}

function nothing(kind: CachedSet["kind"], ttlSeconds: number): CachedSet {
  const soa = record(ttlSeconds, "ns.example", SOA);
  return { kind, records: [], soa };
}

/** A cache, asked and told in few words. */
function cacheOf(options: { maxEntries?: number; staleMs?: number } = {}) {
  const cache = new ResolverCache({ maxEntries: 100, staleMs: 0, ...options });
  return {
    cache,
    put(
      set: CachedSet,
      nowMs = 0,
      network?: string,
      name = NAME,
      type: number = A,
    ) {
      const about = network === undefined ? undefined : parseCidr(network);
      cache.put(name, type, { set, audience: about, nowMs });
    },
    /** `kind address ttl/scope`, and `stale` if it is. */
    find(nowMs: number, client?: string, {
      mayBeStale = false,
      name = NAME,
      type = A as number,
    } = {}) {
      const network: Cidr | undefined = client === undefined
        ? undefined
        : parseCidr(client);
      const about = { client: network, nowMs, mayBeStale };
      const hit = cache.find(name, type, about);
      if (hit === undefined) return "none";
      const [first = hit.soa] = hit.records;
      return [
        ...[hit.kind, hit.records[0]?.rdata.join(".") ?? ""],
        ...[`${first?.ttlSeconds}/${hit.scopeLength}`],
        ...hit.isStale ? ["stale"] : [],
      ].filter((word) => word !== "").join(" ");
    },
  };
}

Deno.test("ResolverCache counts a TTL down to its last whole second, and not beyond", () => {
  const { put, find } = cacheOf();
  put(answer(20, "10.0.0.1", "10.0.0.2"));
  assertEquals(find(0), "answer 10.0.0.1 20/0");
  assertEquals(find(1), "answer 10.0.0.1 19/0");
  assertEquals(find(19_999), "answer 10.0.0.1 0/0");
  assertEquals(find(20_000), "none");
});

Deno.test("ResolverCache takes the least TTL of a set, believes none for longer than a day, and keeps nothing with 0", () => {
  const { put, find } = cacheOf();
  const records = [record(300, "10.0.0.1"), record(20, "10.0.0.2")];
  put({ kind: "answer", records, soa: undefined });
  assertEquals(find(0), "answer 10.0.0.1 20/0");
  put(answer(604_800, "10.0.0.3"));
  assertEquals(find(0), "answer 10.0.0.3 86400/0");
  const none = cacheOf();
  none.put(answer(0, "10.0.0.4"));
  none.put({ kind: "no-data", records: [], soa: undefined });
  assertEquals([none.find(0), none.cache.size], ["none", 0]);
});

Deno.test("ResolverCache keeps a negative answer for the SOA's TTL, at most three hours, for one type or all", () => {
  const { put, find } = cacheOf();
  put(nothing("no-data", 60));
  assertEquals(find(0), "no-data 60/0");
  assertEquals(find(0, undefined, { type: AAAA }), "none");
  put(nothing("no-such-name", 86_400));
  assertEquals(find(0, undefined, { type: AAAA }), "no-such-name 10800/0");
  // a record of the name proves the opposite
  put(answer(20, "10.0.0.1"));
  assertEquals(find(0), "answer 10.0.0.1 20/0");
  assertEquals(find(0, undefined, { type: AAAA }), "none");
});

Deno.test("ResolverCache finds the alias of a name in place of any other type", () => {
  const { put, find } = cacheOf();
  const alias = record(20, "other.example", CNAME);
  put(
    { kind: "answer", records: [alias], soa: undefined },
    0,
    undefined,
    NAME,
    CNAME,
  );
  assert(find(0).startsWith("alias "));
  assert(find(0, undefined, { type: CNAME }).startsWith("answer "));
  // that there is no alias says nothing of other types
  const other = cacheOf();
  other.put(nothing("no-data", 60), 0, undefined, NAME, CNAME);
  assertEquals(other.find(0), "none");
  assertEquals(other.find(0, undefined, { type: CNAME }), "no-data 60/0");
});

Deno.test("ResolverCache gives each client the answer of the longest network around it, and of no other", () => {
  const { cache, put, find } = cacheOf();
  put(answer(20, "10.0.0.1"), 0, "192.168.0.0/16");
  put(answer(20, "10.0.0.2"), 0, "192.168.7.0/24");
  put(answer(20, "10.0.0.3"), 0, "172.16.0.0/12");
  assertEquals(find(0, "192.168.7.0/24"), "answer 10.0.0.2 20/24");
  assertEquals(find(0, "192.168.8.0/24"), "answer 10.0.0.1 20/16");
  assertEquals(find(0, "172.17.0.0/24"), "answer 10.0.0.3 20/12");
  // less is known of this client than the answer depends on
  assertEquals(find(0, "192.168.0.0/15"), "none");
  assertEquals(find(0, "10.0.0.0/24"), "none");
  assertEquals(find(0), "none");
  put(answer(20, "10.0.0.4"));
  assertEquals(find(0), "answer 10.0.0.4 20/0");
  assertEquals(find(0, "192.168.7.0/24"), "answer 10.0.0.2 20/24");
  assertEquals(cache.size, 4);
  // one network has one answer, and so has everybody: the last
  put(answer(20, "10.0.0.5"), 0, "192.168.7.0/24");
  put(answer(20, "10.0.0.6"));
  assertEquals(find(0, "192.168.7.0/24"), "answer 10.0.0.5 20/24");
  assertEquals(find(0), "answer 10.0.0.6 20/0");
  assertEquals(cache.size, 4);
});

Deno.test("ResolverCache keeps what has expired as long as it may be served, and gives it only to who takes it", () => {
  const { cache, put, find } = cacheOf({ staleMs: 60_000 });
  put(answer(20, "10.0.0.1"));
  const mayBeStale = true;
  assertEquals(find(20_000), "none");
  // RFC 8767 §4: a TTL of 30 s
  assertEquals(
    find(79_999, undefined, { mayBeStale }),
    "answer 10.0.0.1 30/0 stale",
  );
  assertEquals(find(80_000, undefined, { mayBeStale }), "none");
  // what holds now comes before the longer network that held once
  put(answer(20, "10.0.0.2"), 100_000, "10.1.0.0/16");
  put(answer(60, "10.0.0.3"), 100_000, "10.0.0.0/8");
  assertEquals(find(100_000, "10.1.1.0/24"), "answer 10.0.0.2 20/16");
  assertEquals(
    find(120_000, "10.1.1.0/24", { mayBeStale }),
    "answer 10.0.0.3 40/8",
  );
  // what is too old goes when there is something new
  put(answer(20, "10.0.0.4"), 200_000, "10.2.0.0/16");
  assertEquals(cache.size, 2);
});

Deno.test("ResolverCache forgets what was not used for the longest, and the oldest of a name's networks", () => {
  const { cache, put, find } = cacheOf({ maxEntries: 3 });
  const names = ["a", "b", "c", "d"].map((text) => parseName(text));
  const [a, b, c, d] = names as [Name, Name, Name, Name];
  for (const name of [a, b, c]) put(answer(20, "10.0.0.1"), 0, undefined, name);
  find(0, undefined, { name: a });
  put(answer(20, "10.0.0.1"), 0, undefined, d);
  assertEquals(
    names.map((name) => find(0, undefined, { name }) !== "none"),
    [true, false, true, true],
  );
  assertEquals(cache.size, 3);
  const one = cacheOf({ maxEntries: 5000 });
  for (let at = 0; at < 1500; at++) {
    one.put(answer(20, "10.0.0.1"), 0, `10.${at >> 8}.${at & 255}.0/24`);
  }
  assertEquals(one.cache.size, 1024);
  assertEquals(one.find(0, "10.5.219.0/24"), "answer 10.0.0.1 20/24");
  assertEquals(one.find(0, "10.1.219.0/24"), "none");
  assertEquals(one.find(0, "10.1.220.0/24"), "answer 10.0.0.1 20/24");
});

function serversOf(count: number) {
  const servers = Array.from({ length: count }, (_, at) => ({
    ...{ host: `10.0.0.${at}`, port: 53 },
  }));
  return { table: new ServerTable(seededRng(3)), servers };
}

Deno.test("ServerTable waits as RFC 6298 does, twice as long after each failure, within limits", () => {
  const { table, servers: [server] } = serversOf(1);
  assert(server !== undefined);
  assertEquals(table.waitMs(server), 400);
  // SRTT 80, RTTVAR 40; then 7/8 and 1/8, 3/4 and 1/4
  table.answered(server, 80);
  assertEquals(table.waitMs(server), 80 + 4 * 40);
  table.answered(server, 120);
  assertEquals(table.waitMs(server), 85 + 4 * 40);
  for (let round = 0; round < 100; round++) table.answered(server, 1);
  assertEquals(Math.round(table.waitMs(server)), 100);
  const waits = Array.from({ length: 7 }, () => {
    table.failed(server, 0);
    return Math.round(table.waitMs(server));
  });
  assertEquals(waits, [200, 400, 800, 1600, 3000, 3000, 3000]);
  table.answered(server, 1);
  assertEquals(Math.round(table.waitMs(server)), 100);
});

Deno.test("ServerTable picks unknown servers first, then the quickest, and the others now and then", () => {
  const { table, servers } = serversOf(3);
  const about = { zone: ZONE, nowMs: 0, sinceMs: 0 };
  const delays = new Map([["10.0.0.0", 90], ["10.0.0.1", 30], [
    "10.0.0.2",
    60,
  ]]);
  const picked = Array.from({ length: 200 }, () => {
    const server = table.pick(servers, about);
    assert(server !== undefined);
    table.answered(server, delays.get(server.host) ?? 0);
    return server.host;
  });
  assertEquals(new Set(picked.slice(0, 3)).size, 3);
  const share = (host: string) =>
    picked.slice(3).filter((each) => each === host).length / 197;
  assert(share("10.0.0.1") > 0.8, `${share("10.0.0.1")}`);
  assert(share("10.0.0.2") > 0 && share("10.0.0.0") > 0);
  assertEquals(table.pick([], about), undefined);
});

Deno.test("ServerTable leaves alone for 30 s who failed three times, and for a minute who is lame, for that zone", () => {
  const { table, servers } = serversOf(2);
  const [quick, slow] = servers as [typeof servers[0], typeof servers[0]];
  table.answered(quick, 10);
  table.answered(slow, 2000);
  const pickAt = (nowMs: number, zone = ZONE) =>
    table.pick(servers, { zone, nowMs, sinceMs: nowMs }) === quick
      ? "quick"
      : "slow";
  table.failed(quick, 0);
  table.failed(quick, 0);
  assertEquals(pickAt(0), "quick");
  table.failed(quick, 0);
  assertEquals([pickAt(0), pickAt(29_999)], ["slow", "slow"]);
  assertEquals(pickAt(30_000), "quick");
  // where there is no other, one question in two seconds finds out whether it is back
  const asked = (nowMs: number, sinceMs: number) =>
    table.pick([quick], { zone: ZONE, nowMs, sinceMs }) === quick;
  assertEquals(
    [0, 1999, 2000, 2001, 3999, 4000].map((nowMs) => asked(nowMs, nowMs)),
    [false, false, true, false, false, true],
  );
  // but not of those that were on their way already
  assertEquals(asked(4001, -1), true);
  table.answered(quick, 10);
  assertEquals(pickAt(1), "quick");
  table.lame(quick, { zone: ZONE, nowMs: 0 });
  assertEquals([pickAt(0), pickAt(59_999)], ["slow", "slow"]);
  assertEquals(pickAt(0, parseName("other")), "quick");
  assertEquals(pickAt(60_000), "quick");
});

Deno.test("DelegationTable knows the closest zone from above for its TTL, a day at most, then the next, then the root", () => {
  const root = rootOf([parseRootHint("10.0.0.1")]);
  const table = new DelegationTable(root);
  const zoneAt = (nowMs: number, name = "www.shop.example") =>
    formatName(table.closest(parseName(name), nowMs).zone);
  const put = (zone: string, ttlSeconds: number) =>
    table.put({ zone: parseName(zone), servers: [], ttlSeconds }, 0);
  assertEquals(zoneAt(0), ".");
  put("example", 1_000_000);
  put("shop.example", 20);
  assertEquals(zoneAt(19_999), "shop.example.");
  assertEquals(zoneAt(0, "shop.example"), "shop.example.");
  assertEquals(zoneAt(0, "WWW.SHOP.example"), "shop.example.");
  assertEquals(zoneAt(0, "shop.other"), ".");
  assertEquals(zoneAt(20_000), "example.");
  assertEquals(zoneAt(86_400_000), ".");
  put("shop.example", 20);
  table.delete(parseName("shop.example"));
  assertEquals(zoneAt(0, "shop.example"), ".");
});

Deno.test("parseRootHint reads a name, an address and a port, or refuses them", () => {
  const name = (text: string) => parseName(text);
  const unnamed = name("root-server.");
  for (
    const [text, hint] of [
      ["10.0.0.1", { name: unnamed, addresses: ["10.0.0.1"] }],
      ["a.root=10.0.0.1", { name: name("a.root"), addresses: ["10.0.0.1"] }],
      ["10.0.0.1:5353", { name: unnamed, addresses: ["10.0.0.1"], port: 5353 }],
      ["2001:db8::1", { name: unnamed, addresses: ["2001:db8::1"] }],
      ["a=[::1]:65535", { name: name("a"), addresses: ["::1"], port: 65_535 }],
      ["[::1]", { name: unnamed, addresses: ["::1"] }],
    ] as const
  ) {
    assertEquals(parseRootHint(text), {
      ...hint,
      addresses: [...hint.addresses],
    });
  }
  for (const text of ["", "a.root=", "a..root=10.0.0.1", "10.0.0.1:0"]) {
    assertThrows(() => parseRootHint(text), SyntaxError);
  }
  assertThrows(() => parseRootHint("10.0.0.1:65536"), SyntaxError);
});

Deno.test("parseRootHints reads a file as IANA publishes it", () => {
  const text = [
    ";       This file holds the information on root name servers",
    ".                        3600000      NS    A.ROOT-SERVERS.NET.",
    "A.ROOT-SERVERS.NET.      3600000      A     198.41.0.4",
    "A.ROOT-SERVERS.NET.      3600000      AAAA  2001:503:ba3e::2:30",
    ".                        3600000      NS    B.ROOT-SERVERS.NET.",
    "B.ROOT-SERVERS.NET.      3600000      A     170.247.170.2",
    "C.ROOT-SERVERS.NET.      3600000      A     192.33.4.12",
    "",
  ].join("\n");
  assertEquals(
    parseRootHints(text).map(({ name, addresses }) => [
      formatName(name),
      ...addresses,
    ]),
    [
      ["A.ROOT-SERVERS.NET.", "198.41.0.4", "2001:503:ba3e::2:30"],
      ["B.ROOT-SERVERS.NET.", "170.247.170.2"],
    ],
  );
  assertThrows(
    () => parseRootHints(". 1 NS a.root.\nexample. 1 NS a.\na. 1 A 10.0.0.1\n"),
    SyntaxError,
  );
});

Deno.test("mixCase makes each letter a capital or not by lot, and leaves all else", () => {
  const name = parseName("abcdefghijklm.nopqrstuvwxyz.0123456789-.@[`{");
  const capitals = parseName("ABCDEFGHIJKLM.NOPQRSTUVWXYZ.0123456789-.@[`{");
  assertEquals(mixCase(name, () => 0.49), capitals);
  assertEquals(mixCase(capitals, () => 0.5), name);
  const rng = seededRng(20);
  const drawn = Array.from({ length: 400 }, () => mixCase(name, rng));
  // every letter is drawn for itself, about as often this way as that
  for (let at = 1; at <= 13; at++) {
    const upper = drawn.filter((each) => each[at]! < 0x61).length;
    assert(upper > 140 && upper < 260, `${at}: ${upper} of 400`);
  }
});
