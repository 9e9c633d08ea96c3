import { InputError, messageOf } from "../core/errors.ts";
import {
  type Metainfo,
  parseMetainfo,
} from "../bittorrent/metainfo/metainfo.ts";
import type { Files } from "../io/files.ts";
import { hashing } from "../io/hash.ts";
import { readInput } from "../io/read_input.ts";

/** Largest .torrent that is read. */
export const MAX_TORRENT_BYTES: number = 32 * 2 ** 20;

/** Reads a .torrent file. @throws {InputError} If it is not there or is no torrent. */
export async function readTorrent(
  path: string,
  files: Files,
): Promise<Metainfo> {
  const options = { maxBytes: MAX_TORRENT_BYTES };
  return torrentOf(await readInput(path, files, options), path);
}

/** Parses a .torrent. @param from Where it came from. @throws {InputError} If it is none. */
export function torrentOf(bytes: Uint8Array, from: string): Metainfo {
  try {
    return parseMetainfo(bytes, hashing);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new InputError(`${from} is no torrent: ${messageOf(cause)}`, {
      cause,
    });
  }
}
