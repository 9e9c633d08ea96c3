import { assertEquals } from "@std/assert";
import { SwarmTalk, type TalkPeer } from "../../../../support/swarm_talk.ts";

/** Gives every block the peer was asked for; returns how many. */
function giveAll(peer: TalkPeer): number {
  let given = 0;
  for (const message of peer.heard()) {
    if (message.kind !== "request") continue;
    peer.give(message);
    given += 1;
  }
  return given;
}

Deno.test("Swarm completes from an honest peer, although two who connected first hold the last blocks and give none", () => {
  const talk = SwarmTalk.create({ totalBytes: 65_536 });
  const [first, second, honest] = [1, 2, 3].map(() =>
    talk.accept({ features: { fast: true }, pieceCount: 1 })
  );
  for (const peer of [first!, second!, honest!]) peer.say({ kind: "have-all" });
  first!.say({ kind: "unchoke" });
  talk.wait(30_000);
  second!.say({ kind: "unchoke" });
  honest!.say({ kind: "unchoke" });
  let given = 0;
  for (let seconds = 0; seconds < 100; seconds++) {
    given += giveAll(honest!);
    talk.wait(1_000);
    if (seconds % 50 === 0) {
      for (const peer of [first!, second!, honest!]) {
        peer.say({ kind: "keep-alive" });
      }
    }
  }
  assertEquals(given, 4);
  assertEquals(
    talk.others.filter(({ kind }) => kind === "completed").length,
    1,
  );
});
