import { InputError } from "../../../lib/core/errors.ts";
import type { PlayFlags } from "../flags.ts";

/** Refuses buffers that cannot be had. @throws {InputError} If the buffer holds nothing, or less than playing waits for. */
export function checkBuffers(
  { buffer, startBuffer, resumeBuffer }: Pick<
    PlayFlags,
    "buffer" | "startBuffer" | "resumeBuffer"
  >,
): void {
  if (buffer === 0) throw new InputError("--buffer must be above 0");
  const waited = [
    ["--start-buffer", startBuffer],
    ["--resume-buffer", resumeBuffer ?? 0],
  ] as const;
  for (const [name, waitedMs] of waited) {
    if (waitedMs <= buffer) continue;
    throw new InputError(
      `${name} must be at most what --buffer holds, ${buffer / 1000}s, got ${
        waitedMs / 1000
      }s`,
    );
  }
}

/**
 * When to start and to go on, in milliseconds of media: what was asked for, or as many whole segments as the buffer
 * holds if that is less, since the one that would be missing would not fit. One segment always does.
 *
 * @param segmentMs The longest segment.
 */
export function thresholdsOf(
  { buffer, startBuffer, resumeBuffer = startBuffer }: Pick<
    PlayFlags,
    "buffer" | "startBuffer" | "resumeBuffer"
  >,
  segmentMs: number,
): { readonly startMs: number; readonly resumeMs: number } {
  const wholeSegments = Math.max(1, Math.floor(buffer / segmentMs));
  const mostMs = segmentMs > 0 ? wholeSegments * segmentMs : buffer;
  return {
    startMs: Math.min(startBuffer, mostMs),
    resumeMs: Math.min(resumeBuffer, mostMs),
  };
}

/**
 * The same for a live title: near the live edge there is no more to wait for than what is there, and no more than a
 * segment. Playing begins inside of one, and its rest may be next to nothing: unless told otherwise, half a segment is
 * waited for. Of segments that come in chunks a chunk stands for the segment: the others that are there follow at once.
 *
 * @param options.segmentMs What comes at once.
 * @param options.thereMs Media that there is from where playing begins.
 */
export function liveThresholds(
  { startMs, resumeMs }: ReturnType<typeof thresholdsOf>,
  { segmentMs, thereMs }: {
    readonly segmentMs: number;
    readonly thereMs: number;
  },
): ReturnType<typeof thresholdsOf> {
  const wantedMs = startMs === 0 ? segmentMs / 2 : startMs;
  return {
    startMs: Math.min(wantedMs, segmentMs, thereMs),
    resumeMs: Math.min(resumeMs, segmentMs),
  };
}
