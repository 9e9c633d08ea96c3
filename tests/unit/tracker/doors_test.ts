import { assert, assertEquals } from "@std/assert";
import {
  decodeBencode,
  isDictionary,
} from "../../../lib/bittorrent/bencode.ts";
import { escapeBytes } from "../../../lib/bittorrent/tracker/http/messages.ts";
import {
  decodeAnnounceReply,
  decodeScrapeReply,
} from "../../../lib/bittorrent/tracker/http/client.ts";
import { encodeUdpRequest } from "../../../lib/bittorrent/tracker/udp/requests.ts";
import { parseAddress } from "../../../lib/core/address.ts";
import { fromUtf8, toHex, utf8 } from "../../../lib/core/bytes.ts";
import type { RolecallEvent } from "../../../lib/events/mod.ts";
import { expiryMsOf } from "../../../roles/tracker/serve.ts";
import { TrackerLog } from "../../../roles/tracker/tracker_log.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { fuzz } from "../bittorrent/_fuzz.ts";

import {
  bodyOf,
  connect,
  HASH,
  openTracker,
  request,
  targetOf,
  textOf,
} from "./_open_tracker.ts";
Deno.test("tracker introduces peers that came over HTTP and UDP to each other", async () => {
  const tracker = openTracker();
  await bodyOf(tracker.get(targetOf(request({ leftBytes: 0 })), "10.0.0.1"));
  const reply = tracker.udp(
    encodeUdpRequest({
      kind: "announce",
      transactionId: 7,
      connectionId: connect(tracker, "10.0.0.2"),
      announce: request({ peerId: utf8("-RC0001-another peer") }),
      key: 0,
    }),
    "10.0.0.2",
  );
  assert(reply?.kind === "announce");
  assertEquals(reply.transactionId, 7);
  assertEquals(reply.announce, {
    intervalSeconds: 120,
    seeders: 1,
    leechers: 1,
    warning: null,
    peers: [{ host: "10.0.0.1", port: 6881, peerId: null }],
  });
  const again = decodeAnnounceReply(
    await bodyOf(tracker.get(targetOf(request({ leftBytes: 0 })), "10.0.0.1")),
  );
  assertEquals(again.peers.map((peer) => peer.host), ["10.0.0.2"]);
  assertEquals(
    tracker.events.map((event) =>
      event.type === "tracker.announced" ? [event.transport, event.peers] : []
    ),
    [["http", 0], ["udp", 1], ["http", 1]],
  );
});

Deno.test("tracker keeps a mapped address and the IPv4 address in it as one peer", async () => {
  const tracker = openTracker();
  const hosts = ["10.0.0.1", "::ffff:10.0.0.1", "0:0:0:0:0:ffff:a00:1"];
  for (const host of hosts) {
    const reply = decodeAnnounceReply(
      await bodyOf(tracker.get(targetOf(request()), host)),
    );
    assertEquals(reply.leechers, 1);
  }
});

Deno.test("tracker believes ip from its own machine and network only, over HTTP and UDP", async () => {
  const cases = [
    ["127.0.0.1", "127.0.0.5", "127.0.0.5"],
    ["::1", "10.0.0.4", "10.0.0.4"],
    ["::ffff:127.0.0.1", "10.0.0.4", "10.0.0.4"],
    ["127.0.0.1", "0.0.0.0", "127.0.0.1"],
    ["10.0.0.1", "192.0.2.4", "192.0.2.4"],
    ["172.31.0.1", "192.0.2.4", "192.0.2.4"],
    ["192.168.7.1", "192.0.2.4", "192.0.2.4"],
    ["169.254.7.1", "192.0.2.4", "192.0.2.4"],
    ["fd00::1", "192.0.2.4", "192.0.2.4"],
    ["fe80::1", "192.0.2.4", "192.0.2.4"],
    ["11.0.0.1", "10.0.0.4", "11.0.0.1"],
    ["172.32.0.1", "10.0.0.4", "172.32.0.1"],
    ["192.0.2.1", "10.0.0.4", "192.0.2.1"],
    ["2001:db8::1", "10.0.0.4", "2001:db8::1"],
    ["fec0::1", "10.0.0.4", "fec0::1"],
  ] as const;
  for (const [from, ip, told] of cases) {
    const tracker = openTracker();
    await tracker.get(targetOf(request({ ip })), from);
    tracker.udp(
      encodeUdpRequest({
        kind: "announce",
        transactionId: 1,
        connectionId: connect(tracker, from),
        announce: request({ ip }),
        key: 0,
      }),
      from,
    );
    assertEquals(
      tracker.events.map((event) =>
        event.type === "tracker.announced" ? event.host : event.type
      ),
      [told, told],
    );
  }
  const tracker = openTracker();
  const target = `${targetOf(request())}&ip=tracker.example`;
  await tracker.get(target, "127.0.0.1");
  const [event] = tracker.events;
  assertEquals(event?.type === "tracker.announced" && event.host, "127.0.0.1");
});

