import { Popularity, type Use } from "./popularity.ts";

/** Part of the budget that newcomers have at least: 1 %, as in the paper. */
const NEWCOMERS_SHARE = 0.01;
/** What is left, after each newcomer, of the room for newcomers that is not needed now. */
const NEWCOMERS_DECAY = 31 / 32;
/** How many values are compared to find those to go: with sizes that differ, ten miss the large ones that are hardly used. */
const COMPARED = 300;
/** The same where what comes in has not proved itself. */
const COMPARED_UNPROVED = 1000;
/** How many of them go at once at most. */
const MOST_VICTIMS = 50;
/** How many times as much as each of those a newcomer has to be used: counts are small numbers, and each change costs a fetch. */
const CLEARLY_MORE = 1.3;

/**
 * A store with a budget in bytes that holds what is used most: W-TinyLFU (Einziger, Friedman and Manes, ACM Transactions
 * on Storage 13(4), 2017), counted in bytes.
 *
 * LRU has a weakness a video edge meets every day: somebody plays a long title once, and every segment of it pushes out
 * one that many want. Here a newcomer has to prove itself. It waits in WINDOW, which is small. When others need its
 * place it enters MAIN only if it was used clearly more, for its size, than each of those that would have to leave MAIN for
 * it. Uses are counted while a value is here and for some time after it has left (see {@linkcode Popularity}), and halved
 * again and again, so that what was wanted yesterday goes.
 *
 * What leaves MAIN are, of the next few hundred that a hand points at which goes round and round, those used least for their
 * size (the paper keeps a list by last use instead, for which each hit has to move something; here a hit is a counter).
 *
 * Three things are not in the paper. Uses are weighed **by size**, as who fills a knapsack does: to compare a newcomer's
 * uses with the sum of those of all that it displaces cost 6 hits in 100 where sizes spread over two orders of magnitude.
 * A value may be **pinned**, while its bytes still come in or are being written elsewhere: it counts in the budget, and
 * does not leave. And WINDOW has room for as much as was pinned at once of late: so what comes in takes the place of what
 * came in before it, and not, without having proved itself, that of something in MAIN. What is larger than WINDOW has to
 * prove itself at once. When more is pinned than WINDOW has room for, values of MAIN go that nothing was weighed against.
 * They are looked for among a thousand: with the least of a hundred, eight fills at once cost 3.6 hits in 100 where sizes
 * spread.
 */
