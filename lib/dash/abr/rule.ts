/**
 * What a rule of adaptation is told, and what it answers.
 *
 * A rule is started once for each play ({@linkcode AbrRule.start}) and then only ever sees plain records: it knows
 * neither sockets nor clocks, and the same records in the same order make the same choices. What it remembers between
 * two choices (BOLA-E's placeholder, FESTIVE's patience) lives in its {@linkcode AbrSession}.
 */

import type { CatchUpShape } from "../catch_up.ts";

/** What the player's meter says: dash.js's estimate, as in Sabre. See `throughput_meter.ts`. */
export interface SmoothedEstimate {
  /** Rate at which bits came once they came, the round trip not counted. */
  readonly bitsPerSecond: number;
  /** From a request to the first bit of its answer. */
  readonly latencyMs: number;
}

/** A play of a live title, as far behind its edge as it is and as it is to be. */
export interface LiveDistance {
  readonly latencyMs: number;
  readonly targetMs: number;
}

/** All a rule may look at when the next segment is to be chosen. */
export interface AbrState {
  /** Rates of the ladder in bits per second, lowest first, at least one. */
  readonly ladder: readonly number[];
  /** Harmonic mean over the last segments, round trips counted; undefined before the first. */
  readonly throughputBitsPerSecond: number | undefined;
  /** Exponentially weighted, the newest counting most; undefined before the first. */
  readonly smoothed: SmoothedEstimate | undefined;
  /** Media ready to play. */
  readonly bufferMs: number;
  /** Most media the player may hold (`--buffer`). */
  readonly bufferCapMs: number;
  /** Duration of the segment to be chosen. */
  readonly segmentDurationMs: number;
  /** Of a live title whose segments come in chunks while they are made: how long a chunk is. */
  readonly chunkMs?: number | undefined;
  /** Which one it is, from 0. */
  readonly segmentIndex: number;
  /** How many the title has; Infinity when that is not known (live). */
  readonly segmentCount: number;
  /** The rung of the last segment; undefined before the first. */
  readonly lastIndex: number | undefined;
  /** What the user asked for with `--quality`: the rung of the rule `fixed`. */
  readonly fixedIndex: number;
  /** The player's clock. */
  readonly nowMs: number;
  /** How fast it plays to stay behind a live edge; 1, and when it is not given, is the pace of the clock. */
  readonly playbackRate?: number;
  /** How far behind a live edge it plays, and is to play; undefined of a title that is whole. */
  readonly live?: LiveDistance | undefined;
  /**
   * Size in bits of the segment `ahead` places after the one to be chosen (0 is that one), in rung `index`; undefined
   * where the player has not been told, and past the end. Without it a rule reckons with rate times duration.
   */
  sizeBits?(ahead: number, index: number): number | undefined;
}

/** What a rule decides, and why. */
export interface AbrDecision {
  /** The rung: 0 is the lowest. */
  readonly index: number;
  /** How long to hold the request for that rung back; 0 is now. */
  readonly waitMs: number;
  /** For the log: a few words. */
  readonly reason: string;
}

/** A segment that has come, or that was given up for another rung. */
export interface AbrDownload {
  readonly index: number;
  /** All of the segment. */
  readonly sizeBits: number;
  /** What came of it: all, unless it was given up. */
  readonly bits: number;
  /** From the request to the last byte. */
  readonly downloadMs: number;
  /** From the request to the first byte. */
  readonly latencyMs: number;
  /** Media ready to play now, this segment counted if it came whole. */
  readonly bufferMs: number;
  readonly segmentDurationMs: number;
  /** The rung it was given up for; undefined when it came whole. */
  readonly abandonedFor: number | undefined;
  /** The player's clock. */
  readonly nowMs: number;
}

/** A segment on its way. */
export interface AbrProgress {
  readonly ladder: readonly number[];
  readonly index: number;
  readonly sizeBits: number;
  /** What has come. */
  readonly bits: number;
  /** Since the request. */
  readonly elapsedMs: number;
  /** From the request to the first byte. */
  readonly latencyMs: number;
  /** Media ready to play now. */
  readonly bufferMs: number;
  readonly segmentDurationMs: number;
  /** As in {@linkcode AbrState}. */
  readonly smoothed: SmoothedEstimate | undefined;
}

/** A rule at work in one play. */
export interface AbrSession {
  /** Chooses the rung of the next segment. */
  decide(state: AbrState): AbrDecision;
  /** Hears of a segment that came or was given up. Called before the estimates take it in. */
  downloaded?(download: AbrDownload): void;
  /** Hears that the player waited `waitedMs` for room in the buffer, before the decision it waited with. */
  waited?(waitedMs: number): void;
  /** Whether to give a segment up that is on its way, and for which lower rung; undefined lets it come. Asked as bytes come in. */
  abandon?(progress: AbrProgress): number | undefined;
}

/** An adaptation rule. */
export interface AbrRule {
  /** One line for `--help` and the lesson. */
  readonly summary: string;
  /** The paper or slide it comes from. */
  readonly source: string;
  /** How the pace of a live title is kept, where the paper has a word on that; see `catchUpRate`. */
  readonly catchUp?: CatchUpShape;
  /** Begins a play. */
  start(): AbrSession;
}

/**
 * For rules that reckon how far the buffer sinks until a segment is there: of one that comes in chunks it is a chunk that
 * has to be there, and the link need not carry more than that at once.
 */
export function byChunk(state: AbrState): AbrState {
  const { chunkMs } = state;
  return chunkMs === undefined
    ? state
    : { ...state, segmentDurationMs: chunkMs };
}

/** Returns the highest rung whose rate is at most `bitsPerSecond`; 0 when none is. */
export function highestAtMost(
  ladder: readonly number[],
  bitsPerSecond: number,
): number {
  return Math.max(0, ladder.findLastIndex((rate) => rate <= bitsPerSecond));
}

/** Returns the size of a segment in bits: as known, or rate times duration. */
export function sizeBitsOf(
  state: AbrState,
  ahead: number,
  index: number,
): number {
  return state.sizeBits?.(ahead, index) ??
    (state.ladder[index] ?? 0) * state.segmentDurationMs / 1000;
}
