/** All a rule may look at when the next segment is to be chosen. */
export interface AbrState {
  /** Rates of the ladder in bits per second, lowest first, at least one. */
  readonly ladder: readonly number[];
  /** Estimate over the last segments ({@linkcode ThroughputMeter}); undefined before the first. */
  readonly throughputBitsPerSecond: number | undefined;
  /** Media ready to play. */
  readonly bufferMs: number;
  /** Most media the player may hold (`--buffer`). */
  readonly bufferCapMs: number;
  /** Duration of the segment to be chosen. */
  readonly segmentDurationMs: number;
  /** The rung of the last segment; undefined before the first. */
  readonly lastIndex: number | undefined;
  /** What the user asked for with `--quality`: the rung of the rule `fixed`. */
  readonly fixedIndex: number;
}

/** What a rule decides, and why. */
export interface AbrDecision {
  /** The rung: 0 is the lowest. */
  readonly index: number;
  /** How long to hold the request back, then ask again; 0 is now. */
  readonly waitMs: number;
  /** For the log: a few words. */
  readonly reason: string;
}

/** An adaptation rule: a pure function. */
export interface AbrRule {
  /** One line for `--help` and the lesson. */
  readonly summary: string;
  /** The paper or slide it comes from. */
  readonly source: string;
  /** Chooses the rung of the next segment. */
  decide(state: AbrState): AbrDecision;
}

/** Returns the highest rung whose rate is at most `bitsPerSecond`; 0 when none is. */
export function highestAtMost(
  ladder: readonly number[],
  bitsPerSecond: number,
): number {
  return Math.max(0, ladder.findLastIndex((rate) => rate <= bitsPerSecond));
}
