import { toHex } from "../../core/bytes.ts";
import type { Rng } from "../../core/rng.ts";

/** How often a torrent is announced anew; nodes forget peers after 30 minutes. */
const ANNOUNCE_MS = 15 * 60_000;
/** A search that found nobody else is repeated after this, doubled each time up to the maximum: a class starts within a minute, not at once. */
const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 300_000;
/** Who found only itself, or one peer, is lonely. */
const COMPANY = 2;

/** A torrent we share. */
export interface DhtShare {
  readonly infoHash: Uint8Array;
  /** Where we listen for peers. */
  readonly port: number;
}

interface Entry extends DhtShare {
  nextAtMs: number;
  searching: boolean;
  lonelySearches: number;
}

/** The torrents a node announces and searches peers for, and when it does so again. */
export class DhtShares {
  readonly #entries = new Map<string, Entry>();
  readonly #rng: Rng;

  /** @param rng Spreads the announces of a class that started at once. */
  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** When the next search is due. */
  get deadlineMs(): number {
    let atMs = Infinity;
    for (const { searching, nextAtMs } of this.#entries.values()) {
      if (!searching) atMs = Math.min(atMs, nextAtMs);
    }
    return atMs;
  }

  /** Adds a torrent, due at once. */
  add({ infoHash, port }: DhtShare, nowMs: number): void {
    this.#entries.set(toHex(infoHash), {
      ...{ infoHash, port },
      nextAtMs: nowMs,
      searching: false,
      lonelySearches: 0,
    });
  }

  /** Forgets a torrent. */
  remove(infoHash: Uint8Array): void {
    this.#entries.delete(toHex(infoHash));
  }

  /** Whether we share a torrent. */
  has(infoHash: Uint8Array): boolean {
    return this.#entries.has(toHex(infoHash));
  }

  /** Takes the torrents whose search is due now; each is to end in {@linkcode DhtShares.searched}. */
  due(nowMs: number): DhtShare[] {
    const due = [...this.#entries.values()].filter((entry) =>
      !entry.searching && entry.nextAtMs <= nowMs
    );
    for (const entry of due) entry.searching = true;
    return due;
  }

  /** Notes the end of a search that saw so many peers; returns when the next one is. */
  searched(infoHash: Uint8Array, peers: number, nowMs: number): number {
    const entry = this.#entries.get(toHex(infoHash));
    if (entry === undefined) return Infinity;
    entry.searching = false;
    const lonely = peers < COMPANY;
    const waitMs = lonely
      ? Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** entry.lonelySearches)
      : ANNOUNCE_MS;
    entry.lonelySearches = lonely ? entry.lonelySearches + 1 : 0;
    entry.nextAtMs = nowMs + waitMs * (0.9 + 0.2 * this.#rng());
    return entry.nextAtMs;
  }
}
