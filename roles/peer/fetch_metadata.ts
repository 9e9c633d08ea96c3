import { equalBytes, toHex } from "../../lib/core/bytes.ts";
import { InputError, messageOf } from "../../lib/core/errors.ts";
import {
  type Magnet,
  parseMagnet,
} from "../../lib/bittorrent/metainfo/magnet.ts";
import { MetadataSwarm } from "../../lib/bittorrent/swarm/metadata_swarm.ts";
import type { Metainfo } from "../../lib/bittorrent/metainfo/metainfo.ts";
import { Swarm } from "../../lib/bittorrent/swarm/swarm.ts";
import type { SwarmOptions } from "../../lib/bittorrent/swarm/options.ts";
import {
  encodeTorrent,
  torrentOfMagnet,
} from "../../lib/bittorrent/metainfo/torrent_of_magnet.ts";
import { hashing, sha1, sha256 } from "../../lib/io/hash.ts";
import { pauseUntil } from "../../lib/io/pause.ts";
import type { Discovery } from "../../lib/peer/discovery.ts";
import {
  discoveryOf,
  type Self,
  type ShareStatus,
} from "../../lib/peer/share_discovery.ts";
import {
  type SharedContent,
  SwarmDriver,
} from "../../lib/peer/swarm_driver.ts";
import type { ShareFlags } from "./flags.ts";
import { metadataOptions } from "./swarm_setup.ts";
import { hopeless } from "./hopeless.ts";

/** Reads the magnet link a user typed. @throws {InputError} */
export function readMagnet(text: string): Magnet {
  try {
    return parseMagnet(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new InputError(cause.message, { cause });
  }
}

/** A share that began with a magnet link: it looks for peers, and gets the torrent's metadata from them (BEP 9). */
export class MetadataFetch implements AsyncDisposable {
  /** Has the connections, now and later. */
  readonly driver: SwarmDriver;
  /** Searches its peers, now and later. */
  readonly discovery: Discovery;
  readonly #flags: ShareFlags;
  readonly #self: Self;
  readonly #magnet: Magnet;
  readonly #machine: MetadataSwarm;
  /** Before anything is known, something is missing. */
  #status = (): ShareStatus => ({
    uploadedBytes: 0,
    downloadedBytes: 0,
    leftBytes: 1,
  });

  /** Creates a fetch that does nothing yet. */
  constructor(flags: ShareFlags, magnet: Magnet, self: Self) {
    this.#flags = flags;
    this.#self = self;
    this.#magnet = magnet;
    const { infoHash, infoHashV2, hasV1, trackers } = magnet;
    this.discovery = discoveryOf(self, {
      ...{ flags, names: [infoHash] },
      announceList: trackers.map((url) => [url]),
      // Only the metadata says whether it is.
      private: false,
      status: () => this.#status(),
      found: (peers, source) =>
        this.driver.feed({ kind: "peers-found", peers, source }),
    });
    this.#machine = new MetadataSwarm(
      metadataOptions(flags, {
        ...{ infoHash, self, dhtPort: this.discovery.dhtPort },
      }),
      self.ctx.clock.nowMs(),
    );
    this.driver = new SwarmDriver(this.#machine, {
      ctx: self.ctx,
      isMetadata: (bytes) =>
        hasV1
          ? equalBytes(sha1(bytes), infoHash)
          : equalBytes(sha256(bytes), infoHashV2!),
      dhtNode: (node) => this.discovery.hint(node),
    });
  }

  /**
   * Gets the torrent; null if we are told to end before it is there.
   *
   * @throws {InputError} If what the link leads to is no torrent we take. @throws {RunError} If nobody was reached.
   */
  async run(): Promise<Metainfo | null> {
    const { ctx, listener } = this.#self;
    const startMs = ctx.clock.nowMs();
    this.driver.start(listener);
    this.driver.feed({
      kind: "peers-found",
      peers: [...this.#flags.peer, ...this.#magnet.peers],
      source: "user",
    });
    this.discovery.start();
    const bytes = await this.#bytes();
    if (bytes === null) return null;
    const torrent = this.#read(bytes);
    ctx.emit({
      type: "metadata.fetched",
      torrent: torrent.name,
      infoHash: toHex(torrent.infoHash),
      metadataBytes: bytes.length,
      bytes: torrent.totalBytes,
      pieceCount: torrent.pieceCount,
      durationMs: Math.round(ctx.clock.nowMs() - startMs),
    });
    const { saveTorrent } = this.#flags;
    if (saveTorrent !== undefined) {
      await ctx.files.writeAtomic(saveTorrent, encodeTorrent(torrent));
    }
    return torrent;
  }

  /** Goes on with the torrent's own swarm. */
  goOn(
    options: SwarmOptions,
    content: SharedContent,
    status: (swarm: Swarm) => ShareStatus,
  ): Swarm {
    const { clock } = this.#self.ctx;
    const handover = this.#machine.handOver();
    const swarm = new Swarm(options, clock.nowMs(), handover);
    this.#status = () => status(swarm);
    this.driver.goOn(swarm, content);
    return swarm;
  }

  /** Says that the link led to nothing yet. */
  finish(): void {
    const { name, infoHash } = this.#magnet;
    const hash = toHex(infoHash);
    const why = this.#machine.lastRefusal;
    this.#self.ctx.finish({
      text: `${name ?? hash}: no peer gave the torrent's metadata${
        why === "" ? "" : `; ${why}`
      }`,
      json: { torrent: name, infoHash: hash, complete: false },
    });
  }

  /** Ends what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.driver.stop();
    await this.discovery.stop();
  }

  async #bytes(): Promise<Uint8Array | null> {
    const { ctx } = this.#self;
    const end = new AbortController();
    try {
      return await Promise.race([
        this.driver.metadata,
        this.driver.failed,
        pauseUntil(Infinity, ctx).then(() => null),
        hopeless(this.#flags.giveUpAfter, {
          name: this.#magnet.name ?? toHex(this.#magnet.infoHash),
          everConnected: () => this.#machine.everConnected,
          ...{ driver: this.driver, discovery: this.discovery, ctx },
        }, end.signal).then(() => null),
      ]);
    } finally {
      end.abort();
    }
  }

  #read(bytes: Uint8Array): Metainfo {
    try {
      return torrentOfMagnet(this.#magnet, bytes, hashing);
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw new InputError(
        `The magnet link leads to no torrent: ${messageOf(cause)}`,
        { cause },
      );
    }
  }
}
