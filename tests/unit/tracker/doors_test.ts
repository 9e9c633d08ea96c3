import { assert, assertEquals } from "@std/assert";
import {
  decodeBencode,
  isDictionary,
} from "../../../lib/bittorrent/bencode.ts";
import { SwarmTable } from "../../../lib/bittorrent/swarm_table.ts";
import { ConnectionIds } from "../../../lib/bittorrent/tracker_connection_ids.ts";
import { escapeBytes } from "../../../lib/bittorrent/tracker_http.ts";
import {
  announceUrlOf,
  decodeAnnounceReply,
  decodeScrapeReply,
} from "../../../lib/bittorrent/tracker_http_client.ts";
import type { AnnounceRequest } from "../../../lib/bittorrent/tracker_messages.ts";
import {
  decodeUdpReply,
  encodeUdpRequest,
  type UdpTrackerReply,
  type UdpTrackerRequest,
} from "../../../lib/bittorrent/tracker_udp.ts";
import { parseAddress, unmapAddress } from "../../../lib/core/address.ts";
import { concat, fromUtf8, toHex, utf8 } from "../../../lib/core/bytes.ts";
import { seededRng } from "../../../lib/core/rng.ts";
import type { RolecallEvent } from "../../../lib/events/mod.ts";
import type { HttpResponse } from "../../../lib/io/http.ts";
import { MAX_ANSWER_BYTES } from "../../../lib/io/net.ts";
import { FrontDesk } from "../../../roles/tracker/front_desk.ts";
import { httpDoor } from "../../../roles/tracker/http_door.ts";
import { TrackerLog } from "../../../roles/tracker/tracker_log.ts";
import { answerDatagram } from "../../../roles/tracker/udp_door.ts";
import { bytesOf, requestOf } from "../../support/http_exchange.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { fuzz } from "../bittorrent/_fuzz.ts";

const HASH = Uint8Array.from({ length: 20 }, (_, at) => 250 - at * 7);

function request(change: Partial<AnnounceRequest> = {}): AnnounceRequest {
  return {
    infoHash: HASH,
    peerId: utf8("-RC0001-abcdefghijkl"),
    port: 6881,
    uploadedBytes: 0,
    downloadedBytes: 0,
    leftBytes: 5,
    event: "started",
    numWant: null,
    ...change,
  };
}

/** A tracker without sockets. */
function openTracker(allowed: ReadonlySet<string> | null = null) {
  const clock = new ManualClock();
  const events: RolecallEvent[] = [];
  const log = new TrackerLog({
    clock,
    signal: new AbortController().signal,
    emit: (event) => void events.push(event),
  });
  const table = new SwarmTable({
    rng: seededRng(1),
    expiryMs: 240_000,
    maxPeers: 50,
    allowed,
  });
  const desk = new FrontDesk({
    ...{ table, intervalSeconds: 120, trackerId: "cafe0123", log, clock },
  });
  const ids = new ConnectionIds(utf8("0123456789abcdef"));
  const names = new Map([[toHex(HASH), "<b>Movie & more</b>"]]);
  const serve = httpDoor(desk, { names: () => names, udpPort: () => 6970 });
  return {
    clock,
    events,
    table,
    get: (target: string, host = "10.0.0.1") =>
      serve(requestOf(target, {
        authority: "10.0.0.9:6969",
        remote: { host, port: 50_000 },
      })),
    udp: (bytes: Uint8Array, host: string): UdpTrackerReply | null => {
      const datagram = {
        bytes: concat(bytes, utf8("left by another")),
        length: bytes.length,
        address: unmapAddress(parseAddress(host)),
      };
      const reply = new Uint8Array(MAX_ANSWER_BYTES);
      const length = answerDatagram(datagram, reply, { desk, ids });
      const family = host.includes(":") ? "ipv6" : "ipv4";
      return length === 0
        ? null
        : decodeUdpReply(reply.subarray(0, length), family);
    },
  };
}

type OpenTracker = ReturnType<typeof openTracker>;

type Answer = HttpResponse | Promise<HttpResponse>;

async function bodyOf(answer: Answer): Promise<Uint8Array> {
  return await bytesOf((await answer).body);
}