Deno.test("tracker answers refusals with status 200 and a failure reason, and tells the log", async () => {
  const tracker = openTracker(new Set(["00".repeat(20)]));
  const targets = [
    "/announce",
    "/announce?info_hash=%zz",
    `/announce?info_hash=${escapeBytes(HASH)}`,
    "/scrape?info_hash=short",
    targetOf(request()),
  ];
  for (const target of targets) {
    const response = await tracker.get(target);
    assertEquals(response.status, 200);
    const body = decodeBencode(await bodyOf(response));
    assert(isDictionary(body) && body.has("failure reason") && body.size === 1);
  }
  assertEquals(
    tracker.events.map((event) =>
      event.type === "tracker.refused" ? event.code : event.type
    ),
    [
      "query-malformed",
      "query-malformed",
      "query-malformed",
      "query-malformed",
      "torrent-not-allowed",
    ],
  );
});

Deno.test("tracker hands out peers of the asker's family only, unless it says it has both", async () => {
  const tracker = openTracker();
  const peerId = (name: string) => utf8(name.padEnd(20, "-"));
  for (const host of ["10.0.0.1", "2001:db8::1"]) {
    await tracker.get(targetOf(request({ peerId: peerId(host) })), host);
  }
  const hosts = async (host: string, more = "") => {
    const target = targetOf(request({ peerId: peerId("asker") })) + more;
    const reply = decodeAnnounceReply(await bodyOf(tracker.get(target, host)));
    tracker.get(targetOf(request({ event: "stopped" })), host);
    return reply.peers.map((peer) => peer.host);
  };
  assertEquals(await hosts("10.0.0.2"), ["10.0.0.1"]);
  assertEquals(await hosts("2001:db8::2"), ["2001:db8::1"]);
  assertEquals(await hosts("10.0.0.2", "&ipv6=2001:db8::2"), [
    "10.0.0.1",
    "2001:db8::1",
  ]);
  assertEquals(
    (await hosts("2001:db8::2", "&ipv4=10.0.0.2:6881")).sort(),
    ["10.0.0.1", "2001:db8::1"],
  );
  assertEquals(await hosts("10.0.0.2", "&ipv4=10.0.0.2"), ["10.0.0.1"]);
});

Deno.test("tracker tells peers their address, how soon to come again and an id for itself", async () => {
  const tracker = openTracker();
  for (const [host, bytes] of [["10.0.0.1", 4], ["2001:db8::1", 16]] as const) {
    for (const more of ["", "&compact=0&trackerid=cafe0123"]) {
      const target = targetOf(request()).replace("&compact=1", more);
      const reply = decodeBencode(await bodyOf(tracker.get(target, host)));
      assert(isDictionary(reply));
      assertEquals(reply.get("external ip"), parseAddress(host));
      assertEquals(parseAddress(host).length, bytes);
      assertEquals([reply.get("interval"), reply.get("min interval")], [
        120,
        60,
      ]);
      assertEquals(reply.get("tracker id"), utf8("cafe0123"));
    }
  }
});

Deno.test("tracker gives ids to those who ask in the long form, and not if they want none", async () => {
  const tracker = openTracker();
  await tracker.get(targetOf(request()), "10.0.0.1");
  const peers = async (more: string) => {
    const asker = request({ peerId: utf8("-RC0001-another peer") });
    const target = targetOf(asker).replace("&compact=1", more);
    return decodeAnnounceReply(await bodyOf(tracker.get(target, "10.0.0.2")))
      .peers;
  };
  const address = { host: "10.0.0.1", port: 6881 };
  const { peerId } = request();
  assertEquals(await peers(""), [{ ...address, peerId }]);
  assertEquals(await peers("&no_peer_id=1"), [{ ...address, peerId: null }]);
  assertEquals(await peers("&compact=1"), [{ ...address, peerId: null }]);
});

Deno.test("tracker answers scrapes over HTTP and UDP alike", async () => {
  const tracker = openTracker();
  await tracker.get(targetOf(request({ leftBytes: 0, event: "completed" })));
  await tracker.get(targetOf(request()), "10.0.0.2");
  const expected = { seeders: 1, leechers: 1, completed: 1 };
  for (const target of ["/scrape", `/scrape?info_hash=${escapeBytes(HASH)}`]) {
    assertEquals(
      decodeScrapeReply(await bodyOf(tracker.get(target))),
      [{ infoHash: HASH, ...expected }],
    );
  }
  const reply = tracker.udp(
    encodeUdpRequest({
      kind: "scrape",
      transactionId: 3,
      connectionId: connect(tracker, "10.0.0.3"),
      infoHashes: [HASH, new Uint8Array(20)],
    }),
    "10.0.0.3",
  );
  assertEquals(reply, {
    kind: "scrape",
    transactionId: 3,
    entries: [expected, { seeders: 0, leechers: 0, completed: 0 }],
  });
});

