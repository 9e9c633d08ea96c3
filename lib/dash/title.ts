import type {
  AdaptationSet,
  Mpd,
  Representation,
  Segment,
  SegmentLocation,
} from "./mpd/mpd.ts";

/** One way to play a stretch of the title. */
export interface Choice {
  readonly representationId: string;
  readonly bitsPerSecond: number;
  /** 0 when the manifest does not say. */
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  /** `@codecs`, or "". */
  readonly codecs: string;
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
 * Returns the size of a segment in bits where it is known before it is fetched: when it is a part of a resource, as the
 * index of a SegmentBase or `@mediaRange` tell. Undefined of one that is a resource of its own.
 */
export function knownSizeBits({ segment }: Choice): number | undefined {
  const { range } = segment;
  return range?.last === undefined
    ? undefined
    : (range.last - range.first + 1) * 8;
}

/** What of a title is to be played: picture and sound together, or one of them. */
export type TrackChoice = "all" | "video" | "audio";

/** One medium of a title. */
export interface Track {
  readonly media: Media;
  readonly positions: readonly Position[];
}

/** What a segment carries; `other` when the manifest does not say. */
export type Media = "video" | "audio" | "other";

/**
 * Lines a title's segments up in playing order, through all its Periods: the main track first, video if there is any,
 * then the sound that goes with it if every Period has some.
 *
 * Of each kind the AdaptationSet with most rates is taken, the first of equals. Text and pictures are not played:
 * rolecall measures streaming and decodes nothing.
 *
 * @param options.limitMs Where in the presentation to end (`--duration`); the last stretch is cut short, its segment is fetched whole.
 * @returns At least one track; the main one when what was asked for is not there.
 */
export function planTracks(
  mpd: Mpd,
  options: { readonly limitMs?: number; readonly tracks?: TrackChoice } = {},
): readonly Track[] {
  const { limitMs = Infinity, tracks = "all" } = options;
  const audio: readonly Track[] =
    mpd.periods.every(({ adaptationSets }) => setOf(adaptationSets, "audio"))
      ? [{ media: "audio", positions: lineUp(mpd, audioSet, limitMs) }]
      : [];
  if (tracks === "audio" && audio.length > 0) return audio;
  const sets = mpd.periods[0]?.adaptationSets ?? [];
  const type = sets.length === 0 ? "" : mainSet(sets).contentType;
  const media = type === "video" || type === "audio" ? type : "other";
  const main = { media, positions: lineUp(mpd, mainSet, limitMs) } as const;
  return media === "video" && tracks === "all" ? [main, ...audio] : [main];
}

/** The main track of {@linkcode planTracks}. */
export function planTitle(
  mpd: Mpd,
  limitMs: number = Infinity,
): readonly Position[] {
  return lineUp(mpd, mainSet, limitMs);
}

function lineUp(
  mpd: Mpd,
  pick: (sets: readonly AdaptationSet[]) => AdaptationSet,
  limitMs: number,
): readonly Position[] {
  const positions: Position[] = [];
  let leftMs = limitMs;
  for (const period of mpd.periods) {
    const picked = pick(period.adaptationSets);
    const { contentType } = picked;
    const representations = mpd.live === undefined
      ? picked.representations
      : inStep(picked.representations);
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

/** Two places this near are the same: timelines are rounded. */
const SAME_MS = 50;
/** An encoder is not more segments than this ahead of another one. */
const MOST_AHEAD = 2;

/**
 * What all encodings of a live set have. An author may write the manifest when one of them has a segment more than the
 * others, or has dropped one more: what one alone has would leave no choice of rate, and the others out of step with it.
 * One that begins much later is left out until the rest has been dropped so far; one that has stopped holds up nobody.
 */
function inStep(all: readonly Representation[]): readonly Representation[] {
  const listed = all.filter(({ segments }) => segments.length > 0);
  const starts = listed.map(({ segments }) => segments[0]!.startMs);
  const ends = listed.map(({ segments }) => segments.at(-1)!.startMs);
  const isInStep = [starts, ends].every((each) =>
    extreme(each, Math.max) - extreme(each, Math.min) <= SAME_MS
  );
  if (listed.length === 0 || isInStep) return all;
  const aheadMs = MOST_AHEAD * listed[0]!.segments[0]!.durationMs;
  const fromMs = Math.min(
    extreme(starts, Math.max),
    extreme(starts, Math.min) + aheadMs,
  );
  const toMs = Math.max(
    extreme(ends, Math.min),
    extreme(ends, Math.max) - aheadMs,
  );
  return listed.map((each) => ({
    ...each,
    segments: each.segments.filter(({ startMs }) =>
      startMs >= fromMs - SAME_MS && startMs <= toMs + SAME_MS
    ),
  })).filter(({ segments: [first] }) =>
    first !== undefined && first.startMs <= fromMs + SAME_MS
  );
}

/** Not Math.max(...): see above. */
function extreme(
  values: readonly number[],
  pick: (a: number, b: number) => number,
): number {
  return values.reduce((best, value) => pick(best, value), values[0] ?? 0);
}

function setOf(
  sets: readonly AdaptationSet[],
  type: string,
): AdaptationSet | undefined {
  return sets.filter((set) => !set.essential && set.contentType === type)
    .reduce<AdaptationSet | undefined>(
      (best, set) =>
        best === undefined ||
          set.representations.length > best.representations.length
          ? set
          : best,
      undefined,
    );
}

function mainSet(sets: readonly AdaptationSet[]): AdaptationSet {
  return setOf(sets, "video") ?? setOf(sets, "audio") ??
    sets.find((set) => !set.essential) ?? sets[0]!;
}

function audioSet(sets: readonly AdaptationSet[]): AdaptationSet {
  return setOf(sets, "audio")!;
}

function choiceOf(representation: Representation, at: number): Choice[] {
  const segment = representation.segments[at];
  if (segment === undefined) return [];
  return [{
    representationId: representation.id,
    bitsPerSecond: representation.bitsPerSecond,
    width: representation.width ?? 0,
    height: representation.height ?? 0,
    framesPerSecond: representation.framesPerSecond ?? 0,
    codecs: representation.codecs,
    initialization: representation.initialization,
    segment,
  }];
}
