import { toHex } from "../../core/bytes.ts";
import type { Rng } from "../../core/rng.ts";
import type { PeerEndpoint } from "../peer_endpoint.ts";
import { keyOf } from "./contact.ts";

/** A peer that was not announced again has gone; clients announce every 15 minutes. */
const LIFE_MS = 30 * 60_000;
/** Peers in all: about 5 MB. */
const MAX_PEERS = 20_000;
/** Peers of one torrent. */
const MAX_PEERS_OF_TORRENT = 2_000;
/** Entries of one host: it may announce any port for any info-hash. */
const MAX_PEERS_OF_HOST = 1_000;

interface Stored extends PeerEndpoint {
  expiresAtMs: number;
}

/** The part of the DHT's hash table that lies with us: who announced which torrent (BEP 5, "announce_peer"). */
export class DhtPeerStore {
  /** By info-hash in hex; of each, by place, in the order of the last announce. */
  readonly #torrents = new Map<string, Map<string, Stored>>();
  readonly #ofHost = new Map<string, number>();
  readonly #rng: Rng;
  #size = 0;

  /** @param rng Draws the peers that are handed out when there are too many. */
  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** How many peers are stored. */
  get size(): number {
    return this.#size;
  }

  /** Stores a peer. Returns whether it is new, known, or refused because the store is full. */
  add(
    infoHash: Uint8Array,
    peer: PeerEndpoint,
    nowMs: number,
  ): "new" | "known" | "full" {
    const key = toHex(infoHash);
    this.#expire(key, nowMs);
    const peers = this.#torrents.get(key);
    const place = keyOf(peer);
    const known = peers?.get(place);
    if (peers !== undefined && known !== undefined) {
      peers.delete(place);
      peers.set(place, { ...known, expiresAtMs: nowMs + LIFE_MS });
      return "known";
    }
    if (this.#size >= MAX_PEERS) this.#expireAll(nowMs);
    const ofHost = this.#ofHost.get(peer.host) ?? 0;
    if (
      this.#size >= MAX_PEERS || ofHost >= MAX_PEERS_OF_HOST ||
      (peers?.size ?? 0) >= MAX_PEERS_OF_TORRENT
    ) return "full";
    const { host, port } = peer;
    const entry = { host, port, expiresAtMs: nowMs + LIFE_MS };
    if (peers === undefined) this.#torrents.set(key, new Map([[place, entry]]));
    else peers.set(place, entry);
    this.#ofHost.set(host, ofHost + 1);
    this.#size += 1;
    return "new";
  }

  /** Returns at most `count` peers of a torrent, drawn without bias. */
  peersOf(infoHash: Uint8Array, count: number, nowMs: number): PeerEndpoint[] {
    const key = toHex(infoHash);
    this.#expire(key, nowMs);
    const peers = [...this.#torrents.get(key)?.values() ?? []];
    // The first steps of a Fisher-Yates shuffle.
    for (let at = 0; at < Math.min(count, peers.length - 1); at++) {
      const from = at + Math.floor(this.#rng() * (peers.length - at));
      [peers[at], peers[from]] = [peers[from]!, peers[at]!];
    }
    return peers.slice(0, count).map(({ host, port }) => ({ host, port }));
  }

  #expireAll(nowMs: number): void {
    for (const key of [...this.#torrents.keys()]) this.#expire(key, nowMs);
  }

  #expire(key: string, nowMs: number): void {
    const peers = this.#torrents.get(key);
    if (peers === undefined) return;
    for (const [place, { host, expiresAtMs }] of peers) {
      if (expiresAtMs > nowMs) break; // Those behind were announced later.
      peers.delete(place);
      this.#size -= 1;
      const left = this.#ofHost.get(host)! - 1;
      if (left === 0) this.#ofHost.delete(host);
      else this.#ofHost.set(host, left);
    }
    if (peers.size === 0) this.#torrents.delete(key);
  }
}
