/**
 * Where peers come from: trackers, the DHT (BEP 5), the LAN (BEP 14). All of them hand what they find to one function;
 * peers that a user names and those that peers name (BEP 11) reach the swarm on their own.
 */
import type { HostPort } from "../cli/flags.ts";
import type { PeerEndpoint } from "../bittorrent/peer_endpoint.ts";
import type { ContactSource } from "../bittorrent/swarm/contacts/contacts.ts";
import { formatHostPort } from "../core/address.ts";
import type { Address } from "../io/net.ts";
import type { RoleContext } from "../role.ts";
import { isSpoken } from "./announce_once.ts";
import { DhtDriver } from "./dht_driver.ts";
import { LsdDriver } from "./lsd_driver.ts";
import { TrackerDriver, type TrackerDriverOptions } from "./tracker_driver.ts";

/** The flags that say where to search. */
export interface DiscoveryFlags {
  readonly dht: "auto" | "on" | "off";
  readonly dhtNode: readonly HostPort[];
  readonly lsd: "auto" | "on" | "off";
}

/** What {@linkcode Discovery} needs to know. */
export interface DiscoveryOptions {
  readonly ctx: RoleContext;
  readonly flags: DiscoveryFlags;
  /** Where the peer listens. */
  readonly at: Address;
  /** What the DHT and the LAN know the torrent by; 20 bytes each. A hybrid has two (BEP 52). */
  readonly names: readonly Uint8Array[];
  /** Tiers of trackers. */
  readonly tiers: readonly (readonly string[])[];
  /** DHT nodes that the torrent names (BEP 5). */
  readonly nodes?: readonly HostPort[];
  /** Trackers only (BEP 27). A magnet link does not say; see {@linkcode Discovery.keepPrivate}. */
  readonly private: boolean;
  /** Makes the announce to a tracker of this moment. */
  readonly requestOf: TrackerDriverOptions["requestOf"];
  /** Takes what is found. */
  readonly found: (
    peers: readonly PeerEndpoint[],
    source: ContactSource,
  ) => void;
}

/** Searches for the peers of one torrent until it is stopped. */
export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #trackers: TrackerDriver;
  #dht: DhtDriver | null = null;
  #lsd: LsdDriver | null = null;

  /** Binds the DHT's socket, unless the torrent is private or the flags forbid it; searches nothing yet. */
  constructor(options: DiscoveryOptions) {
    this.#options = options;
    const { ctx, flags, at, names, tiers, requestOf, found } = options;
    this.#trackers = new TrackerDriver({
      ...{ ctx, tiers, requestOf },
      found: ({ peers }) => found(peers, "tracker"),
    });
    if (options.private) return;
    // A torrent without a tracker has no other way to begin with; in a swarm that has one, whoever measures it wants
    // to know who is in it, not to meet every other group of the class.
    const alone = !tiers.some((urls) => urls.some(isSpoken));
    const named = [...flags.dhtNode, ...(options.nodes ?? [])];
    if (
      flags.dht === "on" || flags.dht === "auto" && (alone || named.length > 0)
    ) {
      this.#dht = new DhtDriver({ ctx, at, named });
    }
    if (flags.lsd === "on" || flags.lsd === "auto" && alone) {
      this.#lsd = new LsdDriver({
        ...{ ctx, infoHashes: names, at },
        found: (peers) => found(peers, "lsd"),
      });
    }
  }

  /** The UDP port of our DHT node, for `port` messages (BEP 5); null if there is none. */
  get dhtPort(): number | null {
    return this.#dht?.port ?? null;
  }

  /** Whether anyone answered: a tracker, a DHT node, a peer on the LAN. */
  get reachedAnyone(): boolean {
    return this.#trackers.everAnswered || (this.#dht?.knownNodes ?? 0) > 0 ||
      (this.#lsd?.everHeard ?? false);
  }

  /** What was tried and did not help, for people: `no tracker answers (…), no DHT node is known`. */
  get failures(): string[] {
    const { tiers, flags, nodes = [] } = this.#options;
    const failures: string[] = [];
    if (tiers.length > 0) {
      failures.push(
        this.#trackers.lastFailure || `${tiers[0]![0]} does not answer`,
      );
    } else failures.push("the torrent names no tracker");
    if (this.#dht !== null) {
      const named = [...flags.dhtNode, ...nodes].map(formatHostPort);
      failures.push(
        named.length === 0
          ? "no DHT node is known (--dht-node)"
          : `no DHT node answers at ${named.join(", ")}`,
      );
    }
    if (this.#lsd !== null) failures.push("no peer was heard on the LAN");
    return failures;
  }

  /** Begins to search, and announces that we are here. */
  start(): void {
    const { names, at, found } = this.#options;
    this.#dht?.start();
    for (const name of names) {
      this.#dht?.share(name, {
        port: at.port,
        found: (peers) => found(peers, "dht"),
      });
    }
    this.#lsd?.start();
    this.#trackers.start();
  }

  /** The download is complete. */
  complete(): void {
    this.#trackers.complete();
  }

  /** A peer said that it has a DHT node there. */
  hint(node: PeerEndpoint): void {
    this.#dht?.hint(node);
  }

  /** Ends what is not for private torrents: that a torrent of a magnet link is one, only its metadata says. */
  async keepPrivate(): Promise<void> {
    const [dht, lsd] = [this.#dht, this.#lsd];
    this.#dht = null;
    this.#lsd = null;
    await Promise.all([dht?.stop(), lsd?.stop()]);
  }

  /** Leaves: tells the trackers, closes the sockets. May be called twice. */
  async stop(): Promise<void> {
    await Promise.all([
      this.#trackers.stop(),
      this.#dht?.stop(),
      this.#lsd?.stop(),
    ]);
  }
}