Deno.test("tracker counts a leech that says it lacks 2^64 - 1 bytes, as npm's client over UDP, as a leech each time", async () => {
  const tracker = openTracker();
  const announce = encodeUdpRequest({
    kind: "announce",
    transactionId: 9,
    connectionId: connect(tracker, "10.0.0.1"),
    announce: request(),
    key: 0,
  });
  announce.fill(0xff, 64, 72);
  for (let time = 0; time < 3; time++) tracker.udp(announce, "10.0.0.1");
  const left = targetOf(request()).replace("left=5", `left=${2n ** 64n - 1n}`);
  const reply = decodeAnnounceReply(
    await bodyOf(tracker.get(left, "10.0.0.2")),
  );
  assertEquals([reply.seeders, reply.leechers], [0, 2]);
  assert(!(await textOf(tracker.get("/"))).includes(">seed<"));
});

Deno.test("tracker remembers peers longer than the slowest clients take between announces", () => {
  const [interval, forgetAfter] = [120_000, undefined];
  // libtorrent and rtorrent announce no more often than half of this.
  assert(expiryMsOf({ interval, forgetAfter }) > 600_000);
  assertEquals(expiryMsOf({ interval: 900_000, forgetAfter }), 1_800_000);
  assertEquals(expiryMsOf({ interval, forgetAfter: 200_000 }), 200_000);
});

Deno.test("tracker's page shows swarms and peers, and no stranger's markup", async () => {
  const tracker = openTracker();
  const empty = await textOf(tracker.get("/"));
  assert(empty.includes("No swarm yet"));
  const peerId = utf8("<script>alert(1)</sc");
  await tracker.get(targetOf(request({ peerId, leftBytes: 2048 })), "10.0.0.7");
  const response = await tracker.get("/");
  const page = await textOf(response);
  assert(response.headers.get("content-type")?.startsWith("text/html"));
  for (
    const shown of [
      toHex(HASH),
      "10.0.0.7:6881",
      "2.00 KiB",
      "&lt;b&gt;Movie &amp; more",
      "udp://10.0.0.9:6970/announce",
    ]
  ) assert(page.includes(shown), shown);
  assert(!page.includes("<script") && !page.includes("<b>"));
  assertEquals((await tracker.get("/nowhere")).status, 404);
});

Deno.test("tracker's page says how many peers it leaves out, and of whom nobody knows what it lacks", async () => {
  const tracker = openTracker();
  const join = (swarms: number, peers: number) => {
    for (let at = 0; at < swarms * peers; at++) {
      const infoHash = HASH.with(0, Math.floor(at / peers));
      const target = targetOf(request({ infoHash, port: 1 + at }));
      tracker.get(target.replace("left=5", `left=${2n ** 63n - 1n}`));
    }
  };
  join(1, 101);
  const page = await textOf(tracker.get("/"));
  assertEquals(page.split("unknown").length - 1, 100);
  assert(page.includes("and 1 more"));
  join(110, 11);
  const large = await textOf(tracker.get("/"));
  assertEquals(large.split("unknown").length - 1, 1000);
  assert(large.includes("At most 100 swarms are shown"));
});

Deno.test("tracker answers any target with 200 or 404 and well-formed bencoding (seed 53)", async () => {
  const tracker = openTracker();
  const targets: string[] = [];
  fuzz([utf8(targetOf(request())), utf8("/scrape?info_hash=%00")], (bytes) => {
    targets.push(fromUtf8(bytes.filter((byte) => byte > 0x20 && byte < 0x7f)));
  }, { seed: 53, rounds: 800 });
  for (const target of targets) {
    const response = await tracker.get(`/${target.replace(/^\/+/, "")}`);
    const body = await bodyOf(response);
    assert(response.status === 200 || response.status === 404, target);
    if (
      response.headers.get("content-type")?.startsWith(
        "text/plain; charset=iso",
      )
    ) {
      decodeBencode(body);
    }
  }
});

Deno.test("TrackerLog sums up what exceeds fifty outcomes a second", async () => {
  const clock = new ManualClock();
  const events: RolecallEvent[] = [];
  const log = new TrackerLog({
    clock,
    signal: new AbortController().signal,
    emit: (event) => void events.push(event),
  });
  const tell = () => ({
    type: "tracker.scraped" as const,
    transport: "udp" as const,
    host: "10.0.0.1",
    torrents: 1,
  });
  for (let at = 0; at < 70; at++) log.add("scraped", tell);
  log.add("refused", tell);
  assertEquals(events.length, 50);
  await clock.advanceTo(1000);
  assertEquals(events.at(-1), {
    type: "tracker.summarized",
    periodMs: 1000,
    announced: 0,
    scraped: 20,
    refused: 1,
    expired: 0,
  });
  log.add("scraped", tell);
  assertEquals(events.length, 52);
});
