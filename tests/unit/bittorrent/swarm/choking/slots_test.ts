import { assert, assertEquals } from "@std/assert";
import { BLOCK_BYTES } from "../../../../../lib/bittorrent/wire/messages.ts";
import { TokenBucket } from "../../../../../lib/model/token_bucket.ts";
import { SwarmTalk, type TalkPeer } from "../../../../support/swarm_talk.ts";

/** Pieces of the talk are 64 KiB: 4 blocks. */
const PIECE_BLOCKS = 4;

function seed(bytesPerSecond = Infinity): SwarmTalk {
  return SwarmTalk.create({
    have: "all",
    upload: new TokenBucket({ bytesPerSecond }, 0),
  });
}

/** So many who are interested, each from an address of its own; they have a piece, or nothing. */
function crowd(talk: SwarmTalk, count: number, has = true): TalkPeer[] {
  return Array.from({ length: count }, (_, at) => {
    const peer = talk.accept({ host: `80.4.4.${at + 1}` });
    if (has) peer.say({ kind: "have", pieceIndex: 99 });
    peer.say({ kind: "interested" });
    return peer;
  });
}

function pass(talk: SwarmTalk, ms: number): void {
  for (const endMs = talk.nowMs + ms; talk.nowMs < endMs;) {
    talk.nowMs += 20;
    talk.feed({ kind: "timeout" });
  }
}

function ask(peer: TalkPeer, pieceIndex: number): void {
  for (let block = 0; block < PIECE_BLOCKS; block++) {
    peer.say({
      kind: "request",
      pieceIndex,
      begin: block * BLOCK_BYTES,
      lengthBytes: BLOCK_BYTES,
    });
  }
}

function reasons(talk: SwarmTalk, type: "peer.choked" | "peer.unchoked") {
  return talk.events.filter((event) => event.type === type)
    .map((event) => "reason" in event ? event.reason : "");
}

Deno.test("Choking gives 5 slots at once, and one more for every 100 ms in which nobody asks", () => {
  const talk = seed();
  crowd(talk, 8);
  assertEquals(reasons(talk, "peer.unchoked").length, 5);
  pass(talk, 80);
  assertEquals(reasons(talk, "peer.unchoked").length, 5);
  pass(talk, 400);
  assertEquals(
    reasons(talk, "peer.unchoked").slice(5),
    new Array<string>(3).fill("upload was left over"),
  );
  pass(talk, 2_000);
  assertEquals(reasons(talk, "peer.choked"), []);
});

Deno.test("Choking gives no extra slot while those with a slot use the upload up", () => {
  const talk = seed(PIECE_BLOCKS * BLOCK_BYTES);
  const peers = crowd(talk, 8);
  for (let second = 0; second < 8; second++) {
    for (const [at, peer] of peers.slice(0, 5).entries()) ask(peer, at);
    pass(talk, 1_000);
  }
  assertEquals(reasons(talk, "peer.unchoked").length, 5);
});

Deno.test("Choking ends an extra slot that gets nothing, and serves earned slots before it", () => {
  const talk = seed(PIECE_BLOCKS * BLOCK_BYTES);
  const peers = crowd(talk, 6);
  pass(talk, 400);
  assertEquals(reasons(talk, "peer.unchoked").at(-1), "upload was left over");
  const extra = peers[5]!;
  for (const [at, peer] of peers.slice(0, 5).entries()) {
    for (let more = 0; more < 3; more++) ask(peer, at + 5 * more);
  }
  ask(extra, 50);
  pass(talk, 3_000);
  assertEquals(reasons(talk, "peer.choked"), ["the upload is used up"]);
  assertEquals(
    extra.heard().filter((message) => message.kind === "piece"),
    [],
  );
});

Deno.test("Choking promotes an extra slot when an earned one becomes free", () => {
  const talk = seed();
  const peers = crowd(talk, 6);
  pass(talk, 400);
  peers[0]!.say({ kind: "not-interested" });
  const before = reasons(talk, "peer.unchoked").length;
  talk.accept({ host: "80.4.4.99" }).say(
    { kind: "have", pieceIndex: 99 },
    { kind: "interested" },
  );
  assertEquals(reasons(talk, "peer.unchoked").length, before);
  pass(talk, 1_000);
  assertEquals(reasons(talk, "peer.unchoked").at(-1), "upload was left over");
});

Deno.test("Choking of a free rider gives nothing, and its deadline goes on", () => {
  const talk = SwarmTalk.create({ have: "all", freeRide: true });
  crowd(talk, 8);
  pass(talk, 30_000);
  assertEquals(reasons(talk, "peer.unchoked"), []);
  const { deadlineMs } = talk.swarm as unknown as { deadlineMs: number };
  assert(deadlineMs > talk.nowMs, `${deadlineMs} at ${talk.nowMs}`);
});

