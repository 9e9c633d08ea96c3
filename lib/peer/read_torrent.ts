import { InputError, messageOf, RunError } from "../core/errors.ts";
import { type Metainfo, parseMetainfo } from "../bittorrent/metainfo.ts";
import type { Files } from "../io/files.ts";
import { hashing } from "../io/hash.ts";

/** Largest .torrent that is read. */
export const MAX_TORRENT_BYTES: number = 32 * 2 ** 20;

/** Reads a .torrent file. @throws {InputError} If it is not there or is no torrent. */
export async function readTorrent(
  path: string,
  files: Files,
): Promise<Metainfo> {
  let bytes: Uint8Array;
  try {
    bytes = await files.read(path, { maxBytes: MAX_TORRENT_BYTES });
  } catch (cause) {
    // A wrong name on the command line is the user's to put right, like a wrong flag.
    if (!(cause instanceof RunError)) throw cause;
    throw new InputError(cause.message, { cause });
  }
  return torrentOf(bytes, path);
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
