import { compareBytes, fromHex, utf8 } from "../../core/bytes.ts";
import { type BencodeInput, encodeBencode, keyOfBytes } from "../bencode.ts";
import { HASH_BYTES, parseMetainfo, type TorrentVersion } from "./metainfo.ts";
import type { Sha256 } from "./merkle.ts";

/** A file of {@linkcode MetainfoOptions}. */
export interface MetainfoFile {
  /** Below the folder. */
  readonly path: readonly string[];
  readonly lengthBytes: number;
  /** Where a symbolic link points, below the folder (BEP 47); its length is 0. */
  readonly link?: readonly string[];
  /** For v2 and hybrids: the root of the file's tree; none for an empty file. */
  readonly piecesRoot?: Uint8Array;
}

/** What {@linkcode makeMetainfo} needs to know. */
export interface MetainfoOptions {
  /** v1 if not given. */
  readonly version?: TorrentVersion;
  /** The file's or folder's name. */
  readonly name: string;
  /** Of one bare file, its length; of a folder, its files in the order they lie in the torrent, with paths below the folder. */
  readonly content: number | readonly MetainfoFile[];
  readonly pieceLength: number;
  /** In v1 of a folder, too, each file is filled up to whole pieces. */
  readonly align?: boolean;
  /** For v1 and hybrids: the SHA-1 hashes of the pieces, 20 bytes each; in a hybrid of a folder, and with `align`, each file is filled up to whole pieces. */
  readonly pieces?: Uint8Array;
  /** For v2 and hybrids of a bare file: the root of its tree. */
  readonly piecesRoot?: Uint8Array;
  /** For v2 and hybrids: the hashes of the pieces of files longer than a piece, by root in hex. */
  readonly pieceLayers?: ReadonlyMap<string, Uint8Array>;
  /** SHA-256, with which v2 is checked. */
  readonly sha256?: Sha256;
  /** Tiers of trackers; the very first becomes `announce`. */
  readonly announceList?: readonly (readonly string[])[];
  /** HTTP servers that have the files (BEP 19). */
  readonly webSeeds?: readonly string[];
  /** DHT nodes for those who have no other (BEP 5, "Torrent File Extensions"). */
  readonly nodes?: readonly { readonly host: string; readonly port: number }[];
  readonly private?: boolean;
  readonly source?: string;
  readonly comment?: string;
  readonly createdBy?: string;
}

/**
 * Writes a .torrent file. The same options give the same bytes, and so the same info-hash: no date is written.
 *
 * @throws {SyntaxError} If {@linkcode parseMetainfo} would refuse the result.
 */
export function makeMetainfo(
  options: MetainfoOptions,
): Uint8Array<ArrayBuffer> {
  const { version = "v1", name, pieceLength } = options;
  const info: Record<string, BencodeInput | undefined> = {
    name,
    "piece length": pieceLength,
    private: options.private ? 1 : undefined,
    source: options.source,
    ...(version === "v2" ? {} : v1Entries(options, version)),
    ...(version === "v1"
      ? {}
      : { "meta version": 2, "file tree": fileTreeOf(options) }),
  };
  const tiers = (options.announceList ?? []).filter((tier) => tier.length > 0);
  const seeds = options.webSeeds ?? [];
  const nodes = options.nodes ?? [];
  const encoded = encodeBencode({
    announce: tiers[0]?.[0],
    // One tracker needs no list; old clients read `announce` only.
    "announce-list": tiers.flat().length > 1 ? tiers : undefined,
    comment: options.comment,
    "created by": options.createdBy,
    info,
    nodes: nodes.length === 0
      ? undefined
      : nodes.map(({ host, port }) => [host, port]),
    "piece layers": version === "v1" ? undefined : layersOf(options),
    "url-list": seeds.length > 1 ? seeds : seeds[0],
  });
  parseMetainfo(encoded, {
    sha1: () => new Uint8Array(HASH_BYTES),
    sha256: options.sha256 ?? (() => new Uint8Array(32)),
  });
  return encoded;
}

function v1Entries(
  { content, pieceLength, pieces, align }: MetainfoOptions,
  version: TorrentVersion,
): Record<string, BencodeInput> {
  const hashes = pieces ?? new Uint8Array();
  if (typeof content === "number") return { length: content, pieces: hashes };
  const files: BencodeInput[] = [];
  for (const { path, lengthBytes, link } of content) {
    files.push({
      ...(link === undefined ? {} : { attr: "l", "symlink path": link }),
      length: lengthBytes,
      path,
    });
    const rest = lengthBytes % pieceLength;
    if (rest === 0 || (version === "v1" && !align)) continue;
    // v2 begins each file at a piece, so v1 must, too (BEP 47); libtorrent fills up the last file as well.
    const gap = pieceLength - rest;
    files.push({ attr: "p", length: gap, path: [".pad", String(gap)] });
  }
  return { files, pieces: hashes };
}

/** Folders as nested maps, in any order: the encoder sorts. */
type Tree = Map<string, BencodeInput>;

function fileTreeOf({ name, content, piecesRoot }: MetainfoOptions): Tree {
  const tree: Tree = new Map();
  const files = typeof content === "number"
    ? [{ path: [name], lengthBytes: content, piecesRoot, link: undefined }]
    : content;
  for (const { path, lengthBytes, piecesRoot: root, link } of files) {
    let folder = tree;
    for (const part of path) {
      const key = keyOfBytes(utf8(part));
      const below = (folder.get(key) ?? new Map()) as Tree;
      folder.set(key, below);
      folder = below;
    }
    folder.set("", {
      ...(link === undefined ? {} : { attr: "l", "symlink path": link }),
      length: lengthBytes,
      "pieces root": lengthBytes > 0 ? root : undefined,
    } as BencodeInput);
  }
  return tree;
}

function layersOf({ pieceLayers }: MetainfoOptions): BencodeInput {
  const layers = new Map<string, BencodeInput>();
  for (const [root, layer] of pieceLayers ?? []) {
    layers.set(keyOfBytes(fromHex(root)), layer);
  }
  return layers;
}

/**
 * Puts paths in the order in which they lie in a torrent: part by part, by the bytes of their UTF-8. It is the order of
 * v2's tree, and does not depend on the system.
 */
export function comparePaths(
  a: readonly string[],
  b: readonly string[],
): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const order = compareBytes(utf8(a[at]!), utf8(b[at]!));
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
