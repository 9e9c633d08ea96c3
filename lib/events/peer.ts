import { counted, formatBytes, formatMs } from "../core/units.ts";
import type { EventTable } from "./table.ts";

/** What a BitTorrent peer can say. `remote` is where the other peer is, `peerId` is its id in hex. */
export type PeerEvent =
  | {
    /** One request to a web seed (BEP 19); `bytes` from `offset` of a file. */
    readonly type: "webseed.fetched";
    readonly url: string;
    readonly offset: number;
    readonly bytes: number;
    readonly status: number;
    readonly durationMs: number;
  }
  | {
    /** A web seed does not work. Without `retryMs` it is not asked again. */
    readonly type: "webseed.failed";
    readonly url: string;
    readonly reason: string;
    readonly retryMs?: number;
  }
  | {
    readonly type: "torrent.hashed";
    readonly hashedBytes: number;
    readonly totalBytes: number;
  }
  | {
    readonly type: "torrent.created";
    readonly file: string;
    readonly infoHash: string;
    readonly bytes: number;
    readonly pieceCount: number;
  }
  | {
    readonly type: "metadata.fetched";
    readonly torrent: string;
    readonly infoHash: string;
    /** Length of the info dictionary. */
    readonly metadataBytes: number;
    readonly bytes: number;
    readonly pieceCount: number;
    readonly durationMs: number;
  }
  | {
    readonly type: "torrent.checked";
    readonly torrent: string;
    readonly infoHash: string;
    readonly havePieces: number;
    readonly pieceCount: number;
    /** Pieces that were read and hashed; of the others the last run's record tells. */
    readonly hashedPieces: number;
    readonly bytes: number;
    readonly durationMs: number;
  }
  | {
    readonly type: "torrent.completed";
    readonly torrent: string;
    readonly bytes: number;
    readonly durationMs: number;
    readonly bytesPerSecond: number;
  }
  | {
    readonly type: "announce.answered";
    readonly tracker: string;
    readonly event: string;
    readonly peers: number;
    readonly intervalMs: number;
    readonly warning?: string;
  }
  | {
    readonly type: "announce.failed";
    readonly tracker: string;
    readonly event: string;
    readonly code: string;
    readonly message: string;
    /** Until the next try with this tracker or another of its tier; without it there is none: the tracker does not want it (BEP 31). */
    readonly retryMs?: number;
  }
  | {
    readonly type: "peer.connected";
    readonly remote: string;
    readonly peerId: string;
    readonly client: string;
    readonly incoming: boolean;
    /** What both handshakes announce: `extended` (BEP 10), `fast` (BEP 6), `dht` (BEP 5), `v2` (BEP 52). */
    readonly features: string;
  }
  | {
    readonly type: "peer.introduced";
    readonly remote: string;
    readonly peerId: string;
    /** Its program, as it calls itself. */
    readonly client: string;
    /** The extensions of BEP 10 that it speaks and we do. */
    readonly extensions: string;
    /** It wants no pieces (BEP 21). */
    readonly uploadOnly: boolean;
  }
  | {
    readonly type: "peer.disconnected";
    readonly remote: string;
    readonly peerId: string;
    readonly reason: string;
    readonly downloadedBytes: number;
    readonly uploadedBytes: number;
  }
  | {
    readonly type: "peer.unchoked";
    readonly remote: string;
    readonly peerId: string;
    readonly optimistic: boolean;
    readonly reason: string;
  }
  | {
    readonly type: "peer.choked";
    readonly remote: string;
    readonly peerId: string;
    readonly reason: string;
  }
  | {
    readonly type: "peer.banned";
    readonly remote: string;
    readonly peerId: string;
    readonly reason: string;
  }
  | {
    readonly type: "peer.progressed";
    readonly verifiedBytes: number;
    readonly totalBytes: number;
    readonly havePieces: number;
    readonly pieceCount: number;
    readonly downloadedBytes: number;
    readonly uploadedBytes: number;
    readonly downloadBytesPerSecond: number;
    readonly uploadBytesPerSecond: number;
    readonly peers: number;
    /** How long the rest takes at this rate; not there when nothing is missing or nothing comes. */
    readonly remainingMs?: number;
  }
  | {
    readonly type: "piece.verified";
    readonly pieceIndex: number;
    readonly havePieces: number;
    readonly pieceCount: number;
    /** How many peers gave blocks of it. */
    readonly sources: number;
  }
  | {
    readonly type: "piece.rejected";
    readonly pieceIndex: number;
    readonly from: string;
  };

