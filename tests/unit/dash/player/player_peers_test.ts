import { assertEquals } from "@std/assert";
import { ABR_RULES } from "../../../../lib/dash/abr/mod.ts";
import { Player } from "../../../../lib/dash/player/player.ts";
import type { PlayerInput } from "../../../../lib/dash/player/messages.ts";
import { testTitle } from "./_simulated_play.ts";

const MEDIA_MS = 5000;
const RATES = [400_000, 1_000_000, 2_500_000];

type Fetched = Extract<PlayerInput, { kind: "fetched" }>;

/** Which layers a player fetches when each segment comes as `came` says. */
function layersWhen(
  came: (number: number, bytes: number) => Partial<Fetched>,
  offered?: (number: number) => number,
): number[] {
  const player = new Player([{
    media: "video",
    positions: testTitle(8, MEDIA_MS, RATES, { initialization: false }),
  }], {
    ...{ startMs: 0, resumeMs: 0, capMs: 60_000, speed: 1, fixedIndex: 0 },
    rule: ABR_RULES.throughput,
    offered: offered && (({ number }) => offered(number)),
  });
  let nowMs = 0;
  const layers: number[] = [];
  let outputs = player.handle({ kind: "start" }, nowMs);
  for (;;) {
    const fetch = outputs.find((output) => output.kind === "fetch");
    if (fetch?.kind !== "fetch") return layers;
    const { bitsPerSecond } = fetch.state;
    const bytes = bitsPerSecond * MEDIA_MS / 8000;
    layers.push(1 + RATES.indexOf(bitsPerSecond));
    const input: Fetched = {
      ...{ kind: "fetched", fetchId: fetch.fetchId, bytes, ttfbMs: 0 },
      ...{ downloadMs: 10, server: "", cacheStatus: "", ageSeconds: 0 },
      ...came(fetch.segmentNumber, bytes),
    };
    nowMs += input.downloadMs;
    outputs = player.handle(input, nowMs);
  }
}

Deno.test("Player's rules know the network to the CDN, however fast peers are", () => {
  // 1.5 Mbit/s from the CDN for the first; from then on all or half of each from peers, in 10 ms.
  const first = (bytes: number) => ({ downloadMs: bytes * 8000 / 1_500_000 });
  assertEquals(
    layersWhen((number, bytes) =>
      number === 1 ? first(bytes) : { peerBytes: bytes, peerMs: 10 }
    ),
    [1, 2, 2, 2, 2, 2, 2, 2],
  );
  assertEquals(
    layersWhen((number, bytes) =>
      number === 1 ? first(bytes) : {
        peerBytes: bytes / 2,
        peerMs: 10,
        downloadMs: 10 + bytes / 2 * 8000 / 5_000_000,
      }
    ),
    [1, 2, 2, 3, 3, 3, 3, 3],
  );
  // Segments of one file in pieces that reach into the next one, which is here then.
  assertEquals(
    layersWhen((number, bytes) =>
      number % 2 === 1
        ? {
          peerBytes: 0,
          cdnBytes: 2 * bytes,
          downloadMs: 2 * bytes * 8000 / 1_500_000,
        }
        : { peerBytes: 0, cdnBytes: 0, downloadMs: 0 }
    ),
    [1, 2, 2, 2, 2, 2, 2, 2],
  );
  // Nothing but peers: what plays is what is known to go.
  assertEquals(
    layersWhen((_, bytes) => ({ peerBytes: bytes, peerMs: 10 })),
    Array(8).fill(1),
  );
});

Deno.test("Player takes a higher rung that peers have, with buffer enough to have it from the CDN after all", () => {
  const came = (_: number, bytes: number) => ({
    downloadMs: bytes * 8000 / 1_500_000,
  });
  assertEquals(layersWhen(came), [1, 2, 2, 2, 2, 2, 2, 2]);
  // 12.5 Mbit at 1.5 Mbit/s take 8.3 s, at most two thirds of the buffer: it has 5 s, then 1.7 s more with each segment, and
  // 3.3 s less after the one that peers did not give.
  assertEquals(layersWhen(came, () => 2), [1, 2, 2, 2, 2, 2, 3, 2]);
  // What peers have of a lower rung is no reason to go down.
  assertEquals(layersWhen(came, () => 0), [1, 2, 2, 2, 2, 2, 2, 2]);
  assertEquals(layersWhen(came, () => -1), [1, 2, 2, 2, 2, 2, 2, 2]);
});
