import { assert, assertEquals } from "@std/assert";
import {
  allowedFastCount,
  allowedFastSet,
} from "../../../../../lib/bittorrent/swarm/pieces/allowed_fast.ts";
import { TokenBucket } from "../../../../../lib/model/token_bucket.ts";
import type { WireMessage } from "../../../../../lib/bittorrent/wire/messages.ts";
import { sha1, SwarmTalk } from "../../../../support/swarm_talk.ts";

const FAST = { features: { fast: true } };
/** What 80.4.4.0/24 is allowed of 100 pieces with info-hash 07 07 …; the count is that of a torrent of 100 pieces. */
const ALLOWED = allowedFastSet({
  host: "80.4.4.7",
  infoHash: new Uint8Array(20).fill(7),
  pieceCount: 100,
  count: 6,
  sha1,
});

function requests(messages: readonly WireMessage[]) {
  return messages.filter((message) => message.kind === "request");
}

function kinds(messages: readonly WireMessage[]): string[] {
  return messages.map(({ kind }) => kind);
}

function block(pieceIndex: number, at = 0) {
  return { pieceIndex, begin: at * 16_384, lengthBytes: 16_384 };
}

Deno.test("allowedFastSet computes the sets BEP 6 gives as its example", () => {
  const options = {
    host: "80.4.4.200",
    infoHash: new Uint8Array(20).fill(0xaa),
    pieceCount: 1313,
    sha1,
  };
  const seven = [1059, 431, 808, 1217, 287, 376, 1188];
  assertEquals(allowedFastSet({ ...options, count: 7 }), seven);
  assertEquals(
    allowedFastSet({ ...options, count: 9 }),
    [...seven, 353, 508],
  );
  assertEquals(
    allowedFastSet({ ...options, count: 7, host: "::ffff:80.4.4.1" }),
    seven,
  );
  assertEquals(allowedFastSet({ ...options, host: "fd00::1", count: 7 }), []);
  assertEquals(
    allowedFastSet({ ...options, pieceCount: 3, count: 9 }).sort(),
    [0, 1, 2],
  );
  assertEquals([15, 16, 100, 9999].map(allowedFastCount), [0, 1, 6, 10]);
});

Deno.test("Swarm says have-all, have-none or a bitfield, and only to those who announce BEP 6", () => {
  const cases = [
    ["all", true, ["have-all"]],
    ["all", false, ["bitfield"]],
    [[], true, ["have-none"]],
    [[], false, []],
    [[4], true, ["bitfield"]],
    [[4], false, ["bitfield"]],
  ] as const;
  for (const [have, fast, said] of cases) {
    const peer = SwarmTalk.create({ have }).accept({ features: { fast } });
    const heard = peer.heard().filter(({ kind }) =>
      kind !== "allowed-fast" && kind !== "extended"
    );
    assertEquals(kinds(heard), [...said]);
  }
});

Deno.test("Swarm ends the connection of a peer that says messages of BEP 6 without having announced it", () => {
  for (
    const message of [
      { kind: "have-all" },
      { kind: "have-none" },
      { kind: "suggest", pieceIndex: 1 },
      { kind: "allowed-fast", pieceIndex: 1 },
      { kind: "reject", ...block(1) },
    ] as const
  ) {
    const talk = SwarmTalk.create();
    const peer = talk.accept();
    peer.say(message);
    assert(peer.isClosed, message.kind);
    assertEquals(
      talk.events.find((event) => event.type === "protocol.violated")?.code,
      "fast-not-agreed",
    );
  }
  const peer = SwarmTalk.create().accept(FAST);
  peer.say({ kind: "suggest", pieceIndex: 99 });
  assert(!peer.isClosed);
  peer.say({ kind: "suggest", pieceIndex: 100 });
  assert(peer.isClosed);
});

Deno.test("Swarm serves a choked newcomer its allowed pieces, rejects others, and stops when it has enough", () => {
  const talk = SwarmTalk.create({ have: "all", unchokeSlots: 0 });
  // The one slot there is goes to the first who wants it, that of those who have nothing to the second.
  talk.accept(FAST).say({ kind: "interested" });
  talk.accept(FAST).say({ kind: "interested" });
  const peer = talk.accept(FAST);
  peer.say({ kind: "interested" });
  const offered = peer.heard().flatMap((message) =>
    message.kind === "allowed-fast" ? [message.pieceIndex] : []
  );
  assertEquals(offered, ALLOWED);
  const other = [0, 1, 2, 3, 4, 5, 6].find((at) => !offered.includes(at))!;
  peer.say(
    { kind: "request", ...block(offered[0]!) },
    { kind: "request", ...block(other) },
    { kind: "request", ...block(offered[1]!, 3) },
  );
  const answers = peer.heard();
  assertEquals(kinds(answers).sort(), ["piece", "piece", "reject"]);
  assertEquals(
    answers.find(({ kind }) => kind === "reject"),
    { kind: "reject", ...block(other) },
  );
  for (let pieceIndex = 0; pieceIndex < 11; pieceIndex++) {
    peer.say({ kind: "have", pieceIndex });
  }
  peer.say({ kind: "request", ...block(offered[2]!) });
  assertEquals(kinds(peer.heard()), ["reject"]);
});

