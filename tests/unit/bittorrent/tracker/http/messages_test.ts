import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  encodeBencode,
  keyOfBytes,
} from "../../../../../lib/bittorrent/bencode.ts";
import {
  encodeAnnounceReply,
  encodeScrapeReply,
  escapeBytes,
  type HttpAnnounceAnswer,
  parseAnnounceQuery,
  parseScrapeQuery,
} from "../../../../../lib/bittorrent/tracker/http/messages.ts";
import {
  announceUrlOf,
  decodeAnnounceReply,
  decodeScrapeReply,
} from "../../../../../lib/bittorrent/tracker/http/client.ts";
import type { AnnounceRequest } from "../../../../../lib/bittorrent/tracker/messages.ts";
import { NO_PEERS } from "../../../../../lib/bittorrent/tracker/table/peer_draw.ts";
import { concat, utf8 } from "../../../../../lib/core/bytes.ts";
import { ProtocolError } from "../../../../../lib/core/errors.ts";
import { seededRng } from "../../../../../lib/core/rng.ts";
import { fuzz } from "../../_fuzz.ts";

const HASH = Uint8Array.from({ length: 20 }, (_, at) => at * 13);
const ID = utf8("-RC0001-abcdefghijkl");
const REQUEST: AnnounceRequest = {
  infoHash: HASH,
  peerId: ID,
  port: 6881,
  uploadedBytes: 1,
  downloadedBytes: 2,
  leftBytes: 3,
  event: "started",
  numWant: 30,
};
const FIELDS: Readonly<Record<string, string>> = {
  "info_hash": escapeBytes(HASH),
  "peer_id": "-RC0001-abcdefghijkl",
  port: "6881",
  uploaded: "1",
  downloaded: "2",
  left: "3",
};

