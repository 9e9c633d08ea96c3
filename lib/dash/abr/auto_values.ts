/**
 * What a buffer is worth: the table behind the rule `auto`.
 *
 * The player's future is a Markov decision process. A state is (x, b): what the network is expected to carry, and the
 * media held. Fetching a segment in rung q, of which the network carries y = x e^(sigma z) with z at random, takes
 * `latency + size_q / y`; what the buffer lacks for that the picture stands still, at a penalty; then the buffer has one
 * segment more, and the expectation has moved a part `gain` of the way to y. Value iteration backwards from the end of
 * a long title gives the worth of each state, of which only differences count. Sizes are rate times duration here; the
 * rule itself uses true sizes for the segment it chooses, where they are known.
 */

/** What the values depend on. */
export interface AutoModel {
  /** Rates in bits per second. */
  readonly ladder: readonly number[];
  readonly segmentDurationMs: number;
  readonly bufferCapMs: number;
  readonly latencyMs: number;
  /** Standard deviation of the logarithm of what comes over what was expected. */
  readonly sigma: number;
  /** Logarithm of the rate that is usual: what the expectation drifts back to. */
  readonly usualLog: number;
  /** How many of the segments meet a hole in which nothing comes, and how long it is. */
  readonly hole: { readonly share: number; readonly ms: number };
}

interface Outcome {
  readonly z: number;
  readonly weight: number;
  /** So long nothing comes. */
  readonly holeMs: number;
}

/**
 * What may come, as steps of sigma, and how likely it is. More on the low side than a normal distribution has: mobile
 * networks have holes, and a hole is felt through all of a segment's download while a peak is over at once.
 */
const OUTCOMES: readonly {
  readonly z: number;
  readonly weight: number;
}[] = [
  { z: -3.2, weight: 0.04 },
  { z: -1.6, weight: 0.13 },
  { z: -0.6, weight: 0.28 },
  { z: 0.2, weight: 0.28 },
  { z: 0.9, weight: 0.2 },
  { z: 1.8, weight: 0.07 },
];

/** Taken out of what moves the expectation, so that it does not sink by itself. */
const MEAN_OUTCOME = OUTCOMES.reduce(
  (sum, { z, weight }) => sum + z * weight,
  0,
);

/**
 * A unit of stalled time against a unit of utility. The score has 5, and the time it takes from a session; more of it
 * makes up for what the model does not know: that a hole is often longer than one segment.
 */
const STALL_COST = 7.3;
/** How far the expectation moves to what came. */
const GAIN = 0.28;
/** How far it drifts back to what is usual, with each segment. */
const DRIFT = 0.29;
/** What a change of rung costs: of its step in utility, and of the top rung's utility by the step in rate as a share of the top rate. */
const CHANGE_COST = { utility: 0.11, rate: 0.49 };
/** What comes beside a hole. */
const HOLE_Z = -1.16;
/** Segments to the end of the title that is reckoned with, at most. */
const ROUNDS = 30;
/** So many more than there are: a buffer spent on the very last segment is spent on a forecast too sure of itself. */
const SPARE_SEGMENTS = 2;
/** Steps of the table. */
const RATE_STEPS = 14;
const BUFFER_STEPS = 20;

/** A state in which a segment is asked for. */
interface From {
  /** Logarithm of the bits per second that are expected. */
  readonly logRate: number;
  readonly bufferMs: number;
  readonly latencyMs: number;
  /** Logarithm of how much larger than usual what comes after it is. */
  readonly aheadLog?: number;
  /** How many segments follow; many when that is not known. */
  readonly left: number;
}

/** By state, rung and outcome. */
interface Moves {
  /** The lowest of the four states around where it leads. */
  readonly low: Int32Array;
  readonly rateShare: Float64Array;
  readonly bufferShare: Float64Array;
  /** By outcome: how likely it is. */
  readonly weight: Float64Array;
  /** By state and rung: its utility, less the stalls to be expected. */
  readonly gain: Float64Array;
}

/** See the head of this file. */
export class AutoValues {
  readonly #model: AutoModel;
  readonly utilities: readonly number[];
  readonly #outcomes: readonly Outcome[];
  readonly #lowestLog: number;
  readonly #logStep: number;
  readonly #bufferStepMs: number;
  /** By how many segments are left, and by the rung of the last one. */
  readonly #values: (readonly Float32Array[])[];
  /** What a change from one rung to another costs. */
  readonly #changes: readonly (readonly number[])[];

