import { toHex } from "../../../core/bytes.ts";

/** One of two connections to the same peer. */
interface Connection {
  /** Whose it is, in hex. */
  readonly peerId: string;
  /** The peer made it. */
  readonly incoming: boolean;
}

/**
 * Decides which of two connections stays when two peers connect to each other at once: the one that the peer with the
 * larger id made, so that both decide the same. Two that were made by the same side are no such case: the older stays.
 *
 * @param ours Our peer id, 20 bytes.
 */
export function keepsNewer(
  ours: Uint8Array,
  newer: Connection,
  older: Connection,
): boolean {
  const keepOutgoing = toHex(ours) > newer.peerId;
  return older.incoming !== newer.incoming && newer.incoming !== keepOutgoing;
}
