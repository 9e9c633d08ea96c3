/**
 * What a tracker knows: for each torrent, who is in its swarm.
 *
 * A swarm keeps its peers twice: in a Map ordered by last announce, so that the silent ones are found at its front, and
 * in one array per address family, from which peers are drawn. Drawing k of n is k steps of a Fisher-Yates shuffle of
 * that array in place: each k-subset is equally likely whatever earlier draws left behind, and nothing is copied.
 */
import { equalBytes, toHex } from "../core/bytes.ts";
import { ProtocolError } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import {
  type AnnounceRequest,
  compactPeer,
  isIpv6,
  type PeerAddress,
  type ScrapeEntry,
} from "./tracker_messages.ts";

/** How a table behaves. */
export interface SwarmTableOptions {
  /** Draws the peers that are handed out. */
  readonly rng: Rng;
  /** A peer that is silent this long has gone. */
  readonly expiryMs: number;
  /** Most peers in one answer, and how many an asker gets that does not say. */
  readonly maxPeers: number;
  /** Most swarms kept; 100,000 if not given. */
  readonly maxSwarms?: number;
  /** Most peers kept in all swarms; 1,000,000 if not given, about half a gigabyte. */
  readonly maxTracked?: number;
  /** The only info-hashes served, as hex; null serves all. */
  readonly allowed?: ReadonlySet<string> | null;
}

/** What the asker is told. */
export interface SwarmAnswer {
  readonly seeders: number;
  readonly leechers: number;
  /** In random order, the asker's address family first; never the asker. What the table keeps: read it before the next call. */
  readonly peers: readonly PeerAddress[];
}

/** One swarm, for the tracker's page. */
export interface SwarmView extends ScrapeEntry {
  /** Least recently heard of first. */
  readonly peers: readonly SwarmPeerView[];
}

/** One peer, for the tracker's page. */
export interface SwarmPeerView {
  readonly host: string;
  readonly port: number;
  readonly peerId: Uint8Array;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  readonly leftBytes: number;
  readonly announcedAtMs: number;
}

interface Entry {
  readonly host: string;
  readonly port: number;
  readonly compact: Uint8Array;
  peerId: Uint8Array;
  uploadedBytes: number;
  downloadedBytes: number;
  leftBytes: number;
  announcedAtMs: number;
  /** Its download was counted; a repeated "completed" (UDP repeats requests) counts once. */
  counted: boolean;
  /** Where it stands in its family's array. */
  index: number;
}

interface Swarm {
  readonly infoHash: Uint8Array;
  /** By `host port`, least recently heard of first. */
  readonly byAddress: Map<string, Entry>;
  readonly families: { readonly ipv4: Entry[]; readonly ipv6: Entry[] };
  seeders: number;
  completed: number;
  /** How many were forgotten since the last sweep. */
  expired: number;
}

/** The state of a tracker. Pure: time and chance come in as arguments. */
export class SwarmTable {
  readonly #options: SwarmTableOptions;
  readonly #maxSwarms: number;
  readonly #maxTracked: number;
  readonly #swarms = new Map<string, Swarm>();
  #tracked = 0;

  /** Creates an empty table. */
  constructor(options: SwarmTableOptions) {
    this.#options = options;
    this.#maxSwarms = options.maxSwarms ?? 100_000;
    this.#maxTracked = options.maxTracked ?? 1_000_000;
  }

  /** How many swarms are known, those without a peer included. */
  get swarmCount(): number {
    return this.#swarms.size;
  }

  /** How many peers are known in all swarms. */
  get peerCount(): number {
    return this.#tracked;
  }

