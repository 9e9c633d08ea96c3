import { InputError } from "../../lib/core/errors.ts";
import type { TorrentVersion } from "../../lib/bittorrent/metainfo.ts";
import {
  SourceHasher,
  type SourceHashes,
} from "../../lib/bittorrent/source_hasher.ts";
import { hashing } from "../../lib/io/hash.ts";
import type { RoleContext } from "../../lib/role.ts";
import type { Source } from "./sources.ts";

/** How often it is told how far hashing is. */
const PROGRESS_MS = 1_000;

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
  const hasher = new SourceHasher(sources, options, hashing);
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
