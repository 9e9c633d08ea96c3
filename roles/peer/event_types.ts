import type { EventType } from "../../lib/events/mod.ts";
import { SWARM_EVENT_TYPES } from "../../lib/peer/event_types.ts";

/** What the peer says, beside what every role does. */
export const EVENT_TYPES: readonly EventType[] = [
  "webseed.fetched",
  "webseed.failed",
  "torrent.hashed",
  "torrent.created",
  "metadata.fetched",
  "torrent.checked",
  "torrent.completed",
  "dht.joined",
  "dht.failed",
  "dht.met",
  "dht.answered",
  "dht.searched",
  "dht.announced",
  "dht.stored",
  "peer.progressed",
  ...SWARM_EVENT_TYPES,
];
