import { toHex } from "../../core/bytes.ts";
import {
  type BencodeDictionary,
  type BencodeValue,
  decodeBencodeDictionary,
  isBytes,
  isDictionary,
  isList,
} from "../bencode.ts";
import {
  optionalText,
  remark,
  requireInteger,
  requireText,
  textOf,
  wrong,
} from "./_entries.ts";
import { readFileTree } from "./_file_tree.ts";
import { readAttributes, readFiles } from "./_info_files.ts";
import { checkPath } from "./_paths.ts";
import { type Layout, layOut, type LayoutFile } from "./layout.ts";
import { layerMatches, LEAF_BYTES, NODE_BYTES } from "./merkle.ts";

/** Bytes of a SHA-1 hash. */
export const HASH_BYTES = 20;
/** Largest piece that is read: a piece is held in memory until its hash is checked. */
const MAX_PIECE_LENGTH = 256 * 2 ** 20;
/** Most pieces; the hashes of v1 for so many would fill 40 MiB. A torrent of v2 can claim any number in a few bytes. */
const MAX_PIECES = 2 ** 21;
/** Most trackers that are kept of one torrent. */
const MAX_TRACKERS = 200;
/** Most web seeds, and most DHT nodes, that are kept of one torrent. */
const MAX_PLACES = 100;

/** Which BitTorrent a torrent is for: BEP 3, BEP 52, or either. */
export type TorrentVersion = "v1" | "v2" | "hybrid";

/** What a torrent is about, without who tracks it: the `info` dictionary of BEP 3 (v1), BEP 52 (v2), or of both. */
export interface TorrentInfo extends Layout {
  readonly version: TorrentVersion;
  /** 20 bytes, the torrent's name on the network: the SHA-1 of v1, or else the first 20 bytes of the SHA-256 of v2. */
  readonly infoHash: Uint8Array;
  /** SHA-256 over the exact bytes of the `info` dictionary; null for v1. */
  readonly infoHashV2: Uint8Array | null;
  /** Those bytes: what BEP 9 hands to peers that have a magnet link only. */
  readonly infoBytes: Uint8Array;
  /** The file's name, or the folder's; already the first component of every file's path. */
  readonly name: string;
  /** The SHA-1 hashes of the pieces, 20 bytes each; see {@linkcode hashOfPiece}. Empty for v2. */
  readonly pieces: Uint8Array;
  /** The torrent has a folder; false for a torrent of one bare file. */
  readonly multiFile: boolean;
  /** Peers are to be had from the torrent's own trackers only (BEP 27). */
  readonly private: boolean;
  /** Where the torrent was published: it makes the info-hash another one there. */
  readonly source: string | null;
}

/** A .torrent file. */
export interface Metainfo extends TorrentInfo {
  /** The tracker of BEP 3, or null. */
  readonly announce: string | null;
  /** Tiers of trackers (BEP 12): `announce-list`, or `announce` alone, or none. */
  readonly announceList: readonly (readonly string[])[];
  /** HTTP servers that have the files (BEP 19, `url-list`). */
  readonly webSeeds: readonly string[];
  /** HTTP servers that speak the protocol of BEP 17, which we do not (`httpseeds`). */
  readonly httpSeeds: readonly string[];
  /** Nodes of the DHT to begin at (BEP 5). */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** Hashes of the pieces of files longer than a piece (BEP 52), by the file's root in hex; checked against it. */
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
  readonly comment: string | null;
  readonly createdBy: string | null;
  /** Seconds since 1970; null if it does not say. */
  readonly createdAtSeconds: number | null;
}

/** How hashing comes into this pure module. */
export interface Hashing {
  /** Returns the 20-byte SHA-1 of `bytes`. */
  readonly sha1: (bytes: Uint8Array) => Uint8Array;
  /** Returns the 32-byte SHA-256 of `bytes`. */
  readonly sha256: (bytes: Uint8Array) => Uint8Array;
}

