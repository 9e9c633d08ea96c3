import { basename, join, resolve } from "@std/path";
import { toHex } from "../../lib/core/bytes.ts";
import { InputError } from "../../lib/core/errors.ts";
import { formatBytes } from "../../lib/core/units.ts";
import {
  HASH_BYTES,
  makeMetainfo,
  parseMetainfo,
} from "../../lib/bittorrent/metainfo.ts";
import type { Files } from "../../lib/io/files.ts";
import { sha1 } from "../../lib/io/hash.ts";
import type { RoleContext } from "../../lib/role.ts";
import { VERSION } from "../../lib/version.ts";

/** The flags of the mode that makes a torrent. */
export interface CreateFlags {
  readonly create: string | undefined;
  readonly announce: readonly string[];
  readonly output: string | undefined;
  readonly pieceLength: number;
  readonly private: boolean;
}

/** A file that goes into a torrent. */
interface Source {
  /** Below the folder; empty for a bare file. */
  readonly path: readonly string[];
  /** Where it is on the disk. */
  readonly at: string;
  readonly lengthBytes: number;
}

/** Makes a .torrent of a file or a folder. */
export async function createTorrent(
  flags: CreateFlags,
  ctx: RoleContext,
): Promise<void> {
  checkFlags(flags);
  const { pieceLength } = flags;
  const root = resolve(flags.create!);
  const output = flags.output ?? `${basename(root)}.torrent`;
  const sources = await sourcesOf(root, ctx.files);
  const pieces = await hashPieces(sources, pieceLength, ctx);
  const bare = sources[0]?.path.length === 0;
  let bytes: Uint8Array;
  try {
    bytes = makeMetainfo({
      name: basename(root),
      content: bare ? sources[0]!.lengthBytes : sources,
      pieceLength,
      pieces,
      // Several trackers are told all, each in a tier of its own (BEP 12).
      announceList: flags.announce.map((url) => [url]),
      private: flags.private,
      createdBy: `rolecall ${VERSION}`,
    });
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new InputError(
      `Cannot make a torrent of ${flags.create}: ${cause.message}`,
      { cause },
    );
  }
  await ctx.files.writeAtomic(output, bytes);
  const info = parseMetainfo(bytes, { sha1 });
  const infoHash = toHex(info.infoHash);
  ctx.emit({
    type: "torrent.created",
    file: output,
    infoHash,
    bytes: info.totalBytes,
    pieceCount: info.pieceCount,
  });
  ctx.finish({
    text: `${output}: ${
      formatBytes(info.totalBytes)
    } in ${info.pieceCount} pieces of ${
      formatBytes(pieceLength)
    }, info-hash ${infoHash}`,
    json: {
      file: output,
      infoHash,
      bytes: info.totalBytes,
      pieceLength,
      pieceCount: info.pieceCount,
      files: info.files.length,
    },
  });
}

/** @throws {InputError} If a flag cannot be used. */
function checkFlags({ pieceLength, announce }: CreateFlags): void {
  if (
    pieceLength < 16_384 || pieceLength > 16 * 2 ** 20 ||
    (pieceLength & (pieceLength - 1)) !== 0
  ) {
    throw new InputError(
      `--piece-length must be a power of two from 16KiB to 16MiB, got ${pieceLength}`,
    );
  }
  for (const url of announce) {
    if (URL.canParse(url) && /^(https?|udp):$/.test(new URL(url).protocol)) {
      continue;
    }
    throw new InputError(
      `--announce must be a URL such as http://10.0.0.1:6969/announce, got "${url}"`,
    );
  }
}

/** Finds what is to go in: the file, or every file below the folder in the order of its path. Links and hidden files are left out. */
async function sourcesOf(root: string, files: Files): Promise<Source[]> {
  const stat = await files.stat(root);
  if (stat === null) {
    throw new InputError(`Cannot make a torrent of ${root}: nothing is there`);
  }
  if (stat.kind === "file") {
    return [{ path: [], at: root, lengthBytes: stat.sizeBytes }];
  }
  const sources: Source[] = [];
  async function walk(path: readonly string[]): Promise<void> {
    for (const { name, kind } of await files.list(join(root, ...path))) {
      if (name.startsWith(".")) continue;
      const below = [...path, name];
      if (kind === "folder") await walk(below);
      if (kind !== "file") continue;
      const at = join(root, ...below);
      const lengthBytes = (await files.stat(at))?.sizeBytes ?? 0;
      sources.push({ path: below, at, lengthBytes });
    }
  }
  await walk([]);
  if (sources.length === 0) {
    throw new InputError(
      `Cannot make a torrent of ${root}: there is no file in it`,
    );
  }
  return sources;
}

/** Returns the hashes of the pieces, which run on from file to file. */
async function hashPieces(
  sources: readonly Source[],
  pieceLength: number,
  ctx: RoleContext,
): Promise<Uint8Array> {
  const total = sources.reduce((sum, source) => sum + source.lengthBytes, 0);
  const hashes = new Uint8Array(Math.ceil(total / pieceLength) * HASH_BYTES);
  const piece = new Uint8Array(pieceLength);
  let filled = 0;
  let count = 0;
  for (const source of sources) {
    await using file = await ctx.files.open(source.at, {});
    for (let offset = 0; offset < source.lengthBytes;) {
      ctx.signal.throwIfAborted();
      const wanted = Math.min(
        pieceLength - filled,
        source.lengthBytes - offset,
      );
      const part = piece.subarray(filled, filled + wanted);
      if (await file.readAt(offset, part) < wanted) {
        throw new InputError(
          `Cannot make a torrent: ${source.at} changed while it was read`,
        );
      }
      offset += wanted;
      filled += wanted;
      if (filled < pieceLength) continue;
      hashes.set(sha1(piece), count * HASH_BYTES);
      count += 1;
      filled = 0;
    }
  }
  if (filled > 0) {
    hashes.set(sha1(piece.subarray(0, filled)), count * HASH_BYTES);
  }
  return hashes;
}
