/** A reason for what has simply ended. Without a reason, `abort` makes an error with a stack: 20 µs. */
export const OVER = "over";

/**
 * A controller that also aborts when one of its parents does, with that one's reason, until it is disposed of.
 *
 * For what has an end of its own and ends with the role as well. `AbortSignal.any` would do, but with Deno 2.4 it keeps some 50
 * bytes in the parent for every signal that was ever made of it, and what it returns is collected, and never aborts, when
 * nothing but its own listeners refers to it.
 */
export class LinkedAbort extends AbortController implements Disposable {
  readonly #parents: readonly AbortSignal[];
  readonly #follow = (event: Event) =>
    this.abort((event.target as AbortSignal).reason);

  /** Aborts at once when a parent has already; those undefined never do. */
  constructor(...parents: readonly (AbortSignal | undefined)[]) {
    super();
    this.#parents = parents.filter((parent) => parent !== undefined);
    const aborted = this.#parents.find((parent) => parent.aborted);
    if (aborted !== undefined) {
      this.abort(aborted.reason);
      return;
    }
    for (const parent of this.#parents) {
      parent.addEventListener("abort", this.#follow, { once: true });
    }
  }

  /** Aborts this one only. */
  override abort(reason?: unknown): void {
    this[Symbol.dispose]();
    super.abort(reason);
  }

  /** Lets go of the parents: they do not abort it any more, nor keep it. */
  [Symbol.dispose](): void {
    for (const parent of this.#parents) {
      parent.removeEventListener("abort", this.#follow);
    }
  }
}
