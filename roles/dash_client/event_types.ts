import type { EventType } from "../../lib/events/mod.ts";
import { SWARM_EVENT_TYPES } from "../../lib/peer/event_types.ts";

/** What the client says, beside what every role does. */
export const EVENT_TYPES: readonly EventType[] = [
  "name.resolved",
  "name.missed",
  "manifest.loaded",
  "manifest.warned",
  "manifest.refreshed",
  "manifest.missed",
  "clock.compared",
  "segment.downloaded",
  "segment.abandoned",
  "segment.missed",
  "location.failed",
  "location.recovered",
  "playout.started",
  "playout.stalled",
  "playout.resumed",
  "playout.seeked",
  "playout.ended",
  "latency.measured",
  // With --cooperate.
  ...SWARM_EVENT_TYPES,
];
