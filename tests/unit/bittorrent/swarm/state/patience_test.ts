import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../../../../lib/core/errors.ts";
import { Patience } from "../../../../../lib/bittorrent/swarm/state/patience.ts";
import { SwarmTalk } from "../../../../support/swarm_talk.ts";
import { layoutOf } from "../../../../support/swarm_world.ts";
import {
  encodeMessage,
  type WireMessage,
} from "../../../../../lib/bittorrent/wire/messages.ts";
import { concat } from "../../../../../lib/core/bytes.ts";

const KEEP_ALIVE: WireMessage = { kind: "keep-alive" };

function times(message: WireMessage, count: number): WireMessage[] {
  return new Array<WireMessage>(count).fill(message);
}

Deno.test("Patience ends after 20,000 messages that lead to nothing, and comes back by 2,000 a second", () => {
  const patience = new Patience(0);
  patience.hear(times(KEEP_ALIVE, 20_000), 0);
  patience.hear(times(KEEP_ALIVE, 2_000), 1_000);
  const error = assertThrows(
    () => patience.hear(times(KEEP_ALIVE, 3), 1_001),
    ProtocolError,
  );
  assertEquals(error.code, "message-flood");
});

Deno.test("Patience has no end for blocks and requests of blocks", () => {
  const patience = new Patience(0);
  const block = { pieceIndex: 0, begin: 0 };
  patience.hear(
    times({ kind: "request", ...block, lengthBytes: 16_384 }, 100_000),
    0,
  );
  patience.hear(
    times({ kind: "piece", ...block, block: new Uint8Array(1) }, 100_000),
    0,
  );
});

/** Asks a seed of so many pieces of 100 bytes for a part of each, round after round; returns whether that ended the connection. */
function isEndedBy(
  { pieceCount, lengthBytes, rounds }: {
    readonly pieceCount: number;
    readonly lengthBytes: number;
    readonly rounds: number;
  },
): boolean {
  const layout = layoutOf(pieceCount * 100, 100);
  const talk = SwarmTalk.create({ have: "all", layout });
  const peer = talk.accept({ pieceCount });
  peer.say({ kind: "interested" });
  const requests = Array.from(
    { length: pieceCount },
    (_, pieceIndex) =>
      encodeMessage({ kind: "request", pieceIndex, begin: 0, lengthBytes }),
  );
  for (let round = 0; round < rounds && !peer.isClosed; round++) {
    for (let at = 0; at < pieceCount; at += 500) {
      const bytes = concat(...requests.slice(at, at + 500));
      talk.feed({ kind: "received", link: peer.link, bytes });
    }
  }
  return peer.isClosed;
}

Deno.test("Swarm serves as many short pieces as there are, and ends who asks for a byte at a time without end", () => {
  const whole = { pieceCount: 21_000, lengthBytes: 100, rounds: 1 };
  assertEquals(isEndedBy(whole), false);
  const byte = { pieceCount: 500, lengthBytes: 1, rounds: 50 };
  assertEquals(isEndedBy(byte), true);
});
