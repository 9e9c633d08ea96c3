/**
 * What a tracker knows: for each torrent, who is in its swarm.
 *
 * The peers themselves are records in two {@linkcode PeerStore}s, one for each address family, so that a million of
 * them fit a small machine. An announce costs the same whatever the size of its swarm: the asker is found by a hash,
 * and {@linkcode PeerDraw} picks whom it is told of. Who has gone is found by sweeps of a few records at a time.
 */
import { fromHex } from "../../../core/bytes.ts";
import { ProtocolError } from "../../../core/errors.ts";
import type { Rng } from "../../../core/rng.ts";
import { keyOfBytes } from "../../bencode.ts";
import type { ScrapeEntry } from "../messages.ts";
import { BothFamilies } from "./both_families.ts";
import type {
  StoredSwarm,
  SwarmAnswer,
  SwarmView,
  TableAnnounce,
} from "./messages.ts";
import { NO_PEERS } from "./peer_draw.ts";
import {
  compactOf,
  isCounted,
  isSeed,
  type PeerView,
  setCounted,
  setSizes,
  viewPeer,
} from "./peer_record.ts";
import { EXPIRY_TICKS, NO_RECORD, type PeerStore } from "./peer_store.ts";
import {
  countsOf,
  entryOf,
  hashKey,
  type Swarm,
  SwarmList,
} from "./swarm_list.ts";
import { storedSwarms } from "./stored_swarms.ts";
import { SwarmSweep, type SweptSwarm } from "./swarm_sweep.ts";

/** How a table behaves. */
export interface SwarmTableOptions {
  /** Draws the peers that are handed out. */
  readonly rng: Rng;
  /** A peer that is silent this long has gone. */
  readonly expiryMs: number;
  /** Most peers in one answer, and how many an asker gets that does not say. */
  readonly maxPeers: number;
  /** Most swarms kept; 100,000 if not given, about 30 MB without their peers. */
  readonly maxSwarms?: number;
  /** Most peers kept of one swarm; 500,000 if not given. */
  readonly maxSwarmPeers?: number;
  /** Most peers kept in all swarms; 2,000,000 if not given, about 100 MB. */
  readonly maxTracked?: number;
  /** The only info-hashes served, as hex; null serves all. */
  readonly allowed?: Iterable<string> | null;
}

/** What happened since the table was made. */
export interface SwarmTotals {
  announced: number;
  completed: number;
  stopped: number;
  expired: number;
}

