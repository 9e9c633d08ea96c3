import type { EventType } from "../events/mod.ts";

/** What a swarm and the search for its peers say, whichever role they are a part of; of the DHT see the role `peer`. */
export const SWARM_EVENT_TYPES: readonly EventType[] = [
  "announce.answered",
  "announce.failed",
  "lsd.announced",
  "lsd.heard",
  "lsd.failed",
  "peer.connected",
  "peer.introduced",
  "peer.disconnected",
  "peer.choked",
  "peer.unchoked",
  "peer.banned",
  "piece.verified",
  "piece.rejected",
];
