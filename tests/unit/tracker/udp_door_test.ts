import { assert, assertEquals } from "@std/assert";
import type { UdpTrackerRequest } from "../../../lib/bittorrent/tracker/udp/messages.ts";
import { encodeUdpRequest } from "../../../lib/bittorrent/tracker/udp/requests.ts";
import { utf8 } from "../../../lib/core/bytes.ts";
import { fuzz } from "../bittorrent/_fuzz.ts";
import { connect, HASH, openTracker, request } from "./_open_tracker.ts";

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
