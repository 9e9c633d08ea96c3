/** What the table of swarms is told, and what it tells. */
import type { AnnounceRequest, DrawnPeers, ScrapeEntry } from "../messages.ts";
import type { PeerView } from "./peer_record.ts";

/** An announce with the address that others shall be told. */
export interface TableAnnounce extends AnnounceRequest {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** Of which family the asker can use peers. If both, those of the address's own come first. */
  readonly families: "ipv4" | "ipv6" | "both";
  /** Whether the peers' ids are wanted. */
  readonly withIds?: boolean;
}

/** What the asker is told. The table writes the next answer over this one's bytes: use them before the next call. */
export interface SwarmAnswer {
  readonly seeders: number;
  readonly leechers: number;
  /** In random order; never the asker. */
  readonly ipv4: DrawnPeers;
  readonly ipv6: DrawnPeers;
}

/** One swarm, for the tracker's page. */
export interface SwarmView extends ScrapeEntry {
  readonly peers: readonly PeerView[];
}

/** One swarm, or some of its peers, as it is saved. */
export interface StoredSwarm {
  readonly infoHash: Uint8Array;
  /** Of a swarm that comes in parts, the first has all. */
  readonly completed: number;
  readonly peerCount: number;
  /** Each is good until the next is asked for. */
  readonly peers: Iterable<PeerView>;
}
