import { InputError } from "../../../lib/core/errors.ts";
import {
  type PieceCut,
  runsOn,
  SourceHasher,
  type SourceHashes,
} from "../../../lib/bittorrent/metainfo/source_hasher.ts";
import { hashing } from "../../../lib/io/hash.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { Source } from "./sources.ts";

/** How often it is told how far hashing is. */
const PROGRESS_MS = 1_000;

/**
 * Reads every file once and hashes it; two pieces are in memory at a time, one being read while the other is hashed.
 *
 * Pieces of v1 run on from file to file, unless told otherwise; with v2 every file begins a piece.
 */
export async function hashSources(
  sources: readonly Source[],
  options: PieceCut,
  ctx: RoleContext,
): Promise<SourceHashes> {
  const hasher = new SourceHasher(options, hashing);
  const totalBytes = sources.reduce(
    (sum, { lengthBytes }) => sum + lengthBytes,
    0,
  );
  let toldAtMs = ctx.clock.nowMs();
  let hashedBytes = 0;
  for await (const { bytes, source, last } of piecesOf(sources, options, ctx)) {
    hasher.add(bytes, source, last);
    hashedBytes += bytes.length;
    const nowMs = ctx.clock.nowMs();
    if (nowMs - toldAtMs < PROGRESS_MS) continue;
    toldAtMs = nowMs;
    ctx.emit({ type: "torrent.hashed", hashedBytes, totalBytes });
  }
  return hasher.finish(sources);
}

interface ReadPiece {
  readonly bytes: Uint8Array;
  readonly source: Source;
  readonly last: boolean;
}

/** Reads the pieces; `bytes` are good until the one after the next. */
async function* piecesOf(
  sources: readonly Source[],
  cut: PieceCut,
  ctx: RoleContext,
): AsyncGenerator<ReadPiece> {
  const { pieceLength } = cut;
  const buffers = [new Uint8Array(pieceLength), new Uint8Array(pieceLength)];
  let filled = 0;
  let ready: ReadPiece | null = null;
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
      if (filled < pieceLength && (runsOn(cut) || !last)) continue;
      const bytes = buffers[0]!.subarray(0, filled);
      ready = { bytes, source, last };
      buffers.reverse();
      filled = 0;
    }
  }
  if (ready !== null) yield ready;
  if (filled > 0) {
    const bytes = buffers[0]!.subarray(0, filled);
    yield { bytes, source: sources.at(-1)!, last: true };
  }
}
