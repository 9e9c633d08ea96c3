/**
 * A store with a budget in bytes that a scan cannot wash out: S3-FIFO (Yang et al., SOSP 2023) counted in bytes.
 *
 * Plain LRU has a weakness a video edge meets every day: somebody plays a long title once, and every segment of it
 * pushes out one that many want. S3-FIFO has three queues. What is new enters SMALL, a tenth of the budget. What was
 * asked for again by the time it reaches the end of SMALL moves to MAIN, the rest leaves, and only its name stays in
 * GHOST for as long as MAIN's worth of newcomers. Whoever comes back while its name is there goes straight to MAIN.
 * At the end of MAIN a value that was used goes round again, with one use (of at most three) taken off.
 * So things wanted once never touch MAIN. A hit is one counter: nothing moves, which also makes hits cheap.
 */
export class ByteStore<V> {
  readonly #budgetBytes: number;
  readonly #evicted: (key: string, value: V) => void;
  readonly #small = new Map<string, Slot<V>>();
  readonly #main = new Map<string, Slot<V>>();
  readonly #ghost = new Map<string, number>();
  #smallBytes = 0;
  #mainBytes = 0;
  #ghostBytes = 0;
  #evictions = 0;

  /** Creates an empty store of `budgetBytes`; `evicted` hears of every value that had to leave (not of those deleted). */
  constructor(
    options: {
      readonly budgetBytes: number;
      readonly evicted?: (key: string, value: V) => void;
    },
  ) {
    this.#budgetBytes = options.budgetBytes;
    this.#evicted = options.evicted ?? (() => {});
  }

  /** How many bytes the values take. */
  get usedBytes(): number {
    return this.#smallBytes + this.#mainBytes;
  }

  /** How many values there are. */
  get count(): number {
    return this.#small.size + this.#main.size;
  }

  /** How many values had to leave so far. */
  get evictions(): number {
    return this.#evictions;
  }

  /** Returns the value and counts the use. */
  get(key: string): V | undefined {
    const slot = this.#small.get(key) ?? this.#main.get(key);
    if (slot === undefined) return undefined;
    if (slot.uses < 3) slot.uses += 1;
    return slot.value;
  }

  /**
   * Keeps `value`, making room first; one that was there gives it its place, for it is the name that is wanted.
   * Returns false, keeping nothing, when it is larger than the whole budget.
   */
  set(key: string, value: V, sizeBytes: number): boolean {
    if (sizeBytes > this.#budgetBytes) {
      this.delete(key);
      return false;
    }
    const before = this.#small.get(key) ?? this.#main.get(key);
    if (before !== undefined) {
      before.value = value;
      return this.resize(key, sizeBytes);
    }
    this.#makeRoom(sizeBytes);
    const slot = { value, sizeBytes, uses: 0 };
    const ghostBytes = this.#ghost.get(key);
    if (ghostBytes !== undefined) {
      this.#ghost.delete(key);
      this.#ghostBytes -= ghostBytes;
      this.#main.set(key, slot);
      this.#mainBytes += sizeBytes;
    } else {
      this.#small.set(key, slot);
      this.#smallBytes += sizeBytes;
    }
    return true;
  }

  /** Says that a value has another size now; others, or the value itself, leave when that is too much. */
  resize(key: string, sizeBytes: number): boolean {
    const slot = this.#small.get(key) ?? this.#main.get(key);
    if (slot === undefined) return false;
    if (this.#small.has(key)) this.#smallBytes += sizeBytes - slot.sizeBytes;
    else this.#mainBytes += sizeBytes - slot.sizeBytes;
    slot.sizeBytes = sizeBytes;
    // One that has just grown must not be the first to go.
    if (this.usedBytes > this.#budgetBytes) slot.uses = Math.max(slot.uses, 1);
    this.#makeRoom(0);
    return this.#small.has(key) || this.#main.has(key);
  }

  /** Removes a value; returns whether it was there. */
  delete(key: string): boolean {
    const small = this.#small.get(key);
    if (small !== undefined) {
      this.#smallBytes -= small.sizeBytes;
      return this.#small.delete(key);
    }
    const main = this.#main.get(key);
    if (main === undefined) return false;
    this.#mainBytes -= main.sizeBytes;
    return this.#main.delete(key);
  }

  #makeRoom(neededBytes: number): void {
    while (
      this.count > 0 && this.usedBytes + neededBytes > this.#budgetBytes
    ) {
      const smallIsFull = this.#smallBytes * 10 >= this.#budgetBytes;
      if (this.#small.size > 0 && (smallIsFull || this.#main.size === 0)) {
        this.#leaveSmall();
      } else this.#leaveMain();
    }
  }

  #leaveSmall(): void {
    const [key, slot] = this.#small.entries().next().value!;
    this.#small.delete(key);
    this.#smallBytes -= slot.sizeBytes;
    if (slot.uses > 0) {
      slot.uses = 0;
      this.#main.set(key, slot);
      this.#mainBytes += slot.sizeBytes;
      return;
    }
    this.#remember(key, slot.sizeBytes);
    this.#evict(key, slot);
  }

  #leaveMain(): void {
    const [key, slot] = this.#main.entries().next().value!;
    this.#main.delete(key);
    if (slot.uses > 0) {
      slot.uses -= 1;
      this.#main.set(key, slot);
      return;
    }
    this.#mainBytes -= slot.sizeBytes;
    this.#evict(key, slot);
  }

  #remember(key: string, sizeBytes: number): void {
    this.#ghost.set(key, sizeBytes);
    this.#ghostBytes += sizeBytes;
    for (const [oldest, bytes] of this.#ghost) {
      const fits = this.#ghostBytes <= this.#budgetBytes * 0.9 &&
        this.#ghost.size <= MAX_GHOSTS;
      if (fits) break;
      this.#ghost.delete(oldest);
      this.#ghostBytes -= bytes;
    }
  }

  #evict(key: string, slot: Slot<V>): void {
    this.#evictions += 1;
    this.#evicted(key, slot.value);
  }
}

/** Names in GHOST, at most: they are not in the budget, so tiny values must not make millions of them. */
const MAX_GHOSTS = 100_000;

interface Slot<V> {
  value: V;
  sizeBytes: number;
  /** 0 to 3; counted by hits, taken off by rounds through MAIN. */
  uses: number;
}
