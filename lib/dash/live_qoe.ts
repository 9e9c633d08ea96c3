/** What a viewer of a live title met with one segment. */
export interface LiveSegment {
  readonly bitsPerSecond: number;
  /** The rates at the ends of the ladder. */
  readonly lowestBitsPerSecond: number;
  readonly highestBitsPerSecond: number;
  readonly segmentDurationMs: number;
  readonly stallMs: number;
  /** Behind the live edge. */
  readonly latencyMs: number;
  /** 1 is the pace of the clock. */
  readonly playbackRate: number;
  /** From the rate of the segment before, up or down. */
  readonly changeBitsPerSecond: number;
}

/** A second of latency costs so much of the lowest rate, or beyond the threshold of the highest. */
const LATENCY_COST = { thresholdMs: 1100, low: 0.05, high: 0.1 };

/**
 * The quality of experience that LoL and LoL+ are after, of one segment, in kbit: rate times duration, less the highest
 * rate for each second stalled, less the change of rate, less a share of the latency, less the lowest rate times how
 * much the pace is off (Lim et al., MMSys 2020, §3; the measure of that year's challenge on low-latency live streaming).
 */
export function liveQoe(segment: LiveSegment): number {
  const lowest = segment.lowestBitsPerSecond / 1000;
  const highest = segment.highestBitsPerSecond / 1000;
  const { thresholdMs, low, high } = LATENCY_COST;
  const latencyCost = segment.latencyMs <= thresholdMs
    ? low * lowest
    : high * highest;
  return segment.bitsPerSecond * segment.segmentDurationMs / 1e6 -
    segment.changeBitsPerSecond / 1000 -
    highest * segment.stallMs / 1000 -
    latencyCost * segment.latencyMs / 1000 -
    lowest * Math.abs(1 - segment.playbackRate);
}
