/**
 * The SHA-256 trees of BitTorrent v2 (BEP 52).
 *
 * A file is cut into blocks of 16 KiB; their hashes are the leaves. Leaves are filled up with zeros (32 zero bytes each,
 * not the hash of anything) to a power of two, and each node above is the hash of its two children:
 *
 *     layer 2            root             one per 64 KiB
 *     layer 1        n0        n1         one per 32 KiB
 *     layer 0     b0    b1   b2   0       the blocks, the last place empty
 *
 * The `piece layer` is the one whose nodes cover a piece each. Whoever has the root can check any run of nodes with the
 * siblings on the way up, the uncles: one for each layer.
 */
import { concat, equalBytes } from "../../core/bytes.ts";

/** Bytes of the blocks whose hashes are the leaves. */
export const LEAF_BYTES = 16 * 1024;
/** Bytes of a node. */
export const NODE_BYTES = 32;

/** Returns the 32-byte SHA-256 of `bytes`. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Returns the smallest power of two that is at least `count`; 1 for 0. */
export function powerOfTwoFrom(count: number): number {
  let power = 1;
  while (power < count) power *= 2;
  return power;
}

/** Returns how many layers lie between a row of `count` nodes and its root: 0 for one node. */
export function layersAbove(count: number): number {
  let layers = 0;
  for (let power = 1; power < count; power *= 2) layers += 1;
  return layers;
}

/** Returns the leaves of `bytes`, one for each block begun. */
export function leavesOf(bytes: Uint8Array, sha256: Sha256): Uint8Array[] {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += LEAF_BYTES) {
    leaves.push(sha256(bytes.subarray(at, at + LEAF_BYTES)));
  }
  return leaves;
}

/** Remembers, for one hash function, what a tree of nothing has as its node on each layer. */
export class Padding {
  readonly #sha256: Sha256;
  readonly #nodes: Uint8Array[] = [new Uint8Array(NODE_BYTES)];

  /** Starts with the leaf: 32 zeros. */
  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  /** The node `layer` layers above the leaves under which there is nothing. */
  node(layer: number): Uint8Array {
    while (this.#nodes.length <= layer) {
      const below = this.#nodes.at(-1)!;
      this.#nodes.push(this.#sha256(concat(below, below)));
    }
    return this.#nodes[layer]!;
  }
}

/**
 * Returns the rows of the tree over `nodes`, from themselves, filled up to `width` with padding, to the one at the top.
 *
 * @param options.layer How many layers above the leaves `nodes` are: padding there is the node of so many layers of nothing.
 */
export function rowsOver(
  nodes: readonly Uint8Array[],
  options: {
    readonly sha256: Sha256;
    readonly padding: Padding;
    readonly layer: number;
    /** A power of two of at least the number of nodes; the smallest if not given. */
    readonly width?: number;
  },
): Uint8Array[][] {
  const { sha256, padding, layer } = options;
  let row = [...nodes];
  const width = options.width ?? powerOfTwoFrom(nodes.length);
  const rows: Uint8Array[][] = [];
  let above = layer;
  for (let size = width; size > 1; size /= 2) {
    const filler = padding.node(above);
    above += 1;
    const next: Uint8Array[] = [];
    for (let at = 0; at < row.length; at += 2) {
      next.push(sha256(concat(row[at]!, row[at + 1] ?? filler)));
    }
    // Rows stay as short as what is there: the rest is padding.
    rows.push(row);
    row = next;
  }
  rows.push(row);
  return rows;
}

/** Returns the root over `nodes`. Parameters as for {@linkcode rowsOver}; the padding node if there is none. */
export function rootOver(
  nodes: readonly Uint8Array[],
  options: Parameters<typeof rowsOver>[1],
): Uint8Array {
  const width = options.width ?? powerOfTwoFrom(nodes.length);
  return rowsOver(nodes, options).at(-1)?.[0] ??
    options.padding.node(options.layer + layersAbove(width));
}

/** Returns the node above `node` and all its uncles, the nearest first. `index` is its place in its row. */
export function climb(
  node: Uint8Array,
  options: {
    readonly index: number;
    readonly uncles: readonly Uint8Array[];
    readonly sha256: Sha256;
  },
): Uint8Array {
  let { index } = options;
  let top = node;
  for (const uncle of options.uncles) {
    top = options.sha256(
      index % 2 === 0 ? concat(top, uncle) : concat(uncle, top),
    );
    index = Math.floor(index / 2);
  }
  return top;
}

/** Returns the nodes in `bytes`, which are a view of it. */
export function nodesOf(bytes: Uint8Array): Uint8Array[] {
  const nodes: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += NODE_BYTES) {
    nodes.push(bytes.subarray(at, at + NODE_BYTES));
  }
  return nodes;
}

/** Returns whether `layer`, the hashes of a file's pieces, has the file's root above it. */
export function layerMatches(
  layer: Uint8Array,
  file: {
    readonly piecesRoot: Uint8Array;
    readonly pieceLength: number;
    readonly sha256: Sha256;
  },
): boolean {
  const { piecesRoot, pieceLength, sha256 } = file;
  const root = rootOver(nodesOf(layer), {
    sha256,
    padding: new Padding(sha256),
    layer: layersAbove(pieceLength / LEAF_BYTES),
  });
  return equalBytes(root, piecesRoot);
}

/**
 * Returns the node that stands for a piece: the root of a file that has no more than this piece, or else a node of the
 * file's piece layer.
 *
 * @param bytes The piece without what fills it up; only a file's last one is shorter than `pieceLength`.
 */
export function pieceNodeOf(
  bytes: Uint8Array,
  options: {
    /** Length of the file. */
    readonly fileBytes: number;
    readonly pieceLength: number;
    readonly sha256: Sha256;
    readonly padding: Padding;
  },
): Uint8Array {
  const { fileBytes, pieceLength, sha256, padding } = options;
  return rootOver(leavesOf(bytes, sha256), {
    sha256,
    padding,
    layer: 0,
    ...(fileBytes > pieceLength ? { width: pieceLength / LEAF_BYTES } : {}),
  });
}
