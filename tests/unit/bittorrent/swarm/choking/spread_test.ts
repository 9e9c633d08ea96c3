import { assert, assertEquals } from "@std/assert";
import { decodeExtendedHandshake } from "../../../../../lib/bittorrent/wire/extended.ts";
import { BLOCK_BYTES } from "../../../../../lib/bittorrent/wire/messages.ts";
import { TokenBucket } from "../../../../../lib/model/token_bucket.ts";
import { SwarmTalk, type TalkPeer } from "../../../../support/swarm_talk.ts";

const PIECE_BYTES = 65_536;

/** A super-seed of 100 pieces of 64 KiB that sends ten a second, and so many peers that ask for all they are shown. */
class Lesson {
  readonly talk = SwarmTalk.create({
    have: "all",
    superSeed: true,
    upload: new TokenBucket({ bytesPerSecond: 10.1 * PIECE_BYTES }, 0),
  });
  readonly peers: TalkPeer[] = [];
  /** What each was shown, and what it has got whole. */
  readonly shown: number[][] = [];
  readonly got: number[][] = [];
  readonly #blocks = new Map<string, number>();

  constructor(count: number) {
    for (let at = 0; at < count; at++) {
      this.shown.push([]);
      this.got.push([]);
      this.peers.push(this.talk.accept({ host: `80.4.4.${at + 1}` }));
    }
  }

  /** Lets time pass; everyone asks for what it is shown and tells what it has; those whom `passesOn` names pass it on to the next. */
  pass(ms: number, passesOn: (at: number) => boolean): void {
    for (const endMs = this.talk.nowMs + ms; this.talk.nowMs < endMs;) {
      this.talk.nowMs += 10;
      this.talk.feed({ kind: "timeout" });
      for (const at of this.peers.keys()) this.#listen(at, passesOn(at));
    }
  }

  #listen(at: number, passesOn: boolean): void {
    const peer = this.peers[at]!;
    for (const message of peer.heard()) {
      if (message.kind === "have") {
        this.shown[at]!.push(message.pieceIndex);
        peer.say({ kind: "interested" });
        this.#ask(peer, message.pieceIndex);
      } else if (message.kind === "unchoke") {
        for (const pieceIndex of this.shown[at]!) this.#ask(peer, pieceIndex);
      } else if (message.kind === "piece") {
        const key = `${at} ${message.pieceIndex}`;
        this.#blocks.set(key, (this.#blocks.get(key) ?? 0) + 1);
        if (this.#blocks.get(key)! % 4 !== 0) continue;
        this.got[at]!.push(message.pieceIndex);
        peer.say({ kind: "have", pieceIndex: message.pieceIndex });
        if (!passesOn) continue;
        const next = this.peers[(at + 1) % this.peers.length]!;
        next.say({ kind: "have", pieceIndex: message.pieceIndex });
      }
    }
  }

  #ask(peer: TalkPeer, pieceIndex: number): void {
    for (let begin = 0; begin < PIECE_BYTES; begin += BLOCK_BYTES) {
      peer.say({
        kind: "request",
        pieceIndex,
        begin,
        lengthBytes: BLOCK_BYTES,
      });
    }
  }
}

Deno.test("Spread hands each piece to one peer, everyone has its turn, no upload is lost", () => {
  const lesson = new Lesson(8);
  lesson.pass(9_000, () => true);
  const all = lesson.got.flat();
  assert(all.length > 83, `${all.length} pieces in 9 s, 90 would be all`);
  assertEquals(new Set(lesson.shown.flat()).size, lesson.shown.flat().length);
  for (const got of lesson.got) assert(got.length >= 8, lesson.got.join(" | "));
});

Deno.test("Spread shows everything when all pieces are out", () => {
  const lesson = new Lesson(4);
  lesson.pass(12_000, () => true);
  assertEquals(new Set(lesson.got.flat()).size, 100);
  for (const shown of lesson.shown) assert(shown.length > 50);
});

Deno.test("Spread feeds no free rider with what everyone needs", () => {
  const lesson = new Lesson(5);
  // The first two came first, and keep what they get.
  lesson.pass(8_000, (at) => at >= 2);
  const counts = lesson.got.map((got) => got.length);
  assert(Math.max(counts[0]!, counts[1]!) <= 10, `${counts}`);
  assert(Math.min(...counts.slice(2)) >= 18, `${counts}`);
});

Deno.test("Spread keeps upload busy although nobody passes anything on", () => {
  const lesson = new Lesson(2);
  lesson.pass(5_000, () => false);
  assert(lesson.got.flat().length > 45, `${lesson.got.flat().length} in 5 s`);
});

Deno.test("Spread gives the pieces of a peer that leaves, or does not ask, to others", () => {
  const lesson = new Lesson(3);
  const silent = lesson.talk.accept({ host: "80.4.4.77" });
  silent.say({ kind: "interested" });
  lesson.pass(300, () => true);
  const kept = silent.heard().filter((message) => message.kind === "have");
  assert(kept.length > 0);
  lesson.pass(15_000, () => true);
  lesson.talk.feed({ kind: "closed", link: silent.link, reason: "gone" });
  lesson.pass(3_000, () => true);
  assertEquals(new Set(lesson.got.flat()).size, 100);
});

Deno.test("Spread: a seed that pretends to have nothing does not say that it has all (BEP 21)", () => {
  for (const superSeed of [false, true]) {
    const talk = SwarmTalk.create({ have: "all", superSeed });
    const peer = talk.accept({ features: { fast: true, extended: true } });
    const heard = peer.heard();
    const told = heard.some((message) =>
      message.kind === "extended" &&
      decodeExtendedHandshake(message.payload).uploadOnly === true
    );
    assertEquals(told, !superSeed);
    const kind = superSeed ? "have-none" : "have-all";
    assert(heard.some((message) => message.kind === kind));
  }
});
