import type { Family } from "../../core/address.ts";
import type { Rng } from "../../core/rng.ts";
import type { DhtEvent } from "../../events/dht.ts";
import type { PeerEndpoint } from "../peer_endpoint.ts";
import type { Candidate, Lookup } from "./lookup.ts";
import { type DhtQuestion, encodeQuery } from "./message.ts";
import { DhtPeerStore } from "./peer_store.ts";
import type { DhtShare } from "./shares.ts";
import { RoutingTable } from "./table.ts";
import { DhtTransactions } from "./transactions.ts";

/** What a DHT node takes. */
export type DhtInput =
  | {
    readonly kind: "datagram";
    readonly bytes: Uint8Array;
    readonly from: PeerEndpoint;
  }
  | { readonly kind: "timeout" }
  /** Nodes to join through: a user or a torrent named them. Literal addresses. */
  | { readonly kind: "nodes-named"; readonly nodes: readonly PeerEndpoint[] }
  /** A peer said that it has a node (BEP 5, "PORT"). */
  | { readonly kind: "node-hinted"; readonly node: PeerEndpoint }
  /** Search for the peers of a torrent and announce us, until `unshare`. */
  | { readonly kind: "share"; readonly share: DhtShare }
  | { readonly kind: "unshare"; readonly infoHash: Uint8Array };

/** What a DHT node wants done. */
export type DhtOutput =
  | {
    readonly kind: "send";
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly to: PeerEndpoint;
  }
  | {
    readonly kind: "peers-found";
    readonly infoHash: Uint8Array;
    readonly peers: readonly PeerEndpoint[];
  }
  | { readonly kind: "event"; readonly event: DhtEvent };

/** How to set up a a DHT node. */
export interface DhtNodeOptions {
  /** 20 bytes, drawn at random. */
  readonly id: Uint8Array;
  readonly family: Family;
  readonly rng: Rng;
  /** A cryptographic hash of at least 8 bytes, for tokens. */
  readonly hash: (bytes: Uint8Array) => Uint8Array;
  /** At least 16 bytes nobody can guess, for tokens. */
  readonly secret: Uint8Array;
}

/** A search under way. */
export interface Search {
  readonly lookup: Lookup;
  readonly startedAtMs: number;
  /** The torrent whose peers are looked for; null when it is about nodes. */
  readonly share: DhtShare | null;
  /** Looks for ourselves: the search that joins. */
  readonly join: boolean;
  readonly peers: Set<string>;
}

/** Announces under way, all to the nodes one search found. */
export interface Announcing {
  readonly infoHash: Uint8Array;
  left: number;
  accepted: number;
  refused: number;
}

/** What a query was sent for. A probe is to see whether a node is worth a place in the table. */
export type Purpose =
  | { readonly kind: "probe" }
  | {
    readonly kind: "search";
    readonly search: Search;
    readonly candidate: Candidate;
  }
  | { readonly kind: "announce"; readonly announcing: Announcing };

/** What the parts of a DHT node share. */
export class DhtState {
  readonly options: DhtNodeOptions;
  readonly table: RoutingTable;
  readonly store: DhtPeerStore;
  readonly transactions: DhtTransactions<Purpose>;
  /** Of the input being handled. */
  nowMs: number;
  out: DhtOutput[] = [];

  /** Knows nobody. */
  constructor(options: DhtNodeOptions, nowMs: number) {
    this.options = options;
    this.nowMs = nowMs;
    this.table = new RoutingTable(options.id, nowMs);
    this.store = new DhtPeerStore(options.rng);
    this.transactions = new DhtTransactions(options.rng);
  }

  /** Tells what happened. */
  emit(event: DhtEvent): void {
    this.out.push({ kind: "event", event });
  }

  /** Sends a query; false if too many are under way. */
  ask(
    { host, port }: PeerEndpoint,
    question: DhtQuestion,
    purpose: Purpose,
  ): boolean {
    const to = { host, port };
    const transactionId = this.transactions.open(to, purpose, this.nowMs);
    if (transactionId === null) return false;
    const { id } = this.options;
    const bytes = encodeQuery({ transactionId, id, question });
    this.out.push({ kind: "send", bytes, to });
    return true;
  }
}
