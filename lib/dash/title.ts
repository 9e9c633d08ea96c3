import type {
  AdaptationSet,
  Mpd,
  Representation,
  Segment,
  SegmentLocation,
} from "./mpd.ts";

/** One way to play a stretch of the title. */
export interface Choice {
  readonly representationId: string;
  readonly bitsPerSecond: number;
  /** 0 when the manifest does not say. */
  readonly height: number;
  readonly initialization: SegmentLocation | undefined;
  readonly segment: Segment;
}

/** A stretch of the title: one segment long, in several rates. */
export interface Position {
  /** From 1, through all Periods. */
  readonly number: number;
  /** In the presentation: from the start of its first Period. */
  readonly startMs: number;
  readonly durationMs: number;
  /** `video`, `audio`, or what else the manifest says it is; "" when it does not. */
  readonly contentType: string;
  /** Lowest rate first, at least one. */
  readonly choices: readonly Choice[];
}

/**
 * Lines a title's segments up in playing order, through all its Periods.
 *
 * Of each Period the video AdaptationSet with most rates is taken, the first of equals; without video the audio.
 * Other media are not played: rolecall measures streaming and decodes nothing.
 *
 * @param limitMs Media to play (`--duration`); the last stretch is cut short, its segment is fetched whole.
 */
export function planTitle(
  mpd: Mpd,
  limitMs: number = Infinity,
): readonly Position[] {
  const positions: Position[] = [];
  let leftMs = limitMs;
  for (const period of mpd.periods) {
    const { representations, contentType } = mainSet(period.adaptationSets);
    // Not Math.max(...): a manifest may have more representations than a call may have arguments.
    const count = representations.reduce(
      (most, { segments }) => Math.max(most, segments.length),
      0,
    );
    for (let at = 0; at < count && leftMs > 0; at++) {
      const choices = representations.flatMap((r) => choiceOf(r, at));
      const durationMs = Math.min(
        leftMs,
        choices[0]?.segment.durationMs ?? 0,
      );
      leftMs -= durationMs;
      positions.push({
        number: positions.length + 1,
        startMs: period.startMs + (choices[0]?.segment.startMs ?? 0),
        durationMs,
        contentType,
        choices,
      });
    }
  }
  return positions;
}

function mainSet(sets: readonly AdaptationSet[]): AdaptationSet {
  const known = sets.filter((set) => !set.essential);
  const ofType = (type: string) =>
    known.filter((set) => set.contentType === type)
      .reduce<AdaptationSet | undefined>(
        (best, set) =>
          best === undefined ||
            set.representations.length > best.representations.length
            ? set
            : best,
        undefined,
      );
  return ofType("video") ?? ofType("audio") ?? known[0] ?? sets[0]!;
}

function choiceOf(representation: Representation, at: number): Choice[] {
  const segment = representation.segments[at];
  if (segment === undefined) return [];
  return [{
    representationId: representation.id,
    bitsPerSecond: representation.bitsPerSecond,
    height: representation.height ?? 0,
    initialization: representation.initialization,
    segment,
  }];
}
