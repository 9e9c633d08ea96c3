import type { PeerEndpoint } from "./peer_endpoint.ts";
import type { PeerEvent } from "../events/peer.ts";
import type { RoleEvent } from "../events/role.ts";
import type { Rng } from "../core/rng.ts";
import type { HashAnswers } from "./hash_answers.ts";
import type { HashQuest } from "./hash_quest.ts";
import type { ChokerName } from "./choker.ts";
import type { Layout } from "./layout.ts";
import type { Hashing } from "./metainfo.ts";
import type { PickerName } from "./picker.ts";

/** Who told us of a peer: those a user named are tried again and again, those of others are dropped after some failures. */
export type ContactSource = "tracker" | "user" | "pex" | "dht" | "lsd";

/** What limits a rate; `TokenBucket` of lib/model is one. */
export interface RateLimiter {
  /** Whether there is a limit at all. */
  readonly limited: boolean;
  /** Largest part that may pass at once and be smooth. */
  readonly quantumBytes: number;
  /** Whether a block may pass now. */
  ready(nowMs: number): boolean;
  /** Takes the tokens of a block that passes. */
  spend(bytes: number): void;
  /** Gives tokens back. */
  refund(bytes: number): void;
  /** When `ready` will be true. */
  readyAtMs(nowMs: number): number;
}

/** What a swarm needs for BitTorrent v2 (BEP 52). */
export interface SwarmV2 {
  /** The first 20 bytes of the info-hash of v2: of a hybrid, which is known by the other one as well, the second name. */
  readonly infoHash: Uint8Array;
  /** Whether a piece can be checked; until then it is not asked for. */
  readonly known: (pieceIndex: number) => boolean;
  /** Answers those who ask for hashes. */
  readonly answers: HashAnswers;
  /** Gets those that are missing. */
  readonly quest: HashQuest;
}

/** The limits of one connection; null where there is none. */
export interface PeerLimits {
  readonly upload: RateLimiter | null;
  readonly download: RateLimiter | null;
}

/** How a {@linkcode Swarm} is to behave. */
export interface SwarmOptions {
  readonly layout: Layout;
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** For a torrent of v2 or a hybrid, what goes with BEP 52. */
  readonly v2?: SwarmV2;
  /** 20 bytes; ours. */
  readonly peerId: Uint8Array;
  /** Pieces that are on the disk and verified already. */
  readonly have: readonly number[];
  readonly rng: Rng;
  readonly picker: PickerName;
  /** How to choose whom to serve; without it, tit-for-tat. */
  readonly choker?: ChokerName;
  /** Peers served by rate (tit-for-tat); one more is served by lot. */
  readonly unchokeSlots: number;
  readonly chokeIntervalMs: number;
  readonly optimisticIntervalMs: number;
  /** Never serve anyone: what tit-for-tat is there to punish. */
  readonly freeRide: boolean;
  readonly maxConnections: number;
  readonly upload: RateLimiter;
  readonly download: RateLimiter;
  /** Makes the limits that each connection has for itself, if there are such. */
  readonly limitPeer?: (nowMs: number) => PeerLimits;
  /** The exact bytes of the torrent's info dictionary, for peers that have a magnet link only (BEP 9). */
  readonly metadata?: Uint8Array;
  /** Peers are to be had from the trackers only: no peer exchange (BEP 27). */
  readonly private?: boolean;
  /** The TCP port we take connections at, as others are told (BEP 10, "p"). */
  readonly listenPort?: number;
  /** What we call ourselves (BEP 10, "v"). */
  readonly client?: string;
  /** The UDP port of our DHT node, if we run one: other nodes are told by `port`, and theirs come out as `dht-node` (BEP 5). */
  readonly dhtPort?: number;
  /** Computes which pieces a choked peer may have (BEP 6); without it none are offered. */
  readonly sha1?: Hashing["sha1"];
  /** Asks for pieces only when they are wanted (`want`): a player that shares what it plays. */
  readonly onDemand?: boolean;
  /** A first seed hands each piece to one peer before it sends any twice (BEP 16); nothing to a peer that lacks pieces. */
  readonly superSeed: boolean;
  /** Where memory for pieces comes from; without it, from the runtime. A simulation of a file without content has one buffer for 10,000 peers. */
  readonly allocate?: (lengthBytes: number) => Uint8Array;
  /** Lends memory for one send, at least so long, until the outputs it is among have been carried out; without it each session keeps a buffer. */
  readonly sendBuffer?: (lengthBytes: number) => Uint8Array;
}

/**
 * What happened. A connection is known by its `link`, a number given by whoever opens it: {@linkcode Swarm} counts up
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

/** Totals of one peer, over all its connections. */
export interface PeerTotals {
  readonly remote: string;
  readonly client: string;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
}

/** Totals of a {@linkcode Swarm}. */
export interface SwarmStatus {
  readonly havePieces: number;
  /** Verified bytes. */
  readonly haveBytes: number;
  /** Payload received and kept. */
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  /** Payload received in vain: duplicates and rejected pieces. */
  readonly wastedBytes: number;
  /** Open connections. */
  readonly peers: number;
  /** Whether any handshake ever succeeded. */
  readonly everConnected: boolean;
}
