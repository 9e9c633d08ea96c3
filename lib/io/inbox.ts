/** Inputs of a machine in the order they happened, waiting to be driven. */
export class Inbox<T> implements AsyncIterator<T> {
  readonly #items: T[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #isLast = false;

  /** Adds one. */
  push(item: T): void {
    this.#items.push(item);
    this.#wake?.();
  }

  /** Ends it; what still waits is dropped. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** Ends it when what waits has been taken. */
  finish(): void {
    this.#isLast = true;
    this.#wake?.();
  }

  /** See {@linkcode AsyncIterator}. */
  async next(): Promise<IteratorResult<T, undefined>> {
    for (;;) {
      if (this.#closed) return { done: true, value: undefined };
      if (this.#items.length > 0) {
        return { done: false, value: this.#items.shift()! };
      }
      if (this.#isLast) return { done: true, value: undefined };
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
