/** How the manifest says where segments are (ISO/IEC 23009-1 §5.3.9). */
export const ADDRESSINGS = ["list", "number", "time", "base"] as const;

/** See {@linkcode ADDRESSINGS}: SegmentList; SegmentTemplate with `$Number$`; with `$Time$` and a SegmentTimeline; one file each with SegmentBase. */
export type Addressing = typeof ADDRESSINGS[number];

/** A title as manifests and playlists describe it, whoever made its files. */
export interface Published {
  readonly title: string;
  /** Who made it (`ProgramInformation/Source`). */
  readonly source: string;
  readonly addressing: Addressing;
  /** Seconds; Infinity for a live one. */
  readonly durationSeconds: number;
  readonly minBufferSeconds: number;
  /** Video first. */
  readonly sets: readonly PublishedSet[];
  readonly live?: PublishedLive;
}

/** What a live manifest says beside that. */
export interface PublishedLive {
  /** When its media time 0 was, in ms since 1970. */
  readonly startWallMs: number;
  readonly timeShiftSeconds: number;
  readonly delaySeconds: number;
  /** Segments come in chunks: so long before its end the first one of each is there. */
  readonly aheadSeconds?: number;
  /** How far behind the live edge players that can do with chunks are to be. */
  readonly targetSeconds?: number;
  /** The time, as ISO 8601 in a file of that name. */
  readonly clockName: string;
  /** When this was written, in ms since 1970: a timeline or playlist ends there. */
  readonly nowWallMs: number;
}

/** Encodings of one content. */
export interface PublishedSet {
  readonly contentType: "video" | "audio";
  /** Ticks a second, the same in all renditions. */
  readonly timescale: number;
  /** Ticks of each segment, first to last; of a live one, of the segments there are, from the number `firstNumber` on. */
  readonly segmentTicks: readonly number[];
  /** 1 in a title that is not live. */
  readonly firstNumber: number;
  /** Ticks that most segments have: `@duration`. */
  readonly nominalTicks: number;
  /** One initialisation segment for all renditions (`bitstreamSwitching`); undefined: each has its own. */
  readonly sharedInitName: string | undefined;
  readonly renditions: readonly Rendition[];
}

/** One encoding at one rate. */
export interface Rendition {
  readonly id: string;
  /** What its playlist is called after: `video_720`. */
  readonly name: string;
  readonly codecs: string;
  /** `@bandwidth`; holds with the title's `minBufferSeconds`. */
  readonly bitsPerSecond: number;
  readonly initName: string;
  /** Names of segments with `$Number$` and with `$Time$` for what differs. */
  readonly mediaName: string;
  readonly video?: {
    readonly width: number;
    readonly height: number;
    /** As the manifest has it: `24` or `30000/1001`. */
    readonly frameRate: string;
  };
  readonly audio?: { readonly sampleRate: number; readonly channels: number };
  /** With addressing `base`: its file, and where initialization, index and each segment are in it. */
  readonly file?: {
    readonly name: string;
    readonly initBytes: number;
    readonly indexBytes: number;
    readonly segmentBytes: readonly number[];
  };
}

/** The name of a segment. */
export function segmentNameOf(
  { mediaName }: Pick<Rendition, "mediaName">,
  { number, ticks }: { readonly number: number; readonly ticks: number },
): string {
  return mediaName.replace("$Number$", String(number))
    .replace("$Time$", String(ticks));
}

/**
 * The smallest `@bandwidth` that is true (ISO/IEC 23009-1 §5.3.5.2): whoever starts at any segment, receives at that
 * rate and waits `minBufferSeconds` has every segment, whole, when its first picture is due. Not below the mean, though
 * in a short title the wait would make up for it: players take it for what playing costs.
 *
 * @param segments Size and length of each, in order.
 */
export function trueBandwidth(
  segments: readonly { readonly bytes: number; readonly seconds: number }[],
  minBufferSeconds: number,
): number {
  const total = { bytes: 0, seconds: 0 };
  for (const { bytes, seconds } of segments) {
    total.bytes += bytes;
    total.seconds += seconds;
  }
  let most = 8 * total.bytes / total.seconds;
  for (let start = 0; start < segments.length; start++) {
    let bytes = 0;
    let seconds = minBufferSeconds;
    for (let at = start; at < segments.length; at++) {
      bytes += segments[at]!.bytes;
      most = Math.max(most, 8 * bytes / seconds);
      seconds += segments[at]!.seconds;
    }
  }
  return Math.ceil(most);
}
