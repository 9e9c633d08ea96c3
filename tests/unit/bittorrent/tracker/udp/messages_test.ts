import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConnectionIds } from "../../../../../lib/bittorrent/tracker/udp/connection_ids.ts";
import type { AnnounceRequest } from "../../../../../lib/bittorrent/tracker/messages.ts";
import type {
  UdpTrackerReply,
  UdpTrackerRequest,
} from "../../../../../lib/bittorrent/tracker/udp/messages.ts";
import {
  decodeUdpReply,
  udpPeerCapacity,
} from "../../../../../lib/bittorrent/tracker/udp/replies.ts";
import {
  decodeUdpRequest,
  encodeUdpRequest,
  udpRequestTransaction,
} from "../../../../../lib/bittorrent/tracker/udp/requests.ts";
import { concat, fromHex, toHex, utf8 } from "../../../../../lib/core/bytes.ts";
import { ProtocolError } from "../../../../../lib/core/errors.ts";
import { fuzz } from "../../_fuzz.ts";
import { encodeReply } from "./_reply.ts";

const HASH = Uint8Array.from({ length: 20 }, (_, at) => at);
const ANNOUNCE: AnnounceRequest = {
  infoHash: HASH,
  peerId: utf8("-RC0001-abcdefghijkl"),
  port: 6881,
  uploadedBytes: 3,
  downloadedBytes: 1,
  leftBytes: 2 ** 40,
  event: "started",
  numWant: null,
};
const REQUESTS: readonly UdpTrackerRequest[] = [
  { kind: "connect", transactionId: 0xdeadbeef },
  {
    kind: "announce",
    transactionId: 1,
    connectionId: 2n ** 64n - 1n,
    announce: ANNOUNCE,
    key: 0xcafef00d,
  },
  {
    kind: "announce",
    transactionId: 0,
    connectionId: 0n,
    announce: { ...ANNOUNCE, event: "stopped", numWant: 0, ip: "10.0.0.9" },
    key: 0,
    urlData: `/announce?pass=${"x".repeat(300)}`,
  },
  {
    kind: "scrape",
    transactionId: 7,
    connectionId: 5n,
    infoHashes: [HASH, ANNOUNCE.peerId],
  },
];
const REPLIES: readonly UdpTrackerReply[] = [
  { kind: "connect", transactionId: 1, connectionId: 0x1234567890abcdefn },
  {
    kind: "announce",
    transactionId: 2,
    announce: {
      intervalSeconds: 120,
      seeders: 3,
      leechers: 4,
      warning: null,
      peers: [
        { host: "10.0.0.1", port: 6881, peerId: null },
        { host: "10.0.0.2", port: 65_535, peerId: null },
      ],
    },
  },
  {
    kind: "scrape",
    transactionId: 3,
    entries: [{ seeders: 1, completed: 2, leechers: 3 }],
  },
  { kind: "error", transactionId: 4, message: "no such torrent" },
];

Deno.test("encodeUdpRequest lays requests out as the tables of BEP 15", () => {
  const hex = REQUESTS.map((request) => toHex(encodeUdpRequest(request)));
  assertEquals(hex[0], "0000041727101980" + "00000000" + "deadbeef");
  assertEquals(
    hex[1],
    "ffffffffffffffff" + "00000001" + "00000001" + toHex(HASH) +
      toHex(ANNOUNCE.peerId) + "0000000000000001" + "0000010000000000" +
      "0000000000000003" + "00000002" + "00000000" + "cafef00d" + "ffffffff" +
      "1ae1",
  );
  assertEquals(
    hex[3],
    "0000000000000005" + "00000002" + "00000007" + toHex(HASH) +
      toHex(ANNOUNCE.peerId),
  );
});

Deno.test("encodeUdpReply lays replies out as the tables of BEP 15", () => {
  const hex = REPLIES.map((reply) => toHex(encodeReply(reply)));
  assertEquals(hex[0], "00000000" + "00000001" + "1234567890abcdef");
  assertEquals(
    hex[1],
    "00000001" + "00000002" + "00000078" + "00000004" + "00000003" +
      "0a0000011ae1" + "0a000002ffff",
  );
  assertEquals(
    hex[2],
    "00000002" + "00000003" + "00000001" + "00000002" + "00000003",
  );
  assertEquals(
    hex[3],
    "00000003" + "00000004" + toHex(utf8("no such torrent")),
  );
});

Deno.test("UDP requests and replies come back from their bytes", () => {
  for (const request of REQUESTS) {
    assertEquals(decodeUdpRequest(encodeUdpRequest(request)), request);
  }
  for (const reply of REPLIES) {
    assertEquals(decodeUdpReply(encodeReply(reply), "ipv4"), reply);
  }
});

Deno.test("writeUdpAnnounceReply fills a frame with as many peers as udpPeerCapacity says", () => {
  for (const family of ["ipv4", "ipv6"] as const) {
    const peers = Array.from({ length: udpPeerCapacity(family) }, (_, at) => ({
      host: family === "ipv4" ? `10.0.0.${at}` : `2001:db8::${at + 1}`,
      port: 1 + at,
      peerId: null,
    }));
    const announce = {
      ...{ intervalSeconds: 1, seeders: 0, leechers: 0, warning: null, peers },
    };
    const bytes = encodeReply(
      { kind: "announce", transactionId: 1, announce },
      family,
    );
    assert(bytes.length <= 1452 && bytes.length > 1452 - 18);
    const reply = decodeUdpReply(bytes, family);
    assert(reply.kind === "announce");
    assertEquals(reply.announce.peers, peers);
  }
});

