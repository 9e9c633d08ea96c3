/** A place in the queue for a turn. */
export interface Place {
  /** Resolves when its turn has come. */
  readonly admitted: Promise<void>;
  /** Gives the place up, or the turn. */
  leave(): void;
}

/** One place in the queue. */
interface Waiting {
  readonly admit: () => void;
}

/** Lets so many in at a time and keeps a bounded queue of the others, first come first served. */
export class Turns {
  readonly #most: number;
  readonly #queueLength: number;
  #taken = 0;
  readonly #queue = new Set<Waiting>();

  /** Creates turns of which none is taken. */
  constructor(
    options: { readonly most: number; readonly queueLength: number },
  ) {
    this.#most = options.most;
    this.#queueLength = options.queueLength;
  }

  /** How many are in. */
  get taken(): number {
    return this.#taken;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Takes a turn if there is one at once. */
  tryTake(): boolean {
    if (this.#taken >= this.#most) return false;
    this.#taken += 1;
    return true;
  }

  /** Stands in the queue: `admitted` resolves with a turn taken, unless `leave` was called before; undefined when the queue is full. */
  queue(): Place | undefined {
    if (this.#queue.size >= this.#queueLength) return undefined;
    let admit: () => void = () => {};
    let isIn = false;
    const admitted = new Promise<void>((resolve) => admit = resolve);
    const mine: Waiting = {
      admit: () => {
        isIn = true;
        admit();
      },
    };
    this.#queue.add(mine);
    return {
      admitted,
      // Who was let in while leaving hands the turn on.
      leave: () => isIn ? this.give() : void this.#queue.delete(mine),
    };
  }

  /** Gives a turn back: the first in the queue has it now. */
  give(): void {
    const [first] = this.#queue;
    if (first === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#queue.delete(first);
    first.admit();
  }
}
