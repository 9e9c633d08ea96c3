import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseCidr } from "../../../../lib/core/address.ts";
import { RunError } from "../../../../lib/core/errors.ts";
import { seededRng } from "../../../../lib/core/rng.ts";
import {
  parseDomainFlag,
  parseEdgeFlag,
  zonesOfFlags,
} from "../../../../lib/dns/authority/zone_flags.ts";
import { parseZoneJson } from "../../../../lib/dns/authority/zone_json.ts";
import { ZoneTable } from "../../../../lib/dns/authority/zone_table.ts";
import { parseMetricSelector } from "../../../../lib/dns/load_meter.ts";
import { EdgeBook } from "../../../../lib/dns/select/edge.ts";
import { parseSteering } from "../../../../lib/dns/select/mod.ts";
import { steer } from "../../../../lib/dns/select/steer.ts";
import { EVENTS } from "../../../../lib/events/mod.ts";
import type { TcpConnection } from "../../../../lib/io/net.ts";
import { EdgeWatch } from "../../../../roles/dns_redirector/watch/edge_watch.ts";
import type { WatchRules } from "../../../../roles/dns_redirector/watch/watch_flags.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { roleContext } from "../../../support/role_context.ts";

const RULES: WatchRules = {
  ...{ intervalMs: 1000, fall: 2, rise: 2, timeoutMs: 500 },
  ...{ check: undefined, port: 8081, host: undefined, status: 200 },
  ...{ body: undefined, loadPort: 9100, loadPath: "/metrics" },
  loadMetrics: [],
};

