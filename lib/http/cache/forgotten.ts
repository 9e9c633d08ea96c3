import type { FieldSource } from "../fields.ts";

/** Most URLs, and most other orders, that are remembered. */
const MAX_KEYS = 10_000;
const MAX_ORDERS = 100;

/** What an order to forget looks at. */
interface Entry {
  readonly key: string;
  readonly fields: FieldSource;
}

/**
 * What a cache was told to forget lately. Somebody may be fetching it at that moment: what comes then was made before, and
 * must not be kept, or it would be there again for as long as it is fresh.
 *
 * Time is counted in orders, not in milliseconds: a fetch notes how many there were when it began.
 */
export class Forgotten {
  #count = 0;
  /** Before which order nothing is known any more. */
  #knownFrom = 0;
  readonly #keys = new Map<string, number>();
  readonly #orders: {
    readonly at: number;
    readonly matches: (entry: Entry) => boolean;
  }[] = [];

  /** How many orders there were: for a fetch that begins now. */
  get count(): number {
    return this.#count;
  }

  /** All variants of a resource were forgotten. */
  addKey(key: string): void {
    this.#keys.delete(key);
    this.#keys.set(key, ++this.#count);
    const [oldest] = this.#keys;
    if (this.#keys.size <= MAX_KEYS || oldest === undefined) return;
    this.#keys.delete(oldest[0]);
    this.#knownFrom = Math.max(this.#knownFrom, oldest[1]);
  }

  /** Everything that `matches` was forgotten. */
  addWhere(matches: (entry: Entry) => boolean): void {
    this.#orders.push({ at: ++this.#count, matches });
    if (this.#orders.length <= MAX_ORDERS) return;
    this.#knownFrom = Math.max(this.#knownFrom, this.#orders.shift()!.at);
  }

  /** Whether `entry` was, since there were `begun` orders; also where that is not known any more. */
  has(entry: Entry, begun: number): boolean {
    return begun < this.#knownFrom ||
      (this.#keys.get(entry.key) ?? 0) > begun ||
      this.#orders.some(({ at, matches }) => at > begun && matches(entry));
  }
}
