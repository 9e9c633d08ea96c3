import type { Family } from "../../core/address.ts";
import type { PeerEndpoint } from "../peer_endpoint.ts";
import type { DhtAnswerLimit } from "./answer_limit.ts";
import {
  type DhtAnswer,
  type DhtQuestion,
  EMPTY_ANSWER,
  encodeError,
  encodeResponse,
  KRPC_ERROR,
  type KrpcQuery,
  type KrpcRefusal,
} from "./message.ts";
import type { DhtPeerStore } from "./peer_store.ts";
import type { RoutingTable } from "./table.ts";
import type { DhtTokens } from "./tokens.ts";

/** Peers in one answer, so that it stays below the 1024 bytes of BEP 32 with 8 nodes and a token beside them. */
const MAX_VALUES = { ipv4: 50, ipv6: 24 } as const;

/** What a node answers from. */
export interface Responding {
  /** Our id. */
  readonly id: Uint8Array;
  readonly family: Family;
  readonly table: RoutingTable;
  readonly store: DhtPeerStore;
  readonly tokens: DhtTokens;
  readonly limit: DhtAnswerLimit;
}

/** What came of a query. */
export interface Answered {
  /** To be sent to whoever asked; null for silence. */
  readonly bytes: Uint8Array<ArrayBuffer> | null;
  /** A peer that was announced to us by this query, and whether we did not know of it. */
  readonly announced:
    | {
      readonly infoHash: Uint8Array;
      readonly peer: PeerEndpoint;
      readonly isNew: boolean;
    }
    | null;
}

const SILENCE: Answered = { bytes: null, announced: null };

/** Answers other nodes (BEP 5, "DHT Queries"): nothing is kept of who asked, and no host gets more than its share. */
export class DhtResponder {
  readonly #with: Responding;

  /** @param responding Shared with the node. */
  constructor(responding: Responding) {
    this.#with = responding;
  }

  /** Answers a query, or says why it cannot be answered. */
  answer(
    query: KrpcQuery | KrpcRefusal,
    from: PeerEndpoint,
    nowMs: number,
  ): Answered {
    if (!this.#with.limit.ready(from.host, nowMs)) return SILENCE;
    if (query.kind === "refusal") {
      return this.#send(encodeError(query.error), from, nowMs);
    }
    const { transactionId, question } = query;
    if (question.kind === "announce_peer") {
      return this.#announce(question, { transactionId, from, nowMs });
    }
    const answer = this.#find(question, from, nowMs);
    const { id } = this.#with;
    return this.#send(
      encodeResponse({ transactionId, id, answer }),
      from,
      nowMs,
    );
  }

  #find(
    question: Exclude<DhtQuestion, { kind: "announce_peer" }>,
    from: PeerEndpoint,
    nowMs: number,
  ): DhtAnswer {
    if (question.kind === "ping") return EMPTY_ANSWER;
    const { family, table, store, tokens } = this.#with;
    // Nodes of the other family are in the other DHT, of which this node is no part.
    const families = (question.want ?? [family]).filter((wanted) =>
      wanted === family
    );
    if (question.kind === "find_node") {
      const nodes = families.length > 0 ? table.closest(question.target) : [];
      return { ...EMPTY_ANSWER, nodes, families };
    }
    return {
      families,
      // Nodes as well as peers (BEP 32): the asker goes on to the nearest ones to announce itself.
      nodes: families.length > 0 ? table.closest(question.infoHash) : [],
      peers: store.peersOf(question.infoHash, MAX_VALUES[family], nowMs),
      token: tokens.issue(from.host, nowMs),
    };
  }

  #announce(
    question: Extract<DhtQuestion, { kind: "announce_peer" }>,
    { transactionId, from, nowMs }: {
      readonly transactionId: Uint8Array;
      readonly from: PeerEndpoint;
      readonly nowMs: number;
    },
  ): Answered {
    const { id, store, tokens } = this.#with;
    const { infoHash, impliedPort, token } = question;
    const refuse = (code: number, message: string) =>
      this.#send(encodeError({ transactionId, code, message }), from, nowMs);
    if (!tokens.accepts(token, from.host, nowMs)) {
      return refuse(KRPC_ERROR.protocol, "Bad token");
    }
    const port = impliedPort ? from.port : question.port;
    const peer = { host: from.host, port };
    const stored = store.add(infoHash, peer, nowMs);
    if (stored === "full") return refuse(KRPC_ERROR.server, "Store is full");
    const { bytes } = this.#send(
      encodeResponse({ transactionId, id, answer: EMPTY_ANSWER }),
      from,
      nowMs,
    );
    return { bytes, announced: { infoHash, peer, isNew: stored === "new" } };
  }

  #send(
    bytes: Uint8Array<ArrayBuffer>,
    { host }: PeerEndpoint,
    nowMs: number,
  ): Answered {
    const allowed = this.#with.limit.spend(host, bytes.length, nowMs);
    return { bytes: allowed ? bytes : null, announced: null };
  }
}
