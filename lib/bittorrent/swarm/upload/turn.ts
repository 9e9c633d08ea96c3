/** Turns under an upload limit: see `upload`. */
import type { PeerSession } from "../state/peer_session.ts";

/** A turn is as long as a piece, but no longer than this: with pieces of 16 MiB everyone else would wait too long. */
export const MAX_TURN_BLOCKS = 32;

/** Whose turn it is to be sent blocks under an upload limit. */
export interface Turn {
  /** To whom. */
  readonly session: PeerSession;
  /** Blocks of which piece. */
  readonly pieceIndex: number;
  /** And how many more. */
  blocksLeft: number;
  /** It is for who has nothing yet: the next one is somebody else's. */
  readonly starts: boolean;
}

/** Whether something is on its way to a peer, or has to go out before anything else. */
export function busy(session: PeerSession): boolean {
  return session.sending || session.rest !== null;
}

/** Whether `a` goes before `b`: who has nothing yet unless the turn before was for that, then earned slots before extra ones, then whose last turn is longest ago. */
export function before(
  a: PeerSession,
  b: PeerSession,
  last: Turn | null,
): boolean {
  if (a.starts !== b.starts) return a.starts !== (last?.starts ?? false);
  return a.extraSlot === b.extraSlot ? a.servedAt < b.servedAt : b.extraSlot;
}
