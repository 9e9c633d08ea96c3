import { concat, toHex } from "../../lib/core/bytes.ts";
import { InputError } from "../../lib/core/errors.ts";
import type { MetainfoFile } from "../../lib/bittorrent/make_metainfo.ts";
import {
  layersAbove,
  LEAF_BYTES,
  nodesOf,
  Padding,
  pieceNodeOf,
  rootOver,
} from "../../lib/bittorrent/merkle.ts";
import {
  HASH_BYTES,
  type TorrentVersion,
} from "../../lib/bittorrent/metainfo.ts";
import { sha1, sha256 } from "../../lib/io/hash.ts";
import type { RoleContext } from "../../lib/role.ts";
import type { Source } from "./sources.ts";

/** How often it is told how far hashing is. */
const PROGRESS_MS = 1_000;

/** What {@linkcode hashSources} finds out. */
export interface SourceHashes {
  /** The SHA-1 hashes of the pieces of v1; empty for v2. */
  readonly pieces: Uint8Array;
  /** The sources as a torrent lists them, with their roots for v2. */
  readonly files: readonly MetainfoFile[];
  /** The hashes of the pieces of files longer than a piece, by root in hex, for v2. */
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads every file once and hashes it; two pieces are in memory at a time, one being read while the other is hashed.
 *
 * Pieces of v1 run on from file to file. With v2 every file begins a piece, and in a hybrid of a folder SHA-1 is of the
 * last piece of a file with the zeros that fill it up.
 */
export async function hashSources(
  sources: readonly Source[],
  options: { readonly pieceLength: number; readonly version: TorrentVersion },
  ctx: RoleContext,
): Promise<SourceHashes> {
  const hasher = new SourceHasher(sources, options);
  const totalBytes = sources.reduce(
    (sum, { lengthBytes }) => sum + lengthBytes,
    0,
  );
  let toldAtMs = ctx.clock.nowMs();
  let hashedBytes = 0;
  for await (const { bytes, ends } of piecesOf(sources, options, ctx)) {
    hasher.add(bytes, ends);
    hashedBytes += bytes.length;
    const nowMs = ctx.clock.nowMs();
    if (nowMs - toldAtMs < PROGRESS_MS) continue;
    toldAtMs = nowMs;
    ctx.emit({ type: "torrent.hashed", hashedBytes, totalBytes });
  }
  return hasher.finish();
}

/** Reads the pieces; `bytes` are good until the one after the next. `ends`: it is a file's last, or the only one of an empty file. */
async function* piecesOf(
  sources: readonly Source[],
  { pieceLength, version }: {
    readonly pieceLength: number;
    readonly version: TorrentVersion;
  },
  ctx: RoleContext,
): AsyncGenerator<{ bytes: Uint8Array; ends: Source | null }> {
  const buffers = [new Uint8Array(pieceLength), new Uint8Array(pieceLength)];
  let filled = 0;
  let ready: { bytes: Uint8Array; ends: Source | null } | null = null;
  for (const source of sources) {
    if (source.link !== undefined) continue;
    await using file = await ctx.files.open(source.at, {});
    for (let offset = 0; offset < source.lengthBytes;) {
      ctx.signal.throwIfAborted();
      const wanted = Math.min(
        pieceLength - filled,
        source.lengthBytes - offset,
      );
      const part = buffers[0]!.subarray(filled, filled + wanted);
      const reading = file.readAt(offset, part);
      // Hashed by whoever takes it, while the next one is read.
      if (ready !== null) yield ready;
      ready = null;
      if (await reading < wanted) {
        throw new InputError(
          `Cannot make a torrent: ${source.at} changed while it was read`,
        );
      }
      offset += wanted;
      filled += wanted;
      const last = offset === source.lengthBytes;
      if (filled < pieceLength && (version === "v1" || !last)) continue;
      const bytes = buffers[0]!.subarray(0, filled);
      ready = { bytes, ends: last ? source : null };
      buffers.reverse();
      filled = 0;
    }
  }
  if (ready !== null) yield ready;
  if (filled > 0) {
    yield { bytes: buffers[0]!.subarray(0, filled), ends: null };
  }
}

/** Takes pieces one by one. */
class SourceHasher {
  readonly #sources: readonly Source[];
  readonly #pieceLength: number;
  readonly #version: TorrentVersion;
  readonly #padding = new Padding(sha256);
  readonly #sha1s: Uint8Array[] = [];
  readonly #roots = new Map<Source, Uint8Array>();
  readonly #layers = new Map<string, Uint8Array>();
  /** The pieces of the file being read. */
  #nodes: Uint8Array[] = [];
  /** The sources with bytes, the one being read first. */
  readonly #left: Source[];

  constructor(
    sources: readonly Source[],
    options: { readonly pieceLength: number; readonly version: TorrentVersion },
  ) {
    this.#sources = sources;
    this.#pieceLength = options.pieceLength;
    this.#version = options.version;
    this.#left = sources.filter((source) => source.lengthBytes > 0).reverse();
  }

  add(bytes: Uint8Array, ends: Source | null): void {
    if (this.#version !== "v2") this.#sha1s.push(sha1(this.#filledUp(bytes)));
    if (this.#version === "v1") return;
    const pieceLength = this.#pieceLength;
    const fileBytes = this.#left.at(-1)!.lengthBytes;
    this.#nodes.push(pieceNodeOf(bytes, {
      ...{ fileBytes, pieceLength, sha256, padding: this.#padding },
    }));
    if (ends === null) return;
    const layer = concat(...this.#nodes);
    const root = rootOver(nodesOf(layer), {
      sha256,
      padding: this.#padding,
      layer: layersAbove(pieceLength / LEAF_BYTES),
    });
    this.#roots.set(ends, root);
    if (this.#nodes.length > 1) this.#layers.set(toHex(root), layer);
    this.#nodes = [];
    this.#left.pop();
  }

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
