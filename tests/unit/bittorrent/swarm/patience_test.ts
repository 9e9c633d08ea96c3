import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../../../lib/core/errors.ts";
import { Patience } from "../../../../lib/bittorrent/swarm/patience.ts";
import type { WireMessage } from "../../../../lib/bittorrent/wire/messages.ts";

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
  assertThrows(
    () =>
      patience.hear(
        times({ kind: "request", ...block, lengthBytes: 1 }, 20_001),
        0,
      ),
    ProtocolError,
  );
});
