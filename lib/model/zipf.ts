import type { Rng } from "../core/rng.ts";

/**
 * Draws ranks by Zipf's law: the k-th most popular of `count` is asked for with a probability proportional to
 * `1 / k^exponent`. With 0.9, near what studies of video sites find, the most popular tenth draws two thirds.
 */
export class Zipf {
  /** At k: how often one of the first k + 1 is drawn. */
  readonly #cumulated: Float64Array;

  /**
   * Prepares the draw.
   *
   * @param exponent 0 draws all alike.
   * @throws {RangeError} If `count` is not at least 1.
   */
  constructor(count: number, exponent: number) {
    if (!(count >= 1)) {
      throw new RangeError(`Cannot draw: count must be above 0, got ${count}`);
    }
    this.#cumulated = new Float64Array(count);
    let sum = 0;
    for (let at = 0; at < count; at++) {
      sum += (at + 1) ** -exponent;
      this.#cumulated[at] = sum;
    }
  }

  /** How probable it is that one of the `first` most popular is drawn. */
  share(first: number): number {
    const cumulated = this.#cumulated;
    const at = Math.min(first, cumulated.length) - 1;
    return at < 0 ? 0 : cumulated[at]! / cumulated.at(-1)!;
  }

  /** A rank, 0 for the most popular. */
  draw(rng: Rng): number {
    const cumulated = this.#cumulated;
    const wanted = rng() * cumulated.at(-1)!;
    let low = 0;
    let high = cumulated.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulated[middle]! > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
