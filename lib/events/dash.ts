import {
  counted,
  formatBitRate,
  formatBytes,
  formatMs,
} from "../core/units.ts";
import type { EventTable } from "./table.ts";

/** What the DASH client can say. With `--speed` other than 1, start-up, buffer and stalls are in the player's time. */
export type DashEvent =
  | {
    readonly type: "name.resolved";
    /** The host in the URL. */
    readonly host: string;
    /** In the resolver's order; the first is connected to. */
    readonly addresses: readonly string[];
    readonly ttlSeconds: number;
    /** `host:port` of the resolver asked. */
    readonly resolver: string;
    readonly elapsedMs: number;
    /** Whether the first address is another than before. */
    readonly moved: boolean;
  }
  | {
    readonly type: "name.missed";
    readonly host: string;
    readonly resolver: string;
    readonly problem: string;
    /** An address past its TTL is used meanwhile (RFC 8767). */
    readonly staleAddress: string;
  }
  | {
    readonly type: "manifest.loaded";
    readonly url: string;
    readonly title: string;
    readonly bytes: number;
    /** Media to play. */
    readonly mediaMs: number;
    readonly segmentCount: number;
    /** Rates of the first stretch, lowest first. */
    readonly bitsPerSecond: readonly number[];
    readonly server: string;
    readonly elapsedMs: number;
  }
  | {
    readonly type: "manifest.warned";
    readonly url: string;
    readonly line: number;
    /** What was left out. */
    readonly text: string;
  }
  | {
    readonly type: "manifest.refreshed";
    readonly url: string;
    /** False: the server says it is the same as before (304). */
    readonly changed: boolean;
    /** False: the presentation is over, nothing comes any more. */
    readonly dynamic: boolean;
    readonly bytes: number;
  }
  | {
    readonly type: "manifest.missed";
    readonly url: string;
    /** The one fetched before is used meanwhile. */
    readonly problem: string;
  }
  | {
    readonly type: "clock.compared";
    /** URL, or that the time stood in the manifest (UTCTiming). */
    readonly source: string;
    /** What the author's clock is ahead of this machine's. */
    readonly offsetMs: number;
    /** The answer may be that old: half of it is taken into account. */
    readonly roundTripMs: number;
  }
  | {
    readonly type: "segment.downloaded";
    /** What it carries; `other` when the manifest does not say. */
    readonly media: "video" | "audio" | "other";
    /** From 1. */
    readonly segmentNumber: number;
    /** 0 for a live title, even when it has ended. */
    readonly segmentCount: number;
    readonly representationId: string;
    /** 0 when the manifest does not say. */
    readonly height: number;
    /** The rate in the manifest. */
    readonly bitsPerSecond: number;
    /** 1 is the lowest rate, `layerCount` the highest. */
    readonly layer: number;
    readonly layerCount: number;
    readonly mediaMs: number;
    readonly bytes: number;
    /** Of them from other players; only with `--cooperate`. */
    readonly peerBytes?: number;
    /** How long they were waited for after they were asked, a part of `downloadMs`; only with `--cooperate`. */
    readonly peerMs?: number;
    /** From the request to the last byte. */
    readonly downloadMs: number;
    /** Of that, how long the server had nothing to send, as the next chunk of a live segment was not made yet; left out when it always had. */
    readonly idleMs?: number;
    /** From the request to the head of the answer. */
    readonly ttfbMs: number;
    readonly throughputBitsPerSecond: number;
    /** Media in the buffer with this segment. */
    readonly bufferMs: number;
    /** Stalled while waiting for this segment. */
    readonly stallMs: number;
    /** Why this rate. */
    readonly reason: string;
    /** `host:port` it came from. */
    readonly server: string;
    /** The Cache-Status field, or "". */
    readonly cacheStatus: string;
    /** The Age field, or 0. */
    readonly ageSeconds: number;
  }
  | {
    readonly type: "segment.abandoned";
    readonly segmentNumber: number;
    readonly bitsPerSecond: number;
    /** The rate it is fetched in instead. */
    readonly insteadBitsPerSecond: number;
    /** What had come of it, for nothing. */
    readonly bytes: number;
    readonly totalBytes: number;
    /** Since the request. */
    readonly elapsedMs: number;
    readonly bufferMs: number;
  }
  | {
    readonly type: "segment.missed";
    readonly segmentNumber: number;
    readonly url: string;
    readonly problem: string;
    /** What is tried next; `skip` leaves a hole. */
    readonly next: "again" | "next-url" | "lower-rate" | "skip";
    /** How long that waits. */
    readonly waitMs: number;
  }
  | {
    readonly type: "location.failed";
    /** `@serviceLocation` of the BaseURL, or its origin. */
    readonly location: string;
    readonly url: string;
    readonly problem: string;
    /** For so long the other BaseURLs are asked first. */
    readonly forMs: number;
  }
  | {
    readonly type: "location.recovered";
    readonly location: string;
  }
  | {
    readonly type: "playout.started";
    /** From the manifest to the first picture. */
    readonly startupMs: number;
  }
  | { readonly type: "playout.stalled"; readonly positionMs: number }
  | {
    readonly type: "playout.resumed";
    readonly positionMs: number;
    readonly stallMs: number;
  }
  | {
    readonly type: "playout.seeked";
    readonly fromMs: number;
    readonly toMs: number;
    /** From the wish to the picture; 0 when the buffer had it. */
    readonly seekMs: number;
  }
  | {
    readonly type: "latency.measured";
    /** Behind the live edge. */
    readonly latencyMs: number;
    readonly targetMs: number;
    /** 1 is the pace of the clock. */
    readonly playbackRate: number;
    readonly bufferMs: number;
  }
  | {
    /** Nothing is left to play. */
    readonly type: "playout.ended";
    readonly positionMs: number;
    /** What a seek leaps over does not count. */
    readonly playedMs: number;
    /** Whether there should be more, which was not to be had. */
    readonly isCut: boolean;
    /** Of a live title: how far behind its edge it was at last. */
    readonly latencyMs?: number;
  };

