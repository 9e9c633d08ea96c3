import type { PeerAddress } from "../peer_endpoint.ts";

/** What a peer tells the tracker has just happened (BEP 3, "event"); `none` for the announces in between. */
export type AnnounceEvent = "none" | "started" | "stopped" | "completed";

/** An announce, whatever it came over: "I share this torrent at this port; who else does?" */
export interface AnnounceRequest {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** Where the peer listens for other peers. */
  readonly port: number;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  /** What the peer still lacks; 0 makes it a seed. */
  readonly leftBytes: number;
  readonly event: AnnounceEvent;
  /** How many peers are asked for; null leaves it to the tracker. */
  readonly numWant: number | null;
  /**
   * The literal address the peer wants handed on in place of the one it announces from. Ours believes it only from a
   * peer in its own network, behind the same gateway, which is what BEP 3 has it for; UDP carries IPv4 only.
   */
  readonly ip?: string;
  /** What the tracker gave us to send back (BEP 3's "tracker id"); HTTP only. */
  readonly trackerId?: Uint8Array;
}

/** The tracker's answer to an announce. */
export interface AnnounceReply {
  /** How long to wait before the next announce. */
  readonly intervalSeconds: number;
  /** Announces must be at least this far apart, unless there is an event to tell. */
  readonly minIntervalSeconds?: number;
  /** What the tracker wants back with the next announces. */
  readonly trackerId?: Uint8Array;
  /** Peers that have all; null where the reply did not say. */
  readonly seeders: number | null;
  /** Peers that do not; null where the reply did not say. */
  readonly leechers: number | null;
  readonly peers: readonly PeerAddress[];
  /** What the tracker wants people to read although it answered. */
  readonly warning: string | null;
}

/** What a scrape says of one torrent (BEP 48). */
export interface ScrapeEntry {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  readonly seeders: number;
  readonly leechers: number;
  /** How many downloads were ever reported complete. */
  readonly completed: number;
}

/** Peers in compact form, and their ids in the same order where they were asked for. There may be more bytes than count. */
export interface DrawnPeers {
  readonly count: number;
  /** 6 bytes each (BEP 23), or 18 (BEP 7). */
  readonly compact: Uint8Array;
  /** 20 bytes each, where they were asked for. */
  readonly ids: Uint8Array | null;
}
