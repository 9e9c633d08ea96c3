/** Whom we take of those who connect to us, and whom that pushes out. */
import { isAddress } from "../../core/address.ts";
import type { PeerEndpoint } from "../peer_endpoint.ts";
import { reachOf } from "./address_reach.ts";
import { canonicalPriority } from "./canonical_priority.ts";
import type { Again } from "./contacts.ts";
import type { PeerSession } from "./peer_session.ts";
import type { SwarmState } from "./state.ts";

/** Accepted connections without a handshake; the oldest makes room, so that silent ones cannot keep peers out. */
const MAX_HALF_OPEN = 32;
/** A handshake is there a round trip after its connection. Who has waited less makes room only when all connections are taken: a class that starts its peers at once comes by the hundred. */
const PROMPT_MS = 1_000;
/** As many of them may be from one host, so that it does not push out others. */
const MAX_HALF_OPEN_OF_HOST = 8;
/** Share of all connections that one host may have. A class behind one address still gets on; on this machine everybody is one host. */
const MAX_SHARE_OF_HOST = 0.5;

/** A connection that makes room for another. */
export interface Ending {
  readonly session: PeerSession;
  readonly reason: string;
  readonly again: Again;
}

/** Whether a peer that connects to us may stay, and which connections end for that, in order; some of them end even if it may not. */
export interface Admission {
  readonly admitted: boolean;
  readonly ends: readonly Ending[];
}

/**
 * Decides on a peer that has just connected to us.
 *
 * Connections without a handshake make room first, the oldest one, unless it is new and there is room. When all connections are taken, an idle one of lower
 * canonical priority (BEP 40) than the newcomer ends, the one of the lowest.
 */
export function admission(state: SwarmState, remote: PeerEndpoint): Admission {
  const { maxConnections } = state.options;
  const sessions = [...state.sessions.values()];
  const sameHost = reachOf(remote.host) === "machine"
    ? []
    : sessions.filter((session) => session.remote.host === remote.host);
  const ofHost = oldestOf(sameHost, MAX_HALF_OPEN_OF_HOST);
  const ofAll = oldestOf(
    sessions.filter((session) => session !== ofHost),
    MAX_HALF_OPEN,
  );
  const isFull = sessions.length >= maxConnections;
  const ends = [ofHost, isFull || isLate(ofAll, state) ? ofAll : undefined]
    .flatMap((session): Ending[] =>
      session === undefined
        ? []
        : [{ session, reason: "too many without a handshake", again: "never" }]
    );
  if (sameHost.length >= MAX_SHARE_OF_HOST * maxConnections) {
    return { admitted: false, ends };
  }
  if (sessions.length - ends.length < maxConnections) {
    return { admitted: true, ends };
  }
  const session = lowerIdle(state, remote);
  if (session === undefined) return { admitted: false, ends };
  const reason = "another peer has a higher priority";
  return {
    admitted: true,
    ends: [...ends, { session, reason, again: "later" }],
  };
}

/** The canonical priority of a connection to a peer; 0 for all as long as nobody told us where others see us. */
export function rankOf(state: SwarmState, remote: PeerEndpoint): number {
  if (!isAddress(remote.host)) return 0;
  const host = state.externalAddress.bestLike(remote.host);
  if (host === null) return 0;
  const port = state.options.listenPort ?? 0;
  return canonicalPriority({ host, port }, remote);
}

/** Of `max` or more accepted connections that never said a handshake the oldest. */
function oldestOf(
  sessions: readonly PeerSession[],
  max: number,
): PeerSession | undefined {
  const halfOpen = sessions.filter((session) =>
    session.incoming && session.stage === "handshake"
  );
  return halfOpen.length < max ? undefined : halfOpen[0];
}

/** Whether a handshake should have come by now. */
function isLate(
  session: PeerSession | undefined,
  { nowMs }: SwarmState,
): boolean {
  return session !== undefined && nowMs - session.openedAtMs >= PROMPT_MS;
}

/** The idle connection of the lowest priority, of equals the first, if it is lower than that of `remote`. */
function lowerIdle(
  state: SwarmState,
  remote: PeerEndpoint,
): PeerSession | undefined {
  let lowest: PeerSession | undefined;
  let least = rankOf(state, remote);
  for (const session of state.open()) {
    const { downMeter, upMeter } = session;
    if (downMeter.rate(state.nowMs) + upMeter.rate(state.nowMs) > 0) continue;
    const rank = rankOf(state, session.remote);
    if (rank >= least) continue;
    least = rank;
    lowest = session;
  }
  return lowest;
}
