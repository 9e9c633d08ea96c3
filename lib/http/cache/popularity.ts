/** Counts are halved when each value was asked for so often, on average: {@linkcode Popularity}. */
const USES_BEFORE_HALVING = 20;
/** Until there are many values, the average says little. */
const LEAST_BEFORE_HALVING = 100;
/** Values that are gone and remembered: as many as the budget could hold so often, and so many at most. */
const REMEMBERED_BUDGETS = 10;
const MAX_REMEMBERED = 100_000;

/** How much something is wanted. */
export interface Use {
  /** As it stood in `period`. */
  uses: number;
  period: number;
}

interface Gone extends Use {
  readonly sizeBytes: number;
}

/**
 * Counts uses of values that are here, and of values that have left: TinyLFU (Einziger, Friedman and Manes, 2017).
 *
 * The paper counts all in a sketch of fixed size, with an error. Here a value has its exact count, which a value that
 * left keeps for as long as it is among the last to have left: 16 bytes and a place in a table each, without its name,
 * so that 100 000 of them, the most there are, take about 8 MB whatever they are called. Two names may share a count,
 * once in 20 000.
 *
 * As in the paper all counts are halved now and again. So a value that was everybody's yesterday has to be wanted today.
 */
export class Popularity {
  #period = 0;
  #counted = 0;
  /** By a hash of the name; the first to have left first. */
  readonly #gone = new Map<number, Gone>();
  #oldest = this.#gone.entries();
  #goneBytes = 0;

  /** How many values that left are remembered. */
  get remembered(): number {
    return this.#gone.size;
  }

  /** Counts one use, while `held` values are here. */
  count(use: Use, held: number): void {
    use.uses = this.usesOf(use) + 1;
    use.period = this.#period;
    this.#counted += 1;
    if (this.#counted < USES_BEFORE_HALVING * held + LEAST_BEFORE_HALVING) {
      return;
    }
    this.#counted = 0;
    this.#period += 1;
  }

  /** The uses counted, those of earlier periods halved for each that has passed. */
  usesOf(use: Use): number {
    const periods = this.#period - use.period;
    return periods === 0 ? use.uses : use.uses / 2 ** periods;
  }

  /** What is known of a value that comes; from now on it counts for itself. */
  recall(key: string): Use {
    const id = hashOf(key);
    const gone = this.#gone.get(id);
    if (gone === undefined) return { uses: 0, period: this.#period };
    this.#forget(id, gone);
    return { uses: gone.uses, period: gone.period };
  }

  /** A value leaves a store of `budgetBytes`. */
  remember(
    { key, sizeBytes, uses, period }: Use & {
      readonly key: string;
      readonly sizeBytes: number;
    },
    budgetBytes: number,
  ): void {
    const id = hashOf(key);
    const same = this.#gone.get(id);
    if (same !== undefined) this.#forget(id, same);
    this.#gone.set(id, { sizeBytes, uses, period });
    this.#goneBytes += sizeBytes;
    while (
      this.#goneBytes > budgetBytes * REMEMBERED_BUDGETS ||
      this.#gone.size > MAX_REMEMBERED
    ) this.#forgetOldest();
  }

  #forgetOldest(): void {
    let oldest = this.#oldest.next();
    if (oldest.done) {
      // It ended while nothing was there: what came since is not seen by it.
      this.#oldest = this.#gone.entries();
      oldest = this.#oldest.next();
    }
    this.#forget(...oldest.value!);
  }

  #forget(id: number, gone: Gone): void {
    this.#gone.delete(id);
    this.#goneBytes -= gone.sizeBytes;
  }
}

/** FNV-1a over the code units, 30 bits: a small integer to the engine. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) {
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  }
  return (hash ^ (hash >>> 30)) & 0x3fffffff;
}
