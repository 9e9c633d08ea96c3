import { type AbrTitle, STALL_PENALTY, utilitiesOf } from "./abr_play.ts";
import type { OptimumLink } from "./abr_optimum_link.ts";

/** Stalls are told apart by so much. */
const STALL_STEP_MS = 50;
/** Prices tried beside that of each step of the ladder: segments are larger and smaller than it says. */
const PRICES_A_STEP = [0.8, 1.1];

/** What a search knows beforehand. */
interface Known {
  readonly startupMs: number;
  /** Of the whole title. */
  readonly mediaMs: number;
  /** A score known to be possible. */
  readonly feasible: number;
}

/**
 * What a play can still reach, seen from far above: whether its score can be more than one known to be possible.
 *
 * All that is still to come has to be there before the last segment is to be shown, so the link's bits until then, later
 * by every further stall, are all there is for it. At a price for a bit each segment takes the rung worth most less what
 * its bits cost, and the bits there are come back at that price: for every price that is at least what any choice of
 * rungs can have (Lagrangian duality). A stall is dear too, so that there is a best one. Prices are those at which one
 * rung is worth as much as the next.
 */
export class Reach {
  readonly #prices: readonly number[];
  /** By price and segments fetched: what those to come are worth, less their bits. */
  readonly #ahead: readonly Float64Array[];
  /** By price and step of stall: what the bits until the end are worth, less the stalls. */
  readonly #until: readonly Float64Array[];
  /** Less than this is not more than `feasible`. */
  readonly #wanted: number;

  /** Makes the tables. */
  constructor(title: AbrTitle, link: OptimumLink, known: Known) {
    const { ladder, durationsMs } = title;
    const { startupMs, mediaMs, feasible } = known;
    const utilities = utilitiesOf(ladder);
    const cost = STALL_PENALTY + feasible;
    this.#wanted = feasible * (startupMs + mediaMs);
    const prices: number[] = [];
    for (let at = 0; at + 1 < ladder.length; at++) {
      const worth = utilities[at + 1]! - utilities[at]!;
      const bitsPerMs = (ladder[at + 1]! - ladder[at]!) / 1000;
      prices.push(...PRICES_A_STEP.map((share) => share * worth / bitsPerMs));
    }
    this.#prices = prices;
    this.#ahead = prices.map((price) => aheadAt(title, utilities, price));
    // Beyond it even the highest rung throughout would not make up for it.
    const mostStallMs = Math.max(
      0,
      (utilities.at(-1)! * mediaMs - this.#wanted) / cost,
    );
    const steps = Math.ceil(mostStallMs / STALL_STEP_MS) + 2;
    const endMs = startupMs + mediaMs - durationsMs.at(-1)!;
    const bits = Float64Array.from(
      { length: steps },
      (_, at) => link.bitsAt(endMs + (at + 1) * STALL_STEP_MS),
    );
    this.#until = prices.map((price) => {
      const most = new Float64Array(steps + 1).fill(-Infinity);
      for (let at = steps - 1; at >= 0; at--) {
        const worth = price * bits[at]! - cost * at * STALL_STEP_MS;
        most[at] = Math.max(most[at + 1]!, worth);
      }
      return most;
    });
  }

  /**
   * Whether a play that has fetched `count` segments cannot have more than the score that is known.
   *
   * @param bits What the link has carried until the last of them came.
   */
  hopeless(
    count: number,
    bits: number,
    now: { readonly stallMs: number; readonly utility: number },
  ): boolean {
    const step = Math.floor(now.stallMs / STALL_STEP_MS);
    const wanted = this.#wanted - now.utility;
    for (let at = 0; at < this.#prices.length; at++) {
      const until = this.#until[at]!;
      const reach = (until[Math.min(step, until.length - 1)]!) -
        this.#prices[at]! * bits + this.#ahead[at]![count]!;
      if (reach < wanted) return true;
    }
    return false;
  }
}

/** For each count of segments fetched: the most that the others can be worth, their bits at a price. */
function aheadAt(
  { durationsMs, sizesBits }: AbrTitle,
  utilities: readonly number[],
  price: number,
): Float64Array {
  const ahead = new Float64Array(durationsMs.length + 1);
  for (let at = durationsMs.length - 1; at >= 0; at--) {
    const worth = sizesBits[at]!.map((bits, rung) =>
      utilities[rung]! * durationsMs[at]! - price * bits
    );
    ahead[at] = ahead[at + 1]! + Math.max(...worth);
  }
  return ahead;
}
