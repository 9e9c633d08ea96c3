import { counted, formatMs } from "../core/units.ts";
import type { EventTable } from "./table.ts";

/** What an edge says of its origins. */
export type UpstreamEvent =
  | {
    /** An origin did not answer; the next one, if any, is tried. */
    readonly type: "upstream.failed";
    readonly origin: string;
    readonly code: string;
    readonly message: string;
    /** How many times more in the same second, of which the first was told by itself. */
    readonly times?: number;
  }
  | {
    /** An origin failed so often that nobody asks it for a while: for `pauseMs`, or until a health check succeeds. */
    readonly type: "upstream.suspended";
    readonly origin: string;
    readonly pauseMs?: number;
  }
  | {
    /** An origin is asked again. */
    readonly type: "upstream.restored";
    readonly origin: string;
    readonly suspendedMs: number;
  }
  | {
    /** An origin dates its answers so long ago: its clock is behind ours, or a cache before it does not say their `Age`. Told once of each. */
    readonly type: "upstream.lagged";
    readonly origin: string;
    readonly lagMs: number;
  }
  | {
    /** A health check has ended; status 0 is no answer. */
    readonly type: "upstream.checked";
    readonly origin: string;
    readonly healthy: boolean;
    readonly status: number;
    readonly durationMs: number;
  }
  | {
    /** Too many requests are under way to an origin, and too many wait. */
    readonly type: "upstream.refused";
    readonly origin: string;
    readonly active: number;
    readonly waiting: number;
    /** See `upstream.failed`. */
    readonly times?: number;
  };

/** See {@linkcode UpstreamEvent}. */
export const UPSTREAM_EVENTS: EventTable<UpstreamEvent> = {
  "upstream.failed": {
    level: "warn",
    labels: ["origin", "code"],
    text: (e) => `origin ${e.origin}: ${e.message}${more(e)}`,
  },
  "upstream.suspended": {
    level: "warn",
    labels: ["origin"],
    text: (e) =>
      `origin ${e.origin} is not asked ${
        e.pauseMs === undefined
          ? "until a health check succeeds"
          : `for ${formatMs(e.pauseMs)}`
      }`,
  },
  "upstream.restored": {
    level: "info",
    labels: ["origin"],
    text: (e) =>
      `origin ${e.origin} is asked again after ${formatMs(e.suspendedMs)}`,
  },
  "upstream.lagged": {
    level: "warn",
    labels: ["origin"],
    text: (e) =>
      `origin ${e.origin} dates its answers ${
        formatMs(e.lagMs)
      } ago: they are stale that much sooner. Is its clock behind this one's, or is there a cache before it that sends no Age?`,
  },
  "upstream.checked": {
    level: "debug",
    labels: ["origin", "healthy"],
    text: (e) =>
      `origin ${e.origin} is ${
        e.healthy ? "healthy" : "ill"
      }: status ${e.status} in ${formatMs(e.durationMs)}`,
  },
  "upstream.refused": {
    level: "warn",
    labels: ["origin"],
    text: (e) =>
      `origin ${e.origin} has ${
        counted(e.active, "request")
      } under way and ${e.waiting} waiting${more(e)}`,
  },
};

function more({ times }: { readonly times?: number }): string {
  return times === undefined ? "" : ` (${times} more in this second)`;
}
