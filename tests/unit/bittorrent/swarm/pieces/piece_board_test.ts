import { assert, assertEquals } from "@std/assert";
import { seededRng } from "../../../../../lib/core/rng.ts";
import { Bitfield } from "../../../../../lib/bittorrent/wire/bitfield.ts";
import {
  type BlockSource,
  PieceBoard,
} from "../../../../../lib/bittorrent/swarm/pieces/piece_board.ts";
import { BLOCK_BYTES } from "../../../../../lib/bittorrent/wire/messages.ts";
import { layoutOf } from "../../../../support/swarm_world.ts";

/** 3 pieces of 2 blocks, the last one short. */
const LAYOUT = layoutOf(5 * BLOCK_BYTES + 100, 2 * BLOCK_BYTES);

function newBoard(): PieceBoard {
  return new PieceBoard({
    layout: LAYOUT,
    have: new Bitfield(3),
    picker: "sequential",
    rng: seededRng(1),
    takeBuffer: (length) => new Uint8Array(length),
  });
}

function newSource(...pieces: readonly number[]): BlockSource {
  const field = new Bitfield(3);
  for (const piece of pieces) field.add(piece);
  return { pieces: field, outstanding: new Set(), currentPiece: -1 };
}

function answer(
  board: PieceBoard,
  source: BlockSource,
  pieceIndex: number,
  begin: number,
  length = BLOCK_BYTES,
) {
  return board.received(source, {
    pieceIndex,
    begin,
    block: new Uint8Array(length).fill(pieceIndex),
  });
}

Deno.test("PieceBoard finishes a begun piece before it begins another, whoever is asked", () => {
  const board = newBoard();
  const [a, b] = [newSource(0, 1, 2), newSource(0, 1, 2)];
  assertEquals(board.next(a), {
    pieceIndex: 0,
    begin: 0,
    lengthBytes: BLOCK_BYTES,
  });
  assertEquals(board.next(b), {
    pieceIndex: 0,
    begin: BLOCK_BYTES,
    lengthBytes: BLOCK_BYTES,
  });
  assertEquals(board.next(b)?.pieceIndex, 1);
  assertEquals(answer(board, a, 0, 0), "kept");
  assertEquals(answer(board, b, 0, BLOCK_BYTES), "complete");
  assertEquals(board.checked(0, true)?.givers, [a, b]);
});

Deno.test("PieceBoard takes no block that was not asked for, or has another length", () => {
  const board = newBoard();
  const source = newSource(0, 1, 2);
  board.next(source);
  assertEquals(answer(board, source, 0, BLOCK_BYTES), "unasked");
  assertEquals(answer(board, source, 0, 5), "unasked");
  assertEquals(answer(board, source, 0, 0, 10), "unasked");
  assertEquals(answer(board, source, 9, 0), "unasked");
  assertEquals(answer(board, newSource(0), 0, 0), "unasked");
  assertEquals(answer(board, source, 0, 0), "kept");
  assertEquals(answer(board, source, 0, 0), "unasked");
});

Deno.test("PieceBoard frees what was asked of a peer that leaves, and no more", () => {
  const board = newBoard();
  const [a, b] = [newSource(0), newSource(0)];
  board.next(a);
  board.next(a);
  assertEquals(board.next(b), null);
  answer(board, a, 0, 0);
  board.release(a);
  assertEquals(board.next(b), {
    pieceIndex: 0,
    begin: BLOCK_BYTES,
    lengthBytes: BLOCK_BYTES,
  });
  assertEquals(answer(board, b, 0, BLOCK_BYTES), "complete");
});

Deno.test("PieceBoard asks a second peer, and a third for one block at a time, when every block has been asked for", () => {
  const board = newBoard();
  const [a, b, c] = [
    newSource(0, 1, 2),
    newSource(0, 1, 2),
    newSource(0, 1, 2),
  ];
  for (let block = 0; block < 6; block++) assert(board.next(a) !== null);
  assert(board.endgame);
  const seen = new Set<string>();
  for (let block = 0; block < 6; block++) {
    const again = board.next(b)!;
    seen.add(`${again.pieceIndex} ${again.begin}`);
  }
  assertEquals(seen.size, 6);
  assertEquals([board.next(a), board.next(b)], [null, null]);
  const third = board.next(c);
  assertEquals(third, { pieceIndex: 0, begin: 0, lengthBytes: BLOCK_BYTES });
  assertEquals(board.next(c), null);
  assertEquals(answer(board, b, 2, BLOCK_BYTES, 100), "kept");
  assert(board.withdraw(a, { pieceIndex: 2, begin: BLOCK_BYTES }));
  assertEquals(answer(board, a, 2, BLOCK_BYTES, 100), "unasked");
});

