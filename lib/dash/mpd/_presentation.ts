import type { BaseUrl } from "./_base_urls.ts";
import type { Segment, SegmentLocation } from "./_segments.ts";

/** Something in a manifest that was left out. */
export interface MpdWarning {
  /** In the manifest, counted from 1. */
  readonly line: number;
  readonly text: string;
}

/** A stretch of the title with its own choice of media. */
export interface Period {
  readonly id: string;
  /** From the start of the presentation. */
  readonly startMs: number;
  /** Undefined only when nothing in the manifest tells, as in the last Period of a live one. */
  readonly durationMs: number | undefined;
  readonly adaptationSets: readonly AdaptationSet[];
}

/** Encodings of one content a player may switch between. */
export interface AdaptationSet {
  readonly id: string;
  /** `video`, `audio`, `text`, `image`, or "" when the manifest does not say. */
  readonly contentType: string;
  readonly language: string;
  /** `Role@value`s of the DASH scheme, such as `main` or `alternate`. */
  readonly roles: readonly string[];
  /** Carries an EssentialProperty: a client that does not know the scheme leaves the set alone (§5.8.4.8). */
  readonly essential: boolean;
  /** Sorted by bandwidth, lowest first; ties keep the manifest's order. */
  readonly representations: readonly Representation[];
}

/** One encoding at one rate. */
export interface Representation {
  readonly id: string;
  /** `@bandwidth`: a link of this rate plays it after `minBufferTime` of preload (§5.3.5.2). */
  readonly bitsPerSecond: number;
  /** `@availabilityTimeOffset`: how long before their end its live segments can be fetched; 0 unless it says so. */
  readonly aheadMs: number;
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** `@frameRate` in pictures a second; undefined when the manifest does not say. */
  readonly framesPerSecond: number | undefined;
  readonly codecs: string;
  readonly mimeType: string;
  /** The places its files are at: `urls` of a segment are in this order. */
  readonly bases: readonly BaseUrl[];
  /** Undefined when every segment initializes itself. */
  readonly initialization: SegmentLocation | undefined;
  /** Where its segment index is (SegmentBase); undefined when the manifest names the segments. See `IndexReading`. */
  readonly index: SegmentLocation | undefined;
  /** Empty while only the index knows them; of a live one, those that are there now. */
  readonly segments: readonly Segment[];
}
