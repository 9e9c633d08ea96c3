import { counted, formatBytes, formatMs } from "../core/units.ts";
import type { EventTable } from "./table.ts";

/** How an edge came by an answer. */
export type EdgeCacheStatus =
  /** From the cache, fresh. */
  | "hit"
  /** Fetched for this request. */
  | "miss"
  /** Shared with another request's fetch. */
  | "collapsed"
  /** From the cache, past its lifetime, as its directives or an unreachable origin allow. */
  | "stale"
  /** From the cache, after the origin said that it is still good. */
  | "revalidated"
  /** Forwarded without a look at the cache: an unsafe method, a range of something too large. */
  | "bypass"
  /** Made by the edge itself: an answer to PURGE or to a player's report, a manifest with fewer rates. */
  | "own"
  /** Made by the edge itself: a refusal, a gateway error. */
  | "error";

/** What an edge says of its answers and its cache, and the load client of what it got. */
export type EdgeEvent =
  | {
    /** One request was answered, to the last byte or as far as the client wanted. */
    readonly type: "edge.answered";
    readonly remote: string;
    readonly method: string;
    readonly path: string;
    readonly status: number;
    readonly cacheStatus: EdgeCacheStatus;
    /** Of the body. */
    readonly bytes: number;
    readonly durationMs: number;
    /** The client got all of it. */
    readonly complete: boolean;
  }
  | {
    /** Requests were answered faster than is told one by one. */
    readonly type: "edge.summarized";
    readonly periodMs: number;
    readonly answers: number;
    /** Of them, from the cache without asking an origin. */
    readonly hits: number;
    readonly errors: number;
    readonly bytes: number;
  }
  | {
    /** One request to an origin has ended. */
    readonly type: "edge.fetched";
    readonly origin: string;
    readonly method: string;
    readonly path: string;
    readonly status: number;
    readonly reason: string;
    readonly stored: boolean;
    readonly bytes: number;
    readonly headMs: number;
    readonly durationMs: number;
    readonly complete: boolean;
    /** The connection had served a request before. */
    readonly reused: boolean;
  }
  | {
    /** What an earlier run left in the cache's folder is in use again. */
    readonly type: "cache.restored";
    readonly objects: number;
    readonly bytes: number;
    /** Files that were damaged, torn, or for which there is no room; they are gone. */
    readonly removed: number;
    readonly durationMs: number;
  }
  | {
    /** A file of the cache was gone or had changed: it is dropped, and its content fetched anew. */
    readonly type: "cache.damaged";
    readonly path: string;
    readonly file: string;
  }
  | {
    /** The disk tier could not keep something; it is not tried again for a while. */
    readonly type: "cache.failed";
    readonly code: string;
    readonly message: string;
  }
  | {
    /** Content comes in faster than the disk tier can be written: so much of it is in memory only. */
    readonly type: "cache.skipped";
    readonly objects: number;
    readonly bytes: number;
    /** To be written. */
    readonly waitingBytes: number;
  }
  | {
    /** Stored responses were forgotten on request. */
    readonly type: "cache.purged";
    readonly kind: "url" | "prefix" | "tag";
    readonly what: string;
    readonly objects: number;
  }
  | {
    /** Somebody without the token asked to purge. */
    readonly type: "purge.refused";
    readonly remote: string;
    readonly status: number;
  }
  | {
    /** How far the load client is (`--load`). */
    readonly type: "load.progressed";
    readonly server: string;
    readonly of: number;
    readonly requests: number;
    readonly failed: number;
    readonly hits: number;
    readonly bytes: number;
  }
  | {
    readonly type: "load.finished";
    readonly server: string;
    readonly durationMs: number;
    readonly requests: number;
    readonly failed: number;
    readonly hits: number;
    readonly bytes: number;
  };

/** See {@linkcode EdgeEvent}. */
export const EDGE_EVENTS: EventTable<EdgeEvent> = {
  "edge.answered": {
    level: "info",
    text: (e) =>
      `${e.remote} ${e.method} ${e.path} ${e.status} ${e.cacheStatus}, ${
        formatBytes(e.bytes)
      } in ${formatMs(e.durationMs)}${e.complete ? "" : ", cut short"}`,
  },
  "edge.summarized": {
    level: "info",
    text: (e) =>
      `and in the last ${e.periodMs / 1000} s ${
        counted(e.answers, "answer")
      } more, ${e.hits} of them from the cache, ${
        counted(e.errors, "error")
      }, ${formatBytes(e.bytes)}`,
  },
  "edge.fetched": {
    level: "info",
    text: (e) =>
      `fetched ${e.path} from ${e.origin}: ${e.status} (${e.reason}), ${
        formatBytes(e.bytes)
      } in ${formatMs(e.durationMs)}${e.complete ? "" : ", cut short"}${
        e.stored ? ", stored" : ""
      }`,
  },
  "cache.restored": {
    level: "info",
    text: (e) =>
      `cache folder: ${counted(e.objects, "object")}, ${
        formatBytes(e.bytes)
      }, in use ` +
      `after ${formatMs(e.durationMs)}${
        e.removed === 0 ? "" : `, ${counted(e.removed, "file")} removed`
      }`,
  },
  "cache.damaged": {
    level: "warn",
    text: (e) => `cache folder: ${e.file} (${e.path}) is damaged, dropped`,
  },
  "cache.failed": {
    level: "warn",
    text: (e) => `cache folder: ${e.message}`,
  },
  "cache.skipped": {
    level: "warn",
    text: (e) =>
      `cache folder: too slow, ${counted(e.objects, "object")} (${
        formatBytes(e.bytes)
      }) in memory only`,
  },
  "cache.purged": {
    level: "info",
    labels: ["kind"],
    text: (e) => `purged ${e.objects} by ${e.kind} ${e.what}`,
  },
  "purge.refused": {
    level: "warn",
    labels: ["status"],
    text: (e) => `${e.remote} may not purge: ${e.status}`,
  },
  "load.progressed": {
    level: "info",
    passing: true,
    text: (e) =>
      `${e.requests} of ${counted(e.of, "answer")} from ${e.server}, ${
        counted(e.hits, "hit")
      }, ${e.failed} failed`,
  },
  "load.finished": {
    level: "info",
    text: (e) =>
      `${counted(e.requests, "answer")} from ${e.server} in ${
        formatMs(e.durationMs)
      }, ${counted(e.hits, "hit")}, ${e.failed} failed`,
  },
};
