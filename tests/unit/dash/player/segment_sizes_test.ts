import { assertEquals } from "@std/assert";
import type { AbrRule, AbrState } from "../../../../lib/dash/abr/rule.ts";
import { Player } from "../../../../lib/dash/player/player.ts";
import type { Position } from "../../../../lib/dash/title.ts";
import { titleOfPositions } from "../../../../lib/sim/abr_title.ts";
import { testTitle } from "./_simulated_play.ts";

const RATES = [400_000, 1_000_000];

/** As an index tells it: segment n of a rung has n + 1 thousandths of its rate in bytes. */
function indexed(count: number, rates = RATES): readonly Position[] {
  return testTitle(count, 4000, rates).map((position, at) => ({
    ...position,
    choices: position.choices.map((choice) => {
      const range = {
        first: 500,
        last: 499 + choice.bitsPerSecond / 1000 * (at + 1),
      };
      return { ...choice, segment: { ...choice.segment, range } };
    }),
  }));
}

/** What a rule is told when the first segment is to be chosen. */
function toldOf(positions: readonly Position[]): AbrState {
  const told: AbrState[] = [];
  const rule: AbrRule = {
    summary: "listens",
    source: "this test",
    start: () => ({
      decide(state) {
        told.push(state);
        return { index: 0, waitMs: 0, reason: "listening" };
      },
    }),
  };
  const player = new Player([{ media: "video", positions }], {
    ...{ rule, startMs: 0, resumeMs: 0, capMs: 30_000, fixedIndex: 0 },
    speed: 1,
  });
  player.handle({ kind: "start" }, 0);
  return told[0]!;
}

Deno.test("Player tells a rule how large segments are where they are parts of a resource, and nothing where they are not", () => {
  const known = toldOf(indexed(3));
  const sizes = (state: AbrState) =>
    [0, 1, 2, 3].map((ahead) => state.sizeBits?.(ahead, 1));
  assertEquals(sizes(known), [8000, 16_000, 24_000, undefined]);
  assertEquals(known.sizeBits?.(1, 0), 6400);
  assertEquals(known.sizeBits?.(0, 2), undefined);
  assertEquals(
    sizes(toldOf(testTitle(3, 4000, RATES))),
    Array(4).fill(undefined),
  );
});

Deno.test("Player does not tell sizes of a Period with another ladder", () => {
  const other = indexed(1, [400_000, 1_200_000]);
  const positions = [...indexed(2), ...other].map((each, at) => ({
    ...each,
    ...{ number: at + 1, startMs: at * 4000 },
  }));
  const { sizeBits } = toldOf(positions);
  assertEquals([sizeBits?.(1, 1), sizeBits?.(2, 1)], [16_000, undefined]);
  // The lowest rung is the same in both.
  assertEquals(sizeBits?.(2, 0), 3200);
});

Deno.test("titleOfPositions takes sizes that are known, and rate times duration for the others", () => {
  const known = titleOfPositions("known", indexed(2));
  assertEquals(known.sizesBits, [[3200, 8000], [6400, 16_000]]);
  const nominal = titleOfPositions("nominal", testTitle(1, 4000, RATES));
  assertEquals(nominal.sizesBits, [[1_600_000, 4_000_000]]);
});
