/**
 * Collects garbage as a whole each time so much work is done, where the runtime lets a program (`--expose-gc`, as in the
 * executable for Linux).
 *
 * Of each datagram that the runtime receives 100 bytes are left that only a whole collection finds. V8 in the executable,
 * which must not mark in tasks of its own, begins with that so late that a tracker under load took 25 MiB more. It takes
 * about 10 ms, as V8's own does.
 */
export class WorkCollector {
  readonly #every: number;
  readonly #collect: () => void;
  #collectedAt = 0;

  /** @param every What is done between two collections. @param collect The runtime's own way if not given. */
  constructor(
    every: number,
    collect: () => void = (globalThis as { gc?: () => void }).gc ?? (() => {}),
  ) {
    this.#every = every;
    this.#collect = collect;
  }

  /** Hears how much was done in all. */
  done(total: number): void {
    if (total - this.#collectedAt < this.#every) return;
    this.#collectedAt = total;
    this.#collect();
  }
}
