/**
 * A node of the DHT (BEP 5), without a socket: datagrams and time in, datagrams and found peers out.
 *
 *     named or hinted nodes --> join: look up our own id --> joined --> for each torrent: look up its info-hash,
 *     queries from others --> table, answers                            collect peers, announce to the 8 nearest
 *
 * One node is of one family, IPv4 or IPv6: a host with both runs two, with one id and one socket (BEP 32 calls them
 * single-protocol nodes). The parts: `message.ts` (the wire), `table.ts` (whom we know), `lookup.ts` (one search),
 * `searches.ts` (all of them), `transactions.ts` (what we asked), `responder.ts` (what we answer), `shares.ts` (what we
 * search for, and when).
 */
import { familyOf, formatHostPort } from "../../core/address.ts";
import { toHex } from "../../core/bytes.ts";
import { unlessBroken } from "../../core/errors.ts";
import type { Machine } from "../../core/machine.ts";
import type { PeerEndpoint } from "../peer_endpoint.ts";
import { DhtAnswerLimit } from "./answer_limit.ts";
import { keyOf } from "./contact.ts";
import { sharedBits } from "./id.ts";
import {
  decodeKrpc,
  type KrpcQuery,
  type KrpcRefusal,
  type KrpcResponse,
} from "./message.ts";
import { DhtResponder } from "./responder.ts";
import { DhtSearches } from "./searches.ts";
import {
  type DhtInput,
  type DhtNodeOptions,
  type DhtOutput,
  DhtState,
  type Purpose,
  type Search,
} from "./state.ts";
import { DhtTokens } from "./tokens.ts";
import type { Transaction } from "./transactions.ts";

/** How often nodes that do not answer are tried again: 5 s, doubled up to a minute. Whatever a class starts first is found. */
const FIRST_JOIN_RETRY_MS = 5_000;
const MAX_JOIN_RETRY_MS = 60_000;
/** Nodes named by the user, a torrent or a peer that are remembered for that. */
const MAX_NAMED = 50;
/** Nodes being pinged because they asked us something, or a peer named them: strangers can make us send no more than that. */
const MAX_PROBES = 32;

/** The machine. See the head of this file. */
export class DhtNode implements Machine<DhtInput, DhtOutput> {
  readonly #state: DhtState;
  readonly #responder: DhtResponder;
  readonly #searches: DhtSearches;
  readonly #named = new Map<string, PeerEndpoint>();
  #probes = 0;
  #joined = false;
  #joining = false;
  #joinAtMs = Infinity;
  #joinFailures = 0;

