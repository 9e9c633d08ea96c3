/**
 * A play that was real, judged as a simulated one is: its score, and the best that was possible on the same network, which
 * is known only afterwards.
 */
import type { SegmentRecord } from "../dash/player/messages.ts";
import type { NetworkTrace, TracePeriod } from "../model/trace.ts";
import { type AbrOptimum, abrOptimum } from "./abr_optimum.ts";
import { type AbrTitle, STALL_PENALTY, utilitiesOf } from "./abr_play.ts";

/** What was played of a title whose ladder was the same throughout. */
export interface RealPlay {
  /** In bits per second, lowest first. */
  readonly ladder: readonly number[];
  /** In the player's time, as they came. */
  readonly downloads: readonly {
    readonly atMs: number;
    readonly record: SegmentRecord;
  }[];
  readonly startupMs: number;
  readonly stallMs: number;
  readonly playedMs: number;
  readonly bufferCapMs: number;
  /** Times real time. */
  readonly speed: number;
}

/** What it was worth. */
export interface Hindsight {
  readonly score: number;
  readonly optimum: AbrOptimum;
}

/** So many segments are looked at; more would take long. */
const MAX_SEGMENTS = 1500;

/**
 * Judges a play against `trace`, or against the network as its downloads measured it. Undefined when there is nothing to
 * compare: one rate, less than two segments, or more than 1500, or nothing in any of them.
 */
export function inHindsight(
  play: RealPlay,
  trace?: NetworkTrace,
): Hindsight | undefined {
  const { ladder, downloads, bufferCapMs } = play;
  const count = downloads.length;
  if (ladder.length < 2 || count < 2 || count > MAX_SEGMENTS) return undefined;
  if (downloads.some(({ record }) => !ladder.includes(record.bitsPerSecond))) {
    return undefined;
  }
  const network = trace ?? measured(play);
  if (network.periods.length === 0) return undefined;
  const optimum = abrOptimum(titleOf(play), network, { bufferCapMs });
  return { score: scoreOf(play), optimum };
}

/** As `playOverTrace` scores. */
function scoreOf(
  { ladder, downloads, playedMs, startupMs, stallMs }: RealPlay,
): number {
  const utilities = utilitiesOf(ladder);
  let leftMs = playedMs;
  let utilityMs = 0;
  for (const { record } of downloads) {
    const mediaMs = Math.min(leftMs, record.mediaMs);
    leftMs -= mediaMs;
    utilityMs += mediaMs * utilities[ladder.indexOf(record.bitsPerSecond)]!;
  }
  const totalMs = Math.max(1, startupMs + stallMs + playedMs);
  return (utilityMs - STALL_PENALTY * stallMs) / totalMs;
}

/** The segments fetched; in the other rungs they are taken to be larger and smaller as the rates are. */
function titleOf({ ladder, downloads }: RealPlay): AbrTitle {
  return {
    name: "as played",
    ladder,
    durationsMs: downloads.map(({ record }) => record.mediaMs),
    sizesBits: downloads.map(({ record }) =>
      ladder.map((rate) => record.bytes * 8 * rate / record.bitsPerSecond)
    ),
  };
}

/** The network as the downloads met it; between two of them it is taken to be as at the next one. */
function measured({ downloads, speed }: RealPlay): NetworkTrace {
  const periods: TracePeriod[] = [];
  let nowMs = 0;
  for (const { atMs, record } of downloads) {
    // An empty segment tells nothing of the network; a network of nothing else would carry nothing, ever.
    if (record.bytes === 0) continue;
    const flowMs = Math.max(0.1, record.downloadMs - record.ttfbMs) * speed;
    periods.push({
      durationMs: Math.max(1, atMs - nowMs),
      bitsPerSecond: record.bytes * 8000 / flowMs,
      latencyMs: record.ttfbMs * speed,
    });
    nowMs = atMs;
  }
  return { name: "as measured", periods };
}