  /**
   * Notes an announce from `host` and answers it. A peer is known by its address and port, so one that was started
   * anew replaces itself; `stopped` removes it and is answered without peers.
   *
   * @param request.bothFamilies The answer may hold peers of the other family, after those of the asker's.
   * @throws {ProtocolError} `torrent-not-allowed`, or `tracker-full`; the message is the failure reason to answer with.
   */
  announce(
    request: AnnounceRequest & {
      readonly host: string;
      readonly bothFamilies?: boolean;
    },
    nowMs: number,
  ): SwarmAnswer {
    const id = toHex(request.infoHash);
    if (this.#options.allowed?.has(id) === false) {
      throw new ProtocolError(
        "torrent-not-allowed",
        "this tracker does not serve this torrent",
      );
    }
    const known = this.#swarms.get(id);
    if (known !== undefined) this.#expire(known, nowMs);
    if (request.event === "stopped") {
      if (known !== undefined) this.#leave(known, request);
      return { ...countsOf(known), peers: [] };
    }
    const swarm = known ?? this.#createSwarm(id, request.infoHash);
    const asker = this.#note(swarm, request, nowMs);
    return { ...countsOf(swarm), peers: this.#draw(swarm, asker, request) };
  }

  /** Returns what is known of one torrent; zeros for one never heard of. */
  scrape(infoHash: Uint8Array, nowMs: number): ScrapeEntry {
    const swarm = this.#swarms.get(toHex(infoHash));
    if (swarm !== undefined) this.#expire(swarm, nowMs);
    return entryOf(swarm, infoHash);
  }

  /** Returns what is known of up to `limit` torrents that have peers, oldest swarm first. */
  scrapeAll(limit: number, nowMs: number): ScrapeEntry[] {
    return this.#live(limit, nowMs)
      .map((swarm) => entryOf(swarm, swarm.infoHash));
  }

  /** Returns up to `limit` swarms that have peers, with up to `maxPeers` of each. */
  view(
    limits: { readonly swarms: number; readonly peers: number },
    nowMs: number,
  ): SwarmView[] {
    return this.#live(limits.swarms, nowMs).map((swarm) => ({
      ...entryOf(swarm, swarm.infoHash),
      peers: [...swarm.byAddress.values().take(limits.peers)]
        .map((entry) => ({ ...entry })),
    }));
  }

  /** Forgets peers that have been silent for too long; returns how many went from which swarm since the last sweep. */
  sweep(
    nowMs: number,
  ): { readonly infoHash: Uint8Array; readonly peers: number }[] {
    const gone: { infoHash: Uint8Array; peers: number }[] = [];
    for (const [id, swarm] of this.#swarms) {
      this.#expire(swarm, nowMs);
      if (swarm.expired > 0) {
        gone.push({ infoHash: swarm.infoHash, peers: swarm.expired });
        swarm.expired = 0;
      }
      // The count of completed downloads is worth keeping, until the place is needed.
      if (swarm.byAddress.size === 0 && swarm.completed === 0) {
        this.#swarms.delete(id);
      }
    }
    return gone;
  }

  #live(limit: number, nowMs: number): Swarm[] {
    const live: Swarm[] = [];
    for (const swarm of this.#swarms.values()) {
      if (live.length >= limit) break;
      this.#expire(swarm, nowMs);
      if (swarm.byAddress.size > 0) live.push(swarm);
    }
    return live;
  }

  #createSwarm(id: string, infoHash: Uint8Array): Swarm {
    if (this.#swarms.size >= this.#maxSwarms) this.#dropEmptySwarms();
    if (
      this.#swarms.size >= this.#maxSwarms || this.#tracked >= this.#maxTracked
    ) throw full();
    const swarm: Swarm = {
      infoHash: infoHash.slice(),
      byAddress: new Map(),
      families: { ipv4: [], ipv6: [] },
      seeders: 0,
      completed: 0,
      expired: 0,
    };
    this.#swarms.set(id, swarm);
    return swarm;
  }

  #dropEmptySwarms(): void {
    for (const [id, swarm] of this.#swarms) {
      if (swarm.byAddress.size === 0) this.#swarms.delete(id);
    }
  }

  #note(
    swarm: Swarm,
    request: AnnounceRequest & { readonly host: string },
    nowMs: number,
  ): Entry {
    const key = `${request.host} ${request.port}`;
    let entry = swarm.byAddress.get(key);
    if (entry === undefined) {
      if (this.#tracked >= this.#maxTracked) throw full();
      entry = this.#join(swarm, request);
    } else {
      swarm.byAddress.delete(key);
      if (entry.leftBytes === 0) swarm.seeders -= 1;
    }
    swarm.byAddress.set(key, entry);
    entry.peerId = request.peerId;
    entry.uploadedBytes = request.uploadedBytes;
    entry.downloadedBytes = request.downloadedBytes;
    entry.leftBytes = request.leftBytes;
    entry.announcedAtMs = nowMs;
    if (entry.leftBytes === 0) swarm.seeders += 1;
    if (request.event === "completed" && !entry.counted) {
      entry.counted = true;
      swarm.completed += 1;
    }
    if (request.event === "started") entry.counted = false;
    return entry;
  }

  #join(
    swarm: Swarm,
    request: AnnounceRequest & { readonly host: string },
  ): Entry {
    const family = familyOf(swarm, request.host);
    const entry: Entry = {
      host: request.host,
      port: request.port,
      compact: compactPeer(request),
      peerId: request.peerId,
      uploadedBytes: 0,
      downloadedBytes: 0,
      leftBytes: request.leftBytes,
      announcedAtMs: 0,
      counted: false,
      index: family.length,
    };
    family.push(entry);
    this.#tracked += 1;
    return entry;
  }

  #leave(
    swarm: Swarm,
    peer: { readonly host: string; readonly port: number },
  ): void {
    const key = `${peer.host} ${peer.port}`;
    const entry = swarm.byAddress.get(key);
    if (entry === undefined) return;
    swarm.byAddress.delete(key);
    if (entry.leftBytes === 0) swarm.seeders -= 1;
    this.#tracked -= 1;
    const family = familyOf(swarm, entry.host);
    const last = family.pop();
    if (last === undefined || last === entry) return;
    family[entry.index] = last;
    last.index = entry.index;
  }

  #expire(swarm: Swarm, nowMs: number): void {
    for (const entry of swarm.byAddress.values()) {
      if (nowMs - entry.announcedAtMs < this.#options.expiryMs) break;
      this.#leave(swarm, entry);
      swarm.expired += 1;
    }
  }

  #draw(
    swarm: Swarm,
    asker: Entry,
    request: AnnounceRequest & { readonly bothFamilies?: boolean },
  ): PeerAddress[] {
    const { maxPeers, rng } = this.#options;
    const wanted = Math.min(request.numWant ?? maxPeers, maxPeers);
    const own = familyOf(swarm, asker.host);
    const { ipv4, ipv6 } = swarm.families;
    const peers: PeerAddress[] = [];
    drawInto(peers, own, { asker, wanted, rng });
    if (request.bothFamilies) {
      drawInto(peers, own === ipv4 ? ipv6 : ipv4, { asker, wanted, rng });
    }
    return peers;
  }
}

