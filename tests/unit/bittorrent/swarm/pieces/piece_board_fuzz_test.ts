import { assert, assertEquals } from "@std/assert";
import { type Rng, seededRng } from "../../../../../lib/core/rng.ts";
import { Bitfield } from "../../../../../lib/bittorrent/wire/bitfield.ts";
import {
  type BlockSource,
  PieceBoard,
} from "../../../../../lib/bittorrent/swarm/pieces/piece_board.ts";
import { pieceLengthOf } from "../../../../../lib/bittorrent/metainfo/layout.ts";
import {
  BLOCK_BYTES,
  type BlockRef,
} from "../../../../../lib/bittorrent/wire/messages.ts";
import { layoutOf } from "../../../../support/swarm_world.ts";

const PIECES = 6;
/** Blocks of a piece; the last piece has one that is short. */
const BLOCKS = 3;
const LAYOUT = layoutOf(
  PIECES * BLOCKS * BLOCK_BYTES - BLOCK_BYTES - 5,
  BLOCKS * BLOCK_BYTES,
);

interface Source extends BlockSource {
  readonly asked: BlockRef[];
  /** Every so many of its blocks are bad; 0 for none. */
  readonly lies: number;
  given: number;
  /** It is connected, and nothing comes of it any more. */
  chokes: boolean;
}

/** A download in which everything happens that may, in any order, driven by one random generator. */
class Chaos {
  readonly board: PieceBoard;
  readonly have = new Bitfield(PIECES);
  readonly #rng: Rng;
  readonly #sources: Source[];
  readonly #checking: number[] = [];
  readonly #spoilt = new Set<number>();

  constructor(seed: number) {
    this.#rng = seededRng(seed);
    this.board = new PieceBoard({
      ...{ layout: LAYOUT, have: this.have, picker: "rarest", rng: this.#rng },
      // What an earlier piece left there is in it.
      takeBuffer: (length) => new Uint8Array(length).fill(222),
    });
    this.#sources = Array.from({ length: 4 }, (_, at) => {
      const pieces = new Bitfield(PIECES);
      for (let index = 0; index < PIECES; index++) {
        if (at === 0 || this.#rng() < 0.6) pieces.add(index);
      }
      return {
        ...{ pieces, outstanding: new Set<number>(), currentPiece: -1 },
        ...{ asked: [], lies: at === 3 ? 4 : 0, given: 0 },
        chokes: false,
      };
    });
  }

  #draw(below: number): number {
    return Math.floor(this.#rng() * below);
  }

  step(): void {
    const source = this.#sources[this.#draw(this.#sources.length)]!;
    const what = source.chokes ? 1 : this.#rng();
    if (what < 0.5) this.#ask(source);
    else if (what < 0.85) this.#give(source);
    else if (what < 0.9) {
      const [block] = source.asked.splice(this.#draw(source.asked.length), 1);
      if (block !== undefined) this.board.rejected(source, block);
    } else if (what < 0.91) this.#choke();
    else if (what < 0.93) {
      this.board.release(source);
      source.asked.length = 0;
    } else this.#check();
  }

  /** The liar, asked anew for a piece it spoiled, chokes for good, and rejects what it was asked for, block by block (BEP 6). */
  #choke(): void {
    const liar = this.#sources[3]!;
    if (!liar.asked.some((block) => this.#spoilt.has(block.pieceIndex))) return;
    liar.chokes = true;
    for (const block of liar.asked.splice(0)) this.board.rejected(liar, block);
  }

  #ask(source: Source): void {
    const dry = this.board.dry(source);
    const block = this.board.next(source);
    assertEquals(this.board.dry(source), block === null);
    if (block === null) return;
    assert(!dry, "what is dry must have nothing to be asked for");
    assert(source.pieces.has(block.pieceIndex));
    assert(!this.have.has(block.pieceIndex));
    assertEquals(
      block.lengthBytes,
      Math.min(
        BLOCK_BYTES,
        pieceLengthOf(LAYOUT, block.pieceIndex) - block.begin,
      ),
    );
    const idle = source.outstanding.size === 1;
    assert(this.board.requesters(block) <= (idle ? 3 : 2));
    source.asked.push(block);
  }

  #give(source: Source): void {
    const [block] = source.asked.splice(this.#draw(source.asked.length), 1);
    if (block === undefined) return;
    source.given += 1;
    const bad = source.lies > 0 && source.given % source.lies === 0;
    const bytes = new Uint8Array(block.lengthBytes)
      .fill(bad ? 111 : block.pieceIndex);
    const doubled = this.board.requesters(block) > 1;
    const taken = this.board.received(source, { ...block, block: bytes });
    if (taken === "complete") this.#checking.push(block.pieceIndex);
    if (!doubled) return;
    for (const other of this.#sources) {
      if (other !== source) this.board.withdraw(other, block);
    }
  }

  #check(): void {
    const pieceIndex = this.#checking.shift();
    if (pieceIndex === undefined) return;
    const bytes = this.board.bytesOf(pieceIndex);
    // Whole: every byte came from someone.
    assert(bytes.every((byte) => byte === pieceIndex || byte === 111));
    const valid = bytes.every((byte) => byte === pieceIndex);
    const piece = this.board.checked(pieceIndex, valid)!;
    assertEquals(piece.givers.length, Math.ceil(bytes.length / BLOCK_BYTES));
    for (const [block, giver] of piece.givers.entries()) {
      const isBad = bytes[block * BLOCK_BYTES] === 111;
      assert(giver !== undefined && (!isBad || giver === this.#sources[3]));
    }
    if (valid) this.have.add(pieceIndex);
    else this.#spoilt.add(pieceIndex);
  }
}

Deno.test("PieceBoard ends with every piece, each block from who gave it, whatever happens in whatever order", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const chaos = new Chaos(seed);
    let steps = 0;
    while (!chaos.have.complete && steps < 20_000) {
      chaos.step();
      steps += 1;
    }
    assert(chaos.have.complete, `seed ${seed}: ${chaos.have.count} pieces`);
    assert(chaos.board.endgame);
    assertEquals(chaos.board.activePieces, 0);
  }
});