/** See {@linkcode DashEvent}. */
export const DASH_EVENTS: EventTable<DashEvent> = {
  "name.resolved": {
    level: "info",
    text: (e) =>
      `${e.host} is at ${
        e.addresses.join(", ")
      } for ${e.ttlSeconds} s, says ${e.resolver} after ${
        formatMs(e.elapsedMs)
      }${e.moved ? " (moved)" : ""}`,
  },
  "name.missed": {
    level: "warn",
    text: (e) =>
      `${e.resolver} could not say where ${e.host} is (${e.problem}); staying with ${e.staleAddress}`,
  },
  "manifest.loaded": {
    level: "info",
    text: (e) =>
      `${e.title === "" ? e.url : `"${e.title}"`}: ${
        counted(e.segmentCount, "segment")
      }, ${formatMs(e.mediaMs)}, in ${
        e.bitsPerSecond.map(formatBitRate).join(", ")
      }`,
  },
  "manifest.warned": {
    level: "warn",
    text: (e) => `${e.url}, line ${e.line}: ${e.text}`,
  },
  "manifest.refreshed": {
    level: "debug",
    text: (e) =>
      `${e.url} fetched again: ${
        !e.dynamic
          ? "the presentation is over"
          : e.changed
          ? formatBytes(e.bytes)
          : "as before"
      }`,
  },
  "manifest.missed": {
    level: "warn",
    text: (e) =>
      `${e.url} cannot be fetched again (${e.problem}); going on with what it said`,
  },
  "clock.compared": {
    level: "info",
    text: (e) =>
      `${e.source}: its clock is ${formatMs(Math.abs(e.offsetMs))} ${
        e.offsetMs < 0 ? "behind" : "ahead"
      }, give or take ${formatMs(e.roundTripMs / 2)}`,
  },
  "segment.downloaded": {
    level: "info",
    text: (e) =>
      `segment ${e.segmentNumber}${
        e.segmentCount === 0 ? "" : `/${e.segmentCount}`
      } ${
        e.media === "audio"
          ? "sound"
          : e.height === 0
          ? `"${e.representationId}"`
          : `${e.height}p`
      } ${formatBitRate(e.bitsPerSecond)}: ${formatBytes(e.bytes)} in ${
        formatMs(e.downloadMs)
      } (${formatBitRate(e.throughputBitsPerSecond)}) from ${
        e.peerBytes === undefined || e.peerBytes === 0 ||
          e.peerBytes === e.bytes
          ? e.server
          : `${e.server} and ${formatBytes(e.peerBytes)} from peers`
      }${e.bufferMs === 0 ? "" : `, buffer ${formatMs(e.bufferMs)}`}, ${
        e.stallMs === 0 ? "no stall" : `stalled ${formatMs(e.stallMs)}`
      }; ${e.reason}`,
  },
  "segment.abandoned": {
    level: "warn",
    text: (e) =>
      `segment ${e.segmentNumber} given up after ${formatMs(e.elapsedMs)} and ${
        formatBytes(e.bytes)
      } of ${formatBytes(e.totalBytes)}, with ${
        formatMs(e.bufferMs)
      } in the buffer: ${formatBitRate(e.insteadBitsPerSecond)} instead of ${
        formatBitRate(e.bitsPerSecond)
      }`,
  },
  "segment.missed": {
    level: "warn",
    text: (e) =>
      `segment ${e.segmentNumber}: ${problemAt(e)}; ${
        {
          again: "trying again",
          "next-url": "trying the next BaseURL",
          "lower-rate": "trying a lower rate",
          skip: "going on without it",
        }[e.next]
      }${e.waitMs === 0 ? "" : ` in ${formatMs(e.waitMs)}`}`,
  },
  "location.failed": {
    level: "warn",
    text: (e) =>
      `${e.location} goes last for ${formatMs(e.forMs)}: ${e.problem}`,
  },
  "location.recovered": {
    level: "info",
    text: (e) => `${e.location} answers again`,
  },
  "playout.started": {
    level: "info",
    text: (e) => `playing after ${formatMs(e.startupMs)}`,
  },
  "playout.stalled": {
    level: "warn",
    text: (e) => `stalled at ${formatMs(e.positionMs)}: the buffer is empty`,
  },
  "playout.resumed": {
    level: "info",
    text: (e) => `playing again after ${formatMs(e.stallMs)}`,
  },
  "playout.seeked": {
    level: "info",
    text: (e) =>
      `from ${formatMs(e.fromMs)} to ${formatMs(e.toMs)}${
        e.seekMs === 0 ? ", in the buffer" : ` after ${formatMs(e.seekMs)}`
      }`,
  },
  "latency.measured": {
    level: "debug",
    text: (e) =>
      `${formatMs(e.latencyMs)} behind the live edge, ${
        formatMs(e.targetMs)
      } wanted; playing at ${e.playbackRate.toFixed(2)}, buffer ${
        formatMs(e.bufferMs)
      }`,
  },
  "playout.ended": {
    level: "info",
    text: (e) =>
      `played ${formatMs(e.playedMs)}, ${
        e.isCut ? "all that was to be had" : "to the end"
      }${
        e.latencyMs === undefined
          ? ""
          : `, at last ${formatMs(e.latencyMs)} behind the live edge`
      }`,
  },
};

/** What was wrong with a URL, which is said once. */
export function problemAt(
  { problem, url }: { readonly problem: string; readonly url: string },
): string {
  return problem.includes(url) ? problem : `${problem} (${url})`;
}
