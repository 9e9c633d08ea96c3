import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConnectionIds } from "../../../lib/bittorrent/tracker_connection_ids.ts";
import type { AnnounceRequest } from "../../../lib/bittorrent/tracker_messages.ts";
import {
  decodeUdpReply,
  decodeUdpRequest,
  encodeUdpReply,
  encodeUdpRequest,
  udpPeerCapacity,
  udpRequestHead,
  type UdpTrackerReply,
  type UdpTrackerRequest,
} from "../../../lib/bittorrent/tracker_udp.ts";
import { concat, fromHex, toHex, utf8 } from "../../../lib/core/bytes.ts";
import { ProtocolError } from "../../../lib/core/errors.ts";
import { sha256 } from "../../../lib/io/hash.ts";
import { fuzz } from "./_fuzz.ts";

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
  const hex = REPLIES.map((reply) => toHex(encodeUdpReply(reply, "ipv4")));
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
    assertEquals(decodeUdpReply(encodeUdpReply(reply, "ipv4"), "ipv4"), reply);
  }
});

Deno.test("encodeUdpReply writes peers of the asker's family only, as many as fit", () => {
  const peers = Array.from({ length: 900 }, (_, index) => ({
    host: index % 2 === 0
      ? `10.0.${index >> 8}.${index & 255}`
      : `2001:db8::${index}`,
    port: 1 + index,
    peerId: null,
  }));
  const announce = {
    intervalSeconds: 1,
    seeders: 0,
    leechers: 0,
    warning: null,
    peers,
  };
  for (const family of ["ipv4", "ipv6"] as const) {
    const bytes = encodeUdpReply(
      { kind: "announce", transactionId: 1, announce },
      family,
    );
    assert(bytes.length <= 1452);
    const reply = decodeUdpReply(bytes, family);
    assert(reply.kind === "announce");
    const wanted = peers
      .filter((peer) => peer.host.includes(":") === (family === "ipv6"))
      .slice(0, udpPeerCapacity(family));
    assertEquals(reply.announce.peers, wanted);
  }
});

Deno.test("decodeUdpRequest refuses what is none, and ignores what follows an announce (BEP 41)", () => {
  const announce = encodeUdpRequest(REQUESTS[1]!);
  assertEquals(
    decodeUdpRequest(concat(announce, utf8("\x02\x05/path"))),
    REQUESTS[1],
  );
  const changed = (at: number, hex: string) => {
    const bytes = announce.slice();
    bytes.set(fromHex(hex), at);
    return bytes;
  };
  const bad = [
    new Uint8Array(),
    announce.subarray(0, 97),
    changed(8, "00000003"),
    changed(80, "00000004"),
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

Deno.test("udpRequestHead finds whom to answer when an announce is malformed", () => {
  const announce = encodeUdpRequest(REQUESTS[1]!);
  assertEquals(udpRequestHead(announce.subarray(0, 16)), {
    connectionId: 2n ** 64n - 1n,
    transactionId: 1,
  });
  assertEquals(udpRequestHead(announce.subarray(0, 15)), null);
  assertEquals(udpRequestHead(encodeUdpRequest(REQUESTS[0]!)), null);
});

Deno.test("UDP decoders throw nothing but ProtocolError (seed 41)", () => {
  const options = { seed: 41, rounds: 5000 };
  const seen = [
    fuzz(REQUESTS.map(encodeUdpRequest), decodeUdpRequest, options),
    fuzz(
      REPLIES.map((reply) => encodeUdpReply(reply, "ipv4")),
      (bytes) => decodeUdpReply(bytes, "ipv4"),
      options,
    ),
    fuzz(
      REPLIES.map((reply) => encodeUdpReply(reply, "ipv6")),
      (bytes) => decodeUdpReply(bytes, "ipv6"),
      options,
    ),
  ];
  for (const { accepted, refused } of seen) {
    assert(accepted > 100 && refused > 100, JSON.stringify(seen));
  }
});

Deno.test("ConnectionIds accepts its id from the same address for 2 to 4 minutes", () => {
  const ids = new ConnectionIds({
    hash: sha256,
    secret: utf8("0123456789abcdef"),
  });
  const other = new ConnectionIds({
    hash: sha256,
    secret: utf8("another secret!!"),
  });
  for (const issuedAtMs of [0, 1, 119_999, 120_000, 1e9]) {
    const id = ids.issue("10.0.0.1", issuedAtMs);
    assert(ids.accepts(id, "10.0.0.1", issuedAtMs));
    assert(ids.accepts(id, "10.0.0.1", issuedAtMs + 120_000));
    assert(!ids.accepts(id, "10.0.0.1", issuedAtMs + 240_000));
    assert(!ids.accepts(id, "10.0.0.2", issuedAtMs));
    assert(!ids.accepts(id + 1n, "10.0.0.1", issuedAtMs));
    assert(!other.accepts(id, "10.0.0.1", issuedAtMs));
  }
});
