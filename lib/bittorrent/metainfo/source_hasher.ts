import { concat, toHex } from "../../core/bytes.ts";
import type { MetainfoFile } from "./make_metainfo.ts";
import {
  layersAbove,
  LEAF_BYTES,
  nodesOf,
  Padding,
  pieceNodeOf,
  rootOver,
} from "./merkle.ts";
import { HASH_BYTES, type Hashing, type TorrentVersion } from "./metainfo.ts";

/** A file, folder member or link of which a torrent is made. */
export interface HashedSource {
  /** Below the folder; empty for a bare file. */
  readonly path: readonly string[];
  readonly lengthBytes: number;
  /** Where a symbolic link points; see {@linkcode MetainfoFile.link}. */
  readonly link?: readonly string[];
}

/** What {@linkcode SourceHasher} finds out. */
export interface SourceHashes {
  /** The SHA-1 hashes of the pieces of v1; empty for v2. */
  readonly pieces: Uint8Array;
  /** The sources as a torrent lists them, with their roots for v2. */
  readonly files: readonly MetainfoFile[];
  /** The hashes of the pieces of files longer than a piece, by root in hex, for v2. */
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
}

/** How a torrent's pieces are cut. */
export interface PieceCut {
  readonly pieceLength: number;
  readonly version: TorrentVersion;
  /** In v1 of a folder, too, each file begins a piece, as in v2, and SHA-1 is of its last piece with the zeros that fill it up. */
  readonly align?: boolean;
}

/** Whether pieces run on from file to file: only in v1. */
export function runsOn({ version, align }: PieceCut): boolean {
  return version === "v1" && !align;
}

/** Hashes what a torrent is made of, piece by piece. */
export class SourceHasher {
  readonly #cut: PieceCut;
  readonly #hashing: Hashing;
  readonly #padding: Padding;
  readonly #sha1s: Uint8Array[] = [];
  readonly #roots = new Map<HashedSource, Uint8Array>();
  readonly #layers = new Map<string, Uint8Array>();
  /** The pieces of the file being read. */
  #nodes: Uint8Array[] = [];

  /** Creates a hasher that was given nothing. */
  constructor(cut: PieceCut, hashing: Hashing) {
    this.#hashing = hashing;
    this.#padding = new Padding(hashing.sha256);
    this.#cut = cut;
  }

  /**
   * Takes the next piece, without the zeros that fill it up.
   *
   * @param source Whose it is, or in v1 whose end it has. One with an empty path is a bare file.
   * @param last It is the source's last piece.
   */
  add(bytes: Uint8Array, source: HashedSource, last: boolean): void {
    const { version, pieceLength } = this.#cut;
    if (version !== "v2") {
      this.#sha1s.push(this.#hashing.sha1(this.#filledUp(bytes, source)));
    }
    if (version === "v1") return;
    this.#nodes.push(pieceNodeOf(bytes, {
      fileBytes: source.lengthBytes,
      pieceLength,
      sha256: this.#hashing.sha256,
      padding: this.#padding,
    }));
    if (!last) return;
    const layer = concat(...this.#nodes);
    const root = rootOver(nodesOf(layer), {
      sha256: this.#hashing.sha256,
      padding: this.#padding,
      layer: layersAbove(pieceLength / LEAF_BYTES),
    });
    this.#roots.set(source, root);
    if (this.#nodes.length > 1) this.#layers.set(toHex(root), layer);
    this.#nodes = [];
  }

  /** All pieces were taken. @param sources In the order they lie in the torrent, with those that have no bytes. */
  finish(sources: readonly HashedSource[]): SourceHashes {
    const pieces = new Uint8Array(this.#sha1s.length * HASH_BYTES);
    for (const [at, hash] of this.#sha1s.entries()) {
      pieces.set(hash, at * HASH_BYTES);
    }
    const files = sources.map((source): MetainfoFile => {
      const { path, lengthBytes, link } = source;
      const piecesRoot = this.#roots.get(source);
      return {
        path,
        lengthBytes,
        ...(link === undefined ? {} : { link }),
        ...(piecesRoot === undefined ? {} : { piecesRoot }),
      };
    });
    return { pieces, files, pieceLayers: this.#layers };
  }

  /** Where no other file goes on in it, the last piece of a folder's file with the zeros behind it. */
  #filledUp(bytes: Uint8Array, { path }: HashedSource): Uint8Array {
    const { version, pieceLength } = this.#cut;
    if (version === "v2" || runsOn(this.#cut) || path.length === 0) {
      return bytes;
    }
    const filler = pieceLength - bytes.length;
    return filler === 0 ? bytes : concat(bytes, new Uint8Array(filler));
  }
}
