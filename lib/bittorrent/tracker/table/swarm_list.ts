import { bytesOfKey } from "../../bencode.ts";
import type { ScrapeEntry } from "../messages.ts";

/** One swarm. */
export interface Swarm {
  /** The info-hash, a character a byte. */
  readonly key: string;
  /** Its place in the list, and its number in the stores of peers. */
  readonly slot: number;
  /** How many peers it has, of both address families. */
  peers: number;
  seeders: number;
  completed: number;
}

/**
 * The swarms of a tracker, by info-hash and by number.
 *
 * A swarm that loses its last peer is dropped, unless downloads of it were counted: then it is kept until the place is
 * needed.
 */
export class SwarmList {
  readonly #maxSwarms: number;
  readonly #byKey = new Map<string, Swarm>();
  /** By number; undefined where one was dropped. */
  readonly #slots: (Swarm | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  /** Swarms without peers, the first one deserted first. */
  readonly #deserted = new Set<Swarm>();

  /** Creates an empty list. */
  constructor(maxSwarms: number) {
    this.#maxSwarms = maxSwarms;
  }

  /** How many swarms there are. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Numbers of swarms are below this. */
  get slots(): number {
    return this.#slots.length;
  }

  /** The swarm of that number, or undefined. */
  at(slot: number): Swarm | undefined {
    return this.#slots[slot];
  }

  /** The swarm of that info-hash, or undefined. */
  find(key: string): Swarm | undefined {
    return this.#byKey.get(key);
  }

  /** Adds a swarm, in the place of a deserted one where there is no other; undefined if it does not fit. */
  create(key: string): Swarm | undefined {
    if (this.#byKey.size >= this.#maxSwarms) {
      const [oldest] = this.#deserted;
      if (oldest === undefined) return undefined;
      this.#drop(oldest);
    }
    const slot = this.#freeSlots.pop() ?? this.#slots.length;
    const swarm: Swarm = { key, slot, peers: 0, seeders: 0, completed: 0 };
    this.#slots[slot] = swarm;
    this.#byKey.set(key, swarm);
    return swarm;
  }

  /** A peer joins: call it before each. */
  enter(swarm: Swarm): void {
    if (this.#deserted.size > 0) this.#deserted.delete(swarm);
  }

  /** The last peer has left. */
  leave(swarm: Swarm): void {
    if (swarm.completed > 0) this.#deserted.add(swarm);
    else this.#drop(swarm);
  }

  /** Returns up to `limit` swarms that have peers, oldest first. */
  live(limit: number): Swarm[] {
    const live: Swarm[] = [];
    for (const swarm of this.#byKey.values()) {
      if (live.length >= limit) break;
      if (swarm.peers > 0) live.push(swarm);
    }
    return live;
  }

  /** All swarms, oldest first. */
  values(): Iterable<Swarm> {
    return this.#byKey.values();
  }

  #drop(swarm: Swarm): void {
    this.#deserted.delete(swarm);
    this.#byKey.delete(swarm.key);
    this.#slots[swarm.slot] = undefined;
    this.#freeSlots.push(swarm.slot);
  }
}

/** Returns how many peers of a swarm have all, and how many do not; zeros for no swarm. */
export function countsOf(
  swarm: Swarm | undefined,
): { readonly seeders: number; readonly leechers: number } {
  if (swarm === undefined) return { seeders: 0, leechers: 0 };
  return { seeders: swarm.seeders, leechers: swarm.peers - swarm.seeders };
}

/** Returns what a scrape says of a swarm. */
export function entryOf(swarm: Swarm): ScrapeEntry {
  return {
    infoHash: bytesOfKey(swarm.key),
    ...countsOf(swarm),
    completed: swarm.completed,
  };
}

/** Returns an info-hash as a key: the same as `keyOfBytes`, in one step, since it is done for each announce. */
export function hashKey(h: Uint8Array): string {
  // deno-fmt-ignore: one line for ten bytes
  return String.fromCharCode(
    h[0]!, h[1]!, h[2]!, h[3]!, h[4]!, h[5]!, h[6]!, h[7]!, h[8]!, h[9]!,
    h[10]!, h[11]!, h[12]!, h[13]!, h[14]!, h[15]!, h[16]!, h[17]!, h[18]!, h[19]!,
  );
}
