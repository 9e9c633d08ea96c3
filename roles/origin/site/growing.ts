import type { Clock } from "../../../lib/io/clock.ts";
import type { Resource } from "./site.ts";

/** A segment that is made in chunks of equal length while it is sent. */
export interface Growing {
  readonly startWallMs: number;
  readonly endWallMs: number;
  readonly chunkMs: number;
  /** Where in the segment each chunk ends. */
  readonly chunkEnds: readonly number[];
  readonly clock: Clock;
}

/** `resource` as an encoder would send it that makes it now: a chunk at the time when its last picture is over. */
export function growingResource(
  resource: Resource,
  { startWallMs, endWallMs, chunkMs, chunkEnds, clock }: Growing,
): Resource {
  const ready = async (offset: number, signal: AbortSignal) => {
    const at = chunkEnds.findIndex((end) => end > offset);
    const atWallMs = Math.min(startWallMs + (at + 1) * chunkMs, endWallMs);
    const waitMs = atWallMs - clock.wallMs();
    if (waitMs > 0) await clock.sleepUntil(clock.nowMs() + waitMs, signal);
    return chunkEnds[at]!;
  };
  return {
    ...resource,
    async open() {
      const content = await resource.open();
      return clock.wallMs() < endWallMs ? { ...content, ready } : content;
    },
  };
}
