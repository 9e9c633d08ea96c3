import { assert, assertEquals } from "@std/assert";
import { Discovery } from "../../../lib/peer/discovery.ts";
import { TrackerDriver } from "../../../lib/peer/tracker_driver.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { roleContext } from "../../support/role_context.ts";

/** A driver at a tracker that answers with these bodies in turn, and the last one from then on. */
function drive(...bodies: readonly string[]) {
  const clock = new ManualClock();
  const asked: { readonly atMs: number; readonly query: URLSearchParams }[] =
    [];
  const net = {
    fetch(url: string) {
      const body = bodies[Math.min(asked.length, bodies.length - 1)]!;
      asked.push({ atMs: clock.nowMs(), query: new URL(url).searchParams });
      return Promise.resolve(new Response(body));
    },
  };
  const ctx = roleContext({ clock, net });
  const driver = new TrackerDriver({
    ctx,
    tiers: [["http://tracker.example/announce"]],
    requestOf: (event, { numWant }) => ({
      ...{ infoHash: new Uint8Array(20), peerId: new Uint8Array(20) },
      ...{ port: 6881, uploadedBytes: 0, downloadedBytes: 0, leftBytes: 1 },
      ...{ event, numWant },
    }),
    found() {},
  });
  driver.start();
  return { driver, clock, asked, events: ctx.events };
}

Deno.test("TrackerDriver sends the last tracker id back, and keeps to the least interval although it knows nobody", async () => {
  const { driver, clock, asked } = drive(
    "d8:intervali900e12:min intervali50e5:peers0:10:tracker id3:onee",
    "d8:intervali900e5:peers0:e",
  );
  await clock.advanceTo(100_000);
  assertEquals(
    asked.map(({ atMs, query }) => [atMs, query.get("trackerid")]),
    [[0, null], [50_000, "one"], [80_000, "one"]],
  );
  await driver.stop();
  const last = asked.at(-1)!.query;
  assertEquals([last.get("event"), last.get("trackerid")], ["stopped", "one"]);
});

Deno.test("TrackerDriver tells when it asks again, which is sooner than the tracker says while it knows nobody", async () => {
  const { driver, clock, asked, events } = drive(
    "d8:intervali900e5:peers0:e",
    "d8:intervali0e5:peers0:e",
  );
  await clock.advanceTo(36_000);
  assertEquals(asked.map(({ atMs }) => atMs), [0, 30_000, 35_000]);
  assertEquals(
    events.flatMap((event) =>
      event.type === "announce.answered" ? event.intervalMs : []
    ),
    [30_000, 5_000, 5_000],
  );
  await driver.stop();
});

Deno.test("TrackerDriver asks a tracker no more that refuses for ever", async () => {
  const { driver, clock, asked, events } = drive(
    "d14:failure reason4:gone8:retry in5:nevere",
  );
  await clock.advanceTo(3_600_000);
  assertEquals(asked.length, 1);
  const failed = events.find(({ type }) => type === "announce.failed");
  assert(failed?.type === "announce.failed");
  assertEquals(failed.retryMs, undefined);
  await driver.stop();
});

Deno.test("a tracker that nobody here speaks to is told of once, and the search goes on as if there were none", async () => {
  const clock = new ManualClock();
  const udp = {
    ...{ host: "::", port: 4711 },
    async *receive() {},
    serve: () => Promise.resolve(),
    send: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const listenUdp = () => udp;
  const ctx = roleContext({ clock, net: { listenUdp } });
  const searchAt = (...urls: string[]) =>
    new Discovery({
      ...{ ctx, names: [new Uint8Array(20)], private: false },
      flags: { dht: "auto", lsd: "off", dhtNode: [] },
      at: { host: "::", port: 6881 },
      tiers: urls.map((url) => [url]),
      requestOf: () => {
        throw new Error("nobody is to be asked");
      },
      found() {},
    });
  assertEquals(searchAt("wss://tracker.example", "nonsense").dhtPort, 4711);
  assertEquals(searchAt("wss://a.example", "udp://b.example").dhtPort, null);
  const driver = new TrackerDriver({
    ctx,
    tiers: [["wss://tracker.example"]],
    requestOf: (event, { numWant }) => ({
      ...{ infoHash: new Uint8Array(20), peerId: new Uint8Array(20) },
      ...{ port: 6881, uploadedBytes: 0, downloadedBytes: 0, leftBytes: 1 },
      ...{ event, numWant },
    }),
    found() {},
  });
  driver.start();
  await clock.advanceTo(3_600_000);
  const told = ctx.events.filter(({ type }) => type === "announce.failed");
  assertEquals(told.length, 1);
  await driver.stop();
});
