import { formatHostPort } from "../../core/address.ts";
import { toHex } from "../../core/bytes.ts";
import type { PeerEndpoint } from "../peer_endpoint.ts";
import { keyOf, mayContact } from "./contact.ts";
import { sharedBits } from "./id.ts";
import { Lookup } from "./lookup.ts";
import type { DhtQuestion, KrpcResponse } from "./message.ts";
import { type DhtShare, DhtShares } from "./shares.ts";
import type { Announcing, DhtState, Purpose, Search } from "./state.ts";

/** Peers that are taken from our own store at a time. */
const MAX_STORED = 50;
/** Peers that one search finds; more than anyone connects to. */
const MAX_FOUND = 2_000;

/** The searches of a DHT node: for nodes, to fill the table, and for the peers of torrents, to whose nearest nodes it then announces us. */
export class DhtSearches {
  readonly #state: DhtState;
  readonly #shares: DhtShares;
  readonly #searches = new Set<Search>();
  readonly #joinEnded: (search: Search) => void;

  /** @param joinEnded Called when the search that joins is over. */
  constructor(state: DhtState, joinEnded: (search: Search) => void) {
    this.#state = state;
    this.#shares = new DhtShares(state.options.rng);
    this.#joinEnded = joinEnded;
  }

  /** When the next search for peers is due. */
  get dueAtMs(): number {
    return this.#shares.deadlineMs;
  }

  /** When a search that is under way goes on although nobody answered. */
  get deadlineMs(): number {
    let atMs = Infinity;
    for (const { lookup } of this.#searches) {
      atMs = Math.min(atMs, lookup.deadlineMs);
    }
    return atMs;
  }

  /** Adds a torrent to search and announce. */
  share(share: DhtShare): void {
    this.#shares.add(share, this.#state.nowMs);
  }

  /** Forgets it. */
  unshare(infoHash: Uint8Array): void {
    this.#shares.remove(infoHash);
  }

  /** Looks up our own id, beginning with nodes whose ids need not be known. */
  join(named: readonly PeerEndpoint[]): void {
    this.#search(this.#state.options.id, { join: true, named });
  }

  /** Starts the searches that are due: for peers, and for nodes of stale buckets. */
  startDue(): void {
    const { nowMs, table, store, options } = this.#state;
    for (const share of this.#shares.due(nowMs)) {
      const { infoHash } = share;
      const search = this.#search(infoHash, { share });
      this.#foundPeers(search, store.peersOf(infoHash, MAX_STORED, nowMs));
    }
    for (;;) {
      const target = table.refresh(nowMs, options.rng);
      if (target === null) break;
      this.#search(target);
    }
  }

  /** Asks on in every search. */
  advance(): void {
    for (const search of [...this.#searches]) this.#continue(search);
  }

  /** Peers of a torrent became known; passes them on if we share it. */
  found(infoHash: Uint8Array, peers: readonly PeerEndpoint[]): void {
    if (peers.length === 0 || !this.#shares.has(infoHash)) return;
    this.#state.out.push({ kind: "peers-found", infoHash, peers });
  }

  /** A node that was asked in a search answered. */
  answered(
    { search, candidate }: Extract<Purpose, { kind: "search" }>,
    { id, answer }: KrpcResponse,
  ): void {
    search.lookup.answered(candidate, id, answer);
    if (search.share === null) return;
    const { infoHash } = search.share;
    const peers = answer.peers.filter((peer) =>
      mayContact(peer, candidate.host)
    );
    this.#state.emit({
      type: "dht.answered",
      infoHash: toHex(infoHash),
      node: toHex(id),
      remote: formatHostPort(candidate),
      step: candidate.step,
      sharedBits: sharedBits(infoHash, id),
      nodes: answer.nodes.length,
      peers: peers.length,
    });
    this.#foundPeers(search, peers);
  }

  /** A node took an announce, or did not. */
  told(announcing: Announcing, accepted: boolean): void {
    announcing.left -= 1;
    announcing[accepted ? "accepted" : "refused"] += 1;
    if (announcing.left > 0) return;
    this.#state.emit({
      type: "dht.announced",
      infoHash: toHex(announcing.infoHash),
      nodes: announcing.accepted,
      refused: announcing.refused,
    });
  }

  #search(
    target: Uint8Array,
    { share = null, join = false, named = [] }: {
      readonly share?: DhtShare | null;
      readonly join?: boolean;
      readonly named?: readonly PeerEndpoint[];
    } = {},
  ): Search {
    const { options, table, nowMs: startedAtMs } = this.#state;
    const lookup = new Lookup(target, {
      own: options.id,
      seeds: table.closest(target),
      named,
    });
    const search = {
      lookup,
      startedAtMs,
      share,
      join,
      peers: new Set<string>(),
    };
    this.#searches.add(search);
    return search;
  }

  #continue(search: Search): void {
    const { lookup, share } = search;
    const { target } = lookup;
    const question: DhtQuestion = share === null
      ? { kind: "find_node", target }
      : { kind: "get_peers", infoHash: target };
    for (const candidate of lookup.next(this.#state.nowMs)) {
      const purpose: Purpose = { kind: "search", search, candidate };
      if (!this.#state.ask(candidate, question, purpose)) {
        lookup.failed(candidate);
      }
    }
    if (!lookup.done) return;
    this.#searches.delete(search);
    if (search.join) this.#joinEnded(search);
    if (share !== null) this.#searchEnded(search, share);
  }

  #searchEnded(search: Search, share: DhtShare): void {
    const { lookup, peers, startedAtMs } = search;
    const { nowMs } = this.#state;
    const closest = lookup.closest();
    const { infoHash } = share;
    const nextAtMs = this.#shares.searched(infoHash, peers.size, nowMs);
    if (!this.#shares.has(infoHash)) return;
    this.#state.emit({
      type: "dht.searched",
      infoHash: toHex(infoHash),
      asked: lookup.asked,
      answered: lookup.answeredCount,
      steps: lookup.steps,
      sharedBits: closest.length === 0
        ? 0
        : sharedBits(infoHash, closest[0]!.id),
      peers: peers.size,
      durationMs: Math.round(nowMs - startedAtMs),
      nextMs: Math.round(nextAtMs - nowMs),
    });
    const announcing = { infoHash, left: 0, accepted: 0, refused: 0 };
    for (const node of closest) {
      if (node.token === null) continue;
      const { token } = node;
      const asked = this.#state.ask(node, {
        ...{ kind: "announce_peer", infoHash, token },
        ...{ port: share.port, impliedPort: false },
      }, { kind: "announce", announcing });
      if (asked) announcing.left += 1;
    }
  }

  /** Passes on those peers that this search did not find before. */
  #foundPeers(search: Search, found: readonly PeerEndpoint[]): void {
    const peers = found.filter((peer) => {
      const key = keyOf(peer);
      if (search.peers.has(key) || search.peers.size >= MAX_FOUND) return false;
      search.peers.add(key);
      return true;
    });
    if (search.share !== null) this.found(search.share.infoHash, peers);
  }
}
