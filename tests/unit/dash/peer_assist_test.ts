import { assertEquals } from "@std/assert";
import {
  assistStep,
  type PeerAssistState,
} from "../../../lib/dash/peer_assist.ts";

const PLAYING: PeerAssistState = {
  bufferMs: 12_000,
  durationMs: 5000,
  startup: false,
  lot: 0.5,
  elapsedMs: 0,
  offered: false,
  askedMs: undefined,
};

Deno.test("assistStep asks the CDN, waits for peers or asks them, by buffer, lot and offers", () => {
  const table: readonly [string, Partial<PeerAssistState>, string][] = [
    ["nobody has it", {}, "nobody 2000"],
    ["nobody has it for a while", { elapsedMs: 1999 }, "nobody 1"],
    ["its turn has come", { elapsedMs: 2000 }, "cdn"],
    ["the shortest lot", { lot: 0 }, "cdn"],
    // No longer than the segment lasts, however much is in the buffer.
    ["a full buffer", { bufferMs: 60_000, lot: 1 }, "nobody 5000"],
    ["an empty buffer", { bufferMs: 0 }, "cdn"],
    ["nothing plays", { startup: true }, "cdn"],
    ["somebody has it", { offered: true }, "peers 4000"],
    ["at the start, too", { offered: true, startup: true }, "peers 0"],
    ["asked", { askedMs: 1000 }, "peers 3000"],
    ["asked and gone", { askedMs: 1000, offered: false }, "peers 3000"],
    ["asked at the start", { askedMs: 100, startup: true }, "peers 400"],
    ["asked for too long", { askedMs: 4000 }, "cdn"],
    ["at the start for too long", { askedMs: 500, startup: true }, "cdn"],
  ];
  for (const [name, change, expected] of table) {
    const step = assistStep({ ...PLAYING, ...change });
    const got = step.source === "cdn"
      ? step.source
      : `${step.source} ${step.forMs}`;
    assertEquals(got, expected, name);
  }
});