Deno.test("Swarm offers no pieces to choked peers as a free rider, as a spreading seed, or without the fast extension", () => {
  for (
    const [options, features] of [
      [{ freeRide: true }, { fast: true }],
      [{ superSeed: true }, { fast: true }],
      [{}, { fast: false }],
    ] as const
  ) {
    const peer = SwarmTalk.create({ have: "all", ...options }).accept({
      features,
    });
    assert(!kinds(peer.heard()).includes("allowed-fast"));
  }
});

Deno.test("Swarm rejects what a peer waits for as it chokes it, choke first, and what the peer cancels", () => {
  // No block passes the limit, so that requests stay in line.
  const upload = new TokenBucket({ bytesPerSecond: 1 }, 0);
  upload.spend(100_000);
  const talk = SwarmTalk.create({ have: "all", unchokeSlots: 0, upload });
  const peer = talk.accept(FAST);
  peer.say({ kind: "interested" });
  for (const pieceIndex of [50, 51, ALLOWED[0]!]) {
    peer.say({ kind: "request", ...block(pieceIndex) });
  }
  peer.heard();
  peer.say({ kind: "cancel", ...block(51) });
  assertEquals(peer.heard(), [{ kind: "reject", ...block(51) }]);
  peer.say({ kind: "not-interested" });
  talk.wait(10_000);
  assertEquals(peer.heard(), [
    { kind: "choke" },
    { kind: "reject", ...block(50) },
  ]);
});

Deno.test("Swarm asks for allowed pieces while it is choked, and not again for what is rejected", () => {
  const talk = SwarmTalk.create();
  const peer = talk.accept(FAST);
  peer.say({ kind: "allowed-fast", pieceIndex: 8 }, {
    kind: "allowed-fast",
    pieceIndex: 9,
  });
  assertEquals(requests(peer.heard()), []);
  peer.say({ kind: "have", pieceIndex: 9 });
  const asked = requests(peer.heard());
  assertEquals(asked.map(({ pieceIndex }) => pieceIndex), [9, 9, 9, 9]);
  for (const request of asked) peer.say({ ...request, kind: "reject" });
  talk.wait(5_000);
  assertEquals(requests(peer.heard()), []);
  peer.say({ kind: "have-all" });
  assertEquals(
    requests(peer.heard()).map(({ pieceIndex }) => pieceIndex),
    [8, 8, 8, 8],
  );
  peer.give(block(8));
  assert(!peer.isClosed);
});

Deno.test("Swarm keeps its requests when a fast peer chokes it, and asks others for what is rejected at once", () => {
  const talk = SwarmTalk.create({ totalBytes: 65_536 });
  const options = { ...FAST, pieceCount: 1 };
  const first = talk.accept(options);
  first.say({ kind: "have-all" }, { kind: "unchoke" });
  const asked = requests(first.heard());
  assertEquals(asked.length, 4);
  first.say({ kind: "choke" });
  first.give(asked[0]!);
  const second = talk.accept(options);
  second.say({ kind: "have-all" }, { kind: "unchoke" });
  // End game: it is asked for the three that are outstanding, too.
  assertEquals(requests(second.heard()).length, 3);
  const third = talk.accept(options);
  third.say({ kind: "have-all" }, { kind: "unchoke" });
  // A third for one only: it has nothing else to do.
  assertEquals(requests(third.heard()), [asked[1]]);
  first.say({ ...asked[2]!, kind: "reject" });
  assertEquals(requests(third.heard()), [asked[2]]);
});

Deno.test("Swarm pauses for a second when a peer rejects without choking, and ends a flood of rejects", () => {
  const talk = SwarmTalk.create({ totalBytes: 65_536 });
  const peer = talk.accept({ ...FAST, pieceCount: 1 });
  peer.say({ kind: "have-all" }, { kind: "unchoke" });
  const [first] = requests(peer.heard());
  peer.say({ ...first!, kind: "reject" });
  assertEquals(requests(peer.heard()), []);
  talk.wait(1_000);
  assertEquals(requests(peer.heard()), [first]);
  for (let reject = 0; reject < 1_010 && !peer.isClosed; reject++) {
    peer.say({ kind: "reject", ...block(0, 77) });
  }
  assert(peer.isClosed);
});

Deno.test("Swarm drops requests at a choke at once when the peer has no fast extension", () => {
  const talk = SwarmTalk.create({ totalBytes: 65_536 });
  const first = talk.accept({ pieceCount: 1 });
  first.say({ kind: "have", pieceIndex: 0 }, { kind: "unchoke" });
  assertEquals(requests(first.heard()).length, 4);
  first.say({ kind: "choke" });
  const second = talk.accept({ pieceCount: 1 });
  second.say({ kind: "have", pieceIndex: 0 }, { kind: "unchoke" });
  assertEquals(requests(second.heard()).length, 4);
});

Deno.test("Swarm ends the connection of a choked peer that asks without end", () => {
  const talk = SwarmTalk.create({ have: "all", unchokeSlots: 0 });
  talk.accept(FAST).say({ kind: "interested" });
  const peer = talk.accept(FAST);
  for (let asked = 0; asked < 4_100 && !peer.isClosed; asked++) {
    peer.say({ kind: "request", ...block(99) });
  }
  assert(peer.isClosed);
});
