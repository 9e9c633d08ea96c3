/**
 * How fast to play a live title so that it stays as far behind the live edge as is wanted.
 *
 * Proportional: each second too far behind makes it 0.3 faster, up to a limit, each second too near as much slower
 * (dash.js's liveCatchup does the same along a sigmoid). When the buffer is nearly dry it plays slower whatever the
 * latency: a stall costs more of it than that.
 */
export interface CatchUpOptions {
  /** How far behind the live edge to be. */
  readonly targetMs: number;
  /** Most that the rate differs from 1; 0 plays at the pace of the clock always. */
  readonly maxChange: number;
}

/** Change of the rate for each second off the target. */
const GAIN_PER_SECOND = 0.3;
/** So near is near enough. */
const NEAR_MS = 50;
/** Less media than this is nearly none. */
const LOW_BUFFER_MS = 500;

/** Returns the rate of play: 1 is the pace of the clock. See the head of this file. */
export function catchUpRate(
  { targetMs, maxChange }: CatchUpOptions,
  now: { readonly latencyMs: number; readonly bufferMs: number },
): number {
  if (maxChange <= 0) return 1;
  if (now.bufferMs < LOW_BUFFER_MS) {
    return 1 - maxChange * (1 - now.bufferMs / LOW_BUFFER_MS);
  }
  const offMs = now.latencyMs - targetMs;
  if (Math.abs(offMs) <= NEAR_MS) return 1;
  const change = GAIN_PER_SECOND * offMs / 1000;
  return 1 + Math.min(maxChange, Math.max(-maxChange, change));
}