Deno.test("decodeUdpRequest reads the options of BEP 41", () => {
  const announce = encodeUdpRequest(REQUESTS[1]!);
  const read = (options: Uint8Array) => {
    const request = decodeUdpRequest(concat(announce, options));
    assert(request.kind === "announce");
    return request.urlData;
  };
  const path = (text: string) =>
    concat(Uint8Array.of(2, text.length), utf8(text));
  // The BEP's own example: URLData /dir?a=b&c=d, cut in two, and an end.
  assertEquals(
    read(concat(path("/dir?a=b"), path("&c=d"), Uint8Array.of(0))),
    "/dir?a=b&c=d",
  );
  assertEquals(read(concat(Uint8Array.of(1, 1), path("/x"))), "/x");
  // What follows the end does not count; an option of another kind is passed over.
  assertEquals(read(concat(path("/x"), Uint8Array.of(0, 2, 200))), "/x");
  assertEquals(read(concat(Uint8Array.of(77, 2, 9, 9), path("/x"))), "/x");
  assertEquals(read(path("")), "");
  assertEquals(read(Uint8Array.of(0)), undefined);
  assertEquals(read(new Uint8Array()), undefined);
  for (const cut of [[2], [2, 5, 0x2f], [77, 1], [1, 2, 9]]) {
    const error = assertThrows(() => read(Uint8Array.from(cut)), ProtocolError);
    assertEquals(error.code, "datagram-malformed");
  }
});

Deno.test("decodeUdpRequest refuses what is none", () => {
  const announce = encodeUdpRequest(REQUESTS[1]!);
  const changed = (at: number, hex: string) => {
    const bytes = announce.slice();
    bytes.set(fromHex(hex), at);
    return bytes;
  };
  const bad = [
    new Uint8Array(),
    announce.subarray(0, 97),
    changed(8, "00000003"),
    changed(80, "00000005"),
    changed(96, "0000"),
    // Connect with another magic number.
    fromHex("0000041727101981" + "00000000" + "deadbeef"),
    // Scrapes of nothing, of a part of a hash and of 75 torrents.
    fromHex("0000000000000005" + "00000002" + "00000007"),
    fromHex("0000000000000005" + "00000002" + "00000007" + "00"),
    fromHex("0000000000000005" + "00000002" + "00000007" + "00".repeat(1500)),
  ];
  for (const bytes of bad) {
    const error = assertThrows(() => decodeUdpRequest(bytes), ProtocolError);
    assertEquals(error.code, "datagram-malformed");
  }
});

Deno.test("decodeUdpRequest takes libtorrent's number for a partial seed (BEP 21) as no event", () => {
  const paused = encodeUdpRequest(REQUESTS[1]!);
  paused.set(fromHex("00000004"), 80);
  const request = decodeUdpRequest(paused);
  assert(request.kind === "announce");
  assertEquals(request.announce.event, "none");
});

Deno.test("udpRequestTransaction finds whom to answer when an announce is malformed", () => {
  const announce = encodeUdpRequest(REQUESTS[1]!);
  assertEquals(udpRequestTransaction(announce.subarray(0, 16)), 1);
  assertEquals(udpRequestTransaction(announce.subarray(0, 15)), null);
  assertEquals(udpRequestTransaction(encodeUdpRequest(REQUESTS[0]!)), null);
});

Deno.test("UDP decoders throw nothing but ProtocolError (seed 41)", () => {
  const options = { seed: 41, rounds: 5000 };
  const seen = [
    fuzz(REQUESTS.map(encodeUdpRequest), decodeUdpRequest, options),
    fuzz(
      REPLIES.map((reply) => encodeReply(reply)),
      (bytes) => decodeUdpReply(bytes, "ipv4"),
      options,
    ),
    fuzz(
      REPLIES.map((reply) => encodeReply(reply, "ipv6")),
      (bytes) => decodeUdpReply(bytes, "ipv6"),
      options,
    ),
  ];
  for (const { accepted, refused } of seen) {
    assert(accepted > 100 && refused > 100, JSON.stringify(seen));
  }
});

Deno.test("ConnectionIds accepts its id from the same address for two minutes", () => {
  const ids = new ConnectionIds(utf8("0123456789abcdef"));
  const other = new ConnectionIds(utf8("another secret!!"));
  const address = Uint8Array.of(10, 0, 0, 1);
  const shown = (id: bigint) =>
    encodeUdpRequest({
      ...{ kind: "scrape", transactionId: 1, infoHashes: [HASH] },
      connectionId: id,
    });
  for (const issuedAtMs of [0, 1, 999, 119_999, 120_000, 1e9, 65_536_000 * 3]) {
    const id = ids.issue({ address, nowMs: issuedAtMs });
    const accepts = (afterMs: number, from = address, shownId = id) =>
      ids.accepts(shown(shownId), {
        address: from,
        nowMs: issuedAtMs + afterMs,
      });
    assert(accepts(0) && accepts(60_000) && accepts(120_000));
    assert(!accepts(121_001) && !accepts(240_000));
    // Its 16 bits of time have come round: still too old.
    assert(!accepts(65_536_000));
    assert(!accepts(0, Uint8Array.of(10, 0, 0, 2)));
    assert(!accepts(0, new Uint8Array(16)));
    for (let bit = 0n; bit < 64n; bit++) {
      assert(!accepts(0, address, id ^ 1n << bit), `bit ${bit}`);
    }
    assert(!other.accepts(shown(id), { address, nowMs: issuedAtMs }));
  }
  const six = new Uint8Array(16).fill(0x20);
  const id = ids.issue({ address: six, nowMs: 5 });
  assert(ids.accepts(shown(id), { address: six, nowMs: 5 }));
});