  /** Works the table out. */
  constructor(model: AutoModel) {
    this.#model = model;
    const { ladder, hole } = model;
    const others = OUTCOMES.map(({ z, weight }) => ({
      ...{ z, weight: weight * (1 - hole.share), holeMs: 0 },
    }));
    this.#outcomes = [
      ...others,
      { z: HOLE_Z, weight: hole.share, holeMs: hole.ms },
    ];
    this.utilities = ladder.map((rate) => Math.log(rate / ladder[0]!));
    this.#lowestLog = Math.log(ladder[0]! / 12);
    const highestLog = Math.log(ladder.at(-1)! * 4);
    this.#logStep = (highestLog - this.#lowestLog) / (RATE_STEPS - 1);
    this.#bufferStepMs = model.bufferCapMs / (BUFFER_STEPS - 1);
    this.#changes = ladder.map((rate, at) =>
      ladder.map((other, to) =>
        CHANGE_COST.utility *
          Math.abs(this.utilities[at]! - this.utilities[to]!) +
        CHANGE_COST.rate * this.utilities.at(-1)! *
          Math.abs(rate - other) / ladder.at(-1)!
      )
    );
    this.#values = [
      ladder.map(() => new Float32Array(RATE_STEPS * BUFFER_STEPS)),
    ];
    const moves = this.#moves();
    for (let round = 0; round < ROUNDS; round++) {
      this.#values.push(this.#before(this.#values[round]!, moves));
    }
  }

  /** Of the segments it reckons with. */
  get segmentDurationMs(): number {
    return this.#model.segmentDurationMs;
  }

  /** How many rungs the ladder has. */
  get rungs(): number {
    return this.#model.ladder.length;
  }

  /** What a change of rung costs, in segments' worth of utility. */
  changeCost(from: number, to: number): number {
    return this.#changes[from]![to]!;
  }

  /** The value of a state in which `left` segments are still to come; in segments' worth of utility. */
  value(
    index: number,
    { logRate, bufferMs }: Pick<From, "logRate" | "bufferMs">,
    left: number,
  ): number {
    const { low, rateShare, bufferShare } = this.#place(logRate, bufferMs);
    const high = low + BUFFER_STEPS;
    const rounds = Math.min(ROUNDS, left + SPARE_SEGMENTS);
    const values = this.#values[rounds]![index]!;
    const below = values[low]! +
      bufferShare * (values[low + 1]! - values[low]!);
    const above = values[high]! +
      bufferShare * (values[high + 1]! - values[high]!);
    return below + rateShare * (above - below);
  }

  /** Whether the picture would stand still for `sizeBits` in the worst outcome reckoned with. */
  mayStall(
    sizeBits: number,
    { logRate, bufferMs, latencyMs }: Omit<From, "left">,
  ): boolean {
    const worst = Math.exp(-this.#model.sigma * OUTCOMES[0]!.z);
    const flowMs = sizeBits * 1000 / Math.exp(logRate);
    return latencyMs + flowMs * worst > bufferMs;
  }

  /**
   * What is to be expected of fetching `sizeBits` in a rung: its utility, the stalls, and where it leads.
   */
  expect(index: number, sizeBits: number, from: From): number {
    let sum = this.utilities[index]!;
    for (const outcome of this.#outcomes) {
      const to = this.#lead(sizeBits, from, outcome);
      const next = this.value(index, to, from.left);
      sum += outcome.weight * (next - STALL_COST * to.stall);
    }
    return sum;
  }

  /** One segment earlier. */
  #before(
    after: readonly Float32Array[],
    moves: Moves,
  ): readonly Float32Array[] {
    const { ladder } = this.#model;
    const { low, rateShare, bufferShare, weight, gain } = moves;
    const states = RATE_STEPS * BUFFER_STEPS;
    const values = ladder.map(() => new Float32Array(states));
    const worth = new Float64Array(ladder.length);
    const outcomes = this.#outcomes.length;
    let move = 0;
    for (let state = 0; state < states; state++) {
      for (let rung = 0; rung < ladder.length; rung++) {
        const next = after[rung]!;
        let sum = gain[state * ladder.length + rung]!;
        for (let outcome = 0; outcome < outcomes; outcome++) {
          const at = low[move]!;
          const share = bufferShare[move]!;
          const below = next[at]! + share * (next[at + 1]! - next[at]!);
          const high = at + BUFFER_STEPS;
          const above = next[high]! + share * (next[high + 1]! - next[high]!);
          sum += weight[outcome]! *
            (below + rateShare[move]! * (above - below));
          move += 1;
        }
        worth[rung] = sum;
      }
      for (let last = 0; last < ladder.length; last++) {
        values[last]![state] = this.#bestAfter(last, worth);
      }
    }
    return values;
  }

  /** Where each rung leads from each state with each outcome: the same in every round, so it is worked out once. */
  #moves(): Moves {
    const { ladder, segmentDurationMs, bufferCapMs, latencyMs } = this.#model;
    const count = RATE_STEPS * BUFFER_STEPS * ladder.length *
      this.#outcomes.length;
    const moves = {
      low: new Int32Array(count),
      rateShare: new Float64Array(count),
      bufferShare: new Float64Array(count),
      weight: Float64Array.from(this.#outcomes, ({ weight }) => weight),
      gain: new Float64Array(RATE_STEPS * BUFFER_STEPS * ladder.length),
    };
    let pair = 0;
    let move = 0;
    for (let x = 0; x < RATE_STEPS; x++) {
      const logRate = this.#lowestLog + x * this.#logStep;
      for (let b = 0; b < BUFFER_STEPS; b++) {
        // A request waits for room.
        const bufferMs = Math.min(
          b * this.#bufferStepMs,
          Math.max(0, bufferCapMs - segmentDurationMs),
        );
        for (const [rung, rate] of ladder.entries()) {
          moves.gain[pair] = this.utilities[rung]!;
          const sizeBits = rate * segmentDurationMs / 1000;
          const from = { logRate, bufferMs, latencyMs };
          for (const outcome of this.#outcomes) {
            const { stall, ...to } = this.#lead(sizeBits, from, outcome);
            const place = this.#place(to.logRate, to.bufferMs);
            moves.low[move] = place.low;
            moves.rateShare[move] = place.rateShare;
            moves.bufferShare[move] = place.bufferShare;
            moves.gain[pair]! -= outcome.weight * STALL_COST * stall;
            move += 1;
          }
          pair += 1;
        }
      }
    }
    return moves;
  }

  /** Where fetching `sizeBits` leads, and what stands still for it, in segments. */
  #lead(
    sizeBits: number,
    { logRate, bufferMs, latencyMs, aheadLog = 0 }: Omit<From, "left">,
    { z, holeMs }: Outcome,
  ): {
    readonly logRate: number;
    readonly bufferMs: number;
    readonly stall: number;
  } {
    const { segmentDurationMs, sigma, bufferCapMs, usualLog } = this.#model;
    const flowMs = sizeBits * 1000 / Math.exp(logRate);
    const leftMs = bufferMs - latencyMs - holeMs -
      flowMs * Math.exp(-sigma * z);
    return {
      logRate: logRate + DRIFT * (usualLog - logRate) - aheadLog +
        GAIN * sigma * (z - MEAN_OUTCOME),
      bufferMs: Math.min(
        Math.max(0, leftMs) + segmentDurationMs,
        bufferCapMs,
      ),
      stall: leftMs < 0 ? -leftMs / segmentDurationMs : 0,
    };
  }

  /** Between which states of the table a state lies: the lowest of the four, and how far from it. */
  #place(logRate: number, bufferMs: number): {
    readonly low: number;
    readonly rateShare: number;
    readonly bufferShare: number;
  } {
    const x = clamp((logRate - this.#lowestLog) / this.#logStep, RATE_STEPS);
    const b = clamp(bufferMs / this.#bufferStepMs, BUFFER_STEPS);
    const at = Math.min(Math.floor(x), RATE_STEPS - 2);
    const to = Math.min(Math.floor(b), BUFFER_STEPS - 2);
    return {
      low: at * BUFFER_STEPS + to,
      rateShare: x - at,
      bufferShare: b - to,
    };
  }

  /** The most of `worth` (by rung), the price of the change from rung `last` taken off. */
  #bestAfter(last: number, worth: Float64Array): number {
    const changes = this.#changes[last]!;
    let best = -Infinity;
    for (let rung = 0; rung < worth.length; rung++) {
      best = Math.max(best, worth[rung]! - changes[rung]!);
    }
    return best;
  }
}

function clamp(value: number, steps: number): number {
  return Math.min(Math.max(value, 0), steps - 1);
}