Deno.test("PieceBoard wants an invalid piece again", () => {
  const board = newBoard();
  const source = newSource(2);
  board.next(source);
  board.next(source);
  answer(board, source, 2, 0);
  assertEquals(answer(board, source, 2, BLOCK_BYTES, 100), "complete");
  assertEquals(board.next(source), null);
  board.checked(2, false);
  assertEquals(board.next(source)?.pieceIndex, 2);
});

Deno.test("PieceBoard counts a block once that two peers give after the end game is over", () => {
  const board = newBoard();
  const [a, b, c] = [newSource(0), newSource(0), newSource(1, 2)];
  for (let block = 0; block < 2; block++) board.next(a);
  for (let block = 0; block < 4; block++) board.next(c);
  assert(board.endgame);
  for (let block = 0; block < 2; block++) assert(board.next(b) !== null);
  board.release(c);
  assert(!board.endgame);
  assertEquals(board.requesters({ pieceIndex: 0, begin: 0 }), 2);
  assertEquals(answer(board, a, 0, 0), "kept");
  assertEquals(answer(board, b, 0, 0), "unasked");
  assertEquals(answer(board, b, 0, BLOCK_BYTES), "complete");
});

Deno.test("PieceBoard asks one peer at a time for a piece of which a copy was bad, until it rejects or leaves", () => {
  const board = newBoard();
  const [a, b] = [newSource(0), newSource(0)];
  for (const source of [a, b]) board.next(source);
  answer(board, a, 0, 0);
  assertEquals(answer(board, b, 0, BLOCK_BYTES), "complete");
  assertEquals(board.checked(0, false)?.givers, [a, b]);
  assertEquals(board.next(a)?.begin, 0);
  assertEquals(board.next(b), null);
  // It chokes us, and says so block by block (BEP 6).
  const block = { pieceIndex: 0, begin: 0, lengthBytes: BLOCK_BYTES };
  assert(board.rejected(a, block));
  assertEquals(board.next(b)?.begin, 0);
  assertEquals(board.next(a), null);
  board.release(b);
  assertEquals(board.next(a)?.begin, 0);
  board.release(a);
  assertEquals(board.next(b)?.begin, 0);
  assertEquals(board.next(b)?.begin, BLOCK_BYTES);
  assertEquals(board.next(a), null);
  answer(board, b, 0, 0);
  assertEquals(answer(board, b, 0, BLOCK_BYTES), "complete");
  assertEquals(board.checked(0, true)?.givers, [b, b]);
});

Deno.test("PieceBoard knows of a peer that it has nothing to be asked for, until it gets a piece, a block is free or the end game begins", () => {
  const board = newBoard();
  const [all, one] = [newSource(0, 1, 2), newSource(0)];
  for (let blocks = 0; blocks < 2; blocks++) board.next(all);
  assert(!board.dry(one), "nobody has asked yet");
  assertEquals(board.next(one), null);
  assert(board.dry(one));
  one.pieces.add(1);
  assert(!board.dry(one));
  assertEquals(board.next(one)?.pieceIndex, 1);
  assertEquals(board.next(one)?.pieceIndex, 1);
  assertEquals(board.next(one), null);
  assert(board.dry(one));
  board.rejected(all, { pieceIndex: 0, begin: 0, lengthBytes: BLOCK_BYTES });
  assert(!board.dry(one));
  assertEquals(board.next(one)?.begin, 0);
  assertEquals(board.next(one), null);
  while (!board.endgame) board.next(all);
  assert(!board.dry(one), "the end game has begun");
  assertEquals(board.next(one)?.pieceIndex, 0);
});
