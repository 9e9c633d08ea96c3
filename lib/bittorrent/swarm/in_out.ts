/** What goes into the machine of a swarm, and what comes out of it. */
import type { PeerEvent } from "../../events/peer.ts";
import type { RoleEvent } from "../../events/role.ts";
import type { PeerEndpoint } from "../peer_endpoint.ts";
import type { ContactSource } from "./contacts/contacts.ts";

/**
 * What happened. A connection is known by its `link`, a number given by whoever opens it: the swarm counts up
 * from 1, the driver counts accepted ones down from -1.
 */
export type SwarmInput =
  | { readonly kind: "start" }
  | { readonly kind: "timeout" }
  /** Peers to connect to. */
  | {
    readonly kind: "peers-found";
    readonly peers: readonly PeerEndpoint[];
    readonly source: ContactSource;
  }
  | {
    readonly kind: "accepted";
    readonly link: number;
    readonly remote: PeerEndpoint;
    /** It is no peer but an HTTP server, of this URL (BEP 19): it was we who connected, and it is good at runs of pieces. */
    readonly webSeed?: string;
  }
  | { readonly kind: "connected"; readonly link: number }
  /** A connection that could not be made, or is over. */
  | { readonly kind: "closed"; readonly link: number; readonly reason: string }
  /** `bytes` are looked at during the call only. */
  | {
    readonly kind: "received";
    readonly link: number;
    readonly bytes: Uint8Array;
  }
  /** The bytes of the last `send` are on their way. */
  | { readonly kind: "sent"; readonly link: number }
  /** Answers `verify`. */
  | {
    readonly kind: "verified";
    readonly pieceIndex: number;
    readonly valid: boolean;
  }
  /** Answers `verify-metadata`. */
  | {
    readonly kind: "metadata-verified";
    readonly link: number;
    readonly valid: boolean;
  }
  /** Answers `store`. */
  | { readonly kind: "stored"; readonly pieceIndex: number }
  /** Answers `read`; null if the disk no longer has it. */
  | {
    readonly kind: "piece-read";
    readonly pieceIndex: number;
    readonly bytes: Uint8Array | null;
  }
  /** On demand: these are to be had of peers, as soon as any has them. */
  | { readonly kind: "want"; readonly pieces: readonly number[] }
  /** On demand: these are not to be had of peers any more. */
  | { readonly kind: "unwant"; readonly pieces: readonly number[] }
  /** A piece came by another way, and was verified; `bytes` are looked at during the call only. */
  | {
    readonly kind: "supplied";
    readonly pieceIndex: number;
    readonly bytes: Uint8Array;
  }
  /** Closes every connection. */
  | { readonly kind: "stop" };

/** What to do, in order. */
export type SwarmOutput =
  | {
    readonly kind: "connect";
    readonly link: number;
    readonly to: PeerEndpoint;
  }
  /** One at a time for each link; the bytes stay as they are until `sent`. */
  | {
    readonly kind: "send";
    readonly link: number;
    readonly bytes: Uint8Array;
  }
  | { readonly kind: "close"; readonly link: number }
  /** Compare the SHA-1 of `bytes` with the torrent's. */
  | {
    readonly kind: "verify";
    readonly pieceIndex: number;
    readonly bytes: Uint8Array;
  }
  /** Compare the hash of `bytes` with the info-hash: it is the info dictionary, as the peer at `link` has it. */
  | {
    readonly kind: "verify-metadata";
    readonly link: number;
    readonly bytes: Uint8Array;
  }
  /** The info dictionary is there, and its hash is right (BEP 9); comes once. */
  | { readonly kind: "metadata"; readonly bytes: Uint8Array }
  /** Write a verified piece; the bytes stay as they are until `stored`. */
  | {
    readonly kind: "store";
    readonly pieceIndex: number;
    readonly bytes: Uint8Array;
  }
  /** Fill `buffer` with a piece from the disk. */
  | {
    readonly kind: "read";
    readonly pieceIndex: number;
    readonly buffer: Uint8Array;
  }
  /** A peer's DHT node (BEP 5, "port"): its host, and the UDP port it says. */
  | { readonly kind: "dht-node"; readonly node: PeerEndpoint }
  /** Every piece is verified and stored; comes once, and only to those that did not start with all. */
  | { readonly kind: "completed" }
  | { readonly kind: "event"; readonly event: SwarmEvent };

/** What is worth telling. */
export type SwarmEvent = Extract<
  PeerEvent | RoleEvent,
  {
    readonly type:
      | "peer.connected"
      | "peer.introduced"
      | "peer.disconnected"
      | "peer.unchoked"
      | "peer.choked"
      | "peer.banned"
      | "piece.verified"
      | "piece.rejected"
      | "protocol.violated";
  }
>;