function drawInto(
  peers: PeerAddress[],
  family: Entry[],
  { asker, wanted, rng }: {
    readonly asker: Entry;
    readonly wanted: number;
    readonly rng: Rng;
  },
): void {
  for (let at = 0; at < family.length && peers.length < wanted; at++) {
    const other = at + Math.floor(rng() * (family.length - at));
    const drawn = family[other];
    const here = family[at];
    if (drawn === undefined || here === undefined) return;
    family[other] = here;
    here.index = other;
    family[at] = drawn;
    drawn.index = at;
    if (drawn === asker || equalBytes(drawn.peerId, asker.peerId)) continue;
    // The entry itself, not a copy: fifty new objects for each announce would cost more than all the rest.
    peers.push(drawn);
  }
}

function familyOf(swarm: Swarm, host: string): Entry[] {
  return isIpv6(host) ? swarm.families.ipv6 : swarm.families.ipv4;
}

function countsOf(
  swarm: Swarm | undefined,
): { readonly seeders: number; readonly leechers: number } {
  const seeders = swarm?.seeders ?? 0;
  return { seeders, leechers: (swarm?.byAddress.size ?? 0) - seeders };
}

function entryOf(swarm: Swarm | undefined, infoHash: Uint8Array): ScrapeEntry {
  return {
    infoHash,
    ...countsOf(swarm),
    completed: swarm?.completed ?? 0,
  };
}

function full(): ProtocolError {
  return new ProtocolError("tracker-full", "this tracker is full");
}
