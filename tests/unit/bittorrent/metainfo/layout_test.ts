import { assertEquals, assertThrows } from "@std/assert";
import {
  type Layout,
  pieceLengthOf,
  piecesOf,
  rangesOf,
} from "../../../../lib/bittorrent/metainfo/layout.ts";
import { seededRng } from "../../../../lib/core/rng.ts";

function layoutOf(lengths: readonly number[], pieceLength: number): Layout {
  let offset = 0;
  const files = lengths.map((lengthBytes, index) => {
    const file = { path: [`f${index}`], lengthBytes, offset };
    offset += lengthBytes;
    return file;
  });
  return {
    pieceLength,
    pieceCount: Math.ceil(offset / pieceLength),
    totalBytes: offset,
    files,
  };
}

Deno.test("pieceLengthOf gives the last piece what is left", () => {
  const layout = layoutOf([10, 7], 8);
  assertEquals([0, 1, 2].map((at) => pieceLengthOf(layout, at)), [8, 8, 1]);
  assertEquals(pieceLengthOf(layoutOf([16], 8), 1), 8);
  for (const bad of [-1, 3, 0.5, NaN]) {
    assertThrows(() => pieceLengthOf(layout, bad), RangeError);
  }
});

Deno.test("rangesOf splits a piece at file borders and skips empty files", () => {
  const layout = layoutOf([0, 3, 0, 0, 4, 9, 0], 8);
  assertEquals(rangesOf(layout, { pieceIndex: 0, begin: 0, lengthBytes: 8 }), [
    { fileIndex: 1, offset: 0, lengthBytes: 3 },
    { fileIndex: 4, offset: 0, lengthBytes: 4 },
    { fileIndex: 5, offset: 0, lengthBytes: 1 },
  ]);
  assertEquals(rangesOf(layout, { pieceIndex: 1, begin: 2, lengthBytes: 6 }), [
    { fileIndex: 5, offset: 3, lengthBytes: 6 },
  ]);
  assertEquals(
    rangesOf(layout, { pieceIndex: 1, begin: 0, lengthBytes: 0 }),
    [],
  );
});

Deno.test("rangesOf throws RangeError for a block outside its piece", () => {
  const layout = layoutOf([17], 8);
  const blocks = [[0, 0, 9], [0, 8, 1], [2, 0, 2], [0, -1, 2], [0, 0, -1], [
    3,
    0,
    1,
  ], [0, 0.5, 1]] as const;
  for (const [pieceIndex, begin, lengthBytes] of blocks) {
    assertThrows(
      () => rangesOf(layout, { pieceIndex, begin, lengthBytes }),
      RangeError,
    );
  }
});

Deno.test("rangesOf covers each byte of random layouts once and in order (seed 3)", () => {
  const rng = seededRng(3);
  for (let round = 0; round < 200; round++) {
    const lengths = Array.from(
      { length: 1 + Math.floor(rng() * 8) },
      () => Math.floor(rng() * 20),
    );
    const layout = layoutOf(lengths, 1 + Math.floor(rng() * 12));
    const copied = layout.files.map(() => 0);
    for (let pieceIndex = 0; pieceIndex < layout.pieceCount; pieceIndex++) {
      const size = pieceLengthOf(layout, pieceIndex);
      const cut = Math.floor(rng() * (size + 1));
      const blocks = [
        { pieceIndex, begin: 0, lengthBytes: cut },
        { pieceIndex, begin: cut, lengthBytes: size - cut },
      ];
      for (const range of blocks.flatMap((block) => rangesOf(layout, block))) {
        assertEquals(range.offset, copied[range.fileIndex]);
        copied[range.fileIndex] = range.offset + range.lengthBytes;
      }
    }
    assertEquals(copied, lengths);
  }
});

Deno.test("piecesOf names the pieces that hold a file's bytes", () => {
  const layout = layoutOf([8, 1, 0, 15], 8);
  assertEquals([0, 1, 2, 3].map((index) => piecesOf(layout, index)), [
    { first: 0, end: 1 },
    { first: 1, end: 2 },
    { first: 1, end: 1 },
    { first: 1, end: 3 },
  ]);
  assertThrows(() => piecesOf(layout, 4), RangeError);
});