/** See {@linkcode PeerEvent}. */
export const PEER_EVENTS: EventTable<PeerEvent> = {
  "webseed.fetched": {
    level: "debug",
    text: (e) =>
      `fetched ${formatBytes(e.bytes)} of ${e.url} in ${
        formatMs(e.durationMs)
      }, status ${e.status}`,
  },
  "webseed.failed": {
    level: "warn",
    text: (e) =>
      `web seed ${e.url}: ${e.reason}; ${
        e.retryMs === undefined
          ? "it is not asked again"
          : `asked again in ${formatMs(e.retryMs)}`
      }`,
  },
  "torrent.hashed": {
    level: "info",
    text: (e) =>
      `hashed ${formatBytes(e.hashedBytes)} of ${formatBytes(e.totalBytes)}`,
  },
  "torrent.created": {
    level: "info",
    text: (e) =>
      `made ${e.file}: ${formatBytes(e.bytes)} in ${
        counted(e.pieceCount, "piece")
      }, info-hash ${e.infoHash}`,
  },
  "metadata.fetched": {
    level: "info",
    text: (e) =>
      `the magnet link leads to "${e.torrent}": ${formatBytes(e.bytes)} in ${
        counted(e.pieceCount, "piece")
      }; its metadata (${formatBytes(e.metadataBytes)}) came from peers in ${
        formatMs(e.durationMs)
      }`,
  },
  "torrent.checked": {
    level: "info",
    text: (e) =>
      `"${e.torrent}" (${
        formatBytes(e.bytes)
      }, info-hash ${e.infoHash}): ${e.havePieces} of ${
        counted(e.pieceCount, "piece")
      } here already, ${
        e.hashedPieces === 0 && e.havePieces > 0
          ? "by the record of the last run, looked through"
          : "checked"
      } in ${formatMs(e.durationMs)}`,
  },
  "torrent.completed": {
    level: "info",
    text: (e) =>
      `"${e.torrent}" is complete: ${formatBytes(e.bytes)} in ${
        formatMs(e.durationMs)
      }, ${formatBytes(Math.round(e.bytesPerSecond))}/s`,
  },
  "announce.answered": {
    level: "info",
    text: (e) =>
      `tracker ${e.tracker} knows ${
        counted(e.peers, "other peer")
      }; next announce in ${formatMs(e.intervalMs)}${
        e.warning === undefined ? "" : `; it warns: ${e.warning}`
      }`,
  },
  "announce.failed": {
    level: "warn",
    text: (e) =>
      `tracker ${e.tracker} cannot be used (${e.code}): ${e.message}; ${
        e.retryMs === undefined
          ? "it is not asked again"
          : `next try in ${formatMs(e.retryMs)}`
      }`,
  },
  "peer.connected": {
    level: "info",
    text: (e) =>
      `${e.remote} ${e.incoming ? "connected to us" : "is connected"}${
        e.client === "" ? "" : ` (${e.client})`
      }`,
  },
  "peer.introduced": {
    level: "debug",
    text: (e) =>
      `${e.remote} is ${e.client === "" ? "nameless" : e.client} and speaks ${
        e.extensions === "" ? "no extension we do" : e.extensions
      }${e.uploadOnly ? "; it only uploads" : ""}`,
  },
  "peer.disconnected": {
    level: "info",
    text: (e) =>
      `${e.remote} is gone: ${e.reason}; it gave ${
        formatBytes(e.downloadedBytes)
      } and took ${formatBytes(e.uploadedBytes)}`,
  },
  "peer.unchoked": {
    level: "info",
    text: (e) =>
      `${e.remote} is served${e.optimistic ? " by lot" : ""}: ${e.reason}`,
  },
  "peer.choked": {
    level: "info",
    text: (e) => `${e.remote} is no longer served: ${e.reason}`,
  },
  "peer.banned": {
    level: "warn",
    text: (e) => `${e.remote} is banned: ${e.reason}`,
  },
  "peer.progressed": {
    level: "info",
    passing: true,
    text: (e) =>
      `${
        (e.havePieces / e.pieceCount * 100).toFixed(1)
      } % (${e.havePieces} of ${counted(e.pieceCount, "piece")}), down ${
        formatBytes(Math.round(e.downloadBytesPerSecond))
      }/s, up ${formatBytes(Math.round(e.uploadBytesPerSecond))}/s, ${
        counted(e.peers, "peer")
      }${
        e.remainingMs === undefined ? "" : `, ${formatMs(e.remainingMs)} to go`
      }`,
  },
  "piece.verified": {
    level: "debug",
    text: (e) =>
      `piece ${e.pieceIndex} is right (${e.havePieces} of ${e.pieceCount}), from ${
        counted(e.sources, "peer")
      }`,
  },
  "piece.rejected": {
    level: "warn",
    text: (e) =>
      `piece ${e.pieceIndex} has a wrong hash and is thrown away; it came from ${e.from}`,
  },
};
