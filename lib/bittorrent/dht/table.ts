/**
 * The routing table of a DHT node (BEP 5, "Routing Table").
 *
 * Bucket i holds nodes that share exactly i leading bits with our own id; the last bucket holds all that share more, and
 * is the only one that is ever split, because our own id lies in its range. So the table knows up to 8 nodes of the far
 * half of the space, 8 of the quarter beside ours, and so on: many neighbours, few of each distant region.
 *
 *     ids:  1.......  01......  001.....  000.....  (ours)
 *     i:    0         1         2         3 = last
 *
 * Only nodes that have answered us are in it. Who wants into a full bucket waits while its least recently seen
 * questionable node is pinged, and takes the place of one that failed twice in a row. Nodes that stay keep out new ones:
 * whoever was up for long is likely to stay up, and an attacker cannot flush the table with new ids.
 */
import type { Rng } from "../../core/rng.ts";
import type { PeerEndpoint } from "../peer_endpoint.ts";
import { type DhtContact, keyOf } from "./contact.ts";
import { compareDistance, ID_BITS, randomIdBeside, sharedBits } from "./id.ts";

/** BEP 5's K. */
export const BUCKET_SIZE = 8;
/** After so long without a sign a node is questionable, and a bucket is stale. */
const QUIET_MS = 15 * 60_000;
/** A node that failed so often in a row is bad. */
const MAX_FAILURES = 2;

interface Entry extends DhtContact {
  respondedAtMs: number;
  queriedAtMs: number;
  failures: number;
}

interface Bucket {
  /** Least recently added first. */
  readonly entries: Entry[];
  /** Answered, but found no room; the newest last. */
  readonly waiting: DhtContact[];
  changedAtMs: number;
}

/** What {@linkcode RoutingTable.responded} made of a node. */
export interface Placement {
  /** The node is in the table since now. */
  readonly added: boolean;
  /** A questionable node to ping, because another waits for its place. */
  readonly ping: DhtContact | null;
}

const NOTHING: Placement = { added: false, ping: null };

/** See the head of this file. All times are those of the caller. */
export class RoutingTable {
  readonly #own: Uint8Array;
  readonly #buckets: Bucket[];
  /** One id for each place: a host cannot fill the table with ids. */
  readonly #byPlace = new Map<string, Entry>();

  /** @param own Our id, 20 bytes. */
  constructor(own: Uint8Array, nowMs: number) {
    this.#own = own;
    this.#buckets = [newBucket(nowMs)];
  }

  /** How many nodes are in the table. */
  get size(): number {
    return this.#byPlace.size;
  }