export class ByteStore<V> {
  readonly #budgetBytes: number;
  readonly #evicted: (key: string, value: V) => void;
  readonly #slots = new Map<string, Slot<V>>();
  readonly #popularity = new Popularity();
  /** Oldest first; the hand is where the next one leaves. */
  readonly #window = new Ring<Slot<V>>();
  readonly #main = new Ring<Slot<V>>();
  readonly #bytes = { pinned: 0, window: 0, main: 0 };
  /** What WINDOW and what is pinned may take while MAIN is full. */
  #newcomersBytes = 0;
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
    const { pinned, window, main } = this.#bytes;
    return pinned + window + main;
  }

  /** How many values there are. */
  get count(): number {
    return this.#slots.size;
  }

  /** How many values had to leave so far. */
  get evictions(): number {
    return this.#evictions;
  }

  /** Returns the value and counts the use. */
  get(key: string): V | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    this.#popularity.count(slot, this.#slots.size);
    return slot.value;
  }

  /**
   * Keeps `value`, making room first; one that was there gives it its place, for it is the name that is wanted. Says
   * also that it has another size now, or is pinned or not pinned any more.
   *
   * @return Whether it is held: not when it is larger than what is not pinned, nor when what it would take the place of
   * is used more.
   */
  set(
    key: string,
    value: V,
    { sizeBytes, isPinned = false }: {
      readonly sizeBytes: number;
      readonly isPinned?: boolean;
    },
  ): boolean {
    const before = this.#slots.get(key);
    const othersBytes = this.#bytes.pinned -
      (before?.place === "pinned" ? before.sizeBytes : 0);
    if (sizeBytes + othersBytes > this.#budgetBytes) {
      this.delete(key);
      return false;
    }
    const slot = before ?? this.#newSlot(key, value);
    slot.value = value;
    const place = slot.place === "main" ? "main" : "window";
    this.#put(slot, isPinned ? "pinned" : place, sizeBytes);
    this.#makeRoom();
    return this.#slots.get(key) === slot;
  }

  /** Removes a value; returns whether it was there. */
  delete(key: string): boolean {
    const slot = this.#slots.get(key);
    if (slot === undefined) return false;
    this.#take(slot);
    return this.#slots.delete(key);
  }

  #newSlot(key: string, value: V): Slot<V> {
    const use = this.#popularity.recall(key);
    this.#popularity.count(use, this.#slots.size);
    const slot = { key, value, sizeBytes: 0, place: undefined, ...use };
    this.#slots.set(key, slot);
    this.#newcomersBytes *= NEWCOMERS_DECAY;
    return slot;
  }

  /** Moves a slot to a place, behind the others there unless it is there already. */
  #put(slot: Slot<V>, place: Place, sizeBytes: number): void {
    if (slot.place === place) {
      this.#bytes[place] += sizeBytes - slot.sizeBytes;
    } else {
      this.#take(slot);
      slot.place = place;
      this.#bytes[place] += sizeBytes;
      if (place !== "pinned") this.#ringOf(place).add(slot);
    }
    slot.sizeBytes = sizeBytes;
    this.#newcomersBytes = Math.max(
      this.#newcomersBytes,
      this.#bytes.pinned,
      this.#budgetBytes * NEWCOMERS_SHARE,
    );
  }

  #take(slot: Slot<V>): void {
    const { place } = slot;
    if (place === undefined) return;
    this.#bytes[place] -= slot.sizeBytes;
    if (place !== "pinned") this.#ringOf(place).delete(slot);
    slot.place = undefined;
  }

  #ringOf(place: "window" | "main"): Ring<Slot<V>> {
    return place === "window" ? this.#window : this.#main;
  }

  #makeRoom(): void {
    while (this.usedBytes > this.#budgetBytes) {
      const { pinned, window, main } = this.#bytes;
      const isFull = pinned + window > this.#newcomersBytes;
      if (window > 0 && (isFull || main === 0)) this.#leaveWindow();
      // What is pinned nobody could weigh against them.
      else {
        const neededBytes = this.usedBytes - this.#budgetBytes;
        const victims = this.#leastUsed(neededBytes, COMPARED_UNPROVED);
        for (const victim of victims) this.#evict(victim);
      }
    }
  }

  /** The oldest of WINDOW enters MAIN, or leaves. */
  #leaveWindow(): void {
    const slot = this.#window.next()!;
    const roomBytes = this.#budgetBytes - this.#newcomersBytes;
    const neededBytes = this.#bytes.main + slot.sizeBytes - roomBytes;
    if (neededBytes > 0) {
      const victims = slot.sizeBytes > roomBytes
        ? undefined
        : this.#lessUsed(slot, neededBytes);
      if (victims === undefined) return this.#evict(slot);
      for (const victim of victims) this.#evict(victim);
    }
    this.#put(slot, "main", slot.sizeBytes);
  }

  /** Who would make that much room in MAIN; undefined when `slot` was not used clearly more, for its size, than one of them. */
  #lessUsed(
    slot: Slot<V>,
    neededBytes: number,
  ): readonly Slot<V>[] | undefined {
    const victims = this.#leastUsed(neededBytes, COMPARED);
    const bytes = victims.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const most = victims.at(-1);
    if (most === undefined || bytes < neededBytes) return undefined;
    const isClear =
      this.#usesPerByte(slot) > CLEARLY_MORE * this.#usesPerByte(most);
    return isClear ? victims : undefined;
  }

  /** Of so many of MAIN that the hand comes to, those used least for their size, as many as make the room, or `MOST_VICTIMS`; the least used first. */
  #leastUsed(neededBytes: number, compared: number): readonly Slot<V>[] {
    // In rising order of worth; all of them are needed.
    const least: { readonly slot: Slot<V>; readonly worth: number }[] = [];
    const last = () => least.at(-1)!;
    let bytes = 0;
    let left = Math.min(compared, this.#main.size);
    for (; left > 0; left--) {
      const slot = this.#main.next()!;
      const worth = this.#usesPerByte(slot);
      const isEnough = bytes >= neededBytes || least.length === MOST_VICTIMS;
      if (isEnough && worth >= last().worth) continue;
      const at = least.findIndex((each) => worth < each.worth);
      least.splice(at < 0 ? least.length : at, 0, { slot, worth });
      bytes += slot.sizeBytes;
      while (
        least.length > MOST_VICTIMS ||
        bytes - last().slot.sizeBytes >= neededBytes
      ) bytes -= least.pop()!.slot.sizeBytes;
    }
    return least.map(({ slot }) => slot);
  }

  #usesPerByte(slot: Slot<V>): number {
    return this.#popularity.usesOf(slot) / slot.sizeBytes;
  }

  #evict(slot: Slot<V>): void {
    this.delete(slot.key);
    this.#popularity.remember(slot, this.#budgetBytes);
    this.#evictions += 1;
    this.#evicted(slot.key, slot.value);
  }
}

type Place = "pinned" | "window" | "main";

interface Slot<V> extends Use {
  readonly key: string;
  value: V;
  sizeBytes: number;
  place: Place | undefined;
}

/** A set with a hand that goes round: to the oldest, on to the newest, and again. */
class Ring<T> {
  readonly #all = new Set<T>();
  /** Lives through changes of the set; a new one for each round. */
  #hand = this.#all.values();

  get size(): number {
    return this.#all.size;
  }

  add(item: T): void {
    this.#all.add(item);
  }

  delete(item: T): void {
    this.#all.delete(item);
  }

  /** Moves the hand on; undefined when there is nothing. */
  next(): T | undefined {
    const { done, value } = this.#hand.next();
    if (done !== true) return value;
    this.#hand = this.#all.values();
    return this.#hand.next().value;
  }
}
