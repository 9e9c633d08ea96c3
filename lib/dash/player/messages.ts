import type { DashEvent } from "../../events/dash.ts";
import type { SegmentLocation } from "../mpd/mpd.ts";
import type { SampleTimes } from "../sample_times.ts";
import type { Track } from "../title.ts";
import type { PlayoutChange } from "./playout.ts";
import type { RequestState } from "./request_state.ts";

/** A leap of the viewer's; both are places in the presentation. */
export interface Seek {
  readonly atMs: number;
  readonly toMs: number;
}

/** What was measured of bytes that came. */
export interface Delivery {
  readonly bytes: number;
  /** Of them from other players; undefined where players do not share. */
  readonly peerBytes?: number;
  /** What came from the CDN in that time, where that is not `bytes` less `peerBytes`: of a neighbour, or with one before. */
  readonly cdnBytes?: number;
  /** How long peers were waited for after they were asked, a part of `downloadMs`. */
  readonly peerMs?: number;
  /** From the request to the head of the answer. */
  readonly ttfbMs: number;
  /** From the request to the last byte. */
  readonly downloadMs: number;
  /** Of that, how long the server had nothing to send: see `Chunks`. */
  readonly idleMs?: number;
  /** Address and port it came from. */
  readonly server: string;
  /** The Cache-Status field (RFC 9211), or "". */
  readonly cacheStatus: string;
  /** The Age field; 0 without one. */
  readonly ageSeconds: number;
}

/** What the driver of a `Player` tells. Times in it are of the wall clock, not the player's. */
export type PlayerInput =
  | { readonly kind: "start" }
  | Delivery & {
    readonly kind: "fetched";
    readonly fetchId: number;
    /** Of what initializes, where the player asked for it. */
    readonly times?: SampleTimes | undefined;
  }
  | {
    /** Chunks of a segment have come, which can be played. */
    readonly kind: "arrived";
    readonly fetchId: number;
    /** From the segment's beginning on. */
    readonly mediaMs: number;
  }
  | {
    readonly kind: "failed";
    readonly fetchId: number;
    /** The URL asked last. */
    readonly url: string;
    readonly problem: string;
    /** All servers say that there is no such thing. */
    readonly absent: boolean;
    /** Asking again later will not help. */
    readonly hopeless?: boolean | undefined;
  }
  | {
    readonly kind: "progressed";
    readonly fetchId: number;
    /** So far. */
    readonly bytes: number;
    /** In all, as the head of the answer says; undefined if it does not. */
    readonly totalBytes: number | undefined;
    readonly ttfbMs: number;
    /** Since the request. */
    readonly elapsedMs: number;
  }
  | {
    /** What there is of a live title now. */
    readonly kind: "grown";
    readonly tracks: readonly Track[];
    /** Nothing comes after it. */
    readonly ended: boolean;
  };

/** One kind of it. */
export type InputOf<Kind extends PlayerInput["kind"]> = Extract<
  PlayerInput,
  { kind: Kind }
>;

/** What the driver is to do, or to tell. */
export type PlayerOutput =
  | PlayoutChange
  | {
    readonly kind: "fetch";
    readonly fetchId: number;
    readonly segmentNumber: number;
    readonly location: SegmentLocation;
    /** The rung above could not be had: each place once is enough. */
    readonly fallback: boolean;
    /** It may not be there yet: the player asks again itself. */
    readonly edge: boolean;
    /** What to read of it as it comes: when `arrived`, by these times, or of what initializes, the `times`. */
    readonly read: SampleTimes | "times" | undefined;
    /** For the CDN. */
    readonly state: RequestState;
  }
  | {
    /** Nobody waits for that answer any more. */
    readonly kind: "abort";
    readonly fetchId: number;
  }
  | { readonly kind: "downloaded"; readonly record: SegmentRecord }
  | { readonly kind: "abandoned"; readonly record: AbandonRecord }
  | {
    readonly kind: "missed";
    readonly segmentNumber: number;
    readonly url: string;
    readonly problem: string;
    readonly next: "again" | "lower-rate" | "skip";
    readonly waitMs: number;
  }
  | {
    readonly kind: "gave-up";
    readonly segmentNumber: number;
    readonly url: string;
    readonly problem: string;
  }
  | { readonly kind: "latency"; readonly record: LatencyRecord };

type FieldsOf<Type extends DashEvent["type"]> = Omit<
  Extract<DashEvent, { readonly type: Type }>,
  "type"
>;

/** A segment that came: the fields of the event `segment.downloaded`. */
export type SegmentRecord = FieldsOf<"segment.downloaded">;

/** One that was given up: the fields of the event `segment.abandoned`. */
export type AbandonRecord = FieldsOf<"segment.abandoned">;

/** How far behind the live edge it plays: the fields of the event `latency.measured`. */
export type LatencyRecord = FieldsOf<"latency.measured">;