Deno.test("Choking takes a free slot from a peer that gives nothing, for one that gives", () => {
  const talk = SwarmTalk.create({
    have: [0, 1],
    upload: new TokenBucket({ bytesPerSecond: PIECE_BLOCKS * BLOCK_BYTES }, 0),
  });
  const have = [2, 3, 4, 5, 6, 7, 8, 9];
  const peers = crowd(talk, 7);
  for (const peer of peers) {
    for (const pieceIndex of have) peer.say({ kind: "have", pieceIndex });
  }
  pass(talk, 40);
  // Six and seven wait; seven gives.
  const giver = peers[6]!;
  giver.say({ kind: "unchoke" });
  for (const message of giver.heard()) {
    if (message.kind === "request") giver.give(message);
  }
  for (let ms = 0; ms < 5_000; ms += 500) {
    for (const [at, peer] of peers.slice(0, 5).entries()) ask(peer, at % 2);
    pass(talk, 500);
  }
  assert(
    reasons(talk, "peer.unchoked").includes("it gives, and another did not"),
    reasons(talk, "peer.unchoked").join(", "),
  );
});

Deno.test("Uploads share a limit in turns of a piece", () => {
  // So much that a block goes out as one.
  const talk = seed(32 * BLOCK_BYTES);
  const order: number[] = [];
  const peers = crowd(talk, 3);
  for (const [at, peer] of peers.entries()) {
    const hear = peer.hear.bind(peer);
    peer.hear = (bytes) => {
      hear(bytes);
      for (const message of peer.heard()) {
        if (message.kind === "piece") order.push(at);
      }
    };
  }
  for (const [at, peer] of peers.entries()) {
    ask(peer, at);
    ask(peer, at + 10);
  }
  pass(talk, 8_000);
  assertEquals(order.length, 6 * PIECE_BLOCKS);
  const turns = order.filter((at, index) => at !== order[index - 1]);
  assertEquals(turns, [0, 1, 2, 0, 1, 2], order.join(""));
});

Deno.test("Choking gives a slot apart to one who has nothing, until it has a piece, then to the next, and to nobody twice", () => {
  const talk = seed(10 * PIECE_BLOCKS * BLOCK_BYTES);
  const earned = crowd(talk, 5);
  const poor = crowd(talk, 3, false);
  const nothing = "it has nothing to give yet";
  assertEquals(reasons(talk, "peer.unchoked").slice(5), [nothing]);
  for (const peer of earned) {
    for (let piece = 0; piece < 20; piece++) ask(peer, piece);
  }
  for (const piece of [0, 1]) ask(poor[0]!, piece);
  // A piece takes 100 ms.
  pass(talk, 300);
  assertEquals(pieces(poor[0]!), PIECE_BLOCKS);
  assertEquals(reasons(talk, "peer.choked"), ["it has something to give now"]);
  // The others ask for nothing, and yield the slot.
  pass(talk, 3_500);
  assertEquals(reasons(talk, "peer.choked").length, 2);
  pass(talk, 3_500);
  assertEquals(reasons(talk, "peer.choked").length, 3);
  const given = reasons(talk, "peer.unchoked").slice(5, 8);
  assertEquals(given, [nothing, nothing, nothing]);
});

Deno.test("Choking takes the slot of those who have nothing from one who asks for a byte now and then", () => {
  const bytesPerSecond = 10 * PIECE_BLOCKS * BLOCK_BYTES;
  const talk = SwarmTalk.create({
    have: "all",
    upload: new TokenBucket({ bytesPerSecond }, 0),
    optimisticIntervalMs: 6_000,
  });
  const earned = crowd(talk, 5);
  const [slow] = crowd(talk, 1, false);
  for (let second = 0; second < 7; second++) {
    for (const peer of earned) {
      for (const piece of [0, 1, 2]) ask(peer, piece);
    }
    slow!.say({
      ...{ kind: "request", pieceIndex: 0, begin: second, lengthBytes: 1 },
    });
    pass(talk, 1_000);
  }
  assert(
    reasons(talk, "peer.choked").includes("it takes too long for a piece"),
    reasons(talk, "peer.choked").join(),
  );
});

Deno.test("Uploads go to those who have nothing every other turn at most", () => {
  const talk = seed(PIECE_BLOCKS * BLOCK_BYTES);
  const earned = crowd(talk, 5);
  for (const peer of earned) ask(peer, 1);
  for (let second = 0; second < 8; second++) {
    const poor = talk.accept({ host: `80.4.5.${second + 1}` });
    poor.say({ kind: "interested" });
    for (let piece = 0; piece < 3; piece++) ask(poor, piece);
    pass(talk, 1_000);
  }
  const given = earned.reduce((sum, peer) => sum + pieces(peer), 0);
  assert(given >= 3 * PIECE_BLOCKS, `${given} blocks in 8 s`);
});

/** Blocks that have come since the last look. */
function pieces(peer: TalkPeer): number {
  return peer.heard().filter(({ kind }) => kind === "piece").length;
}
