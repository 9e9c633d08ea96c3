import type { EventTable } from "./table.ts";

/** What a BitTorrent peer can say. */
export type PeerEvent = {
  readonly type: "peer.unchoked";
  readonly message: string;
};

/** See {@linkcode PeerEvent}. */
export const PEER_EVENTS: EventTable<PeerEvent> = {
  "peer.unchoked": { level: "info", text: (e) => e.message },
};
