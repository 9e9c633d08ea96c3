/**
 * Players that share what they play over BitTorrent before they ask the CDN (`--cooperate`): what the players of this
 * process have in common, and one player's part in the swarm.
 *
 * A player asks its peers only for what it is about to play, see `lib/dash/peer_assist.ts`; what it gets from the CDN it
 * checks against the torrent and shares. Peers are those of this process, those heard on the LAN (BEP 14), those that
 * the torrent's trackers name, and those of `--peer`.
 */
import { RunError } from "../../../lib/core/errors.ts";
import type { Layout } from "../../../lib/bittorrent/metainfo/layout.ts";
import { PieceHashes } from "../../../lib/bittorrent/metainfo/piece_hashes.ts";
import { Swarm } from "../../../lib/bittorrent/swarm/swarm.ts";
import type { PeerEndpoint } from "../../../lib/bittorrent/peer_endpoint.ts";
import type { HostPort } from "../../../lib/cli/flags.ts";
import { hashing, sha1 } from "../../../lib/io/hash.ts";
import { LinkedAbort } from "../../../lib/io/linked_abort.ts";
import type { TcpListener } from "../../../lib/io/net.ts";
import { TokenBucket } from "../../../lib/model/token_bucket.ts";
import type { Discovery } from "../../../lib/peer/discovery.ts";
import { discoveryOf } from "../../../lib/peer/share_discovery.ts";
import { newPeerId } from "../../../lib/peer/peer_id.ts";
import { SwarmDriver } from "../../../lib/peer/swarm_driver.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { VERSION } from "../../../lib/version.ts";
import { PlayerPieces, SharedPieces } from "./shared_pieces.ts";
import type { TitleTorrent } from "./title_torrent.ts";

/** Viewers of one film all want the same in a moment: more are served at once than in a download, where each needs a rate of its own. */
const UNCHOKE_SLOTS = 8;
/** As many again are met as are served: enough for a class, few enough for a hundred players in one process. */
const MAX_CONNECTIONS = 30;

/** How to share. */
export interface SharingOptions {
  /** The address to listen at; "" for all. */
  readonly host: string;
  /** Bytes a second, of each player. */
  readonly uploadLimit: number | undefined;
  readonly peer: readonly HostPort[];
}

/** What a swarm is about: a title's torrent, or some of a live title. */
export interface Swarmed {
  readonly layout: Layout;
  readonly infoHash: Uint8Array;
  /** The torrent's info dictionary; undefined where there is none. */
  readonly metadata: Uint8Array | undefined;
  readonly private: boolean;
  /** Tiers of trackers. */
  readonly announceList: readonly (readonly string[])[];
  /** Whether bytes are a piece. */
  readonly hashes: Pick<PieceHashes, "matches">;
}

/** Of a torrent. */
export function swarmedOf({ info }: TitleTorrent): Swarmed {
  return {
    ...{ layout: info, infoHash: info.infoHash, metadata: info.infoBytes },
    ...{ private: info.private, announceList: info.announceList },
    hashes: new PieceHashes(info, hashing),
  };
}

/** What the players of this process share in one swarm. */
export class Cooperation {
  readonly swarmed: Swarmed;
  readonly pieces: SharedPieces;
  readonly options: SharingOptions;
  /** Where those who have come listen. */
  readonly #met: PeerEndpoint[] = [];

  /** Creates a cooperation of nobody. @param capacityBytes Memory for pieces. */
  constructor(
    swarmed: Swarmed,
    options: SharingOptions,
    capacityBytes?: number,
  ) {
    this.swarmed = swarmed;
    this.options = options;
    this.pieces = new SharedPieces(capacityBytes);
  }

  /** A player of this process comes. Returns who has come before. */
  meet(port: number): readonly PeerEndpoint[] {
    const before = [...this.#met];
    const { host } = this.options;
    this.#met.push({ host: host === "" ? "127.0.0.1" : host, port });
    return before;
  }
}

/** Pieces that a player gets from its peers, as it wants them. */
export interface PeerPieces {
  /** The bytes of a piece that was got and verified, unless they were forgotten; undefined if it was not. */
  piece(pieceIndex: number): Uint8Array | "forgotten" | undefined;
  /** Whether all of these are at peers that serve us. */
  offered(pieces: readonly number[]): boolean;
  /** Asks peers for pieces, or calls that off. */
  want(pieces: readonly number[], wanted: boolean): void;
  /** Shares a piece that came from elsewhere. Returns false if it is not what the torrent says. */
  supply(pieceIndex: number, bytes: Uint8Array): boolean;
  /** Resolves when a piece has come, at `atMs` and when the signal aborts. */
  changed(atMs: number, signal: AbortSignal): Promise<void>;
}

/** What a player gave and got. */
export interface SharingTotals {
  readonly uploadedBytes: number;
  /** Of pieces that were verified, also those that came too late. */
  readonly downloadedBytes: number;
  /** Peers there were. */
  readonly peers: number;
}

/** One player's part in the swarm. */
export class CooperatingPeer implements PeerPieces, AsyncDisposable {
  readonly #cooperation: Cooperation;
  readonly #listener: TcpListener;
  readonly #swarm: Swarm;
  readonly #driver: SwarmDriver;
  readonly #discovery: Discovery;
  readonly #ctx: RoleContext;
  readonly #have = new Set<number>();
  #wake: () => void = () => {};
  #failure: unknown;