function query(change: Readonly<Record<string, string | null>> = {}): string {
  return Object.entries({ ...FIELDS, ...change })
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${value}`).join("&");
}

function codeOf(run: () => unknown): string {
  return assertThrows(run, ProtocolError).code;
}

Deno.test("parseAnnounceQuery reads any 20 bytes, however they are escaped", () => {
  const rng = seededRng(9);
  for (let round = 0; round < 300; round++) {
    const hash = Uint8Array.from({ length: 20 }, () => rng() * 256);
    let text = "";
    for (const byte of hash) {
      const hex = byte.toString(16).padStart(2, "0");
      const plain = String.fromCharCode(byte);
      if (byte === 0x20 && rng() < 0.5) text += "+";
      else if (/[A-Za-z0-9._~!'()*,:@/?-]/.test(plain) && rng() < 0.7) {
        text += plain;
      } else text += `%${rng() < 0.5 ? hex : hex.toUpperCase()}`;
    }
    assertEquals(
      parseAnnounceQuery(query({ info_hash: text })).infoHash,
      hash,
      text,
    );
  }
});

Deno.test("parseAnnounceQuery reads events, numwant and the form of the answer", () => {
  const read = (change: Record<string, string | null>) =>
    parseAnnounceQuery(query(change));
  assertEquals(read({}).event, "none");
  for (const event of ["started", "stopped", "completed"] as const) {
    assertEquals(read({ event }).event, event);
  }
  for (const event of ["", "empty", "none", "paused"]) {
    assertEquals(read({ event }).event, "none");
  }
  assertEquals(read({}).numWant, null);
  assertEquals(read({ numwant: "-1" }).numWant, null);
  assertEquals(read({ numwant: "0" }).numWant, 0);
  assertEquals(read({ numwant: "7" }).numWant, 7);
  assertEquals(read({}).compact, false);
  assertEquals(read({ compact: "0" }).compact, false);
  assertEquals(read({ compact: "1", no_peer_id: "1" }).compact, true);
  assertEquals(read({ no_peer_id: "1" }).noPeerId, true);
  const families = (change: Record<string, string>) => read(change).families;
  assertEquals(families({ ipv6: "2001:db8::1" }), { ipv4: false, ipv6: true });
  assertEquals(families({ ipv6: "%5B2001:db8::1%5D:6881" }).ipv6, true);
  assertEquals(families({ ipv4: "10.0.0.1:6881" }).ipv4, true);
  assertEquals(families({ ipv4: "tracker.example" }).ipv4, false);
  assertEquals(read({ left: "9223372036854775807" }).leftBytes, 2 ** 63);
  assertEquals(read({ ip: "10.0.0.9", key: "%00", x: "y" }).port, 6881);
  assertEquals(
    parseAnnounceQuery(`?&&${query()}&flag`).downloadedBytes,
    2,
  );
});

Deno.test("parseAnnounceQuery refuses each malformed field with query-malformed", () => {
  const changes: readonly Record<string, string | null>[] = [
    { info_hash: null },
    { info_hash: "" },
    { info_hash: "abc" },
    { info_hash: FIELDS["info_hash"] + "a" },
    { info_hash: "%zz" + "a".repeat(19) },
    { info_hash: "a".repeat(19) + "%4" },
    { info_hash: "é".repeat(20) },
    { peer_id: null },
    { peer_id: "short" },
    { port: null },
    { port: "" },
    { port: "0" },
    { port: "65536" },
    { port: "-1" },
    { port: "6881x" },
    { port: "1e3" },
    { uploaded: null },
    { uploaded: "-5" },
    { downloaded: null },
    { downloaded: "x" },
    { left: null },
    { left: "1.5" },
    { left: "99999999999999999999999" },
    { event: "gone" },
    { numwant: "many" },
    { compact: "yes" },
    { no_peer_id: "2" },
    { key: "k".repeat(129) },
    { trackerid: "t".repeat(129) },
    { x: "%" },
    { x: "%4" },
    { x: "%4x" },
    { x: "y".repeat(20_000) },
  ];
  for (const change of changes) {
    assertEquals(
      codeOf(() => parseAnnounceQuery(query(change))),
      "query-malformed",
    );
  }
  for (const [name, value] of Object.entries({ ...FIELDS, event: "started" })) {
    const twice = `event=stopped&${query()}&${name}=${value}`;
    const { code, message } = assertThrows(
      () => parseAnnounceQuery(twice),
      ProtocolError,
    );
    assertEquals(code, "query-malformed");
    assert(message.includes(name), message);
  }
  assertEquals(codeOf(() => parseAnnounceQuery("")), "query-malformed");
});

Deno.test("parseAnnounceQuery says what a number must be", () => {
  const messageOf = (change: Record<string, string>) =>
    assertThrows(() => parseAnnounceQuery(query(change)), ProtocolError)
      .message;
  assertEquals(
    messageOf({ numwant: "many" }),
    'numwant must be an integer and not negative, got "many"',
  );
  assertEquals(
    messageOf({ port: "0" }),
    'port must be an integer from 1 to 65535, got "0"',
  );
});

Deno.test("parseScrapeQuery reads none, one or many info-hashes", () => {
  const one = `info_hash=${escapeBytes(HASH)}`;
  assertEquals(parseScrapeQuery(""), []);
  assertEquals(parseScrapeQuery(`?${one}`), [HASH]);
  assertEquals(parseScrapeQuery(`${one}&x=1&${one}`), [HASH, HASH]);
  assertEquals(
    codeOf(() => parseScrapeQuery("info_hash=x")),
    "query-malformed",
  );
  const many = Array(201).fill(`info_hash=${"a".repeat(20)}`).join("&");
  assertEquals(codeOf(() => parseScrapeQuery(many)), "query-malformed");
});

Deno.test("announceUrlOf and parseAnnounceQuery are each other's inverse", () => {
  const url = announceUrlOf(
    "http://10.0.0.1:6969/announce?pass=x#frag",
    REQUEST,
  );
  assert(url.startsWith("http://10.0.0.1:6969/announce?pass=x&info_hash=%00"));
  const { compact, noPeerId, families, ...request } = parseAnnounceQuery(
    url.slice(url.indexOf("?")),
  );
  assertEquals(request, REQUEST);
  const named = { ...REQUEST, ip: "2001:db8::1" };
  const { ip } = parseAnnounceQuery(announceUrlOf("", named));
  assertEquals(ip, named.ip);
  assertEquals([compact, noPeerId], [true, false]);
  assertEquals(families, { ipv4: false, ipv6: false });
});

const ANSWER: HttpAnnounceAnswer = {
  intervalSeconds: 120,
  minIntervalSeconds: 60,
  seeders: 1,
  leechers: 2,
  // More bytes than count: what an earlier answer left there.
  ipv4: {
    count: 2,
    compact: Uint8Array.of(10, 0, 0, 1, 0x1a, 0xe1, 10, 0, 0, 2, 0, 1, 9, 9),
    ids: concat(ID, HASH, ID),
  },
  ipv6: {
    count: 1,
    compact: concat(
      Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      Uint8Array.of(0, 1, 0x1a, 0xe2),
    ),
    ids: ID,
  },
  externalIp: Uint8Array.of(10, 0, 0, 9),
  trackerId: "cafe0123",
};

Deno.test("encodeAnnounceReply writes the compact form of BEP 23 and BEP 7, with the address of BEP 24", () => {
  const form = { compact: true, noPeerId: false };
  const common = {
    complete: 1,
    incomplete: 2,
    interval: 120,
    "external ip": Uint8Array.of(10, 0, 0, 9),
    "min interval": 60,
    peers: Uint8Array.of(10, 0, 0, 1, 0x1a, 0xe1, 10, 0, 0, 2, 0, 1),
    "tracker id": "cafe0123",
  };
  assertEquals(
    encodeAnnounceReply(ANSWER, form),
    encodeBencode({ ...common, peers6: ANSWER.ipv6.compact }),
  );
  assertEquals(
    encodeAnnounceReply({ ...ANSWER, ipv6: NO_PEERS }, form),
    encodeBencode(common),
  );
});

Deno.test("encodeAnnounceReply writes the dictionary form of BEP 3, with and without peer ids", () => {
  const read = (answer: HttpAnnounceAnswer) =>
    decodeAnnounceReply(
      encodeAnnounceReply(answer, { compact: false, noPeerId: false }),
    );
  assertEquals(read(ANSWER), {
    intervalSeconds: 120,
    minIntervalSeconds: 60,
    trackerId: utf8("cafe0123"),
    seeders: 1,
    leechers: 2,
    warning: null,
    peers: [
      { host: "10.0.0.1", port: 6881, peerId: ID },
      { host: "10.0.0.2", port: 1, peerId: HASH },
      { host: "2001:db8::1", port: 6882, peerId: ID },
    ],
  });
  const bare = read({ ...ANSWER, ipv4: { ...ANSWER.ipv4, ids: null } });
  assertEquals(bare.peers.map((peer) => peer.peerId), [null, null, ID]);
});

Deno.test("encodeScrapeReply and decodeScrapeReply are each other's inverse", () => {
  const entries = [
    { infoHash: HASH, seeders: 1, leechers: 2, completed: 3 },
    { infoHash: ID, seeders: 0, leechers: 0, completed: 0 },
  ];
  const byKey = (a: typeof entries[number], b: typeof entries[number]) =>
    keyOfBytes(a.infoHash) < keyOfBytes(b.infoHash) ? -1 : 1;
  assertEquals(
    decodeScrapeReply(encodeScrapeReply(entries)),
    entries.toSorted(byKey),
  );
});

Deno.test("decodeScrapeReply reads info-hashes that were written as text", () => {
  const files = { [String.fromCharCode(...HASH)]: { complete: 4 } };
  const [entry] = decodeScrapeReply(encodeBencode({ files }));
  assertEquals([entry?.infoHash, entry?.seeders], [HASH, 4]);
});

Deno.test("tracker_http decoders throw nothing but ProtocolError (seed 31)", () => {
  const replies = [
    encodeAnnounceReply(ANSWER, { compact: true, noPeerId: false }),
    encodeAnnounceReply(ANSWER, { compact: false, noPeerId: false }),
  ];
  const text = (bytes: Uint8Array) =>
    Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const options = { seed: 31, rounds: 5000 };
  const seen = [
    fuzz(replies, decodeAnnounceReply, options),
    fuzz(
      [encodeScrapeReply([{
        infoHash: HASH,
        seeders: 1,
        leechers: 2,
        completed: 3,
      }])],
      decodeScrapeReply,
      options,
    ),
    fuzz(
      [utf8(query({ event: "started", numwant: "5", compact: "1" }))],
      (bytes) => parseAnnounceQuery(text(bytes)),
      options,
    ),
    fuzz(
      [utf8(`info_hash=${FIELDS["info_hash"]}`)],
      (bytes) => parseScrapeQuery(text(bytes)),
      options,
    ),
  ];
  for (const { accepted, refused } of seen) {
    assert(accepted > 10 && refused > 100, JSON.stringify(seen));
  }
});
