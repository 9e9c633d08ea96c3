import { counted, formatBytes, formatMs } from "../core/units.ts";
import type { EventTable } from "./table.ts";

/** One answer of an origin, told when its last byte was handed to the system. */
export interface OriginAnswered {
  /** See {@linkcode OriginEvent}. */
  readonly type: "origin.answered";
  readonly remote: string;
  readonly method: string;
  /** Path and query as asked for. */
  readonly path: string;
  readonly status: number;
  /** Bytes of the body that were sent. */
  readonly bytes: number;
  readonly durationMs: number;
  /** False when the client left before the end. */
  readonly complete: boolean;
}

/** What an origin can say. */
export type OriginEvent =
  | OriginAnswered
  | {
    readonly type: "origin.summarized";
    /** The sum is of answers that ended within this time and were too many to be told one by one. */
    readonly periodMs: number;
    readonly answers: number;
    /** How many of them were 4xx or 5xx. */
    readonly errors: number;
    readonly bytes: number;
  }
  | {
    readonly type: "segment.generated";
    readonly path: string;
    readonly bytes: number;
    readonly durationMs: number;
  }
  | {
    /** A segment of a movie is encoded and in its file. */
    readonly type: "ingest.progressed";
    /** `video_720`, `audio`. */
    readonly track: string;
    readonly bytes: number;
    /** Of all tracks together, 0 to 100. */
    readonly percent: number;
    /** Time to go, if it goes on like this. */
    readonly etaMs: number;
  }
  | {
    readonly type: "ingest.completed";
    readonly folder: string;
    readonly tracks: number;
    /** Of one rate. */
    readonly segmentCount: number;
    readonly bytes: number;
    readonly durationMs: number;
  };

/** See {@linkcode OriginEvent}. */
export const ORIGIN_EVENTS: EventTable<OriginEvent> = {
  "origin.answered": {
    level: "info",
    text: (e) =>
      `${e.remote} ${e.method} ${e.path} ${e.status}, ${
        formatBytes(e.bytes)
      } in ${formatMs(e.durationMs)}${
        e.complete ? "" : ", left before the end"
      }`,
  },
  "origin.summarized": {
    level: "info",
    text: (e) =>
      `${counted(e.answers, "more answer")} within ${formatMs(e.periodMs)}, ${
        formatBytes(e.bytes)
      }${e.errors === 0 ? "" : `, ${e.errors} of them failed`}`,
  },
  "segment.generated": {
    level: "debug",
    text: (e) =>
      `made ${e.path}, ${formatBytes(e.bytes)} in ${formatMs(e.durationMs)}`,
  },
  "ingest.progressed": {
    level: "info",
    passing: true,
    text: (e) => {
      const full = Math.round(e.percent / 5);
      return `${"#".repeat(full)}${".".repeat(20 - full)} ${
        e.percent.toFixed(1)
      } %${e.percent < 100 ? `, ${formatMs(e.etaMs)} to go` : ""} (${e.track})`;
    },
  },
  "ingest.completed": {
    level: "info",
    text: (e) =>
      `${e.folder} is whole: ${counted(e.tracks, "track")} of ${
        counted(e.segmentCount, "segment")
      }, ${formatBytes(e.bytes)} in ${formatMs(e.durationMs)}`,
  },
};
