import { formatBytes, formatMs } from "../core/units.ts";
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
  /** Made by the edge itself: a refusal, a gateway error. */
  | "error";

/** What an edge can say. */
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
  }
  | {
    /** An origin did not answer; the next one, if any, is tried. */
    readonly type: "upstream.failed";
    readonly origin: string;
    readonly code: string;
    readonly message: string;
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
      `and in the last ${
        e.periodMs / 1000
      } s ${e.answers} answers more, ${e.hits} of them hits, ${e.errors} errors, ${
        formatBytes(e.bytes)
      }`,
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
  "upstream.failed": {
    level: "warn",
    text: (e) => `origin ${e.origin}: ${e.message}`,
  },
};
