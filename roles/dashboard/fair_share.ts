/**
 * So many items, of which nobody has more than a fair share while others want a place: who floods us displaces what is
 * its own.
 */
export class FairShare<T> {
  readonly #most: number;
  readonly #of = new Map<string, { readonly place: number; item: T }[]>();
  #size = 0;
  #omitted = 0;
  #places = 0;

  /** Creates an empty one with room for `most` items. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Adds an item of `owner`'s, for which the newest of whoever has most may have to go, or which is left out. */
  add(owner: string, item: T): void {
    const own = this.#of.get(owner) ?? [];
    if (this.#size >= this.#most) {
      this.#omitted += 1;
      const owners = this.#of.size + (own.length === 0 ? 1 : 0);
      if (own.length + 1 > this.#most / owners) return;
      this.#largest().pop();
      this.#size -= 1;
    }
    own.push({ place: this.#places++, item });
    this.#of.set(owner, own);
    this.#size += 1;
  }

  /** Gives all out in the order in which they came, and how many were left out. */
  empty(): { readonly items: readonly T[]; readonly omitted: number } {
    const items = [...this.#of.values()].flat()
      .sort((a, b) => a.place - b.place).map(({ item }) => item);
    const omitted = this.#omitted;
    this.#of.clear();
    this.#size = 0;
    this.#omitted = 0;
    return { items, omitted };
  }

  #largest(): unknown[] {
    let largest: unknown[] = [];
    for (const one of this.#of.values()) {
      if (one.length > largest.length) largest = one;
    }
    return largest;
  }
}
