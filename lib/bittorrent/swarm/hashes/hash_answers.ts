/**
 * What we answer to peers that ask for hashes (BEP 52, "hash request").
 *
 * From the piece layer upwards everything follows from the hashes a .torrent brings. The leaves below are known while a
 * piece is in memory: whoever asks for a block of it and then for its leaves gets both.
 */
import { equalBytes } from "../../../core/bytes.ts";
import type { LayoutFile } from "../../metainfo/layout.ts";
import {
  layersAbove,
  LEAF_BYTES,
  leavesOf,
  nodesOf,
  Padding,
  powerOfTwoFrom,
  rowsOver,
  type Sha256,
} from "../../metainfo/merkle.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { PieceHashes } from "../../metainfo/piece_hashes.ts";
import {
  type HashMessage,
  type HashRange,
  MAX_HASHES,
  uncleCountOf,
} from "../../wire/hash_messages.ts";

/** The rows of one file's tree, from the piece layer to the root. */
interface Rows {
  readonly piecesRoot: Uint8Array;
  readonly rows: readonly (readonly Uint8Array[])[];
}

/** Answers requests for hashes. */
export class HashAnswers {
  readonly #info: TorrentInfo;
  readonly #hashes: PieceHashes;
  readonly #sha256: Sha256;
  readonly #padding: Padding;
  readonly #pieceLayer: number;
  /** Those asked for last: a peer asks for many runs of one file. */
  #last: Rows | null = null;

  /** @param hashes What is known; `learn` may add to it. */
  constructor(info: TorrentInfo, hashes: PieceHashes, sha256: Sha256) {
    this.#info = info;
    this.#hashes = hashes;
    this.#sha256 = sha256;
    this.#padding = new Padding(sha256);
    this.#pieceLayer = layersAbove(info.pieceLength / LEAF_BYTES);
  }

  /**
   * Returns `hashes`, or `hash-reject` if they are not known, or there are no such nodes.
   *
   * @param inMemory Returns a piece if it is at hand.
   */
  answer(
    { piecesRoot, baseLayer, index, length, proofLayers }: HashRange,
    inMemory: (pieceIndex: number) => Uint8Array | undefined,
  ): HashMessage {
    const range = { piecesRoot, baseLayer, index, length, proofLayers };
    const file = this.#info.files.find((file) =>
      file.piecesRoot !== undefined && equalBytes(file.piecesRoot, piecesRoot)
    );
    const nodes = file === undefined || !fits(file, range)
      ? null
      : this.#nodes(file, range, inMemory);
    if (nodes === null) return { kind: "hash-reject", ...range };
    const hashes = new Uint8Array(nodes.length * 32);
    for (const [at, node] of nodes.entries()) hashes.set(node, at * 32);
    return { kind: "hashes", ...range, hashes };
  }

  #nodes(
    file: LayoutFile,
    range: HashRange,
    inMemory: (pieceIndex: number) => Uint8Array | undefined,
  ): Uint8Array[] | null {
    const { baseLayer, index, length } = range;
    const at = this.#nodeAt(file, range, inMemory);
    const nodes: Uint8Array[] = [];
    for (let place = index; place < index + length; place++) {
      const node = at(baseLayer, place);
      if (node === null) return null;
      nodes.push(node);
    }
    // The first uncle is the sibling of the node that the run as a whole is below.
    let layer = baseLayer + layersAbove(length);
    let place = Math.floor(index / powerOfTwoFrom(length));
    for (let count = uncleCountOf(range); count > 0; count--) {
      const uncle = at(layer, place ^ 1);
      if (uncle === null) return null;
      nodes.push(uncle);
      layer += 1;
      place = Math.floor(place / 2);
    }
    return nodes;
  }

  /** Returns a look-up of nodes by layer and place; null for one that is not known. */
  #nodeAt(
    file: LayoutFile,
    range: HashRange,
    inMemory: (pieceIndex: number) => Uint8Array | undefined,
  ): (layer: number, place: number) => Uint8Array | null {
    const lowest = Math.min(this.#pieceLayer, layersAbove(blocksOf(file)));
    const upper = this.#rowsOf(file, lowest);
    const below = range.baseLayer < lowest
      ? this.#rowsOfPiece(file, range, { lowest, inMemory })
      : null;
    return (layer, place) => {
      if (layer >= lowest) {
        const row = upper?.[layer - lowest];
        return row === undefined
          ? null
          : row[place] ?? this.#padding.node(layer);
      }
      const row = below?.rows[layer];
      if (row === undefined || below === null) return null;
      const inPiece = place - below.first / 2 ** layer;
      return inPiece < 0 || inPiece >= 2 ** (lowest - layer)
        ? null
        : row[inPiece] ?? this.#padding.node(layer);
    };
  }

  /** The rows from layer `lowest` on: that of the pieces, or the root of a file of one piece. */
  #rowsOf(file: LayoutFile, lowest: number): Rows["rows"] | null {
    const piecesRoot = file.piecesRoot!;
    if (this.#last !== null && equalBytes(this.#last.piecesRoot, piecesRoot)) {
      return this.#last.rows;
    }
    const layer = this.#hashes.layerOf(piecesRoot);
    if (layer === null) return null;
    const rows = rowsOver(nodesOf(layer), {
      sha256: this.#sha256,
      padding: this.#padding,
      layer: lowest,
    });
    this.#last = { piecesRoot, rows };
    return rows;
  }

  /** The rows below the piece in which the range begins, if that is in memory and right. */
  #rowsOfPiece(
    file: LayoutFile,
    { baseLayer, index }: HashRange,
    { lowest, inMemory }: {
      readonly lowest: number;
      readonly inMemory: (pieceIndex: number) => Uint8Array | undefined;
    },
  ): { rows: Uint8Array[][]; first: number } | null {
    const blocksPerPiece = 2 ** lowest;
    const piece = Math.floor(index * 2 ** baseLayer / blocksPerPiece);
    const bytes = inMemory(file.offset / this.#info.pieceLength + piece);
    if (bytes === undefined) return null;
    return {
      first: piece * blocksPerPiece,
      rows: rowsOver(leavesOf(bytes, this.#sha256), {
        sha256: this.#sha256,
        padding: this.#padding,
        layer: 0,
        width: blocksPerPiece,
      }),
    };
  }
}

function blocksOf({ lengthBytes }: LayoutFile): number {
  return Math.ceil(lengthBytes / LEAF_BYTES);
}

/** Whether a file's tree has the nodes, and as many layers above them. */
function fits(file: LayoutFile, range: HashRange): boolean {
  const { baseLayer, index, length, proofLayers } = range;
  const layers = layersAbove(blocksOf(file));
  const width = 2 ** (layers - baseLayer);
  return length > 0 && length <= MAX_HASHES && baseLayer <= layers &&
    index % powerOfTwoFrom(length) === 0 && index + length <= width &&
    proofLayers < layers - baseLayer;
}
