/**
 * Whether a piece is right: by SHA-1 (BEP 3), by the SHA-256 tree of its file (BEP 52), or by both.
 *
 * The hashes of v2 lie outside the `info` dictionary. A .torrent brings them; who has a magnet link only asks peers for
 * them, file by file, and cannot check a piece of v2 before they are there.
 */
import { concat, equalBytes, toHex } from "../../core/bytes.ts";
import { type LayoutFile, pieceSpanOf } from "./layout.ts";
import { layerMatches, NODE_BYTES, Padding, pieceNodeOf } from "./merkle.ts";
import { type Hashing, hashOfPiece, type TorrentInfo } from "./metainfo.ts";

/** A file of v2 that has bytes, with the pieces it has to itself. */
interface RootedFile {
  readonly firstPiece: number;
  readonly lengthBytes: number;
  readonly piecesRoot: Uint8Array;
  /** Hashes of its pieces; the root itself for a file of one piece; null until a peer has told. */
  layer: Uint8Array | null;
}

/** What pieces must hash to. */
export class PieceHashes {
  readonly #info: TorrentInfo;
  readonly #hashing: Hashing;
  readonly #padding: Padding;
  /** In order; empty for v1. */
  readonly #files: RootedFile[];

  /** @param pieceLayers Of the .torrent; what is missing is to come by {@linkcode PieceHashes.learn}. */
  constructor(
    info: TorrentInfo & {
      readonly pieceLayers?: ReadonlyMap<string, Uint8Array>;
    },
    hashing: Hashing,
  ) {
    this.#info = info;
    this.#hashing = hashing;
    this.#padding = new Padding(hashing.sha256);
    this.#files = info.files.filter(hasRoot).map((file) => ({
      firstPiece: file.offset / info.pieceLength,
      lengthBytes: file.lengthBytes,
      piecesRoot: file.piecesRoot,
      layer: file.lengthBytes <= info.pieceLength
        ? file.piecesRoot
        : info.pieceLayers?.get(toHex(file.piecesRoot)) ?? null,
    }));
  }

  /** Whether a piece can be checked. */
  known(pieceIndex: number): boolean {
    return this.#info.version !== "v2" ||
      this.#fileOf(pieceIndex)?.layer !== null;
  }

  /**
   * Returns whether `bytes` are piece `pieceIndex`, without the padding at its end. In a hybrid both hashes must be right;
   * the one of v2 counts as soon as it is known.
   */
  matches(pieceIndex: number, bytes: Uint8Array): boolean {
    return (this.#info.version === "v2" || this.#v1(pieceIndex, bytes)) &&
      (this.#info.version === "v1" || this.#v2(pieceIndex, bytes));
  }

  /** Returns the hashes of the pieces of the file with that root, or null if they are not known. */
  layerOf(piecesRoot: Uint8Array): Uint8Array | null {
    return this.#files.find((file) => equalBytes(file.piecesRoot, piecesRoot))
      ?.layer ?? null;
  }

  /** Takes the hashes of a file's pieces; every file with that root has them. Returns whether they fit the root. */
  learn(piecesRoot: Uint8Array, layer: Uint8Array): boolean {
    const { pieceLength } = this.#info;
    const { sha256 } = this.#hashing;
    if (!layerMatches(layer, { piecesRoot, pieceLength, sha256 })) return false;
    for (const file of this.#files) {
      if (equalBytes(file.piecesRoot, piecesRoot)) file.layer ??= layer;
    }
    return true;
  }

  #v1(pieceIndex: number, bytes: Uint8Array): boolean {
    const filler = pieceSpanOf(this.#info, pieceIndex) - bytes.length;
    const whole = filler > 0 ? concat(bytes, new Uint8Array(filler)) : bytes;
    return equalBytes(
      this.#hashing.sha1(whole),
      hashOfPiece(this.#info, pieceIndex),
    );
  }

  #v2(pieceIndex: number, bytes: Uint8Array): boolean {
    const file = this.#fileOf(pieceIndex);
    // Padding alone has no file, and SHA-1 only.
    if (file === null || file.layer === null) {
      return this.#info.version === "hybrid";
    }
    const node = pieceNodeOf(bytes, {
      fileBytes: file.lengthBytes,
      pieceLength: this.#info.pieceLength,
      sha256: this.#hashing.sha256,
      padding: this.#padding,
    });
    const at = (pieceIndex - file.firstPiece) * NODE_BYTES;
    return equalBytes(node, file.layer.subarray(at, at + NODE_BYTES));
  }

  /** Finds the file of a piece, by halving. */
  #fileOf(pieceIndex: number): RootedFile | null {
    const files = this.#files;
    let low = 0;
    let high = files.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (files[middle]!.firstPiece <= pieceIndex) low = middle;
      else high = middle - 1;
    }
    return files[low] ?? null;
  }
}

function hasRoot(
  file: LayoutFile,
): file is LayoutFile & { readonly piecesRoot: Uint8Array } {
  return file.piecesRoot !== undefined;
}
