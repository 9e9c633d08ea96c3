import type { SegmentRecord } from "../player/messages.ts";
import type { Skip } from "../player/playout.ts";

/**
 * The lecture's quality of experience: `0.003 · e^(0.064 · t) + 2.498`, t the share of time on the highest layer in percent.
 *
 * Slide "HTTP Adaptive Streaming (HAS)"; Hoßfeld, Seufert, Sieber, Zinner, "Assessing Effect Sizes of Influence Factors
 * Towards a QoE Model for HTTP Adaptive Streaming", QoMEX 2014, as surveyed by Seufert et al., IEEE Communications
 * Surveys & Tutorials 17(1), 2015. On the five-point scale of mean opinion scores; 2.501 at 0 %, 4.304 at 100 %.
 * It was fitted to sessions without stalls and says nothing about them.
 *
 * @throws {RangeError} If `percent` is not from 0 to 100.
 *
 * @example Half of the time on the highest layer
 * ```ts
 * import { lectureQoe } from "./qoe.ts";
 * lectureQoe(50); // 2.57…
 * ```
 */
export function lectureQoe(percent: number): number {
  if (!(percent >= 0 && percent <= 100)) {
    throw new RangeError(
      `Cannot rate: time on highest layer must be 0 to 100 %, got ${percent}`,
    );
  }
  return 0.003 * Math.exp(0.064 * percent) + 2.498;
}

/** The weights Yin et al. call balanced, for quality in kbit/s and times in seconds. */
const YIN_WEIGHTS = { switching: 1, stall: 3000, startup: 3000 };

/**
 * The linear quality of experience of Yin, Jindal, Sekar, Sinopoli, "A Control-Theoretic Approach for Dynamic Adaptive
 * Video Streaming over HTTP", SIGCOMM 2015, eq. 5: the sum of the rates of all segments in kbit/s, less the sum of all
 * changes of rate, less 3000 for each second stalled and each second of start-up.
 *
 * @param rates Of the segments played, in bits per second, in order.
 */
export function yinQoe(
  rates: readonly number[],
  { stallMs, startupMs }: {
    readonly stallMs: number;
    readonly startupMs: number;
  },
): number {
  let qoe = -(YIN_WEIGHTS.stall * stallMs + YIN_WEIGHTS.startup * startupMs) /
    1000;
  for (const [at, rate] of rates.entries()) {
    const before = rates[at - 1] ?? rate;
    qoe += (rate - YIN_WEIGHTS.switching * Math.abs(rate - before)) / 1000;
  }
  return qoe;
}

/** Less of a segment than this, a picture, was not played: a seek comes milliseconds late. */
const LEAST_PLAYED_MS = 40;

/** What a session was like. */
export interface PlaySummary {
  readonly segmentCount: number;
  readonly bytes: number;
  /** Media played. */
  readonly playedMs: number;
  readonly startupMs: number;
  readonly stallCount: number;
  readonly stallMs: number;
  /** Stalled time as a share of playing and stalled time, in percent. */
  readonly stallPercent: number;
  /** Rates of the manifest, weighed by media time played. */
  readonly averageBitsPerSecond: number;
  /** Harmonic: all bytes over all download time. */
  readonly throughputBitsPerSecond: number;
  /** How often the layer changed from one segment to the next, in all, and each way. */
  readonly switchCount: number;
  readonly switchesUp: number;
  readonly switchesDown: number;
  /** Mean of how many layers a switch jumps, and of the difference in rate. */
  readonly switchAmplitudeLayers: number;
  readonly switchAmplitudeBitsPerSecond: number;
  readonly highestLayerPercent: number;
  /** {@linkcode lectureQoe} of that. */
  readonly lectureQoe: number;
  /** {@linkcode yinQoe} of all segments played. */
  readonly yinQoe: number;
}

/** What the playout buffer knows of a session. */
export interface PlayoutFigures {
  readonly playedMs: number;
  readonly startupMs: number;
  readonly stallCount: number;
  readonly stallMs: number;
  /** What seeks passed over; nothing unless said otherwise. */
  readonly skips?: readonly Skip[];
}

/** How much of each segment was played. */
function playedOfEach(
  records: readonly SegmentRecord[],
  { playedMs, skips = [] }: PlayoutFigures,
): readonly number[] {
  // Of all media that came, laid end to end: what was passed over, and where playing ended.
  let skippedMs = 0;
  const holes = skips.map((skip) => {
    const fromMs = skip.playedMs + skippedMs;
    skippedMs += skip.mediaMs;
    return { fromMs, toMs: fromMs + skip.mediaMs };
  });
  let beginMs = 0;
  return records.map(({ mediaMs }) => {
    const fromMs = beginMs;
    beginMs += mediaMs;
    const toMs = Math.min(beginMs, playedMs + skippedMs);
    const missed = holes.reduce(
      (ms, hole) =>
        ms +
        Math.max(
          0,
          Math.min(toMs, hole.toMs) - Math.max(fromMs, hole.fromMs),
        ),
      0,
    );
    const ms = toMs - fromMs - missed;
    return ms > LEAST_PLAYED_MS ? ms : 0;
  });
}

/** Sums a session up. Segments that were fetched and never played count as bytes only. */
export function summarizePlay(
  records: readonly SegmentRecord[],
  figures: PlayoutFigures,
): PlaySummary {
  let bytes = 0;
  let downloadMs = 0;
  let playedMs = 0;
  let before: SegmentRecord | undefined;
  let weighed = 0;
  let highestMs = 0;
  const steps: { layers: number; bits: number }[] = [];
  const rates: number[] = [];
  const played = playedOfEach(records, figures);
  for (const [at, record] of records.entries()) {
    bytes += record.bytes;
    downloadMs += record.downloadMs - (record.idleMs ?? 0);
    const mediaMs = played[at]!;
    if (mediaMs === 0) continue;
    playedMs += mediaMs;
    weighed += mediaMs * record.bitsPerSecond;
    rates.push(record.bitsPerSecond);
    if (record.layer === record.layerCount) highestMs += mediaMs;
    if (before !== undefined && before.bitsPerSecond !== record.bitsPerSecond) {
      steps.push({
        layers: record.layer - before.layer,
        bits: record.bitsPerSecond - before.bitsPerSecond,
      });
    }
    before = record;
  }
  const mean = (values: readonly number[]) =>
    values.reduce((sum, each) => sum + Math.abs(each), 0) /
    Math.max(1, values.length);
  const percentOf = (part: number, whole: number) =>
    whole > 0 ? Math.min(100, 100 * part / whole) : 0;
  const { skips: _, ...about } = figures;
  const highestLayerPercent = percentOf(highestMs, playedMs);
  return {
    segmentCount: records.length,
    bytes,
    ...about,
    stallPercent: percentOf(
      figures.stallMs,
      figures.stallMs + figures.playedMs,
    ),
    averageBitsPerSecond: playedMs > 0 ? weighed / playedMs : 0,
    throughputBitsPerSecond: bytes * 8000 / Math.max(downloadMs, 0.1),
    switchCount: steps.length,
    switchesUp: steps.filter((step) => step.bits > 0).length,
    switchesDown: steps.filter((step) => step.bits < 0).length,
    switchAmplitudeLayers: mean(steps.map((step) => step.layers)),
    switchAmplitudeBitsPerSecond: mean(steps.map((step) => step.bits)),
    highestLayerPercent,
    lectureQoe: lectureQoe(highestLayerPercent),
    yinQoe: yinQoe(rates, figures),
  };
}
