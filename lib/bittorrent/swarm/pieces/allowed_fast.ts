import { concat, viewOf } from "../../../core/bytes.ts";
import { parseAddress, unmapAddress } from "../../../core/address.ts";
import type { Hashing } from "../../metainfo/metainfo.ts";

/** Pieces a newcomer may have without being unchoked: the `k` of BEP 6. */
export const ALLOWED_FAST_PIECES = 10;
/** In a small torrent fewer: what is given to everyone is given to free riders as well. */
const MIN_PIECES_FOR_EACH = 16;

/** What {@linkcode allowedFastSet} is computed of. */
export interface AllowedFastOptions {
  /** The address of the peer that may fetch the pieces. */
  readonly host: string;
  readonly infoHash: Uint8Array;
  readonly pieceCount: number;
  /** How many pieces; all of them if there are no more. */
  readonly count: number;
  readonly sha1: Hashing["sha1"];
}

/**
 * Computes the pieces a peer may fetch while it is choked (BEP 6, "allowed fast set generation").
 *
 * Every peer that offers some to the same host computes the same ones, and for hosts of one /24 they are equal, so that
 * nobody gets a whole file that way. The BEP knows no IPv6: such a peer is allowed none.
 */
export function allowedFastSet(options: AllowedFastOptions): number[] {
  const { host, infoHash, pieceCount, sha1 } = options;
  const address = unmapAddress(parseAddress(host));
  if (address.length !== 4) return [];
  const count = Math.min(options.count, pieceCount);
  const allowed = new Set<number>();
  let hash = concat(address.subarray(0, 3), Uint8Array.of(0), infoHash);
  while (allowed.size < count) {
    hash = concat(sha1(hash));
    const view = viewOf(hash);
    for (let at = 0; at < 20 && allowed.size < count; at += 4) {
      allowed.add(view.getUint32(at) % pieceCount);
    }
  }
  return [...allowed];
}

/** Decides how many pieces to allow of a torrent with `pieceCount`. */
export function allowedFastCount(pieceCount: number): number {
  return Math.min(
    ALLOWED_FAST_PIECES,
    Math.floor(pieceCount / MIN_PIECES_FOR_EACH),
  );
}
