import { assert, assertEquals, assertThrows } from "@std/assert";
import { seededRng } from "../../../../../lib/core/rng.ts";
import {
  type ChokeCandidate,
  chokeRound,
} from "../../../../../lib/bittorrent/swarm/choking/choker.ts";

const PEERS: readonly ChokeCandidate[] = [90, 10, 70, 0, 50, 30, 20].map((
  bytesPerSecond,
  at,
) => ({
  peerId: `p${at}`,
  interested: at !== 2,
  bytesPerSecond,
}));

Deno.test("chokeRound serves the fastest interested peers and one by lot", () => {
  const round = chokeRound(
    PEERS,
    { slots: 4, redraw: true, lucky: null },
    () => 0.99,
  );
  assertEquals(round.unchoked, ["p0", "p4", "p5", "p6", "p3"]);
  assertEquals(round.optimistic, "p3");
});

Deno.test("chokeRound keeps the lucky peer between draws, until it earns its slot", () => {
  const kept = chokeRound(
    PEERS,
    { slots: 4, redraw: false, lucky: "p3" },
    () => 0,
  );
  assertEquals(kept.optimistic, "p3");
  const earned = chokeRound(
    PEERS,
    { slots: 4, redraw: false, lucky: "p6" },
    () => 0,
  );
  assertEquals(earned.optimistic, "p1");
});

Deno.test("chokeRound draws newcomers three times as often", () => {
  const peers = [0, 1, 2, 3].map((at) => ({
    peerId: `p${at}`,
    interested: true,
    bytesPerSecond: 0,
    newcomer: at === 3,
  }));
  const rng = seededRng(2);
  let newcomer = 0;
  for (let draw = 0; draw < 1000; draw++) {
    if (
      chokeRound(peers, { slots: 0, redraw: true, lucky: null }, rng)
        .optimistic === "p3"
    ) newcomer += 1;
  }
  assert(Math.abs(newcomer - 500) < 60, `${newcomer} of 1000, 500 expected`);
});

Deno.test("chokeRound without interested peers serves nobody; bad slots are a bug", () => {
  assertEquals(
    chokeRound([], { slots: 4, redraw: true, lucky: null }, () => 0).unchoked,
    [],
  );
  assertThrows(
    () => chokeRound([], { slots: -1, redraw: true, lucky: null }, () => 0),
    RangeError,
  );
});
