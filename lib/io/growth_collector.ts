import { collectGarbage } from "./garbage.ts";

/**
 * Collects garbage as a whole each time something large has grown by so much.
 *
 * V8 begins to mark when memory outside of its heap has grown, as the arrays of a table do. In the executable, which must
 * not mark in tasks of its own, it comes to an end so late that a tracker took 25 MiB more. Nothing is collected where
 * nothing grows.
 */
export class GrowthCollector {
  readonly #step: number;
  readonly #collect: () => void;
  #size = 0;

  /** @param step How much more there is at the next collection. @param collect The runtime's own way if not given. */
  constructor(step: number, collect: () => void = collectGarbage) {
    this.#step = step;
    this.#collect = collect;
  }

  /** Hears how much there is. */
  measured(size: number): void {
    if (size < this.#size) this.#size = size;
    if (size < this.#size + this.#step) return;
    this.#size = size;
    this.#collect();
  }
}
