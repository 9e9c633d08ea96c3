/** How many URLs are remembered. */
const MAX_KEYS = 10_000;

/** What turned out too large to keep, the latest last: ranges of it are forwarded at once. */
export class TooLarge {
  readonly #keys = new Set<string>();

  /** Whether the resource was too large when it was last seen. */
  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Remembers one. */
  add(key: string): void {
    this.#keys.add(key);
    const oldest = this.#keys.values().next();
    if (this.#keys.size > MAX_KEYS && !oldest.done) {
      this.#keys.delete(oldest.value);
    }
  }

  /** It is not too large any more. */
  delete(key: string): void {
    this.#keys.delete(key);
  }
}
