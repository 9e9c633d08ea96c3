import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Swarm } from "../../../../../lib/bittorrent/swarm/swarm.ts";
import type { WireMessage } from "../../../../../lib/bittorrent/wire/messages.ts";
import { SwarmTalk } from "../../../../support/swarm_talk.ts";

/** A swarm of 100 pieces of 4 blocks that asks for nothing by itself, and a peer that has them all. */
function demandAtSeed() {
  const talk = SwarmTalk.create({ onDemand: true, picker: "sequential" });
  const seed = talk.accept({ features: { fast: true } });
  seed.say({ kind: "have-all" }, { kind: "unchoke" });
  return { talk, seed };
}

function asked(messages: readonly WireMessage[], kind: "request" | "cancel") {
  return messages.flatMap((message) =>
    message.kind === kind
      ? [`${message.pieceIndex}:${message.begin / 16_384}`]
      : []
  );
}

Deno.test("Swarm on demand is interested, and asks for what is wanted only, in order", () => {
  const { talk, seed } = demandAtSeed();
  const before = seed.heard();
  assert(before.some(({ kind }) => kind === "interested"));
  assertEquals(asked(before, "request"), []);
  talk.wait(2000);
  assertEquals(asked(seed.heard(), "request"), []);
  talk.feed({ kind: "want", pieces: [41, 40] });
  const first = asked(seed.heard(), "request");
  assertEquals(first.slice(0, 4), ["40:0", "40:1", "40:2", "40:3"]);
  for (let at = 0; at < 4; at++) {
    seed.give({ pieceIndex: 40, begin: at * 16_384, lengthBytes: 16_384 });
  }
  const verified = talk.events.filter(({ type }) => type === "piece.verified");
  assertEquals(verified.length, 1);
  const later = asked(seed.heard(), "request");
  assertEquals(
    [...first, ...later].slice(4),
    ["41:0", "41:1", "41:2", "41:3"],
  );
});

Deno.test("Swarm on demand calls off what is not wanted any more, and can want it again", () => {
  const { talk, seed } = demandAtSeed();
  talk.feed({ kind: "want", pieces: [7] });
  seed.give({ pieceIndex: 7, begin: 0, lengthBytes: 16_384 });
  seed.heard();
  talk.feed({ kind: "unwant", pieces: [7] });
  assertEquals(asked(seed.heard(), "cancel"), ["7:1", "7:2", "7:3"]);
  // What crossed the cancels is no offence.
  for (let at = 1; at < 4; at++) {
    seed.give({ pieceIndex: 7, begin: at * 16_384, lengthBytes: 16_384 });
  }
  talk.wait(1000);
  assertEquals(asked(seed.heard(), "request"), []);
  talk.feed({ kind: "want", pieces: [7] });
  assertEquals(asked(seed.heard(), "request"), ["7:0", "7:1", "7:2", "7:3"]);
});

Deno.test("Swarm on demand survives thousands of blocks that cross its cancels", () => {
  const { talk, seed } = demandAtSeed();
  for (let round = 0; round < 400; round++) {
    talk.feed({ kind: "want", pieces: [5] });
    talk.feed({ kind: "unwant", pieces: [5] });
    for (let at = 0; at < 4; at++) {
      seed.say({
        kind: "reject",
        pieceIndex: 5,
        begin: at * 16_384,
        lengthBytes: 16_384,
      });
    }
  }
  assert(!seed.isClosed);
});

Deno.test("Swarm takes a piece that came by another way, tells everyone and serves it", () => {
  const { talk, seed } = demandAtSeed();
  const other = talk.accept();
  other.say({ kind: "interested" });
  talk.feed({ kind: "want", pieces: [3] });
  seed.give({ pieceIndex: 3, begin: 0, lengthBytes: 16_384 });
  seed.heard();
  other.heard();
  const bytes = new Uint8Array(65_536).fill(9);
  talk.feed({ kind: "supplied", pieceIndex: 3, bytes });
  const told = seed.heard();
  assertEquals(asked(told, "cancel"), ["3:1", "3:2", "3:3"]);
  assert(told.some((each) => each.kind === "have" && each.pieceIndex === 3));
  bytes.fill(0); // The machine has its own.
  other.say({ kind: "request", pieceIndex: 3, begin: 0, lengthBytes: 16_384 });
  const pieces = other.heard().filter(({ kind }) => kind === "piece");
  assertEquals(
    pieces.map((each) => each.kind === "piece" && each.block[0]),
    [9],
  );
  // Again is nothing, and another length is refused.
  talk.feed({ kind: "supplied", pieceIndex: 3, bytes });
  assertThrows(
    () => talk.feed({ kind: "supplied", pieceIndex: 4, bytes: bytes.slice(1) }),
    RangeError,
    "must have 65536 bytes",
  );
});

Deno.test("Swarm counts a piece once that comes by another way while its hash is compared", () => {
  const { talk, seed } = demandAtSeed();
  const swarm = talk.swarm as Swarm;
  const bytes = new Uint8Array(65_536);
  talk.swarm = {
    handle: (input, nowMs) =>
      input.kind !== "verified" ? swarm.handle(input, nowMs) : [
        ...swarm.handle({ kind: "supplied", pieceIndex: 3, bytes }, nowMs),
        ...swarm.handle(input, nowMs),
      ],
  };
  talk.feed({ kind: "want", pieces: [3] });
  for (let at = 0; at < 4; at++) {
    seed.give({ pieceIndex: 3, begin: at * 16_384, lengthBytes: 16_384 });
  }
  const { havePieces, haveBytes } = swarm.status;
  assertEquals([havePieces, haveBytes], [1, 65_536]);
});

Deno.test("Swarm.offers says whether pieces are at peers that serve us", () => {
  const talk = SwarmTalk.create({ onDemand: true, picker: "sequential" });
  const swarm = talk.swarm as Swarm;
  const [a, b] = [talk.accept(), talk.accept()];
  a.say({ kind: "have", pieceIndex: 1 }, { kind: "unchoke" });
  b.say({ kind: "have", pieceIndex: 2 });
  assert(swarm.offers([1]));
  assert(!swarm.offers([1, 2]));
  b.say({ kind: "unchoke" });
  assert(swarm.offers([1, 2]));
  assert(!swarm.offers([1, 2, 3]));
});
