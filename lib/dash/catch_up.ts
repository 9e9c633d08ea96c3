/**
 * How fast to play a live title so that it stays as far behind the live edge as is wanted.
 *
 * Proportional: each second too far behind makes it 0.3 faster, up to a limit, each second too near as much slower.
 * Sigmoid: as LoL+ has it (Bentaleb et al., IEEE Transactions on Multimedia 24, 2022; dash.js's liveCatchup is much
 * like it): it hurries already when little is amiss, and never quite reaches the limit. In both, when the buffer is
 * nearly dry it plays slower whatever the latency: a stall costs more of it than that.
 */
import type { Live } from "./mpd/live.ts";

/** How far behind to stay, and by how much of the rate. */
export interface CatchUpOptions {
  /** How far behind the live edge to be. */
  readonly targetMs: number;
  /** Most that the rate differs from 1; 0 plays at the pace of the clock always. */
  readonly maxChange: number;
  /** Most that the rate is below 1, when that is another. */
  readonly maxSlower?: number | undefined;
  /** Proportional unless said otherwise. */
  readonly shape?: CatchUpShape | undefined;
}

/** See the head of this file. */
export type CatchUpShape = "proportional" | "sigmoid";

/** How much faster or slower to play when neither user nor author say. */
export const DEFAULT_CATCH_UP = 0.05;
/** An author may allow more, and it would sound like it. */
const MOST_CATCH_UP = 0.5;

/** How much faster and slower to play: as the user wants, or else as the author allows (`ServiceDescription/PlaybackRate`, annex K). */
export function catchUpLimits(
  { playbackRate }: Pick<Live, "playbackRate">,
  wanted?: number,
): Pick<CatchUpOptions, "maxChange" | "maxSlower"> {
  if (wanted !== undefined || playbackRate === undefined) {
    return { maxChange: wanted ?? DEFAULT_CATCH_UP };
  }
  const { min, max } = playbackRate;
  return {
    maxChange: Math.min(MOST_CATCH_UP, max - 1),
    maxSlower: Math.min(MOST_CATCH_UP, 1 - min),
  };
}

/** Change of the rate for each second off the target. */
const GAIN_PER_SECOND = 0.3;
/** So near is near enough. */
const NEAR_MS = 50;
/** Less media than this is nearly none; nor is more to be expected than a share of the target. */
const LOW_BUFFER_MS = 500;
const LOW_BUFFER_SHARE = 0.5;
/** Of the sigmoid: how steep it is for each second, and what share of the target is near enough. */
const STEEP_PER_SECOND = 5;
const NEAR_SHARE = 0.02;

/** Returns the rate of play: 1 is the pace of the clock. See the head of this file. */
export function catchUpRate(
  { targetMs, maxChange, maxSlower = maxChange, shape }: CatchUpOptions,
  now: { readonly latencyMs: number; readonly bufferMs: number },
): number {
  if (maxChange <= 0 && maxSlower <= 0) return 1;
  const offMs = now.latencyMs - targetMs;
  const lowMs = Math.min(LOW_BUFFER_MS, LOW_BUFFER_SHARE * targetMs);
  const lackMs = lowMs - now.bufferMs;
  if (shape === "sigmoid") {
    if (lackMs > 0) return 1 - maxSlower * sigmoid(lackMs);
    const near = Math.abs(offMs) <= NEAR_SHARE * targetMs;
    const most = offMs < 0 ? maxSlower : maxChange;
    return near ? 1 : 1 + most * sigmoid(offMs);
  }
  if (lackMs > 0) return 1 - maxSlower * lackMs / lowMs;
  if (Math.abs(offMs) <= NEAR_MS) return 1;
  const change = GAIN_PER_SECOND * offMs / 1000;
  return 1 + Math.min(maxChange, Math.max(-maxSlower, change));
}

/** From -1 to 1, as `offMs` goes from far below 0 to far above. */
function sigmoid(offMs: number): number {
  return 2 / (1 + Math.exp(-STEEP_PER_SECOND * offMs / 1000)) - 1;
}