  /** How many of them are not bad. */
  get usable(): number {
    let count = 0;
    for (const entry of this.#byPlace.values()) if (!isBad(entry)) count += 1;
    return count;
  }

  /** The nodes of each bucket, the far half of the space first. */
  get bucketSizes(): number[] {
    return this.#buckets.map(({ entries }) => entries.length);
  }

  /** Notes that a node answered a query of ours. */
  responded(contact: DhtContact, nowMs: number): Placement {
    if (sharedBits(this.#own, contact.id) === ID_BITS) return NOTHING;
    const known = this.#byPlace.get(keyOf(contact));
    if (known !== undefined) {
      if (sharedBits(known.id, contact.id) === ID_BITS) {
        return this.#seen(known, nowMs);
      }
      this.#remove(known); // It was started anew, under another id.
    }
    return this.#insert(contact, nowMs);
  }

  /**
   * Notes that a node asked us something. Returns whether it is worth a ping: it is new and there may be a place for it, or it was taken for dead.
   * That it asked is no proof that it can be reached, or that it is where it says.
   */
  queried(contact: DhtContact, nowMs: number): boolean {
    const known = this.#byPlace.get(keyOf(contact));
    if (known !== undefined) {
      known.queriedAtMs = nowMs;
      return isBad(known) || sharedBits(known.id, contact.id) !== ID_BITS;
    }
    if (sharedBits(this.#own, contact.id) === ID_BITS) return false;
    const bucket = this.#bucketOf(contact.id);
    return bucket.entries.length < BUCKET_SIZE || this.#isLast(bucket) ||
      bucket.entries.some((entry) => !isGood(entry, nowMs));
  }

  /** Notes that a node did not answer; returns who is to be pinged now: the same once more, or the next questionable one. */
  failed(place: PeerEndpoint, nowMs: number): DhtContact | null {
    const entry = this.#byPlace.get(keyOf(place));
    if (entry === undefined) return null;
    entry.failures += 1;
    const bucket = this.#bucketOf(entry.id);
    if (bucket.waiting.length === 0) return null;
    if (!isBad(entry)) return entry;
    this.#remove(entry);
    this.#place(bucket, bucket.waiting.pop()!, nowMs);
    return this.#questionable(bucket, nowMs);
  }

  /** The `count` nodes nearest to `target`, nearest first; none that is bad. */
  closest(target: Uint8Array, count = BUCKET_SIZE): DhtContact[] {
    return [...this.#byPlace.values()].filter((entry) => !isBad(entry))
      .sort((a, b) => compareDistance(target, a.id, b.id)).slice(0, count);
  }

  /** All nodes, bad ones as well: who lost all others begins with these. */
  everyone(): DhtContact[] {
    return [...this.#byPlace.values()];
  }

  /** Whether a bucket is to be refreshed: 15 minutes went by without a change. */
  get staleAtMs(): number {
    let atMs = Infinity;
    for (const { changedAtMs } of this.#buckets) {
      atMs = Math.min(atMs, changedAtMs + QUIET_MS);
    }
    return atMs;
  }

  /** Returns a random id of the stalest bucket if it is due, and takes it for refreshed. */
  refresh(nowMs: number, rng: Rng): Uint8Array<ArrayBuffer> | null {
    const due = this.#buckets.findIndex(({ changedAtMs }) =>
      changedAtMs + QUIET_MS <= nowMs
    );
    if (due < 0) return null;
    this.#buckets[due]!.changedAtMs = nowMs;
    return randomIdBeside(this.#own, Math.min(due, ID_BITS - 1), rng);
  }

  #seen(entry: Entry, nowMs: number): Placement {
    entry.respondedAtMs = nowMs;
    entry.failures = 0;
    const bucket = this.#bucketOf(entry.id);
    bucket.changedAtMs = nowMs;
    return { added: false, ping: this.#questionable(bucket, nowMs) };
  }

  #insert(contact: DhtContact, nowMs: number): Placement {
    const twin = this.#twinOf(contact.id);
    if (twin !== undefined) {
      // The same id at another place: whoever was there first stays until it fails.
      if (!isBad(twin)) return NOTHING;
      this.#remove(twin);
    }
    let bucket = this.#bucketOf(contact.id);
    while (bucket.entries.length >= BUCKET_SIZE && this.#isLast(bucket)) {
      if (this.#buckets.length >= ID_BITS) break;
      this.#split(nowMs);
      bucket = this.#bucketOf(contact.id);
    }
    if (bucket.entries.length < BUCKET_SIZE) {
      this.#place(bucket, contact, nowMs);
      return { added: true, ping: null };
    }
    const bad = bucket.entries.find(isBad);
    if (bad !== undefined) {
      this.#remove(bad);
      this.#place(bucket, contact, nowMs);
      return { added: true, ping: null };
    }
    const ping = this.#oldestQuestionable(bucket, nowMs);
    if (ping !== null) wait(bucket, contact);
    return { added: false, ping };
  }

  #place(bucket: Bucket, { id, host, port }: DhtContact, nowMs: number): void {
    const entry: Entry = {
      ...{ id, host, port },
      respondedAtMs: nowMs,
      queriedAtMs: -Infinity,
      failures: 0,
    };
    forget(bucket, entry);
    bucket.entries.push(entry);
    bucket.changedAtMs = nowMs;
    this.#byPlace.set(keyOf(entry), entry);
  }

  #remove(entry: Entry): void {
    this.#byPlace.delete(keyOf(entry));
    const { entries } = this.#bucketOf(entry.id);
    entries.splice(entries.indexOf(entry), 1);
  }

  #questionable(bucket: Bucket, nowMs: number): DhtContact | null {
    if (bucket.waiting.length === 0) return null;
    const next = this.#oldestQuestionable(bucket, nowMs);
    if (next === null) bucket.waiting.length = 0; // All are good: nobody else gets in.
    return next;
  }

  #oldestQuestionable(bucket: Bucket, nowMs: number): Entry | null {
    let oldest: Entry | null = null;
    for (const entry of bucket.entries) {
      if (isGood(entry, nowMs)) continue;
      if (oldest === null || lastSeen(entry) < lastSeen(oldest)) oldest = entry;
    }
    return oldest;
  }

  #split(nowMs: number): void {
    const last = this.#buckets.at(-1)!;
    const at = this.#buckets.length;
    const next = newBucket(nowMs);
    const [far, near] = [[] as Entry[], next.entries];
    for (const entry of last.entries) {
      (sharedBits(this.#own, entry.id) >= at ? near : far).push(entry);
    }
    last.entries.splice(0, Infinity, ...far);
    last.waiting.length = 0;
    this.#buckets.push(next);
  }

  #twinOf(id: Uint8Array): Entry | undefined {
    return this.#bucketOf(id).entries.find((entry) =>
      sharedBits(entry.id, id) === ID_BITS
    );
  }

  #bucketOf(id: Uint8Array): Bucket {
    const bits = sharedBits(this.#own, id);
    return this.#buckets[Math.min(bits, this.#buckets.length - 1)]!;
  }

  #isLast(bucket: Bucket): boolean {
    return bucket === this.#buckets.at(-1);
  }
}

function newBucket(nowMs: number): Bucket {
  return { entries: [], waiting: [], changedAtMs: nowMs };
}

/** Takes a node off the list of those that wait. */
function forget({ waiting }: Bucket, contact: PeerEndpoint): void {
  const key = keyOf(contact);
  const at = waiting.findIndex((other) => keyOf(other) === key);
  if (at >= 0) waiting.splice(at, 1);
}

function wait(bucket: Bucket, contact: DhtContact): void {
  forget(bucket, contact);
  bucket.waiting.push(contact);
  if (bucket.waiting.length > BUCKET_SIZE) bucket.waiting.shift();
}

function lastSeen({ respondedAtMs, queriedAtMs }: Entry): number {
  return Math.max(respondedAtMs, queriedAtMs);
}

/** It answered within the last 15 minutes, or answered once and asked us within them. */
function isGood(entry: Entry, nowMs: number): boolean {
  return entry.failures === 0 && nowMs - lastSeen(entry) < QUIET_MS;
}

function isBad({ failures }: Entry): boolean {
  return failures >= MAX_FAILURES;
}
