import { isAddress } from "../../../core/address.ts";
import { allowedFastCount, allowedFastSet } from "../pieces/allowed_fast.ts";
import type { PeerSession } from "../state/peer_session.ts";
import type { SwarmState } from "../state/state.ts";

/** Tells a newcomer which pieces it may have while we choke it. A seed that hands each piece out once, and one that serves nobody, allow none. */
export function allowFast(state: SwarmState, session: PeerSession): void {
  const { options, have } = state;
  const { infoHash, sha1, freeRide, superSeed } = options;
  if (
    !session.features.fast || freeRide || sha1 === undefined ||
    superSeed || !isAddress(session.remote.host)
  ) return;
  session.allowedFast = new Set(allowedFastSet({
    host: session.remote.host,
    infoHash,
    pieceCount: have.length,
    count: allowedFastCount(have.length),
    sha1,
  }));
  for (const pieceIndex of session.allowedFast) {
    session.say({ kind: "allowed-fast", pieceIndex });
  }
}