/**
 * Reads a .torrent file (BEP 3, BEP 52, or both).
 *
 * A torrent comes from a stranger and names files to be written, so names that could leave the download folder
 * (`..`, absolute paths, separators inside a component, Windows drives), that some system cannot write (devices, a dot at
 * the end), empty or over-long components, two files in one place, links that lead outside, and hashes that do not match
 * the length are refused.
 *
 * @throws {SyntaxError} That says which entry is wrong and what it would have to be; BencodeError with the offset if the bytes are no bencoding.
 */
export function parseMetainfo(bytes: Uint8Array, hashing: Hashing): Metainfo {
  const { dictionary, raw } = decodeBencodeDictionary(bytes);
  const infoBytes = raw.get("info");
  if (infoBytes === undefined) throw wrong("info", "must be there", undefined);
  const announce = optionalText(dictionary, "announce") || null;
  const tiers = parseTiers(dictionary.get("announce-list"));
  const info = readInfo(dictionary.get("info"), infoBytes, hashing);
  const createdAt = dictionary.get("creation date");
  return {
    ...info,
    announce,
    announceList: tiers.length > 0 || announce === null ? tiers : [[announce]],
    webSeeds: urlsOf(dictionary.get("url-list")),
    httpSeeds: urlsOf(dictionary.get("httpseeds")),
    nodes: nodesOf(dictionary.get("nodes")),
    pieceLayers: info.infoHashV2 === null
      ? new Map()
      : readPieceLayers(dictionary.get("piece layers"), info, hashing),
    comment: remark(dictionary, "comment"),
    createdBy: remark(dictionary, "created by"),
    createdAtSeconds: typeof createdAt === "number" ? createdAt : null,
  };
}

/**
 * Reads an `info` dictionary alone, as peers send it to those who have a magnet link (BEP 9). Same rules as {@linkcode parseMetainfo}.
 *
 * @throws {SyntaxError} If it is not one.
 */
export function parseInfo(
  infoBytes: Uint8Array,
  hashing: Hashing,
): TorrentInfo {
  const { dictionary } = decodeBencodeDictionary(infoBytes);
  return readInfo(dictionary, infoBytes, hashing);
}

/** Returns the SHA-1 hash piece `pieceIndex` must have. @throws {RangeError} If there is no such piece. */
export function hashOfPiece(info: TorrentInfo, pieceIndex: number): Uint8Array {
  if (
    !Number.isInteger(pieceIndex) || pieceIndex < 0 ||
    pieceIndex >= info.pieces.length / HASH_BYTES
  ) {
    throw new RangeError(
      `Cannot find piece: must be 0 to ${
        info.pieces.length / HASH_BYTES - 1
      }, got ${pieceIndex}`,
    );
  }
  return info.pieces.subarray(
    pieceIndex * HASH_BYTES,
    (pieceIndex + 1) * HASH_BYTES,
  );
}

function readInfo(
  info: BencodeValue | undefined,
  infoBytes: Uint8Array,
  { sha1, sha256 }: Hashing,
): TorrentInfo {
  if (!isDictionary(info)) {
    throw wrong("info", "must be a dictionary", info);
  }
  // First, as BEP 52 wants it: what is newer may look wrong in any other way.
  const metaVersion = info.get("meta version") ?? 1;
  if (metaVersion !== 1 && metaVersion !== 2) {
    throw wrong("meta version", "must be 2 at most", metaVersion);
  }
  const name = requireText(info, "name");
  checkPath([name], "name");
  const pieceLength = requireInteger(info, "piece length", {
    min: 1,
    max: MAX_PIECE_LENGTH,
  });
  const hasV1 = info.has("pieces");
  const v2 = metaVersion === 2 ? readV2(info, { name, pieceLength }) : null;
  const v1 = hasV1 || v2 === null ? readV1(info, { name, pieceLength }) : null;
  const infoHashV2 = v2 === null ? null : sha256(infoBytes);
  return {
    ...(v1 === null ? v2! : v2 === null ? v1 : joined(v1, v2)),
    version: v1 === null ? "v2" : v2 === null ? "v1" : "hybrid",
    infoHash: v1 === null
      ? infoHashV2!.subarray(0, HASH_BYTES)
      : sha1(infoBytes),
    infoHashV2,
    infoBytes,
    name,
    pieces: v1 === null ? new Uint8Array() : info.get("pieces") as Uint8Array,
    multiFile: v1 === null ? v2!.files[0]!.path.length > 1 : info.has("files"),
    private: info.get("private") === 1,
    source: remark(info, "source"),
  };
}

