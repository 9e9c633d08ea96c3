import { counted, formatBytes, formatMs } from "../core/units.ts";
import type { EventTable } from "./table.ts";

/** What an edge says of the titles and players it knows: what it fetches ahead, and which rate it chooses. */
export type EdgeTitleEvent =
  | {
    /** A player said how it does, with a request (CMCD, CTA-5004). */
    readonly type: "player.reported";
    readonly player: string;
    readonly remote: string;
    readonly objectType?: string;
    readonly bufferMs?: number;
    readonly bitsPerSecond?: number;
    readonly throughputBitsPerSecond?: number;
    readonly stalled: boolean;
    /** In all. */
    readonly stalls: number;
  }
  | {
    /** A manifest that a client asked for has been read, to know what comes next. */
    readonly type: "title.learned";
    readonly path: string;
    readonly segments: number;
  }
  | {
    /** A manifest cannot be had or read, or has nothing to be fetched ahead or chosen from. */
    readonly type: "title.refused";
    readonly path: string;
    readonly message: string;
  }
  | {
    /** A title's segments begin to be fetched in advance (`--prefill`). */
    readonly type: "prefill.started";
    /** Of the manifest. */
    readonly path: string;
    readonly objects: number;
  }
  | {
    readonly type: "prefill.progressed";
    readonly path: string;
    readonly objects: number;
    readonly done: number;
    readonly failed: number;
    readonly bytes: number;
  }
  | {
    readonly type: "prefill.finished";
    readonly path: string;
    readonly objects: number;
    readonly done: number;
    readonly failed: number;
    readonly bytes: number;
    readonly durationMs: number;
  }
  | {
    /** The segment a player will ask for next is in the cache (`--prefetch`). */
    readonly type: "segment.prefetched";
    readonly path: string;
    readonly status: number;
    readonly bytes: number;
    readonly durationMs: number;
  }
  | {
    /** A client has received a segment in the rate that was chosen for it (`--adapt`). */
    readonly type: "rate.adapted";
    readonly client: string;
    readonly path: string;
    /** Of the rate. */
    readonly bitsPerSecond: number;
    /** Of this segment, to the client. */
    readonly throughputBitsPerSecond: number;
    /** By which the next rate is chosen. */
    readonly averageBitsPerSecond: number;
    readonly durationMs: number;
  };

/** See {@linkcode EdgeTitleEvent}. */
export const EDGE_TITLE_EVENTS: EventTable<EdgeTitleEvent> = {
  "player.reported": {
    level: "info",
    text: (e) =>
      `player ${e.player}: buffer ${
        e.bufferMs === undefined ? "unknown" : formatMs(e.bufferMs)
      }${e.bitsPerSecond === undefined ? "" : `, at ${kbps(e.bitsPerSecond)}`}${
        e.stalled ? ", stalled" : ""
      }, ${counted(e.stalls, "stall")} so far`,
  },
  "title.learned": {
    level: "debug",
    text: (e) => `manifest ${e.path} names ${counted(e.segments, "segment")}`,
  },
  "title.refused": {
    level: "warn",
    text: (e) => `manifest ${e.path}: ${e.message}`,
  },
  "prefill.started": {
    level: "info",
    text: (e) =>
      `filling the cache with ${counted(e.objects, "object")} of ${e.path}`,
  },
  "prefill.progressed": {
    level: "info",
    passing: true,
    text: (e) =>
      `${e.done} of ${counted(e.objects, "object")} of ${e.path}, ${
        formatBytes(e.bytes)
      }`,
  },
  "prefill.finished": {
    level: "info",
    text: (e) =>
      `filled the cache with ${e.path}: ${
        counted(e.done - e.failed, "object")
      }, ${formatBytes(e.bytes)} in ${formatMs(e.durationMs)}${
        e.failed === 0 ? "" : `, ${e.failed} could not be had`
      }`,
  },
  "segment.prefetched": {
    level: "info",
    text: (e) =>
      `fetched ${e.path} ahead: ${e.status}, ${formatBytes(e.bytes)} in ${
        formatMs(e.durationMs)
      }`,
  },
  "rate.adapted": {
    level: "info",
    text: (e) =>
      `${e.client} received ${e.path} (${kbps(e.bitsPerSecond)}) at ${
        kbps(e.throughputBitsPerSecond)
      }, ${kbps(e.averageBitsPerSecond)} on average`,
  },
};

function kbps(bitsPerSecond: number): string {
  return `${Math.round(bitsPerSecond / 1000)} kbit/s`;
}
