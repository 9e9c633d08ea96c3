import type { Rng } from "../../core/rng.ts";
import type { Layout } from "../metainfo/layout.ts";
import type { Hashing } from "../metainfo/metainfo.ts";
import type { ChokerName } from "./choking/choker.ts";
import type { HashAnswers } from "./hashes/hash_answers.ts";
import type { HashQuest } from "./hashes/hash_quest.ts";
import type { PickerName } from "./pieces/picker.ts";

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
