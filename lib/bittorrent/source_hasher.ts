import { concat, toHex } from "../core/bytes.ts";
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

/** Hashes what a torrent is made of, piece by piece. */
export class SourceHasher {
  readonly #sources: readonly HashedSource[];
  readonly #pieceLength: number;
  readonly #version: TorrentVersion;
  readonly #hashing: Hashing;
  readonly #padding: Padding;
  readonly #sha1s: Uint8Array[] = [];
  readonly #roots = new Map<HashedSource, Uint8Array>();
  readonly #layers = new Map<string, Uint8Array>();
  /** The pieces of the file being read. */
  #nodes: Uint8Array[] = [];
  /** The sources with bytes, the one being read first. */
  readonly #left: HashedSource[];

  /** @param sources In the order they lie in the torrent. One with an empty path is a bare file. */
  constructor(
    sources: readonly HashedSource[],
    options: { readonly pieceLength: number; readonly version: TorrentVersion },
    hashing: Hashing,
  ) {
    this.#hashing = hashing;
    this.#padding = new Padding(hashing.sha256);
    this.#sources = sources;
    this.#pieceLength = options.pieceLength;
    this.#version = options.version;
    this.#left = sources.filter((source) => source.lengthBytes > 0).reverse();
  }

  /**
   * Takes the next piece, without the zeros that fill it up.
   *
   * @param ends The source whose last piece it is; null if there is more of it, or in v1.
   */
  add(bytes: Uint8Array, ends: HashedSource | null): void {
    if (this.#version !== "v2") {
      this.#sha1s.push(this.#hashing.sha1(this.#filledUp(bytes)));
    }
    if (this.#version === "v1") return;
    const pieceLength = this.#pieceLength;
    const fileBytes = this.#left.at(-1)!.lengthBytes;
    this.#nodes.push(pieceNodeOf(bytes, {
      ...{
        fileBytes,
        pieceLength,
        sha256: this.#hashing.sha256,
        padding: this.#padding,
      },
    }));
    if (ends === null) return;
    const layer = concat(...this.#nodes);
    const root = rootOver(nodesOf(layer), {
      sha256: this.#hashing.sha256,
      padding: this.#padding,
      layer: layersAbove(pieceLength / LEAF_BYTES),
    });
    this.#roots.set(ends, root);
    if (this.#nodes.length > 1) this.#layers.set(toHex(root), layer);
    this.#nodes = [];
    this.#left.pop();
  }

  /** All pieces were taken. */
  finish(): SourceHashes {
    const pieces = new Uint8Array(this.#sha1s.length * HASH_BYTES);
    for (const [at, hash] of this.#sha1s.entries()) {
      pieces.set(hash, at * HASH_BYTES);
    }
    const files = this.#sources.map((source): MetainfoFile => {
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

  /** In a hybrid of a folder, a file's last piece with the zeros behind it. */
  #filledUp(bytes: Uint8Array): Uint8Array {
    const bare = this.#sources[0]!.path.length === 0;
    if (this.#version !== "hybrid" || bare) return bytes;
    const filler = this.#pieceLength - bytes.length;
    return filler === 0 ? bytes : concat(bytes, new Uint8Array(filler));
  }
}
