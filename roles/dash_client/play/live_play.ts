import { InputError, RunError } from "../../../lib/core/errors.ts";
import { formatMs } from "../../../lib/core/units.ts";
import { catchUpLimits } from "../../../lib/dash/catch_up.ts";
import type { LiveView } from "../../../lib/dash/live_title.ts";
import type { LiveOptions } from "../../../lib/dash/player/latency.ts";
import type { Track } from "../../../lib/dash/title.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { PlayFlags } from "../flags.ts";
import type { LiveSource } from "../source/live_source.ts";

/** What there is of a live title, as it grows. */
export type Growth = AsyncIterable<
  { readonly tracks: readonly Track[]; readonly ended: boolean }
>;

/** A live title, joined. */
export interface Joined {
  readonly tracks: readonly Track[];
  /** Where in the presentation to begin. */
  readonly fromMs: number;
  /** Media that there was from there on. */
  readonly thereMs: number;
  readonly live: LiveOptions;
  readonly growth: Growth;
}

/** Of a title that has just become whole. */
const NO_ADVICE = { playbackRate: undefined };
/** Encoders that send each picture say so; a buffer of one is none. */
const LEAST_CHUNK_MS = 100;
/** A presentation that has not begun is waited for so long. */
const MAX_WAIT_MS = 3_600_000;

/**
 * Waits until there is something of a live title and finds where to begin: `--live-delay` behind the live edge, be it
 * inside a segment.
 *
 * @throws {InputError} If a flag does not go with live.
 * @throws {RunError} If nothing comes for an hour, or it is over, or the manifest is lost.
 */
export async function joinLive(
  source: LiveSource,
  flags: PlayFlags,
  ctx: RoleContext,
): Promise<Joined> {
  if (flags.speed !== 1) {
    throw new InputError("--speed must be 1: this title is live");
  }
  if (flags.startAt !== undefined || flags.seek.length > 0) {
    throw new InputError(
      "--start-at and --seek are for titles that are whole: this one is live",
    );
  }
  const views = source.views(ctx.signal);
  const giveUpAtMs = ctx.clock.nowMs() + MAX_WAIT_MS;
  tellBegin(source, ctx);
  for (;;) {
    const { done } = await views.next();
    const { title } = source;
    if (done) {
      throw new RunError(
        "live-over",
        "Cannot play: this live title is over, and nothing of it is left",
      );
    }
    if (ctx.clock.nowMs() > giveUpAtMs) {
      throw new RunError("live-empty", "Cannot play: nothing of it ever came");
    }
    const nowWallMs = ctx.clock.wallMs();
    const fromMs = title.joinMs(nowWallMs, flags.liveDelay);
    const view = title.positionsAt(nowWallMs);
    const last = view.tracks[0]?.positions.at(-1);
    if (fromMs === undefined || last === undefined) continue;
    const targetMs = title.targetMs(flags.liveDelay);
    if (targetMs < (flags.liveDelay ?? 0)) {
      const text = `--live-delay becomes ${
        formatMs(targetMs)
      }: media is not kept for longer (timeShiftBufferDepth)`;
      ctx.emit({ type: "manifest.warned", url: source.url, line: 1, text });
    }
    const { edgeMs, live = NO_ADVICE } = view;
    const limits = catchUpLimits(live, flags.catchUp);
    const untilMs = fromMs + (flags.duration ?? Infinity);
    return {
      tracks: cut(view, untilMs).tracks,
      fromMs,
      thereMs: Math.min(last.startMs + last.durationMs, edgeMs) - fromMs,
      live: {
        ...{ edgeMs, targetMs, keptMs: title.targetMs(Infinity), ...limits },
        chunkMs: title.aheadMs > 0
          ? Math.max(LEAST_CHUNK_MS, last.durationMs - title.aheadMs)
          : undefined,
      },
      growth: growing(view, views, untilMs),
    };
  }
}

/** Says why nothing happens when a presentation begins later. */
function tellBegin({ title, url }: LiveSource, ctx: RoleContext): void {
  const nowWallMs = ctx.clock.wallMs();
  const { live } = title.mpdAt(nowWallMs);
  if (live === undefined) return;
  const waitMs = live.startWallMs - (nowWallMs + title.offsetMs);
  if (waitMs <= 0) return;
  const text = `it begins in ${formatMs(waitMs)} (availabilityStartTime)`;
  ctx.emit({ type: "manifest.warned", url, line: 1, text });
}

/** Begins with what there is already: nothing need come after it. */
async function* growing(
  first: LiveView,
  views: AsyncIterable<LiveView>,
  untilMs: number,
): Growth {
  const now = cut(first, untilMs);
  yield now;
  if (now.ended) return;
  for await (const view of views) {
    const then = cut(view, untilMs);
    yield then;
    if (then.ended) return;
  }
}

/** Leaves out what comes after a place in the presentation. */
function cut(
  { tracks, ended }: Pick<LiveView, "tracks" | "ended">,
  untilMs: number,
): { readonly tracks: readonly Track[]; readonly ended: boolean } {
  const reached = tracks.every(({ positions }) => {
    const last = positions.at(-1);
    return last !== undefined && last.startMs + last.durationMs >= untilMs;
  });
  return {
    ended: ended || reached,
    tracks: tracks.map(({ media, positions }) => ({
      media,
      positions: positions
        .filter(({ startMs }) => startMs < untilMs)
        .map((each) => ({
          ...each,
          durationMs: Math.min(each.durationMs, untilMs - each.startMs),
        })),
    })),
  };
}