  /** Joins the swarm. @param port Where to listen; 0 takes a free one. */
  constructor(cooperation: Cooperation, ctx: RoleContext, port = 0) {
    this.#cooperation = cooperation;
    this.#ctx = ctx;
    const { swarmed, options } = cooperation;
    const { layout, infoHash, metadata, hashes, announceList } = swarmed;
    const listener = ctx.net.listenTcp({ host: options.host, port });
    this.#listener = listener;
    const peerId = newPeerId(listener, ctx);
    const nowMs = ctx.clock.nowMs();
    const upload = options.uploadLimit ?? Infinity;
    this.#swarm = new Swarm({
      ...{ layout, infoHash, private: swarmed.private },
      ...metadata === undefined ? {} : { metadata },
      ...{ peerId, have: [], rng: ctx.rng, sha1, onDemand: true },
      picker: "sequential",
      unchokeSlots: UNCHOKE_SLOTS,
      chokeIntervalMs: 10_000,
      optimisticIntervalMs: 30_000,
      freeRide: false,
      superSeed: false,
      maxConnections: MAX_CONNECTIONS,
      upload: new TokenBucket({ bytesPerSecond: upload }, nowMs),
      download: new TokenBucket({ bytesPerSecond: Infinity }, nowMs),
      listenPort: listener.port,
      client: `rolecall ${VERSION}`,
    }, nowMs);
    const storage = new PlayerPieces(cooperation.pieces, (pieceIndex) => {
      this.#have.add(pieceIndex);
      this.#wake();
    });
    this.#driver = new SwarmDriver(this.#swarm, {
      ...{ ctx, content: { hashes, storage } },
    });
    this.#discovery = discoveryOf({ peerId, listener, ctx }, {
      flags: { dht: "off", dhtNode: [], lsd: "on" },
      ...{ names: [infoHash], announceList, private: swarmed.private },
      status: () => {
        const { uploadedBytes, downloadedBytes, haveBytes } =
          this.#swarm.status;
        const leftBytes = layout.totalBytes - haveBytes;
        return { uploadedBytes, downloadedBytes, leftBytes };
      },
      found: (peers, source) =>
        this.#driver.feed({ kind: "peers-found", peers, source }),
    });
    this.#driver.failed.catch((error) => this.#failure = error);
    this.#driver.start(listener);
    const peers = [...cooperation.meet(listener.port), ...options.peer];
    this.#driver.feed({ kind: "peers-found", peers, source: "user" });
    this.#discovery.start();
  }

  /** Where it listens. */
  get port(): number {
    return this.#listener.port;
  }

  /** So far. */
  get totals(): SharingTotals {
    const { uploadedBytes, downloadedBytes } = this.#swarm.status;
    const peers = this.#swarm.peerTotals().length;
    return { uploadedBytes, downloadedBytes, peers };
  }

  /** See {@linkcode PeerPieces.piece}. */
  piece(pieceIndex: number): Uint8Array | "forgotten" | undefined {
    if (!this.#have.has(pieceIndex)) return undefined;
    return this.#cooperation.pieces.get(pieceIndex) ?? "forgotten";
  }

  /** See {@linkcode PeerPieces.offered}. */
  offered(pieces: readonly number[]): boolean {
    return this.#swarm.offers(pieces);
  }

  /** See {@linkcode PeerPieces.want}. */
  want(pieces: readonly number[], wanted: boolean): void {
    this.#driver.feed({ kind: wanted ? "want" : "unwant", pieces });
  }

  /** See {@linkcode PeerPieces.supply}. */
  supply(pieceIndex: number, bytes: Uint8Array): boolean {
    if (!this.#cooperation.swarmed.hashes.matches(pieceIndex, bytes)) {
      return false;
    }
    this.#driver.feed({ kind: "supplied", pieceIndex, bytes });
    return true;
  }

  /** See {@linkcode PeerPieces.changed}. */
  async changed(atMs: number, signal: AbortSignal): Promise<void> {
    using came = new LinkedAbort(signal);
    this.#wake = () => came.abort();
    try {
      await this.#ctx.clock.sleepUntil(atMs, came.signal);
    } catch {
      // Woken.
    } finally {
      this.#wake = () => {};
    }
  }

  /** Leaves the swarm. @throws what went wrong in it and is no fault of the network's. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#discovery.stop();
    await this.#driver.stop();
    await this.#listener[Symbol.asyncDispose]();
    const failure = this.#failure;
    if (failure !== undefined && !(failure instanceof RunError)) throw failure;
  }
}