  /** Creates a node that knows nobody. */
  constructor(options: DhtNodeOptions, nowMs: number) {
    const { id, family } = options;
    this.#state = new DhtState(options, nowMs);
    const { table, store } = this.#state;
    this.#responder = new DhtResponder({
      ...{ id, family, table, store },
      tokens: new DhtTokens(options),
      limit: new DhtAnswerLimit(nowMs),
    });
    this.#searches = new DhtSearches(
      this.#state,
      (search) => this.#joinEnded(search),
    );
  }

  /** Whether other nodes are known, how many, and how many peers are stored for others. */
  get status(): {
    readonly joined: boolean;
    readonly nodes: number;
    readonly storedPeers: number;
    readonly bucketSizes: readonly number[];
  } {
    const { table, store } = this.#state;
    return {
      joined: this.#joined,
      nodes: table.usable,
      storedPeers: store.size,
      bucketSizes: table.bucketSizes,
    };
  }

  /** The next query to give up, search, refresh, or attempt to join. */
  get deadlineMs(): number {
    const { transactions, table } = this.#state;
    return Math.min(
      transactions.deadlineMs,
      this.#joining ? Infinity : this.#joinAtMs,
      this.#searches.deadlineMs,
      this.#joined ? this.#searches.dueAtMs : Infinity,
      this.#joined ? table.staleAtMs : Infinity,
    );
  }

  /** Takes one input. */
  handle(input: DhtInput, nowMs: number): DhtOutput[] {
    const state = this.#state;
    state.nowMs = nowMs;
    state.out = [];
    this.#take(input);
    if (this.#joined && state.table.usable === 0) this.#lose();
    if (!this.#joining && this.#joinAtMs <= nowMs) this.#join();
    if (this.#joined) this.#searches.startDue();
    this.#searches.advance();
    return state.out;
  }

  #take(input: DhtInput): void {
    const { nowMs, transactions } = this.#state;
    switch (input.kind) {
      case "timeout":
        for (const late of transactions.expire(nowMs)) this.#failed(late, true);
        return;
      case "datagram":
        return this.#received(input.bytes, input.from);
      case "nodes-named":
        for (const node of input.nodes) {
          if (this.#named.size < MAX_NAMED) this.#named.set(keyOf(node), node);
        }
        if (!this.#joined) this.#joinAtMs = nowMs;
        return;
      case "node-hinted":
        return this.#probe(input.node);
      case "share":
        return this.#searches.share(input.share);
      case "unshare":
        return this.#searches.unshare(input.infoHash);
    }
  }

  #join(): void {
    this.#joining = true;
    this.#joinAtMs = Infinity;
    this.#searches.join([
      ...this.#named.values(),
      ...this.#state.table.everyone(),
    ]);
  }

  #joinEnded({ lookup, startedAtMs }: Search): void {
    const { nowMs, table, options } = this.#state;
    this.#joining = false;
    if (table.usable === 0) return this.#joinFailed();
    this.#joined = true;
    this.#joinFailures = 0;
    this.#state.emit({
      type: "dht.joined",
      nodeId: toHex(options.id),
      family: options.family,
      nodes: table.usable,
      asked: lookup.asked,
      steps: lookup.steps,
      durationMs: Math.round(nowMs - startedAtMs),
    });
  }

  #joinFailed(): void {
    const [first] = [...this.#named.values(), ...this.#state.table.everyone()];
    if (first === undefined) return;
    const retryMs = Math.min(
      MAX_JOIN_RETRY_MS,
      FIRST_JOIN_RETRY_MS * 2 ** this.#joinFailures,
    );
    this.#joinFailures += 1;
    this.#joinAtMs = this.#state.nowMs + retryMs;
    const others = this.#named.size - 1;
    this.#state.emit({
      type: "dht.failed",
      message: `No DHT node answers at ${formatHostPort(first)}${
        others > 0 ? ` or at ${others} more` : ""
      }`,
      retryMs,
    });
  }

  /** Every node we knew is gone: they and those that were named are tried again. */
  #lose(): void {
    this.#joined = false;
    this.#joinAtMs = this.#state.nowMs;
  }

  #received(bytes: Uint8Array, from: PeerEndpoint): void {
    const { options, transactions } = this.#state;
    if (from.port === 0 || familyOf(from.host) !== options.family) return;
    const message = unlessBroken(() => decodeKrpc(bytes));
    if (message === undefined) return;
    if (message.kind === "query" || message.kind === "refusal") {
      return this.#asked(message, from);
    }
    const transaction = transactions.close(message.transactionId, from);
    if (transaction === undefined) return;
    if (message.kind === "error") this.#failed(transaction, false);
    else this.#answered(transaction, message);
  }

  #asked(query: KrpcQuery | KrpcRefusal, from: PeerEndpoint): void {
    const { nowMs, store, table, out } = this.#state;
    const { bytes, announced } = this.#responder.answer(query, from, nowMs);
    if (bytes !== null) out.push({ kind: "send", bytes, to: from });
    if (announced !== null) {
      const { infoHash, peer, isNew } = announced;
      if (isNew) {
        this.#state.emit({
          type: "dht.stored",
          infoHash: toHex(infoHash),
          remote: formatHostPort(peer),
          peers: store.size,
        });
      }
      this.#searches.found(infoHash, [peer]);
    }
    if (query.kind === "refusal" || query.readOnly) return;
    const { host, port } = from;
    if (table.queried({ id: query.id, host, port }, nowMs)) this.#probe(from);
  }

  #answered(
    { to, purpose }: Transaction<Purpose>,
    message: KrpcResponse,
  ): void {
    const { table, nowMs, options } = this.#state;
    const { id } = message;
    const { added, ping } = table.responded({ id, ...to }, nowMs);
    if (ping !== null) this.#probe(ping);
    if (added) {
      this.#state.emit({
        type: "dht.met",
        node: toHex(id),
        remote: formatHostPort(to),
        sharedBits: sharedBits(options.id, id),
        nodes: table.usable,
      });
    }
    // The first node is the way in: our own id is looked up then (BEP 5).
    if (!this.#joined && !this.#joining) this.#joinAtMs = nowMs;
    switch (purpose.kind) {
      case "probe":
        this.#probes -= 1;
        return;
      case "announce":
        return this.#searches.told(purpose.announcing, true);
      case "search":
        return this.#searches.answered(purpose, message);
    }
  }

  /** A query got an error or, if `silent`, nothing. */
  #failed({ to, purpose }: Transaction<Purpose>, silent: boolean): void {
    switch (purpose.kind) {
      case "probe":
        this.#probes -= 1;
        break;
      case "announce":
        this.#searches.told(purpose.announcing, false);
        break;
      case "search":
        purpose.search.lookup.failed(purpose.candidate);
    }
    const { table, nowMs } = this.#state;
    const next = silent ? table.failed(to, nowMs) : null;
    if (next !== null) this.#probe(next);
  }

  /** Pings a node, to see whether it is worth a place in the table. */
  #probe(to: PeerEndpoint): void {
    const { options, transactions } = this.#state;
    if (familyOf(to.host) !== options.family || to.port === 0) return;
    if (this.#probes >= MAX_PROBES || transactions.asking(to)) return;
    const asked = this.#state.ask(to, { kind: "ping" }, { kind: "probe" });
    if (asked) this.#probes += 1;
  }
}
