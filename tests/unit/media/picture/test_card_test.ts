import { assert } from "@std/assert";
import { equalBytes } from "../../../../lib/core/bytes.ts";
import { seededRng } from "../../../../lib/core/rng.ts";
import { macroblocksOf } from "../../../../lib/media/coding/h264.ts";
import { widthOf } from "../../../../lib/media/ladder.ts";
import {
  type CardText,
  TestCard,
} from "../../../../lib/media/picture/test_card.ts";

function card(height: number, more: Partial<CardText> = {}) {
  const { columns, rows } = macroblocksOf({ width: widthOf(height), height });
  return new TestCard(
    {
      title: "A film",
      height,
      bitsPerSecond: 1_000_000,
      rung: 0,
      framesPerSecond: 24,
      framesPerSegment: 48,
      clock: false,
      ...more,
    },
    columns,
    rows,
  );
}

Deno.test("TestCard paints each frame as if by itself, whatever it painted before, and only where it says that something moves", () => {
  const rng = seededRng(4);
  for (const height of [144, 240, 360, 432, 480, 720]) {
    const one = card(height);
    const places = one.moving;
    const first = one.paint(0);
    const { columns } = first;
    let before = first.luma.slice();
    for (let turn = 0; turn < 12; turn++) {
      // Near and far, and to where numbers have another length.
      const frame = turn % 3 === 0
        ? Math.floor(rng() * 48 * 20_000)
        : Math.floor(rng() * 200);
      const { luma } = one.paint(frame);
      assert(
        equalBytes(luma, card(height).paint(frame).luma),
        `frame ${frame} at ${height}p`,
      );
      for (let at = 0; at < luma.length; at++) {
        if (luma[at] === before[at]) continue;
        const row = Math.floor(at / (16 * columns));
        const column = (at % (4 * columns)) >> 2;
        assert(
          places[row]!.some(([first, end]) => column >= first && column < end),
          `${column}, ${row} of frame ${frame} at ${height}p`,
        );
      }
      before = luma.slice();
    }
  }
});
