import { fromUtf8 } from "../core/bytes.ts";
import {
  type BencodeDictionary,
  type BencodeInput,
  type BencodeValue,
  decodeBencodeDictionary,
  encodeBencode,
  isBytes,
  isDictionary,
  isList,
} from "./bencode.ts";
import { checkPath, checkPaths } from "./_paths.ts";
import type { Layout, LayoutFile } from "./layout.ts";

/** Bytes of a SHA-1 hash. */
export const HASH_BYTES = 20;
/** Bytes in a piece of the torrents we make: 256 KiB, as on the slides. */
export const DEFAULT_PIECE_LENGTH = 256 * 1024;
/** Largest piece that is read: a piece is held in memory until its hash is checked. */
const MAX_PIECE_LENGTH = 256 * 2 ** 20;
/** Most trackers that are kept of one torrent. */
const MAX_TRACKERS = 200;

/** What a torrent is about, without who tracks it: the `info` dictionary of BEP 3 (v1). */
export interface TorrentInfo extends Layout {
  /** SHA-1 over the exact bytes of the `info` dictionary: the torrent's name on the network. */
  readonly infoHash: Uint8Array;
  /** Those bytes: what BEP 9 hands to peers that have a magnet link only. */
  readonly infoBytes: Uint8Array;
  /** The file's name, or the folder's; already the first component of every file's path. */
  readonly name: string;
  /** The SHA-1 hashes of the pieces, 20 bytes each; see {@linkcode hashOfPiece}. */
  readonly pieces: Uint8Array;
  /** The torrent has a folder; false for a torrent of one bare file. */
  readonly multiFile: boolean;
  /** Peers are to be had from the torrent's own trackers only (BEP 27). */
  readonly private: boolean;
}

/** A .torrent file. */
export interface Metainfo extends TorrentInfo {
  /** The tracker of BEP 3, or null. */
  readonly announce: string | null;
  /** Tiers of trackers (BEP 12): `announce-list`, or `announce` alone, or none. */
  readonly announceList: readonly (readonly string[])[];
  readonly comment: string | null;
  readonly createdBy: string | null;
}

/** How hashing comes into this pure module. */
export interface Hashing {
  /** Returns the 20-byte SHA-1 of `bytes`. */
  readonly sha1: (bytes: Uint8Array) => Uint8Array;
}

/** What {@linkcode makeMetainfo} needs to know. */
export interface MetainfoOptions {
  /** The file's or folder's name. */
  readonly name: string;
  /** Of one bare file, its length; of a folder, its files in the order they lie in the torrent, with paths below the folder. */
  readonly content:
    | number
    | readonly {
      readonly path: readonly string[];
      readonly lengthBytes: number;
    }[];
  readonly pieceLength: number;
  /** The SHA-1 hashes of the pieces, 20 bytes each. */
  readonly pieces: Uint8Array;
  /** Tiers of trackers; the very first becomes `announce`. */
  readonly announceList?: readonly (readonly string[])[];
  readonly private?: boolean;
  readonly comment?: string;
  readonly createdBy?: string;
}

/**
 * Reads a .torrent file (BEP 3, v1; hybrids of BEP 52 are read as v1).
 *
 * A torrent comes from a stranger and names files to be written, so names that could leave the download folder
 * (`..`, absolute paths, separators inside a component, Windows drives) are refused, as are empty or over-long
 * components, two files in one place, and piece hashes that do not match the length.
 *
 * @throws {SyntaxError} That says which entry is wrong and what it would have to be; BencodeError with the offset if the bytes are no bencoding.
 */
export function parseMetainfo(bytes: Uint8Array, hashing: Hashing): Metainfo {
  const { dictionary, raw } = decodeBencodeDictionary(bytes);
  const infoBytes = raw.get("info");
  if (infoBytes === undefined) throw wrong("info", "must be there", undefined);
  const announce = optionalText(dictionary, "announce") || null;
  const tiers = parseTiers(dictionary.get("announce-list"));
  return {
    ...readInfo(dictionary.get("info"), infoBytes, hashing),
    announce,
    announceList: tiers.length > 0 || announce === null ? tiers : [[announce]],
    comment: remark(dictionary, "comment"),
    createdBy: remark(dictionary, "created by"),
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
    pieceIndex >= info.pieceCount
  ) {
    throw new RangeError(
      `Cannot find piece: must be 0 to ${
        info.pieceCount - 1
      }, got ${pieceIndex}`,
    );
  }
  return info.pieces.subarray(
    pieceIndex * HASH_BYTES,
    (pieceIndex + 1) * HASH_BYTES,
  );
}

/**
 * Writes a .torrent file. The same options give the same bytes, and so the same info-hash: no date is written.
 *
 * @throws {SyntaxError} If {@linkcode parseMetainfo} would refuse the result.
 */