/** What a layout is made for. */
interface Shape {
  readonly name: string;
  readonly pieceLength: number;
}

function readV1(info: BencodeDictionary, shape: Shape): Layout {
  const { name, pieceLength } = shape;
  if (info.has("files") === info.has("length")) {
    throw new SyntaxError(
      'Cannot read torrent: "info" must have either "length" or "files"',
    );
  }
  const files = info.has("files") ? readFiles(info.get("files"), name) : [{
    path: [name],
    lengthBytes: requireInteger(info, "length", {
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
    }),
    offset: 0,
    ...bareAttributes(info, name),
  }];
  const spanBytes = files.reduce((sum, file) => sum + file.lengthBytes, 0);
  if (files.every((file) => file.padding || file.lengthBytes === 0)) {
    throw new SyntaxError("Cannot read torrent: it has not one byte to share");
  }
  const pieces = info.get("pieces");
  if (!isBytes(pieces)) throw wrong("pieces", "must be a byte string", pieces);
  const pieceCount = Math.ceil(spanBytes / pieceLength);
  if (pieces.length !== pieceCount * HASH_BYTES) {
    throw new SyntaxError(
      `Cannot read torrent: ${spanBytes} bytes in pieces of ${pieceLength} need ${pieceCount} hashes of ${HASH_BYTES} bytes, got ${pieces.length} bytes`,
    );
  }
  return layOut(files, { pieceLength, spanBytes });
}

/** A torrent of one file has its attributes beside its length; what is a link or padding there is nothing to share. */
function bareAttributes(
  info: BencodeDictionary,
  name: string,
): Partial<LayoutFile> {
  const { link, padding, ...rest } = readAttributes(info, "info", name);
  if (link !== undefined || padding) {
    throw wrong("attr", "must be of a file", info.get("attr"));
  }
  return rest;
}

function readV2(info: BencodeDictionary, shape: Shape): Layout {
  const { pieceLength } = shape;
  if (pieceLength < LEAF_BYTES || !Number.isInteger(Math.log2(pieceLength))) {
    throw wrong(
      "piece length",
      `must be a power of two of at least ${LEAF_BYTES} in v2`,
      pieceLength,
    );
  }
  const files = readFileTree(info.get("file tree"), shape);
  const last = files.findLast((file) => file.lengthBytes > 0);
  if (last === undefined) {
    throw new SyntaxError("Cannot read torrent: it has not one byte to share");
  }
  const pieceCount = Math.ceil((last.offset + last.lengthBytes) / pieceLength);
  if (pieceCount > MAX_PIECES) {
    throw new SyntaxError(
      `Cannot read torrent: it must have at most ${MAX_PIECES} pieces, got ${pieceCount}`,
    );
  }
  const spanBytes = pieceCount * pieceLength;
  return layOut(files, { pieceLength, spanBytes });
}

