import {
  flag,
  flagKind,
  type FlagValues,
  neverWith,
  onlyWith,
} from "../../lib/cli/flags.ts";
import { InputError } from "../../lib/core/errors.ts";
import { formatBitRate } from "../../lib/core/units.ts";
import { LECTURE_LADDER, parseLadder } from "../../lib/media/ladder.ts";
import { ADDRESSINGS } from "../../lib/media/manifests/published.ts";
import { SegmentMaker } from "../../lib/media/title/segment_maker.ts";
import {
  MAX_DURATION_MS,
  planOf,
  segmentCount,
  type TitlePlan,
} from "../../lib/media/title/title_plan.ts";

/** What a title is like, built in or made of a movie. */
export const SHAPE_FLAGS = {
  ladder: flagKind("360p@400k,…", parseLadder)({
    default: LECTURE_LADDER,
    help: "Rates: height and bits a second of each",
  }),
  segment: flag.duration({
    default: "5s",
    help: "Length of a segment, in whole pictures",
  }),
  audio: flag.toggle({
    help:
      "Sound as well: of the test card a beep at each segment's start, as FLAC",
  }),
  addressing: flag.choice(ADDRESSINGS, {
    default: "list",
    help:
      "How the manifest names segments: SegmentList (live: as number), SegmentTemplate by $Number$ or by $Time$, or SegmentBase with one file a rate",
  }),
};

/** What the built-in title is like: nothing to the files of `--root`. */
export const TITLE_FLAGS = neverWith(["root"], {
  title: flag.text({
    default: "Test card",
    help: "Name of the built-in title, in its picture and manifest",
  }),
  ...SHAPE_FLAGS,
  ...neverWith(["live"], {
    duration: flag.duration({
      default: "634.625s",
      help: "Length of the built-in title, up to 24h",
    }),
  }),
  vbr: flag.probability({
    default: "0",
    help:
      "How far sizes of segments are from the mean, at most: 0.5 is half of it",
  }),
  ...onlyWith("vbr", {
    vbrSeed: flag.count({
      default: "1",
      help:
        "With --vbr: decides which segments are large; the same for all origins of a title",
    }),
  }),
  live: flag.toggle({
    help:
      "The built-in title as a live one: its clock is the time of day (UTC)",
  }),
  ...onlyWith("live", {
    chunk: flag.duration({
      help:
        "Low latency: segments are sent in chunks of this length (CMAF), each as soon as it is there",
    }),
  }),
});

/** See {@linkcode TITLE_FLAGS}. */
export type TitleFlags = FlagValues<typeof TITLE_FLAGS>;

const SHORTEST_SEGMENT_MS = 250;
const LONGEST_SEGMENT_MS = 60_000;
/** An index has room for so many (`sidx`), and a list of more is no manifest anybody would read. */
const MAX_SEGMENTS = 65_535;

/** Refuses lengths that are no segment's. @throws {InputError} */
export function checkSegment(segmentMs: number): void {
  if (segmentMs < SHORTEST_SEGMENT_MS || segmentMs > LONGEST_SEGMENT_MS) {
    throw new InputError(
      `--segment must be from 250ms to 60s, got ${segmentMs} ms`,
    );
  }
}

/**
 * The built-in title that the flags ask for.
 *
 * @throws {InputError} If it cannot be made.
 */
export function planTitle(flags: TitleFlags, nowWallMs: number): TitlePlan {
  const { segment, chunk, duration, vbr, live, addressing } = flags;
  checkSegment(segment);
  if (duration <= 0 || duration > MAX_DURATION_MS) {
    throw new InputError(`--duration must be above 0 and at most 24h`);
  }
  if (chunk !== undefined && (chunk <= 0 || chunk >= segment)) {
    throw new InputError(
      `--chunk must be above 0 and shorter than --segment, got ${chunk} ms`,
    );
  }
  if (vbr > 0.5) throw new InputError(`--vbr must be at most 0.5, got ${vbr}`);
  if (live && addressing === "base") {
    throw new InputError(
      "--live cannot be with --addressing base: a file without an end has no index",
    );
  }
  const plan = planOf({
    title: flags.title,
    ladder: flags.ladder,
    segmentMs: segment,
    chunkMs: chunk,
    durationMs: duration,
    variation: vbr,
    seed: flags.vbrSeed,
    audio: flags.audio,
    // A list would change with every segment.
    addressing: live && addressing === "list" ? "number" : addressing,
    ...(live ? { startWallMs: midnightBefore(nowWallMs) } : {}),
  });
  if (!live && segmentCount(plan) > MAX_SEGMENTS) {
    throw new InputError(
      `--duration in such segments comes to more than ${MAX_SEGMENTS} of them`,
    );
  }
  for (const rung of plan.rungs) {
    const least = new SegmentMaker(plan, rung).leastBitsPerSecond();
    if (rung.bitsPerSecond < least) {
      throw new InputError(
        `--ladder: the test card at ${rung.height}p needs ${
          formatBitRate(least)
        }, got ${formatBitRate(rung.bitsPerSecond)}`,
      );
    }
  }
  return plan;
}

/** A live title begins with the day (UTC): its clock is then the time of day, and origins agree. */
function midnightBefore(wallMs: number): number {
  const dayMs = 24 * 3_600_000;
  return Math.floor(wallMs / dayMs) * dayMs;
}