/** A watch over edges that take connections after so many ms, or not at all; in time that the test moves. */
function start(policy: string, rules: Partial<WatchRules> = {}) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const delays = new Map<string, number>();
  const asked: string[] = [];
  const pages = new Map<string, string>();
  const book = new EdgeBook();
  const ctx = roleContext({
    ...{ clock, signal: stop.signal },
    net: {
      async connectTcp({ host, port }) {
        asked.push(`${host}:${port}`);
        const delayMs = delays.get(host);
        if (delayMs === undefined) {
          throw new RunError("connect-failed", "nobody listens there");
        }
        await clock.sleepUntil(clock.nowMs() + delayMs, stop.signal);
        return { [Symbol.dispose]() {} } as TcpConnection;
      },
      fetch(url) {
        asked.push(url);
        const page = pages.get(url);
        return page === undefined
          ? Promise.reject(new RunError("fetch-failed", "nobody answers"))
          : Promise.resolve(new Response(page));
      },
    },
  });
  const { events } = ctx;
  const watch = new EdgeWatch({ ...RULES, ...rules }, { book, ctx });
  const zones = (...edges: string[]) =>
    new ZoneTable(
      zonesOfFlags({
        domains: [parseDomainFlag("video.kingcdn.example")],
        aliases: [],
        edges: edges.map(parseEdgeFlag),
      }),
      { steering: parseSteering(policy), book },
    );
  const running = watch.run();
  return {
    ...{ clock, events, delays, asked, pages, watch, book, zones },
    choose(table: ZoneTable): string {
      const [{ redirect }] = table.redirects() as [
        ReturnType<ZoneTable["redirects"]>[0],
      ];
      const { bytes, prefixLength } = parseCidr("10.0.0.1/32");
      return steer(redirect.steering, {
        ...redirect.ipv4!,
        client: bytes,
        clientLength: prefixLength,
        ...{ nameHash: 1, loadPerAnswer: 0, rng: seededRng(1) },
      }).edge.host;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

Deno.test("EdgeWatch measures round trips for the policy latency, and takes out who does not answer", async () => {
  await using test = start("latency");
  const { clock, delays, events, watch, zones, choose } = test;
  delays.set("10.0.0.3", 30).set("10.0.0.4", 5);
  const table = zones("10.0.0.3", "10.0.0.4,port=90");
  watch.follow(table);
  await clock.advanceTo(900);
  assertEquals(test.asked, ["10.0.0.3:8081", "10.0.0.4:90"]);
  assertEquals(choose(table), "10.0.0.4");
  delays.delete("10.0.0.4");
  await clock.advanceTo(1900);
  const failed = events.find(({ type }) => type === "edge.failed");
  assertEquals(failed, {
    ...{ type: "edge.failed", edge: "10.0.0.4", host: "10.0.0.4" },
    ...{ check: "tcp 10.0.0.4:90", reason: "nobody listens there" },
    // checked at 20, 1020 and 1520
    ...{ failures: 2, silentMs: 1500, hasPassed: true },
  });
  assert(failed?.type === "edge.failed");
  const told = (event: typeof failed) => EVENTS["edge.failed"].text(event);
  assertMatch(
    told(failed),
    / \(tcp 10\.0\.0\.4:90, 2 times, last passed 1\.5 s ago\)$/,
  );
  assertMatch(
    told({ ...failed, hasPassed: false }),
    /, 2 times, never passed\)$/,
  );
  assertEquals(choose(table), "10.0.0.3");
});

Deno.test("EdgeWatch follows zones that are read again: it forgets who is gone, and knows who stays", async () => {
  await using test = start("latency");
  const { clock, delays, events, watch, zones, book } = test;
  delays.set("10.0.0.3", 30);
  watch.follow(zones("10.0.0.3", "10.0.0.4"));
  await clock.advanceTo(100);
  assertEquals(book.state("10.0.0.4").isUp, false);
  watch.follow(zones("10.0.0.3", "10.0.0.5"));
  assertEquals(book.state("10.0.0.4").isUp, true);
  assertEquals(book.state("10.0.0.3").roundTrip?.smoothedMs, 30);
  test.asked.length = 0;
  await clock.advanceTo(2100);
  assertEquals(test.asked.includes("10.0.0.4:8081"), false);
  assertEquals(test.asked.includes("10.0.0.5:8081"), true);
  delays.delete("10.0.0.3");
  await clock.advanceTo(4100);
  const none = events.find(({ type }) => type === "edges.exhausted");
  assertEquals(none, {
    type: "edges.exhausted",
    edges: ["10.0.0.3", "10.0.0.5"],
    names: ["video.kingcdn.example"],
  });
});

Deno.test("EdgeWatch watches nothing that no policy and no flag asks for", async () => {
  await using test = start("round-robin");
  test.watch.follow(test.zones("10.0.0.3", "10.0.0.4"));
  await test.clock.advanceTo(5000);
  assertEquals([test.asked, test.events], [[], []]);
});

Deno.test("EdgeWatch says for which names no edge is left, and of no others", async () => {
  await using test = start("round-robin", { check: "tcp" });
  const { clock, delays, events, watch, book } = test;
  const edges = ["10.0.0.3", "10.0.0.4", "10.0.0.5", "fd00::4"];
  for (const edge of edges) delays.set(edge, 1);
  const spec = (name: string, ...addresses: string[]) => ({
    [name]: { edges: addresses },
  });
  watch.follow(
    new ZoneTable(
      parseZoneJson(JSON.stringify({
        zone: "kingcdn.example",
        edges: Object.fromEntries(
          edges.map((edge) => [edge, { addresses: [edge] }]),
        ),
        redirects: {
          ...spec("a", "10.0.0.3", "10.0.0.4"),
          ...spec("b", "10.0.0.4", "fd00::4"),
          ...spec("c", "10.0.0.5"),
        },
      })),
      { book },
    ),
  );
  await clock.advanceTo(100);
  const exhausted = () =>
    events.flatMap((event) =>
      event.type === "edges.exhausted"
        ? [[event.names.join(), event.edges.join()]]
        : []
    );
  delays.delete("10.0.0.4");
  await clock.advanceTo(3000);
  // b is still to be had over IPv6, but not over IPv4
  assertEquals(exhausted(), [["b.kingcdn.example", "10.0.0.4"]]);
  delays.delete("10.0.0.3");
  await clock.advanceTo(6000);
  assertEquals(exhausted().slice(1), [
    ["a.kingcdn.example", "10.0.0.3,10.0.0.4"],
  ]);
  delays.set("10.0.0.4", 1);
  await clock.advanceTo(9000);
  const back = events.filter(({ type }) => type === "edge.recovered");
  assertEquals(back.length, 1);
  assertEquals(exhausted().length, 2);
});

Deno.test("EdgeWatch reads loads where the edges tell them, and says once that one does not", async () => {
  await using test = start("load", {
    loadMetrics: [parseMetricSelector("busy")],
  });
  const { asked, clock, events, pages, watch, zones, choose } = test;
  const [near, far] = [
    "http://10.0.0.3:9100/metrics",
    "http://10.0.0.4:9200/metrics",
  ];
  pages.set(near, "busy 9\n").set(far, "busy 5\n");
  const table = zones("10.0.0.3", "10.0.0.4,admin=9200");
  watch.follow(table);
  await clock.advanceTo(500);
  assertEquals(asked, [near, far]);
  assertEquals(choose(table), "10.0.0.4");
  const told = () =>
    events.splice(0).map((event) =>
      event.type === "load.measured"
        ? `${event.host} ${event.load} ${event.smoothedLoad}`
        : event.type === "load.missed"
        ? `${event.host} ${event.reason}`
        : event.type
    ).toSorted();
  assertEquals(told(), ["10.0.0.3 9 9", "10.0.0.4 5 5"]);
  pages.delete(far);
  pages.set(near, "busy 5\n");
  await clock.advanceTo(1500);
  assertEquals(told(), ["10.0.0.3 5 7", "10.0.0.4 nobody answers"]);
  // who does not tell is left out
  assertEquals(choose(table), "10.0.0.3");
  pages.set(far, "idle 5\n");
  await clock.advanceTo(2500);
  assertEquals(told(), ["10.0.0.3 5 6"]);
  pages.set(far, "busy 1\n");
  await clock.advanceTo(3500);
  assertEquals(told(), ["10.0.0.3 5 5.5", "10.0.0.4 1 1"]);
  assertEquals(choose(table), "10.0.0.4");
  assertEquals(asked.length, 8);
});