/** Puts the two descriptions of a hybrid together: the files of v1, padding and all, with the roots of v2. @throws {SyntaxError} If they are about different files. */
function joined(v1: Layout, v2: Layout): Layout {
  const real = v1.files.filter((file) => !file.padding);
  const roots = new Map<LayoutFile, Uint8Array>();
  for (const [index, file] of real.entries()) {
    const other = v2.files[index];
    if (
      other === undefined || file.path.join("/") !== other.path.join("/") ||
      file.lengthBytes !== other.lengthBytes ||
      (file.lengthBytes > 0 && file.offset !== other.offset)
    ) {
      throw new SyntaxError(
        `Cannot read torrent: its descriptions for v1 and v2 differ from file ${
          index + 1
        } on`,
      );
    }
    if (other.piecesRoot !== undefined) roots.set(file, other.piecesRoot);
  }
  if (real.length !== v2.files.length) {
    throw new SyntaxError(
      `Cannot read torrent: v1 has ${real.length} files, v2 ${v2.files.length}`,
    );
  }
  return {
    ...v1,
    files: v1.files.map((file) => {
      const piecesRoot = roots.get(file);
      return piecesRoot === undefined ? file : { ...file, piecesRoot };
    }),
  };
}

/** Reads `piece layers`: of every file longer than a piece, the hashes of its pieces. @throws {SyntaxError} If one is missing or does not fit its root. */
function readPieceLayers(
  layers: BencodeValue | undefined,
  info: Layout,
  { sha256 }: Hashing,
): Map<string, Uint8Array> {
  if (!isDictionary(layers)) {
    throw wrong("piece layers", "must be a dictionary", layers);
  }
  const { pieceLength } = info;
  const checked = new Map<string, Uint8Array>();
  for (const { path, lengthBytes, piecesRoot } of info.files) {
    if (piecesRoot === undefined || lengthBytes <= pieceLength) continue;
    const layer = layers.get(String.fromCharCode(...piecesRoot));
    const length = Math.ceil(lengthBytes / pieceLength) * NODE_BYTES;
    const where = `piece layers of ${path.join("/")}`;
    if (!isBytes(layer) || layer.length !== length) {
      throw wrong(where, `must have ${length} bytes`, layer);
    }
    if (!layerMatches(layer, { piecesRoot, pieceLength, sha256 })) {
      throw wrong(where, "must have the file's root above them", layer);
    }
    checked.set(toHex(piecesRoot), layer);
  }
  return checked;
}

function parseTiers(list: BencodeValue | undefined): string[][] {
  if (list === undefined) return [];
  if (!isList(list)) throw wrong("announce-list", "must be a list", list);
  const tiers: string[][] = [];
  let count = 0;
  for (const tier of list) {
    if (!isList(tier)) {
      throw wrong("announce-list", "must be a list of lists", tier);
    }
    const urls = tier.map((url) => textOf(url, "announce-list"))
      .filter((url) => url !== "");
    count += urls.length;
    if (count > MAX_TRACKERS) {
      throw new SyntaxError(
        `Cannot read torrent: "announce-list" may have at most ${MAX_TRACKERS} trackers`,
      );
    }
    if (urls.length > 0) tiers.push(urls);
  }
  return tiers;
}

/** Reads `url-list`, one URL or a list. A download works without them, so what is no URL is left out. */
function urlsOf(value: BencodeValue | undefined): string[] {
  const list = isList(value) ? value : value === undefined ? [] : [value];
  return list.slice(0, MAX_PLACES).filter(isBytes)
    .map((url) => new TextDecoder().decode(url))
    .filter(isUrl);
}

function isUrl(text: string): boolean {
  try {
    new URL(text);
    return true;
  } catch {
    return false;
  }
}

/** Reads `nodes`, pairs of host and port (BEP 5). What is none is left out. */
function nodesOf(
  list: BencodeValue | undefined,
): { host: string; port: number }[] {
  if (!isList(list)) return [];
  return list.slice(0, MAX_PLACES).flatMap((node) => {
    const [host, port] = isList(node) ? node : [];
    if (!isBytes(host) || typeof port !== "number") return [];
    return port > 0 && port < 65536
      ? [{ host: new TextDecoder().decode(host), port }]
      : [];
  });
}
