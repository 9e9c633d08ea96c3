import { counted, formatMs } from "../core/units.ts";
import type { EventTable } from "./table.ts";

/** An edge that the DNS redirector watches. */
interface Watched {
  /** What the zone calls it. */
  readonly edge: string;
  /** Its address. */
  readonly host: string;
}

/** What the DNS redirector finds out about its edges. */
export type EdgeWatchEvent =
  | Watched & {
    /** It is out of service: no answer names it while another edge is up. */
    readonly type: "edge.failed";
    /** What was checked: `tcp 127.0.0.3:8081`, `http://127.0.0.3:8081/healthz`. */
    readonly check: string;
    readonly reason: string;
    /** Checks in a row that failed. */
    readonly failures: number;
    /** Since the last check that it passed began, or since checking began. */
    readonly silentMs: number;
    /** False if it passed none yet. */
    readonly hasPassed: boolean;
  }
  | Watched & {
    /** It is back in service. */
    readonly type: "edge.recovered";
    readonly check: string;
    readonly reason: string;
    readonly downMs: number;
  }
  | {
    /** No edge is left: answers name all of them again, as if they were up. */
    readonly type: "edges.exhausted";
    /** Addresses. */
    readonly edges: readonly string[];
    /** Names that lead to them; the first 20. */
    readonly names: readonly string[];
  }
  | Watched & {
    readonly type: "distance.measured";
    readonly roundTripMs: number;
    readonly smoothedMs: number;
    readonly variationMs: number;
  }
  | Watched & {
    readonly type: "load.measured";
    /** In the unit of the metric; bytes per second unless `--load-metric` says otherwise. */
    readonly load: number;
    readonly smoothedLoad: number;
  }
  | Watched & {
    /** It did not tell its load, after it had, or at the first time. */
    readonly type: "load.missed";
    readonly url: string;
    readonly reason: string;
  };

/** See {@linkcode EdgeWatchEvent}. */
export const EDGE_WATCH_EVENTS: EventTable<EdgeWatchEvent> = {
  "edge.failed": {
    level: "warn",
    text: (e) =>
      `edge ${nameOf(e)} is out: ${e.reason} (${e.check}, ${
        counted(e.failures, "time")
      }, ${
        e.hasPassed ? `last passed ${formatMs(e.silentMs)} ago` : "never passed"
      })`,
  },
  "edge.recovered": {
    level: "info",
    text: (e) =>
      `edge ${nameOf(e)} is back after ${formatMs(e.downMs)}: ${e.reason}`,
  },
  "edges.exhausted": {
    level: "error",
    text: (e) =>
      `no edge of ${e.names.join(", ")} is up: answering as if all were (${
        e.edges.join(", ")
      })`,
  },
  "distance.measured": {
    level: "debug",
    text: (e) =>
      `edge ${nameOf(e)} is ${formatMs(e.roundTripMs)} away, ${
        formatMs(e.smoothedMs)
      } on average`,
  },
  "load.measured": {
    level: "debug",
    text: (e) =>
      `edge ${nameOf(e)} has a load of ${Math.round(e.load)}, ${
        Math.round(e.smoothedLoad)
      } on average`,
  },
  "load.missed": {
    level: "warn",
    text: (e) => `edge ${nameOf(e)} does not tell its load: ${e.reason}`,
  },
};

function nameOf({ edge, host }: Watched): string {
  return edge === host ? host : `${edge} (${host})`;
}
