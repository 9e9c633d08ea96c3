import { fromUtf8 } from "../../../lib/core/bytes.ts";
import { InputError } from "../../../lib/core/errors.ts";
import { ABR_NAMES, ABR_RULES } from "../../../lib/dash/abr/mod.ts";
import type { AbrName } from "../../../lib/dash/abr/mod.ts";
import { readInput } from "../../../lib/io/read_input.ts";
import {
  FRAMES_PER_SECOND,
  lecturePlan,
  segmentBytes,
  segmentCount,
  segmentFrames,
} from "../../../lib/media/title/title_plan.ts";
import type { RoleContext } from "../../../lib/role.ts";
import {
  type AbrTitle,
  type PlayedSegment,
  playOverTrace,
} from "../../../lib/sim/abr_play.ts";
import { abrOptimum } from "../../../lib/sim/abr_optimum.ts";
import {
  parseMovieJson,
  titleOfPositions,
} from "../../../lib/sim/abr_title.ts";
import { checkBuffers, thresholdsOf } from "../checks/buffers.ts";
import { checkFetching, checkQuality } from "../checks/idle.ts";
import type { SimulateFlags } from "../flags.ts";
import { checkDuration, openTitle } from "../source/manifest.ts";
import { openTrace } from "../network/trace_source.ts";
import { compareLive, showLive } from "./simulate_live.ts";
import { showComparison } from "./simulate_result.ts";

/** A film's description may be as large as this. */
const MAX_MOVIE_BYTES = 64 * 2 ** 20;
/** The network of a simulation, unless told otherwise. */
const DEFAULT_TRACE = "lte";

/** Plays a title in virtual time, with one rule or with all of them, on the same network. */
export async function simulate(
  flags: Omit<SimulateFlags, "simulate"> & { readonly operand: string },
  ctx: RoleContext,
): Promise<void> {
  checkBuffers(flags);
  checkDuration(flags);
  checkQuality(flags);
  if (!flags.live && (flags.liveDelay ?? flags.catchUp) !== undefined) {
    throw new InputError(
      "--live-delay and --catch-up are for live titles: in virtual time, with --simulate --live",
    );
  }
  const trace = await openTrace(flags.trace ?? DEFAULT_TRACE, {
    latency: flags.latency,
    ctx,
  });
  const title = cut(await titleOf(flags, ctx), flags.duration);
  const names = flags.abr === "all" ? ABR_NAMES : [flags.abr];
  const fixedIndex = rungIn(title, flags.quality);
  if (flags.live) {
    const compared = { title, trace, names, fixedIndex };
    ctx.finish(showLive(compareLive(flags, compared)));
    return;
  }
  const longestMs = title.durationsMs.reduce((a, b) => Math.max(a, b), 0);
  const thresholds = thresholdsOf(flags, longestMs);
  const plays = names.map((name: AbrName) => {
    const segments: PlayedSegment[] = [];
    const result = playOverTrace(title, trace, ABR_RULES[name], {
      bufferCapMs: flags.buffer,
      ...thresholds,
      abandon: flags.abandon,
      fixedIndex,
      onSegment: (segment) => segments.push(segment),
    });
    return { name, result, segments };
  });
  const bufferCapMs = flags.buffer;
  const optimum = abrOptimum(title, trace, { bufferCapMs });
  ctx.finish(showComparison({ title, trace, bufferCapMs, plays, optimum }));
}

/** What is played: the built-in title, a film's description, or what a manifest says. */
async function titleOf(
  flags: Omit<SimulateFlags, "simulate"> & { readonly operand: string },
  ctx: RoleContext,
): Promise<AbrTitle> {
  const { operand, segment } = flags;
  const isFetched = /^https?:/i.test(operand);
  if (!isFetched) checkFetching(flags);
  if (operand === "") return builtInTitle(segment);
  if (segment !== undefined) {
    throw new InputError("--segment is the built-in title's: leave it out");
  }
  if (isFetched) {
    const { title, positions } = await openTitle(flags, ctx);
    return titleOfPositions(title === "" ? operand : title, positions);
  }
  const options = { maxBytes: MAX_MOVIE_BYTES };
  const bytes = await readInput(operand, ctx.files, options);
  try {
    return parseMovieJson(fromUtf8(bytes), operand);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(
      `Cannot read ${operand} as a film (segment_duration_ms, bitrates_kbps, segment_sizes_bits): ${error.message}`,
      { cause: error },
    );
  }
}

/** What `rolecall origin` serves with no folder, without making it. */
function builtInTitle(segmentMs: number | undefined): AbrTitle {
  if (segmentMs !== undefined) checkSegment(segmentMs);
  const plan = lecturePlan(segmentMs === undefined ? {} : { segmentMs });
  const numbers = Array.from(
    { length: segmentCount(plan) },
    (_, at) => at + 1,
  );
  return {
    name: "built-in title",
    ladder: plan.rungs.map(({ bitsPerSecond }) => bitsPerSecond),
    durationsMs: numbers.map((number) =>
      segmentFrames(plan, number) * 1000 / FRAMES_PER_SECOND
    ),
    sizesBits: numbers.map((number) =>
      plan.rungs.map((rung) => segmentBytes(plan, rung, number) * 8)
    ),
    // One for all rates, as in its manifest.
    initializations: plan.rungs.map(() => 0),
    formats: plan.rungs.map(({ codecs, width, height }) => ({
      ...{ codecs, width, height, framesPerSecond: FRAMES_PER_SECOND },
    })),
  };
}

/** The bounds of `rolecall origin --segment`. */
const SEGMENT_MS = { least: 250, most: 60_000 };

function checkSegment(segmentMs: number): void {
  if (segmentMs >= SEGMENT_MS.least && segmentMs <= SEGMENT_MS.most) return;
  throw new InputError(
    `--segment must be from 250ms to 60s, got ${segmentMs} ms`,
  );
}

/** The segments that `--duration` takes to the last one whole. */
function cut(title: AbrTitle, limitMs: number | undefined): AbrTitle {
  if (limitMs === undefined) return title;
  let mediaMs = 0;
  const count = title.durationsMs.findIndex((durationMs) => {
    mediaMs += durationMs;
    return mediaMs >= limitMs;
  }) + 1;
  return count === 0 ? title : {
    ...title,
    durationsMs: title.durationsMs.slice(0, count),
    sizesBits: title.sizesBits.slice(0, count),
  };
}

/** The rung of the rule `fixed`: the lowest, the highest, or by its rate. */
function rungIn({ ladder }: AbrTitle, quality: string): number {
  if (quality === "lowest") return 0;
  if (quality === "highest") return ladder.length - 1;
  const index = ladder.findIndex((rate) => `${rate / 1000}k` === quality);
  if (index >= 0) return index;
  throw new InputError(
    `--quality must be lowest, highest or one of ${
      ladder.map((rate) => `${rate / 1000}k`).join(", ")
    } in a simulation, got "${quality}"`,
  );
}
