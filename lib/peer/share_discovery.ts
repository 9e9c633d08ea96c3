import { shuffled } from "../core/rng.ts";
import type { HostPort } from "../cli/flags.ts";
import type { PeerEndpoint } from "../bittorrent/peer_endpoint.ts";
import type { ContactSource } from "../bittorrent/swarm/contacts/contacts.ts";
import type { TcpListener } from "../io/net.ts";
import type { RoleContext } from "../role.ts";
import { Discovery, type DiscoveryFlags } from "./discovery.ts";

/** What trackers are told of a share. */
export interface ShareStatus {
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  readonly leftBytes: number;
}

/** Who shares, as trackers and peers know it. */
export interface Self {
  readonly peerId: Uint8Array;
  readonly listener: TcpListener;
  readonly ctx: RoleContext;
}

/** Makes the search for the peers of a share. */
export function discoveryOf(
  { peerId, listener, ctx }: Self,
  options: {
    readonly flags: DiscoveryFlags;
    /** What the torrent is known by: a hybrid has two names. */
    readonly names: readonly Uint8Array[];
    readonly announceList: readonly (readonly string[])[];
    /** DHT nodes that the torrent names. */
    readonly nodes?: readonly HostPort[];
    readonly private: boolean;
    /** The share at this moment. */
    readonly status: () => ShareStatus;
    readonly found: (
      peers: readonly PeerEndpoint[],
      source: ContactSource,
    ) => void;
  },
): Discovery {
  const { names, announceList, status } = options;
  const tiers = names.flatMap((infoHash) =>
    announceList.map((urls) => ({ infoHash, urls }))
  );
  return new Discovery({
    ...options,
    ctx,
    at: listener,
    // BEP 12: the order within a tier is drawn by lot, so that its trackers share the load.
    tiers: tiers.map(({ urls }) => shuffled(urls, ctx.rng)),
    requestOf: (event, { numWant, tier }) => ({
      infoHash: tiers[tier]!.infoHash,
      peerId,
      port: listener.port,
      ...status(),
      event,
      numWant,
      // Of a machine's many addresses the tracker must not take the one the request happens to come from.
      ...(/^(0\.0\.0\.0|::)$/.test(listener.host) ? {} : { ip: listener.host }),
    }),
  });
}
