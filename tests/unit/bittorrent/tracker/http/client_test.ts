import { assert, assertEquals, assertThrows } from "@std/assert";
import { encodeBencode } from "../../../../../lib/bittorrent/bencode.ts";
import {
  encodeFailure,
  escapeBytes,
} from "../../../../../lib/bittorrent/tracker/http/messages.ts";
import {
  announceUrlOf,
  decodeAnnounceReply,
  decodeScrapeReply,
  scrapeUrlOf,
  TrackerRefusal,
} from "../../../../../lib/bittorrent/tracker/http/client.ts";
import { utf8 } from "../../../../../lib/core/bytes.ts";
import { ProtocolError } from "../../../../../lib/core/errors.ts";

const HASH = Uint8Array.from({ length: 20 }, (_, at) => at * 13);
const REQUEST = {
  ...{ infoHash: HASH, peerId: utf8("-RC0001-abcdefghijkl"), port: 6881 },
  ...{ uploadedBytes: 1, downloadedBytes: 2, leftBytes: 3, numWant: 30 },
  event: "started",
} as const;

function codeOf(run: () => unknown): string {
  return assertThrows(run, ProtocolError).code;
}

Deno.test("scrapeUrlOf follows the convention of BEP 48", () => {
  const cases: readonly (readonly [string, string | null])[] = [
    ["http://example.com/announce", "http://example.com/scrape"],
    ["http://example.com/x/announce", "http://example.com/x/scrape"],
    ["http://example.com/announce.php", "http://example.com/scrape.php"],
    ["http://example.com/a", null],
    [
      "http://example.com/announce?x=2%0644",
      "http://example.com/scrape?x=2%0644",
    ],
    ["http://example.com/x%064announce", null],
    ["http://example.com/announce?x=2/4", "http://example.com/scrape?x=2/4"],
    ["http://example.com/announce/x", null],
  ];
  for (const [announce, scrape] of cases) {
    assertEquals(scrapeUrlOf(announce, []), scrape, announce);
  }
  assertEquals(
    scrapeUrlOf("http://a/announce", [HASH]),
    `http://a/scrape?info_hash=${escapeBytes(HASH)}`,
  );
});

Deno.test("decodeAnnounceReply reads what other trackers send", () => {
  const read = (reply: Parameters<typeof encodeBencode>[0]) =>
    decodeAnnounceReply(encodeBencode(reply));
  assertEquals(read({ interval: 60 }).peers, []);
  assertEquals(read({ peers: "" }).intervalSeconds, 1800);
  assertEquals(read({ interval: 10 ** 9, peers: "" }).intervalSeconds, 86_400);
  assertEquals(read({ interval: 5, peers: "" }).seeders, null);
  assertEquals(
    read({ interval: 5, peers: "", "warning message": "be\nkind" }).warning,
    "be kind",
  );
  const peers = [{ ip: "tracker.example", port: 80, "peer id": "short" }, {
    ip: "10.0.0.1",
    port: 0,
  }];
  assertEquals(read({ interval: 5, peers }).peers, [
    { host: "tracker.example", port: 80, peerId: null },
  ]);
  // Keys out of order: wrong, seen in the wild, and harmless.
  assertEquals(
    decodeAnnounceReply(utf8("d5:peers0:8:intervali9ee")).intervalSeconds,
    9,
  );
});

Deno.test("decodeAnnounceReply and decodeScrapeReply tell a refusal from a malformed reply", () => {
  const bad = [
    utf8("<html>404</html>"),
    utf8("le"),
    encodeBencode({ interval: -1, peers: "" }),
    encodeBencode({ interval: "soon", peers: "" }),
    encodeBencode({ interval: 5, peers: "12345" }),
    encodeBencode({ interval: 5, peers: 7 }),
    encodeBencode({ interval: 5, peers: [7] }),
    encodeBencode({ interval: 5, peers: [{ ip: "a b", port: 1 }] }),
    encodeBencode({ interval: 5, peers: [{ ip: "10.0.0.1", port: 70_000 }] }),
    encodeBencode({ interval: 5, peers: "", peers6: "1234567" }),
  ];
  for (const bytes of bad) {
    assertEquals(
      codeOf(() => decodeAnnounceReply(bytes)),
      "tracker-reply-malformed",
    );
  }
  assertEquals(
    codeOf(() => decodeScrapeReply(encodeBencode({ files: { x: 1 } }))),
    "tracker-reply-malformed",
  );
  const refusal = encodeFailure("no");
  assertEquals(codeOf(() => decodeAnnounceReply(refusal)), "tracker-refused");
  assertEquals(codeOf(() => decodeScrapeReply(refusal)), "tracker-refused");
});

Deno.test("decodeAnnounceReply reads when a tracker that refuses wants to be asked again (BEP 31)", () => {
  const cases = [
    [5, 300_000],
    [10_000, 86_400_000],
    ["never", Infinity],
    ["soon", undefined],
    [0, undefined],
    [-1, undefined],
    [undefined, undefined],
  ] as const;
  for (const [retryIn, retryMs] of cases) {
    const refusal = assertThrows(
      () =>
        decodeAnnounceReply(
          encodeBencode({ "failure reason": "full", "retry in": retryIn }),
        ),
      TrackerRefusal,
    );
    assertEquals(refusal.retryMs, retryMs, String(retryIn));
  }
});

Deno.test("announceUrlOf sends a tracker's id back, byte by byte", () => {
  const trackerId = Uint8Array.of(0x61, 0x00, 0xff);
  const url = announceUrlOf("http://a/announce", { ...REQUEST, trackerId });
  assert(url.endsWith("&trackerid=a%00%FF"), url);
});