async function textOf(answer: Answer): Promise<string> {
  return fromUtf8(await bodyOf(answer));
}

function targetOf(announce: AnnounceRequest): string {
  return announceUrlOf("/announce", announce);
}

function connect(tracker: OpenTracker, host: string): bigint {
  const reply = tracker.udp(
    encodeUdpRequest({ kind: "connect", transactionId: 1 }),
    host,
  );
  assert(reply?.kind === "connect");
  assertEquals(reply.transactionId, 1);
  return reply.connectionId;
}

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

Deno.test("tracker notes what a UDP client says of the URL (BEP 41), and refuses what is cut off", () => {
  const tracker = openTracker();
  const announce = encodeUdpRequest({
    kind: "announce",
    transactionId: 9,
    connectionId: connect(tracker, "10.0.0.1"),
    announce: request(),
    key: 0,
    urlData: "/announce?pass=key",
  });
  assertEquals(tracker.udp(announce, "10.0.0.1")?.kind, "announce");
  const event = tracker.events.at(-1);
  assert(event?.type === "tracker.announced");
  assertEquals(event.urlData, "/announce?pass=key");
  const cut = tracker.udp(announce.subarray(0, 105), "10.0.0.1");
  assert(cut?.kind === "error");
  assertEquals(cut.transactionId, 9);
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

Deno.test("tracker refuses UDP announces with another's connection id, or an old one", async () => {
  const tracker = openTracker();
  const announce = (connectionId: bigint): UdpTrackerRequest => ({
    kind: "announce",
    transactionId: 9,
    connectionId,
    announce: request(),
    key: 0,
  });
  const kindOf = (connectionId: bigint, host: string) =>
    tracker.udp(encodeUdpRequest(announce(connectionId)), host)?.kind;
  const id = connect(tracker, "10.0.0.1");
  assertEquals(kindOf(id, "10.0.0.2"), "error");
  assertEquals(kindOf(0n, "10.0.0.1"), "error");
  assertEquals(kindOf(id, "10.0.0.1"), "announce");
  await tracker.clock.advanceTo(120_000);
  assertEquals(kindOf(id, "10.0.0.1"), "announce");
  await tracker.clock.advanceTo(121_001);
  assertEquals(kindOf(id, "10.0.0.1"), "error");
});

Deno.test("tracker answers a malformed UDP announce only to those who proved their address", () => {
  const tracker = openTracker();
  const bytes = (connectionId: bigint) => {
    const whole = encodeUdpRequest({
      kind: "announce",
      transactionId: 9,
      connectionId,
      announce: request(),
      key: 0,
    });
    return whole.subarray(0, 50);
  };
  const id = connect(tracker, "10.0.0.1");
  assertEquals(tracker.udp(bytes(id), "10.0.0.1")?.kind, "error");
  assertEquals(tracker.udp(bytes(id + 1n), "10.0.0.1"), null);
  assertEquals(
    tracker.udp(utf8("hello, is this the tracker?"), "10.0.0.1"),
    null,
  );
});

Deno.test("tracker answers any datagram without throwing, and never with more bytes than came unproved (seed 51)", () => {
  const tracker = openTracker();
  const connectionId = connect(tracker, "2001:db8::1");
  const samples = [
    encodeUdpRequest({ kind: "connect", transactionId: 1 }),
    encodeUdpRequest({
      kind: "announce",
      transactionId: 1,
      connectionId,
      announce: request(),
      key: 1,
    }),
    encodeUdpRequest({
      kind: "scrape",
      transactionId: 1,
      connectionId,
      infoHashes: [HASH],
    }),
  ];
  fuzz(samples, (bytes) => void tracker.udp(bytes, "2001:db8::1"), {
    seed: 51,
    rounds: 3000,
  });
  fuzz(samples, (bytes) => {
    const reply = tracker.udp(bytes, "2001:db8::bad");
    const kind = reply?.kind ?? "none";
    assert(["none", "connect", "error"].includes(kind), kind);
    const size = reply?.kind === "error"
      ? 8 + utf8(reply.message).length
      : kind === "connect"
      ? 16
      : 0;
    assert(size <= bytes.length);
  }, { seed: 52, rounds: 3000 });
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