/** The state of a tracker. Pure: time and chance come in as arguments. */
export class SwarmTable {
  readonly totals: SwarmTotals = {
    announced: 0,
    completed: 0,
    stopped: 0,
    expired: 0,
  };
  readonly #tickMs: number;
  readonly #limits: {
    readonly swarmPeers: number;
    readonly tracked: number;
  };
  readonly #peers: BothFamilies;
  readonly #swarms: SwarmList;
  readonly #sweep: SwarmSweep;
  #seeders = 0;
  #allowed: ReadonlySet<string> | null = null;

  /** Creates an empty table. */
  constructor(options: SwarmTableOptions) {
    this.#tickMs = options.expiryMs / EXPIRY_TICKS;
    this.#limits = {
      swarmPeers: options.maxSwarmPeers ?? 500_000,
      tracked: options.maxTracked ?? 2_000_000,
    };
    this.#swarms = new SwarmList(options.maxSwarms ?? 100_000);
    this.#peers = new BothFamilies(options);
    this.#sweep = new SwarmSweep({
      ...{ swarms: this.#swarms, peers: this.#peers },
      remove: (swarm, store, record) => {
        this.totals.expired += 1;
        this.#remove(swarm, store, record);
      },
    });
    this.allow(options.allowed ?? null);
  }

  /** How many swarms are known, those without a peer included. */
  get swarmCount(): number {
    return this.#swarms.size;
  }

  /** How many peers are known in all swarms. */
  get peerCount(): number {
    return this.#peers.size;
  }

  /** How many peers are known in all swarms, and how many of them have all. */
  population(): { readonly seeders: number; readonly peers: number } {
    return { seeders: this.#seeders, peers: this.peerCount };
  }

  /** Serves these info-hashes only, from now on; null serves all. Peers of others are forgotten when they have been silent for too long. */
  allow(infoHashes: Iterable<string> | null): void {
    this.#allowed = infoHashes === null
      ? null
      : new Set([...infoHashes].map((hex) => keyOfBytes(fromHex(hex))));
  }

  /**
   * Notes an announce and answers it. A peer is known by its address and port, so one that was started anew replaces
   * itself; `stopped` removes it and is answered without peers.
   *
   * @throws {ProtocolError} `torrent-not-allowed`, `swarm-full` or `tracker-full`; the message is the failure reason to answer with.
   */
  announce(request: TableAnnounce, nowMs: number): SwarmAnswer {
    const key = hashKey(request.infoHash);
    if (this.#allowed?.has(key) === false) {
      throw refusal(
        "torrent-not-allowed",
        "this tracker does not serve this torrent",
      );
    }
    this.totals.announced += 1;
    const compact = compactOf(request);
    const known = this.#swarms.find(key);
    if (request.event === "stopped") {
      if (known !== undefined) this.#stop(known, compact);
      return { ...countsOf(known), ipv4: NO_PEERS, ipv6: NO_PEERS };
    }
    const swarm = known ?? this.#createSwarm(key);
    const tick = this.#tickOf(nowMs);
    const record = this.#note(swarm, request, { compact, tick });
    const drawn = this.#peers.draw({
      ...{ request, swarm: swarm.slot, asker: record, tick },
    });
    return { ...countsOf(swarm), ...drawn };
  }

  /** Returns what is known of one torrent; zeros for one never heard of. */
  scrape(infoHash: Uint8Array): ScrapeEntry {
    const swarm = this.#swarms.find(hashKey(infoHash));
    return {
      infoHash,
      ...countsOf(swarm),
      completed: swarm?.completed ?? 0,
    };
  }

  /** Returns what is known of up to `limit` torrents that have peers, oldest swarm first. */
  scrapeAll(limit: number): ScrapeEntry[] {
    return this.#swarms.live(limit).map(entryOf);
  }

  /** Returns up to `limits.swarms` swarms that have peers, with up to `limits.peers` of each, most recently heard of first. */
  view(
    limits: { readonly swarms: number; readonly peers: number },
    nowMs: number,
  ): SwarmView[] {
    return this.#swarms.live(limits.swarms).map((swarm) => {
      const peers: PeerView[] = [];
      for (const store of [this.#peers.ipv4, this.#peers.ipv6]) {
        const count = store.count(swarm.slot);
        for (let at = 0; at < count && peers.length < limits.peers; at++) {
          peers.push(this.#viewOf(store, store.at(swarm.slot, at), nowMs));
        }
      }
      peers.sort((a, b) => a.silentMs - b.silentMs);
      return { ...entryOf(swarm), peers };
    });
  }

  /**
   * Forgets peers that have been silent for too long. Looks at about `limit` peers and swarms, going on where the last
   * sweep stopped, so that no sweep holds up the answers; who is not swept yet is not handed out any more.
   */
  sweep(nowMs: number, limit = Infinity): SweptSwarm[] {
    return this.#sweep.sweep(this.#tickOf(nowMs), limit);
  }

  /** All that is known, to be kept over a restart; see {@linkcode storedSwarms} for what may happen meanwhile. */
  stored(nowMs: () => number): Iterable<StoredSwarm> {
    return storedSwarms(this.#swarms, [this.#peers.ipv4, this.#peers.ipv6], {
      view: (store, record, used) => this.#viewOf(store, record, nowMs(), used),
    });
  }

  /** Takes in a swarm of {@linkcode SwarmTable.stored}; peers that have been silent for too long, or do not fit, are left out. */
  restore(stored: StoredSwarm, nowMs: number): void {
    const key = hashKey(stored.infoHash);
    if (this.#allowed?.has(key) === false) return;
    const swarm = this.#swarms.find(key) ?? this.#swarms.create(key);
    if (swarm === undefined) return;
    swarm.completed += stored.completed;
    this.totals.completed += stored.completed;
    const expiryMs = EXPIRY_TICKS * this.#tickMs;
    for (const peer of stored.peers) {
      const { compact } = peer;
      const store = this.#peers.storeOf(compact);
      const isFull = this.peerCount >= this.#limits.tracked ||
        swarm.peers >= this.#limits.swarmPeers;
      if (peer.silentMs >= expiryMs || isFull) continue;
      if (store.find(swarm.slot, compact) !== NO_RECORD) continue;
      const record = this.#enter(swarm, store, compact);
      setSizes(store, record, peer);
      store.touch(record, peer.peerId, this.#tickOf(nowMs - peer.silentMs));
      setCounted(store, record, peer.counted);
      if (peer.leftBytes === 0) this.#countSeeder(swarm, 1);
    }
    if (swarm.peers === 0) this.#swarms.leave(swarm);
  }

  #createSwarm(key: string): Swarm {
    this.#checkRoom();
    const swarm = this.#swarms.create(key);
    if (swarm === undefined) throw full();
    return swarm;
  }

  #checkRoom(): void {
    if (this.peerCount >= this.#limits.tracked) throw full();
  }

  #note(
    swarm: Swarm,
    request: TableAnnounce,
    { compact, tick }: { readonly compact: Uint8Array; readonly tick: number },
  ): number {
    const store = this.#peers.storeOf(compact);
    let record = store.find(swarm.slot, compact);
    if (record === NO_RECORD) {
      record = this.#join(swarm, store, compact);
    } else if (isSeed(store, record)) this.#countSeeder(swarm, -1);
    store.touch(record, request.peerId, tick);
    setSizes(store, record, request);
    if (request.leftBytes === 0) this.#countSeeder(swarm, 1);
    if (request.event === "completed" && !isCounted(store, record)) {
      setCounted(store, record, true);
      swarm.completed += 1;
      this.totals.completed += 1;
    }
    if (request.event === "started") setCounted(store, record, false);
    return record;
  }

  #join(swarm: Swarm, store: PeerStore, compact: Uint8Array): number {
    this.#checkRoom();
    if (swarm.peers >= this.#limits.swarmPeers) {
      throw refusal("swarm-full", "this torrent has too many peers");
    }
    return this.#enter(swarm, store, compact);
  }

  #enter(swarm: Swarm, store: PeerStore, compact: Uint8Array): number {
    this.#swarms.enter(swarm);
    swarm.peers += 1;
    return store.add(swarm.slot, compact);
  }

  #stop(swarm: Swarm, compact: Uint8Array): void {
    const store = this.#peers.storeOf(compact);
    const record = store.find(swarm.slot, compact);
    if (record === NO_RECORD) return;
    this.totals.stopped += 1;
    this.#remove(swarm, store, record);
  }

  #remove(swarm: Swarm, store: PeerStore, record: number): void {
    if (isSeed(store, record)) this.#countSeeder(swarm, -1);
    store.remove(swarm.slot, record);
    swarm.peers -= 1;
    if (swarm.peers === 0) this.#swarms.leave(swarm);
  }

  #countSeeder(swarm: Swarm, change: 1 | -1): void {
    swarm.seeders += change;
    this.#seeders += change;
  }

  #viewOf(
    store: PeerStore,
    record: number,
    nowMs: number,
    used?: PeerView,
  ): PeerView {
    const ticks = store.silence(record, this.#tickOf(nowMs));
    return viewPeer(store, record, Math.round(ticks * this.#tickMs), used);
  }

  /** Ticks are compared modulo eight times the time to expiry. */
  #tickOf(nowMs: number): number {
    return Math.floor(nowMs / this.#tickMs);
  }
}

function refusal(code: string, reason: string): ProtocolError {
  return new ProtocolError(code, reason);
}

function full(): ProtocolError {
  return refusal("tracker-full", "this tracker is full");
}
