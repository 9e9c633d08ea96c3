/**
 * Draws peers of a swarm by lot: which of them an asker is told of.
 *
 * Drawing k of n is k steps of a Fisher-Yates shuffle over the positions 0 to n - 1. The shuffled positions are kept
 * between draws and put back in order step by step, so that nothing is copied, a draw costs the same in a swarm of a
 * million, and each answer is as likely as any other whatever was drawn before.
 */
import type { Rng } from "../../../core/rng.ts";
import type { DrawnPeers } from "../messages.ts";
import { NO_RECORD, type PeerStore } from "./peer_store.ts";

/** What is drawn. */
export interface Draw {
  /** The swarm's number in the store. */
  readonly swarm: number;
  /** Most peers. */
  readonly wanted: number;
  /** The asker's record if it is of this store, or {@linkcode NO_RECORD}; it is not drawn. */
  readonly asker: number;
  /** The asker's id: whoever has it is the asker at another address. */
  readonly peerId: Uint8Array;
  /** Whether the peers' ids are wanted. */
  readonly withIds: boolean;
  /** Now; peers that have been silent for too long are passed over. */
  readonly tick: number;
}

/** Nobody. */
export const NO_PEERS: DrawnPeers = {
  count: 0,
  compact: new Uint8Array(),
  ids: null,
};

const ID_BYTES = 20;
/** Peers passed over in one draw before it ends with fewer than wanted: all may have gone while the machine slept. */
const MAX_PASSED_OVER = 1000;

/** Draws from the swarms of one store. */
export class PeerDraw {
  readonly #store: PeerStore;
  readonly #rng: Rng;
  /** 0, 1, 2 …, in order except during a draw. */
  #positions = Uint32Array.from({ length: 64 }, (_, at) => at);
  /** With which position each step of a draw changed places. */
  readonly #swaps: Uint32Array;
  /** What the last steps led to. */
  readonly #records: Uint32Array;
  /** Kept so that the touching is not optimized away. */
  #touched = 0;
  readonly #compact: Uint8Array;
  /** The same memory, in words of two bytes. */
  readonly #words: Uint16Array;
  readonly #ids: Uint8Array;

  /** @param options.maxPeers Most peers of one draw. */
  constructor(
    store: PeerStore,
    options: { readonly rng: Rng; readonly maxPeers: number },
  ) {
    this.#store = store;
    this.#rng = options.rng;
    this.#swaps = new Uint32Array(options.maxPeers + MAX_PASSED_OVER);
    this.#records = new Uint32Array(options.maxPeers);
    this.#compact = new Uint8Array(options.maxPeers * store.compactBytes);
    this.#words = new Uint16Array(this.#compact.buffer);
    this.#ids = new Uint8Array(options.maxPeers * ID_BYTES);
  }

  /** Draws up to `wanted` peers in random order. The next draw writes over their bytes. */
  draw(draw: Draw): DrawnPeers {
    const { swarm, asker, wanted } = draw;
    const store = this.#store;
    let pool = store.count(swarm);
    if (pool === 0 || wanted === 0) return NO_PEERS;
    this.#reach(pool);
    const positions = this.#positions;
    const last = pool - 1;
    const own = asker === NO_RECORD ? last : store.positionOf(asker);
    if (asker !== NO_RECORD) {
      pool -= 1;
      swap(positions, own, last);
    }
    let steps = 0;
    let count = 0;
    const maxSteps = Math.min(pool, this.#swaps.length);
    while (steps < maxSteps && count < wanted) {
      const until = Math.min(maxSteps, steps + wanted - count);
      this.#shuffle({ steps, until, pool });
      count = this.#take(draw, { steps, until, count });
      steps = until;
    }
    while (steps > 0) {
      steps -= 1;
      swap(positions, steps, this.#swaps[steps]!);
    }
    swap(positions, own, last);
    return {
      count,
      compact: this.#compact,
      ids: draw.withIds ? this.#ids : null,
    };
  }

  /** Takes steps of the shuffle of the first `pool` positions. */
  #shuffle(
    { steps, until, pool }: {
      readonly steps: number;
      readonly until: number;
      readonly pool: number;
    },
  ): void {
    const positions = this.#positions;
    const swaps = this.#swaps;
    const rng = this.#rng;
    for (let step = steps; step < until; step++) {
      const other = step + Math.floor(rng() * (pool - step));
      swaps[step] = other;
      swap(positions, step, other);
    }
  }

  /** Copies out whom the steps led to, except who has gone and the asker at another address; returns how many there are now. */
  #take(
    { swarm, peerId, tick, withIds }: Draw,
    { steps, until, count }: {
      readonly steps: number;
      readonly until: number;
      readonly count: number;
    },
  ): number {
    const store = this.#store;
    const records = this.#records;
    this.#touched = store.recordsAt(
      swarm,
      { positions: this.#positions, from: steps, until },
      records,
    );
    const taken = store.copyPresent(records, until - steps, {
      ...{ peerId, tick, into: this.#words },
      offset: count * store.compactBytes / 2,
    });
    for (let at = 0; withIds && at < taken; at++) {
      store.copyId(records[at]!, this.#ids, (count + at) * ID_BYTES);
    }
    return count + taken;
  }

  /** Makes room for the positions of a swarm of `count`. */
  #reach(count: number): void {
    let { length } = this.#positions;
    if (count <= length) return;
    while (length < count) length *= 2;
    this.#positions = new Uint32Array(length);
    for (let at = 0; at < length; at++) this.#positions[at] = at;
  }
}

function swap(positions: Uint32Array, one: number, other: number): void {
  const kept = positions[one]!;
  positions[one] = positions[other]!;
  positions[other] = kept;
}
