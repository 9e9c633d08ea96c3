/** A map of what was set last, with a limit: the key that was set longest ago is forgotten for a new one. */
export class RecentMap<K, V> {
  readonly #maxSize: number;
  readonly #entries = new Map<K, V>();

  /** Creates an empty map of at most `maxSize` keys. */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** The value of a key, or undefined; it becomes no newer by that. */
  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** Sets a value, and makes its key the newest. */
  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#maxSize) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  /** The values, that of the key that was set longest ago first. */
  values(): IterableIterator<V> {
    return this.#entries.values();
  }

  /** Forgets a key. Returns whether it was there. */
  delete(key: K): boolean {
    return this.#entries.delete(key);
  }
}
