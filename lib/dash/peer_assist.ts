/**
 * Where a segment comes from when players help each other: from peers as long as the buffer can wait for them, else from
 * the CDN. Peers that have the segment and serve are asked at once. When none has it, players that are at the same place
 * would all ask the CDN in the same moment: each waits for a time drawn by lot instead, and whoever drew the shortest
 * fetches it for all, as hosts of a multicast group suppress each other's reports (RFC 2236 §3).
 */

/** Of the buffer, how much may pass while peers are waited for. */
const SHARE_OF_BUFFER = 1 / 3;
/** Peers that were asked get so long at least: less is no time for a connection to warm up. */
const LEAST_PATIENCE_MS = 500;

/** What a player knows while it waits for a segment. Times are the player's. */
export interface PeerAssistState {
  /** As the segment was wanted. */
  readonly bufferMs: number;
  /** Media in the segment. */
  readonly durationMs: number;
  /** Nothing plays: every moment is one that a viewer waits. */
  readonly startup: boolean;
  /** Drawn for this segment, from 0 to 1. */
  readonly lot: number;
  /** Since the segment was wanted. */
  readonly elapsedMs: number;
  /** Peers that serve us have all that is missing. */
  readonly offered: boolean;
  /** Since peers were asked; undefined if they were not. */
  readonly askedMs: number | undefined;
}

/** What to do, and for how long if nothing changes. */
export type PeerAssistStep =
  | { readonly source: "peers"; readonly forMs: number }
  | { readonly source: "nobody"; readonly forMs: number }
  | { readonly source: "cdn"; readonly reason: string };

/** Decides. See the head of this file. */
export function assistStep(state: PeerAssistState): PeerAssistStep {
  const { bufferMs, durationMs, startup, lot, elapsedMs, askedMs } = state;
  const patienceMs = startup
    ? 0
    : Math.min(durationMs, bufferMs * SHARE_OF_BUFFER);
  if (askedMs !== undefined) {
    const forMs = Math.max(patienceMs, LEAST_PATIENCE_MS) - askedMs;
    return forMs > 0
      ? { source: "peers", forMs }
      : { source: "cdn", reason: "peers were too slow" };
  }
  if (state.offered) return { source: "peers", forMs: patienceMs };
  const forMs = lot * patienceMs - elapsedMs;
  return forMs > 0
    ? { source: "nobody", forMs }
    : { source: "cdn", reason: "no peer has it" };
}
