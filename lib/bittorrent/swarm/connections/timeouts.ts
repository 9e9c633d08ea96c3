import type { PeerSession } from "../state/peer_session.ts";

/** From the open connection to the other side's whole handshake. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** BEP 3: connections that are silent for two minutes may be closed; three leave room for late keep-alives. */
const IDLE_TIMEOUT_MS = 180_000;
/** BEP 3: keep-alives are sent once every two minutes; a little earlier, so that none is late. */
const KEEP_ALIVE_MS = 100_000;

/** No session's silence calls for anything before this, unless it ends. */
export function silentFromMs(session: PeerSession): number {
  return session.stage === "open"
    ? Math.min(
      session.lastReceivedAtMs + IDLE_TIMEOUT_MS,
      session.lastSentAtMs + KEEP_ALIVE_MS,
    )
    : session.openedAtMs + HANDSHAKE_TIMEOUT_MS;
}

/** What a session's silence calls for: the reason to close it, a keep-alive, or nothing. */
export function silenceOf(
  session: PeerSession,
  nowMs: number,
): { readonly close: string } | "keep-alive" | null {
  if (session.stage === "connecting") return null;
  if (session.stage === "handshake") {
    return nowMs - session.openedAtMs > HANDSHAKE_TIMEOUT_MS
      ? { close: "no handshake within 10 s" }
      : null;
  }
  if (nowMs - session.lastReceivedAtMs > IDLE_TIMEOUT_MS) {
    return { close: "silent for 3 minutes" };
  }
  return nowMs - session.lastSentAtMs > KEEP_ALIVE_MS ? "keep-alive" : null;
}
