import type { SegmentLocation } from "../mpd/mpd.ts";
import type { PlayingTrack } from "./track.ts";

/** Which copy of a segment is being fetched. */
export interface Attempt {
  /** The rung; 0 is the lowest. */
  readonly index: number;
  readonly reason: string;
  /** Whether this is a lower rung than the rule chose. */
  readonly fallback: boolean;
}

/** One that is under way. */
export interface Fetching extends Attempt {
  readonly track: PlayingTrack;
  /** Set while the initialization segment is fetched, which comes first. */
  readonly initialization: SegmentLocation | undefined;
}

/** What is asked for again when nothing was to be had: the lowest rate, each place once. */
export const LAST_RESORT: Attempt = { index: 0, fallback: true, reason: "" };
