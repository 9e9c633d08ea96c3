/** Whom we take of those who connect to us, and whom that pushes out. */
import { isAddress } from "../../../core/address.ts";
import type { PeerEndpoint } from "../../peer_endpoint.ts";
import { reachOf } from "../contacts/address_reach.ts";
import { canonicalPriority } from "../contacts/canonical_priority.ts";
import type { Again } from "../contacts/contacts.ts";
import type { PeerSession } from "../state/peer_session.ts";
import type { SwarmState } from "../state/state.ts";

/** Accepted connections without a handshake; with so many one makes room, so that silent ones cannot keep peers out. */
const MAX_HALF_OPEN = 32;
/** A handshake is there a round trip after its connection. Who has waited less makes room only when connections are short: a class that starts its peers at once comes by the hundred. */
const PROMPT_MS = 1_000;
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
 * Connections without a handshake make room first. Of which host they are matters, not how many it may have: the oldest
 * goes of the host that has the most, so a flood pushes out itself, and a class behind one address has all the room that
 * nobody else wants. When all connections are taken, an idle one of lower canonical priority (BEP 40) than the newcomer
 * ends, the one of the lowest.
 */
export function admission(state: SwarmState, remote: PeerEndpoint): Admission {
  const { maxConnections } = state.options;
  const sessions = [...state.sessions.values()];
  const sameHost = reachOf(remote.host) === "machine"
    ? []
    : sessions.filter((session) => session.remote.host === remote.host);
  const hasShare = sameHost.length >= MAX_SHARE_OF_HOST * maxConnections;
  const silent = hasShare
    ? sameHost.find(isHalfOpen)
    : silentOne(sessions, state);
  const ends: readonly Ending[] = silent === undefined ? [] : [{
    session: silent,
    reason: "too many without a handshake",
    again: "never",
  }];
  if (hasShare && silent === undefined) return { admitted: false, ends };
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
  const host = state.externalAddress.bestLike(remote.host);
  if (host === null) return 0;
  const known = state.ranks.get(remote);
  if (known?.seenFrom === host) return known.rank;
  const port = state.options.listenPort ?? 0;
  const rank = isAddress(remote.host)
    ? canonicalPriority({ host, port }, remote)
    : 0;
  state.ranks.set(remote, { seenFrom: host, rank });
  return rank;
}

/** Whether someone connected to us and has not said a handshake. */
function isHalfOpen({ incoming, stage }: PeerSession): boolean {
  return incoming && stage === "handshake";
}

/** The connection without a handshake that makes room for another; undefined while there is room, or all of them are new. */
function silentOne(
  sessions: readonly PeerSession[],
  { nowMs, options }: SwarmState,
): PeerSession | undefined {
  const halfOpen = sessions.filter(isHalfOpen);
  const isFull = sessions.length >= options.maxConnections;
  const areMany = halfOpen.length >= MAX_HALF_OPEN;
  if (!isFull && !areMany) return undefined;
  const [oldest, ...others] = ofBusiestHost(halfOpen);
  if (oldest === undefined) return undefined;
  const isLate = nowMs - oldest.openedAtMs >= PROMPT_MS;
  return isLate || (isFull && (areMany || others.length > 0))
    ? oldest
    : undefined;
}

/** The connections of the host that has the most, oldest first; of equals, of the one whose first is the oldest. */
function ofBusiestHost(sessions: readonly PeerSession[]): PeerSession[] {
  const byHost = Map.groupBy(sessions, ({ remote }) => remote.host);
  let most: PeerSession[] = [];
  for (const ofHost of byHost.values()) {
    if (ofHost.length > most.length) most = ofHost;
  }
  return most;
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
