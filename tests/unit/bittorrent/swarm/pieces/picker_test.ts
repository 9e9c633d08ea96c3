import { assert, assertEquals } from "@std/assert";
import { seededRng } from "../../../../../lib/core/rng.ts";
import { Bitfield } from "../../../../../lib/bittorrent/wire/bitfield.ts";
import {
  type PickerName,
  pickPiece,
} from "../../../../../lib/bittorrent/swarm/pieces/picker.ts";

const AVAILABILITY = [5, 1, 3, 1, 2, 1];

/** How often each piece was picked in 600 draws. */
function picks(
  picker: PickerName,
  options: { havePieces: number; lacks?: readonly number[] },
): number[] {
  const offered = new Bitfield(6);
  for (let at = 0; at < 6; at++) {
    if (!options.lacks?.includes(at)) offered.add(at);
  }
  const counts = new Array<number>(6).fill(0);
  const rng = seededRng(3);
  const wanted = [5, 4, 3, 2, 1, 0];
  for (let draw = 0; draw < 600; draw++) {
    const at = pickPiece({
      wanted,
      availability: AVAILABILITY,
      offered,
      picker,
      havePieces: options.havePieces,
    }, rng);
    counts[wanted[at]!]! += 1;
  }
  return counts;
}

Deno.test("pickPiece rarest draws evenly among the rarest that are offered", () => {
  const counts = picks("rarest", { havePieces: 10 });
  assertEquals([counts[0], counts[2], counts[4]], [0, 0, 0]);
  for (const piece of [1, 3, 5]) {
    assert(Math.abs(counts[piece]! - 200) < 50, `${counts}`);
  }
  assertEquals(picks("rarest", { havePieces: 10, lacks: [1, 3, 5] }), [
    0,
    0,
    0,
    0,
    600,
    0,
  ]);
});

Deno.test("pickPiece draws the first pieces by lot, and all with random", () => {
  for (
    const counts of [
      picks("rarest", { havePieces: 0 }),
      picks("random", { havePieces: 10 }),
    ]
  ) {
    for (const count of counts) assert(Math.abs(count - 100) < 40, `${counts}`);
  }
});

Deno.test("pickPiece sequential takes the first piece; nothing offered gives -1", () => {
  assertEquals(picks("sequential", { havePieces: 0, lacks: [0] }), [
    0,
    600,
    0,
    0,
    0,
    0,
  ]);
  const at = pickPiece({
    wanted: [1, 2],
    availability: AVAILABILITY,
    offered: new Bitfield(6),
    picker: "rarest",
    havePieces: 9,
  }, () => 0);
  assertEquals(at, -1);
});
