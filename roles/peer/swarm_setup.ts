import { InputError } from "../../lib/core/errors.ts";
import { HashAnswers } from "../../lib/bittorrent/swarm/hashes/hash_answers.ts";
import { HashQuest } from "../../lib/bittorrent/swarm/hashes/hash_quest.ts";
import { UNKNOWN_LAYOUT } from "../../lib/bittorrent/swarm/metadata_swarm.ts";
import {
  HASH_BYTES,
  type Metainfo,
} from "../../lib/bittorrent/metainfo/metainfo.ts";
import type { PieceHashes } from "../../lib/bittorrent/metainfo/piece_hashes.ts";
import type { SwarmOptions } from "../../lib/bittorrent/swarm/options.ts";
import { sha1, sha256 } from "../../lib/io/hash.ts";
import { TokenBucket } from "../../lib/model/token_bucket.ts";
import { VERSION } from "../../lib/version.ts";
import type { Self } from "../../lib/peer/share_discovery.ts";
import type { ShareFlags } from "./flags.ts";

const LIMITS = [
  "uploadLimit",
  "downloadLimit",
  "peerUploadLimit",
  "peerDownloadLimit",
] as const;

/** Refuses flags that cannot be kept. @throws {InputError} */
export function checkLimits(flags: ShareFlags): void {
  for (const key of LIMITS) {
    if (flags[key] !== 0) continue;
    const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new InputError(
      `--${name} must be above 0${
        key === "uploadLimit" ? "; --free-ride serves nobody" : ""
      }`,
    );
  }
  if (flags.dht === "off" && flags.dhtNode.length > 0) {
    throw new InputError("--dht-node has no effect with --dht off");
  }
  if (flags.maxConnections === 0) {
    throw new InputError("--max-connections must be above 0");
  }
  for (const key of ["chokeInterval", "optimisticInterval"] as const) {
    if (flags[key] < 100) {
      throw new InputError(
        `--${
          key === "chokeInterval" ? "choke" : "optimistic"
        }-interval must be at least 100ms`,
      );
    }
  }
}

/** Turns flags into the options of a swarm whose torrent is not known yet. */
export function metadataOptions(
  flags: ShareFlags,
  { infoHash, self: { peerId, listener, ctx }, dhtPort }: {
    readonly infoHash: Uint8Array;
    readonly self: Self;
    /** Null without a DHT node. */
    readonly dhtPort: number | null;
  },
): SwarmOptions {
  const nowMs = ctx.clock.nowMs();
  const upload = flags.uploadLimit ?? Infinity;
  const download = flags.downloadLimit ?? Infinity;
  return {
    layout: UNKNOWN_LAYOUT,
    infoHash,
    peerId,
    have: [],
    rng: ctx.rng,
    picker: flags.picker,
    choker: flags.choker,
    unchokeSlots: flags.unchokeSlots,
    chokeIntervalMs: flags.chokeInterval,
    optimisticIntervalMs: flags.optimisticInterval,
    freeRide: flags.freeRide,
    maxConnections: flags.maxConnections,
    upload: new TokenBucket({ bytesPerSecond: upload }, nowMs),
    download: new TokenBucket({ bytesPerSecond: download }, nowMs),
    ...peerLimits(flags),
    sha1,
    ...(dhtPort === null ? {} : { dhtPort }),
    listenPort: listener.port,
    client: `rolecall ${VERSION}`,
    // Upload without a limit is not scarce, as far as we know.
    superSeed: flags.superSeed === "on" ||
      (flags.superSeed === "auto" && flags.uploadLimit !== undefined),
  };
}

/** The limits each connection has for itself. */
function peerLimits(
  { peerUploadLimit, peerDownloadLimit }: ShareFlags,
): Pick<SwarmOptions, "limitPeer"> {
  if (peerUploadLimit === undefined && peerDownloadLimit === undefined) {
    return {};
  }
  const limit = (bytesPerSecond: number | undefined, nowMs: number) =>
    bytesPerSecond === undefined
      ? null
      : new TokenBucket({ bytesPerSecond }, nowMs);
  return {
    limitPeer: (nowMs) => ({
      upload: limit(peerUploadLimit, nowMs),
      download: limit(peerDownloadLimit, nowMs),
    }),
  };
}

/** Turns flags into the options of a torrent's swarm. */
export function swarmOptions(
  flags: ShareFlags,
  { info, hashes, have, self, dhtPort }: {
    readonly info: Metainfo;
    readonly hashes: PieceHashes;
    readonly have: readonly number[];
    readonly self: Self;
    /** Null without a DHT node. */
    readonly dhtPort: number | null;
  },
): SwarmOptions {
  return {
    ...metadataOptions(flags, { infoHash: info.infoHash, self, dhtPort }),
    layout: info,
    have,
    metadata: info.infoBytes,
    private: info.private,
    ...(info.infoHashV2 === null ? {} : {
      v2: {
        infoHash: info.infoHashV2.subarray(0, HASH_BYTES),
        known: (pieceIndex: number) => hashes.known(pieceIndex),
        answers: new HashAnswers(info, hashes, sha256),
        quest: new HashQuest(info, hashes, sha256),
      },
    }),
  };
}
