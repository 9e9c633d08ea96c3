/**
 * Which piece to begin next.
 *
 * Rarest first (slide "BitTorrent: requesting, sending file chunks"; Cohen 2003, section 2.3): pieces that few peers have
 * are asked for first, so that no piece dies out and everyone has something to trade. Ties are broken by lot: were
 * everyone to take the first of the rarest, all would ask the seed for the same piece. The very first pieces are drawn
 * by lot whatever their rarity (a rare piece has one source, and a newcomer needs something to give quickly). `random` and
 * `sequential` are there to be compared with it.
 */
import type { Rng } from "../../../core/rng.ts";
import type { Bitfield } from "../../wire/bitfield.ts";

/** `--picker`: how to choose the next piece. */
export type PickerName = "rarest" | "random" | "sequential";

/** Until so many pieces are complete, `rarest` draws by lot. */
const RANDOM_FIRST_PIECES = 2;

/** What a choice is made from. */
export interface PickInput {
  /** Pieces nobody has begun, in any order. */
  readonly wanted: readonly number[];
  /** How many connected peers have each piece. */
  readonly availability: ArrayLike<number>;
  /** What the peer to be asked has. */
  readonly offered: Bitfield;
  readonly picker: PickerName;
  /** How many pieces we have. */
  readonly havePieces: number;
}

/**
 * Chooses the next piece to begin; ties by lot (reservoir sampling: one pass, no list).
 *
 * @returns The position in `wanted`, or -1 if the peer has none of them.
 *
 * @example The rarest of three
 * ```ts
 * import { Bitfield } from "../../wire/bitfield.ts";
 * import { pickPiece } from "./picker.ts";
 * import assert from "node:assert/strict";
 *
 * const offered = Bitfield.fromBytes(Uint8Array.of(0b11100000), 3);
 * const at = pickPiece(
 *   { wanted: [0, 1, 2], availability: [3, 1, 2], offered, picker: "rarest", havePieces: 9 },
 *   () => 0,
 * );
 * assert.equal(at, 1);
 * ```
 */
export function pickPiece(input: PickInput, rng: Rng): number {
  const { wanted, availability, offered } = input;
  const picker = input.picker === "rarest" &&
      input.havePieces < RANDOM_FIRST_PIECES
    ? "random"
    : input.picker;
  let best = -1;
  let bestRank = Infinity;
  let ties = 0;
  for (let at = 0; at < wanted.length; at++) {
    const pieceIndex = wanted[at]!;
    const rank = picker === "rarest"
      ? availability[pieceIndex]!
      : picker === "sequential"
      ? pieceIndex
      : 0;
    if (rank > bestRank || !offered.has(pieceIndex)) continue;
    if (rank < bestRank) {
      best = at;
      bestRank = rank;
      ties = 1;
    } else {
      ties += 1;
      if (rng() * ties < 1) best = at;
    }
  }
  return best;
}
