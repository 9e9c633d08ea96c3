import { basename, resolve } from "@std/path";
import { toHex } from "../../../lib/core/bytes.ts";
import { InputError } from "../../../lib/core/errors.ts";
import type { HostPort } from "../../../lib/cli/flags.ts";
import { counted, formatBytes } from "../../../lib/core/units.ts";
import { makeMetainfo } from "../../../lib/bittorrent/metainfo/make_metainfo.ts";
import {
  parseMetainfo,
  type TorrentVersion,
} from "../../../lib/bittorrent/metainfo/metainfo.ts";
import { hashing, sha256 } from "../../../lib/io/hash.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { VERSION } from "../../../lib/version.ts";
import { hashSources } from "./hash_sources.ts";
import { type LinkRule, sourcesOf } from "./sources.ts";

/** The flags of the mode that makes a torrent. */
export interface CreateFlags {
  readonly create: string | undefined;
  readonly announce: readonly string[];
  readonly webSeed: readonly string[];
  readonly dhtNode: readonly HostPort[];
  readonly output: string | undefined;
  readonly pieceLength: number;
  readonly format: TorrentVersion;
  readonly align: boolean;
  readonly private: boolean;
  readonly source: string | undefined;
  readonly comment: string | undefined;
  readonly hidden: boolean;
  readonly links: LinkRule;
}

/** Makes a .torrent of a file or a folder. */
export async function createTorrent(
  flags: CreateFlags,
  ctx: RoleContext,
): Promise<void> {
  const tiers = checkFlags(flags);
  const { pieceLength, format: version, align } = flags;
  const root = resolve(flags.create!);
  const name = basename(root);
  const output = flags.output ?? `${name}.torrent`;
  const sources = await sourcesOf(
    root,
    { ...flags, except: resolve(output) },
    ctx.files,
  );
  const hashes = await hashSources(
    sources,
    { pieceLength, version, align },
    ctx,
  );
  const bare = sources[0]!.path.length === 0;
  let bytes: Uint8Array;
  try {
    bytes = makeMetainfo({
      ...{ version, name, pieceLength, align, sha256 },
      content: bare ? sources[0]!.lengthBytes : hashes.files,
      ...(bare ? { piecesRoot: hashes.files[0]!.piecesRoot! } : {}),
      pieces: hashes.pieces,
      pieceLayers: hashes.pieceLayers,
      announceList: tiers,
      webSeeds: flags.webSeed,
      nodes: flags.dhtNode,
      private: flags.private,
      ...(flags.source === undefined ? {} : { source: flags.source }),
      ...(flags.comment === undefined ? {} : { comment: flags.comment }),
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
  finish(output, bytes, ctx);
}

function finish(output: string, bytes: Uint8Array, ctx: RoleContext): void {
  const info = parseMetainfo(bytes, hashing);
  const infoHash = toHex(info.infoHash);
  const infoHashV2 = info.infoHashV2 === null ? null : toHex(info.infoHashV2);
  ctx.emit({
    type: "torrent.created",
    file: output,
    infoHash,
    bytes: info.totalBytes,
    pieceCount: info.pieceCount,
  });
  const names = [
    ...(info.version === "v2" ? [] : [`info-hash ${infoHash}`]),
    ...(infoHashV2 === null ? [] : [`v2 info-hash ${infoHashV2}`]),
  ];
  ctx.finish({
    text: `${output}: ${formatBytes(info.totalBytes)} in ${
      counted(info.pieceCount, "piece")
    } of ${formatBytes(info.pieceLength)}, ${names.join(", ")}`,
    json: {
      file: output,
      version: info.version,
      infoHash,
      infoHashV2,
      bytes: info.totalBytes,
      pieceLength: info.pieceLength,
      pieceCount: info.pieceCount,
      files: info.files.filter((file) => !file.padding).length,
    },
  });
}

/** Checks what the command line cannot. Returns the tiers of trackers. @throws {InputError} If a flag cannot be used. */
function checkFlags(
  { pieceLength, announce, webSeed, dhtNode, private: isPrivate }: CreateFlags,
): string[][] {
  if (isPrivate && dhtNode.length > 0) {
    throw new InputError(
      "--private and --dht-node exclude each other: a private torrent is kept out of the DHT",
    );
  }
  if (
    pieceLength < 16_384 || pieceLength > 16 * 2 ** 20 ||
    (pieceLength & (pieceLength - 1)) !== 0
  ) {
    throw new InputError(
      `--piece-length must be a power of two from 16KiB to 16MiB, got ${pieceLength}`,
    );
  }
  // Each --announce is a tier (BEP 12); trackers that share the load of one stand in it with commas between them.
  const tiers = announce.map((tier) => tier.split(","));
  checkUrls("--announce", tiers.flat(), /^(https?|udp):$/);
  checkUrls("--web-seed", webSeed, /^https?:$/);
  return tiers;
}

function checkUrls(
  flag: string,
  urls: readonly string[],
  protocols: RegExp,
): void {
  for (const url of urls) {
    if (URL.canParse(url) && protocols.test(new URL(url).protocol)) continue;
    const example = flag === "--announce"
      ? "http://10.0.0.1:6969/announce"
      : "http://10.0.0.1:8080/files/";
    throw new InputError(
      `${flag} must be a URL such as ${example}, got "${url}"`,
    );
  }
}