export function makeMetainfo(
  options: MetainfoOptions,
): Uint8Array<ArrayBuffer> {
  const { name, content, pieceLength, pieces } = options;
  const info: Record<string, BencodeInput> = {
    name,
    "piece length": pieceLength,
    pieces,
  };
  if (typeof content === "number") info["length"] = content;
  else {
    info["files"] = content.map((file) => ({
      length: file.lengthBytes,
      path: file.path,
    }));
  }
  if (options.private) info["private"] = 1;
  const tiers = (options.announceList ?? []).filter((tier) => tier.length > 0);
  const encoded = encodeBencode({
    announce: tiers[0]?.[0],
    // One tracker needs no list; old clients read `announce` only.
    "announce-list": tiers.flat().length > 1 ? tiers : undefined,
    comment: options.comment,
    "created by": options.createdBy,
    info,
  });
  parseMetainfo(encoded, { sha1: () => new Uint8Array(HASH_BYTES) });
  return encoded;
}

function readInfo(
  info: BencodeValue | undefined,
  infoBytes: Uint8Array,
  { sha1 }: Hashing,
): TorrentInfo {
  if (!isDictionary(info)) {
    throw wrong("info", "must be a dictionary", info);
  }
  if (info.get("meta version") === 2 && !info.has("pieces")) {
    throw new SyntaxError(
      "Cannot read torrent: it is for BitTorrent v2 only (BEP 52), and v1 is what is spoken here",
    );
  }
  const name = requireText(info, "name");
  checkPath([name], "name");
  const pieceLength = requireInteger(info, "piece length", 1, MAX_PIECE_LENGTH);
  const multiFile = info.has("files");
  if (multiFile === info.has("length")) {
    throw new SyntaxError(
      'Cannot read torrent: "info" must have either "length" or "files"',
    );
  }
  const files = multiFile ? readFiles(info.get("files"), name) : [{
    path: [name],
    lengthBytes: requireInteger(info, "length", 0, Number.MAX_SAFE_INTEGER),
    offset: 0,
  }];
  const totalBytes = files.reduce((sum, file) => sum + file.lengthBytes, 0);
  if (totalBytes === 0) {
    throw new SyntaxError("Cannot read torrent: it has not one byte to share");
  }
  const pieces = info.get("pieces");
  if (!isBytes(pieces)) throw wrong("pieces", "must be a byte string", pieces);
  const pieceCount = Math.ceil(totalBytes / pieceLength);
  if (pieces.length !== pieceCount * HASH_BYTES) {
    throw new SyntaxError(
      `Cannot read torrent: ${totalBytes} bytes in pieces of ${pieceLength} need ${pieceCount} hashes of ${HASH_BYTES} bytes, got ${pieces.length} bytes`,
    );
  }
  return {
    infoHash: sha1(infoBytes),
    infoBytes,
    name,
    pieceLength,
    pieces,
    pieceCount,
    totalBytes,
    files,
    multiFile,
    private: info.get("private") === 1,
  };
}

function readFiles(list: BencodeValue | undefined, name: string): LayoutFile[] {
  if (!isList(list) || list.length === 0) {
    throw wrong("files", "must be a list with at least one file", list);
  }
  const files: LayoutFile[] = [];
  let offset = 0;
  for (const [index, file] of list.entries()) {
    const where = `files[${index}]`;
    if (!isDictionary(file)) {
      throw wrong(where, "must be a dictionary", file);
    }
    const lengthBytes = requireInteger(
      file,
      "length",
      0,
      Number.MAX_SAFE_INTEGER - offset,
    );
    const components = file.get("path");
    if (!isList(components)) {
      throw wrong(`${where}.path`, "must be a list", components);
    }
    const path = components.map((part) => textOf(part, `${where}.path`));
    checkPath(path, `${where}.path`);
    files.push({ path: [name, ...path], lengthBytes, offset });
    offset += lengthBytes;
  }
  checkPaths(files.map((file) => file.path));
  return files;
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

function requireText(dictionary: BencodeDictionary, key: string): string {
  return textOf(dictionary.get(key), key);
}

function optionalText(
  dictionary: BencodeDictionary,
  key: string,
): string | null {
  return dictionary.has(key) ? requireText(dictionary, key) : null;
}

/** Reads text that is only shown: old torrents have it in other encodings, which is no reason to refuse them. */
function remark(dictionary: BencodeDictionary, key: string): string | null {
  const value = dictionary.get(key);
  return isBytes(value) ? fromUtf8(value) : null;
}

function textOf(value: BencodeValue | undefined, where: string): string {
  if (!isBytes(value)) throw wrong(where, "must be text", value);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(value);
  } catch {
    throw wrong(where, "must be UTF-8 text", value);
  }
}

function requireInteger(
  dictionary: BencodeDictionary,
  key: string,
  min: number,
  max: number,
): number {
  const value = dictionary.get(key);
  if (typeof value !== "number" || value < min || value > max) {
    throw wrong(key, `must be an integer from ${min} to ${max}`, value);
  }
  return value;
}

function wrong(
  where: string,
  rule: string,
  value: BencodeValue | undefined,
): SyntaxError {
  const got = value === undefined
    ? "nothing"
    : typeof value === "number"
    ? String(value)
    : isBytes(value)
    ? `a string of ${value.length} bytes`
    : isList(value)
    ? `a list of ${value.length}`
    : "a dictionary";
  return new SyntaxError(
    `Cannot read torrent: "${where}" ${rule}, got ${got}`,
  );
}
