import type { PeerSession } from "./state/peer_session.ts";
import type { SwarmState } from "./state/state.ts";

/** Totals of one peer, over all its connections. */
export interface PeerTotals {
  readonly remote: string;
  readonly client: string;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
}

/** Totals of a {@linkcode Swarm}. */
export interface SwarmStatus {
  readonly havePieces: number;
  /** Verified bytes. */
  readonly haveBytes: number;
  /** Payload received and kept. */
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  /** Payload received in vain: duplicates and rejected pieces. */
  readonly wastedBytes: number;
  /** Open connections. */
  readonly peers: number;
  /** Whether any handshake ever succeeded. */
  readonly everConnected: boolean;
}

/** Peers whose totals are kept; a stranger who reconnects for ever under new ids must not fill the memory. */
const MAX_PEERS = 1000;

/** Returns a swarm's totals so far. */
export function statusOf(state: SwarmState): SwarmStatus {
  return {
    havePieces: state.have.count,
    haveBytes: state.haveBytes,
    downloadedBytes: state.downloadedBytes,
    uploadedBytes: state.uploadedBytes,
    wastedBytes: state.wastedBytes,
    peers: state.open().length,
    everConnected: state.everConnected,
  };
}

/** Adds up what each peer gave and took, over all its connections. */
export class Totals {
  readonly #past = new Map<string, PeerTotals>();

  /** Takes over the totals of a session that is over. */
  add(session: PeerSession): void {
    if (this.#past.size >= MAX_PEERS && !this.#past.has(session.peerId)) return;
    this.#past.set(
      session.peerId,
      sum(this.#past.get(session.peerId), session),
    );
  }

  /** Totals of everyone, with those of the `open` sessions; those who gave most first, then those who took most. */
  list(open: Iterable<PeerSession>): PeerTotals[] {
    const all = new Map(this.#past);
    for (const session of open) {
      all.set(session.peerId, sum(all.get(session.peerId), session));
    }
    return [...all.values()].sort((a, b) =>
      b.downloadedBytes - a.downloadedBytes || b.uploadedBytes - a.uploadedBytes
    );
  }
}

function sum(past: PeerTotals | undefined, session: PeerSession): PeerTotals {
  // A connection that was over before it was introduced knows the program by its id only.
  const introduced = session.extended !== null || past === undefined;
  return {
    remote: past?.remote ?? session.address,
    client: introduced ? session.client : past.client,
    downloadedBytes: (past?.downloadedBytes ?? 0) + session.downloadedBytes,
    uploadedBytes: (past?.uploadedBytes ?? 0) + session.uploadedBytes,
  };
}
