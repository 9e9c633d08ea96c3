/**
 * The core of BOLA: which rung a buffer level calls for, and which levels call for a rung.
 *
 * Rung m has the utility u_m. With Q media in the buffer the rung with the greatest `(V (u_m + gp) - Q) / rate_m` is
 * taken: utility per bit, less the more there is in the buffer already. V and gp have the unit of Q, and none; see
 * Spiteri, Urgaonkar, Sitaraman, "BOLA: Near-Optimal Bitrate Adaptation for Online Videos", INFOCOM 2016, §III.
 */
export class BolaCurve {
  /** In kbit/s; see {@linkcode logUtilities}. */
  readonly #rates: readonly number[];
  readonly utilities: readonly number[];
  readonly gp: number;
  readonly vMs: number;

  /** How many rungs the ladder has. */
  get rungs(): number {
    return this.#rates.length;
  }

  /** @param parameters.vMs The paper's V times the duration of a segment. */
  constructor(
    ladder: readonly number[],
    parameters: {
      readonly utilities: readonly number[];
      readonly gp: number;
      readonly vMs: number;
    },
  ) {
    this.#rates = ladder.map((rate) => rate / 1000);
    this.utilities = parameters.utilities;
    this.gp = parameters.gp;
    this.vMs = parameters.vMs;
  }

  /** What `sizeBits` of rung `index` are worth at a buffer level: what the rungs are compared by. */
  score(index: number, bufferMs: number, sizeBits: number): number {
    return (this.mostMs(index) - bufferMs) / sizeBits;
  }

  /** The rung that a buffer level calls for; of equals the lowest. */
  best(bufferMs: number): number {
    let best = 0;
    let bestScore = -Infinity;
    for (const [index, rate] of this.#rates.entries()) {
      const score = this.score(index, bufferMs, rate);
      if (score > bestScore) {
        best = index;
        bestScore = score;
      }
    }
    return best;
  }

  /** The level above which nothing should be requested in rung `index`. */
  mostMs(index: number): number {
    return this.vMs * (this.utilities[index]! + this.gp);
  }

  /** The level from which on rung `index` is preferred to every lower one. */
  leastMs(index: number): number {
    const rate = this.#rates[index]!;
    const utility = this.utilities[index]!;
    let least = 0;
    for (let lower = 0; lower < index; lower++) {
      const lowerRate = this.#rates[lower]!;
      const lowerUtility = this.utilities[lower]!;
      if (lowerUtility >= utility) continue;
      const share = (rate * lowerUtility - lowerRate * utility) /
        (rate - lowerRate);
      least = Math.max(least, this.vMs * (this.gp + share));
    }
    return least;
  }
}

/**
 * Returns `ln(rate / lowest rate) + least` for each rung.
 *
 * BOLA-E often stands exactly where two rungs score the same, and then the last bit of a sum decides. So the sums here
 * and in {@linkcode BolaCurve} are those of Sabre, in its unit, kbit/s: it is what makes our scores equal its published ones.
 */
export function logUtilities(
  ladder: readonly number[],
  least: number,
): readonly number[] {
  const offset = least - Math.log(ladder[0]! / 1000);
  return ladder.map((rate) => Math.log(rate / 1000) + offset);
}
