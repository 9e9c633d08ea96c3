/**
 * The peers of one address family in all swarms of a tracker, in records instead of objects.
 *
 * An object for each peer takes about 500 bytes and the garbage collector walks them all; here a peer takes 35 bytes
 * (IPv4; IPv6 12 more), which docs/protocols/bittorrent_tracker.md breaks down, and nothing is walked.
 *
 * A record is a number: what is known of the peer lies at that place in arrays, which are cut into segments so that
 * growing copies nothing. What every answer to others needs, its address and how fresh it is, lies apart from the rest:
 * a block of eight of these is one or two lines of the processor's cache, where it would be five. The peers of a swarm
 * are its positions 0 to count - 1, kept in blocks of eight records; when one leaves, the last takes its place. Who
 * announces is found through a hash table with chains over all swarms. The hash has a key, so that nobody can choose
 * addresses that all fall into one chain.
 */
import type { Rng } from "../../../core/rng.ts";
import { SipHash } from "../../../core/siphash.ts";
import { BlockLists } from "./_block_lists.ts";
import { Buckets } from "./_buckets.ts";
import { PeerIds } from "./_peer_ids.ts";
import {
  BLOCK,
  BLOCK_BITS,
  BLOCK_MASK,
  copyBytes,
  copyWords,
  newSegment,
  REST_BYTES,
  restAt,
  type Segment,
  SEGMENT_BITS,
  SEGMENT_MASK,
  SIZES_AT,
} from "./_peer_segment.ts";
import {
  EXPIRY_TICKS,
  hasPrint,
  printOf,
  stampOf,
  ticksSince,
} from "./_stamp.ts";

export { EXPIRY_TICKS } from "./_stamp.ts";

/** Swarms there is room for at first. */
const FIRST_SWARMS = 64;
/** Peers for each bucket of the hash table. */
const LOAD = 2;
/** In place of a record: there is none. */
export const NO_RECORD: number = -1;

/** See the head of this file. */
export class PeerStore {
  /** Bytes of a peer's address and port. */
  readonly compactBytes: number;
  /** Words of two bytes of a record in {@linkcode Segment.shown}. */
  readonly #words: number;
  readonly #segments: Segment[] = [];
  readonly #freeBlocks: number[] = [];
  /** The blocks of each swarm. */
  readonly #lists = new BlockLists();
  readonly #ids = new PeerIds();
  /** How many peers each swarm has. */
  #counts = new Uint32Array(FIRST_SWARMS);
  /** Blocks that were ever used. */
  #blocks = 0;
  /** Their heads are records plus one. */
  readonly #chains = new Buckets();
  #size = 0;
  readonly #hash: SipHash;
  /** What is hashed: a swarm's number, an address and a port. */
  readonly #key: Uint8Array;

  /** Creates an empty store. @param compactBytes 6 for IPv4, 18 for IPv6. @param rng Draws the key of the hash. */
  constructor(compactBytes: number, rng: Rng) {
    this.compactBytes = compactBytes;
    this.#words = 1 + compactBytes / 2;
    const key = Uint8Array.from({ length: 16 }, () => rng() * 256);
    this.#hash = new SipHash(key, { rounds: 1, finalRounds: 3 });
    this.#key = new Uint8Array(4 + compactBytes);
  }

  /** How many peers there are in all swarms. */
  get size(): number {
    return this.#size;
  }

  /** How many peers a swarm has. Swarms are numbers, small ones: each has its place in arrays. */
  count(swarm: number): number {
    return this.#counts[swarm] ?? 0;
  }

  /** Returns the record of the peer at `compact`, or {@linkcode NO_RECORD}. */
  find(swarm: number, compact: Uint8Array): number {
    let link = this.#chains.head(this.#bucketOf(swarm, compact, 0));
    while (link !== 0) {
      const record = link - 1;
      if (this.#swarmOf(record) === swarm && this.#isAt(record, compact)) {
        return record;
      }
      link = this.#nextOf(record);
    }
    return NO_RECORD;
  }

  /** Adds a peer that is not there yet, all fields 0; returns its record. */
  add(swarm: number, compact: Uint8Array): number {
    const count = this.count(swarm);
    if (count % BLOCK === 0) this.#addBlock(swarm);
    const record = this.at(swarm, count);
    this.#setCount(swarm, count + 1);
    this.#size += 1;
    const { shown, shownBytes, rest } = this.#segmentOf(record);
    const from = this.#shownAt(record);
    shown[from] = 0;
    shownBytes.set(compact, 2 * from + 2);
    const own = restAt(record);
    rest.fill(0, own, own + REST_BYTES);
    this.#growTable();
    const bucket = this.#bucketOf(swarm, compact, 0);
    this.#setNext(record, this.#chains.head(bucket));
    this.#chains.setHead(bucket, record + 1);
    return record;
  }

  /** Removes a peer; the last of its swarm takes its position, and its record. */
  remove(swarm: number, record: number): void {
    this.#unchain(record, this.#nextOf(record));
    const count = this.count(swarm) - 1;
    const last = this.at(swarm, count);
    if (last !== record) {
      this.#unchain(last, record + 1);
      this.#copy(last, record);
    }
    this.#setCount(swarm, count);
    this.#size -= 1;
    if (count % BLOCK === 0) this.#freeBlocks.push(this.#lists.pop(swarm));
  }

  /** The record at a position of a swarm. */
  at(swarm: number, position: number): number {
    return this.#lists.at(swarm, position >> BLOCK_BITS) * BLOCK +
      (position & BLOCK_MASK);
  }

  /** Where in its swarm a record is. */
  positionOf(record: number): number {
    const block = record & SEGMENT_MASK;
    return this.#segmentOf(record).places[block >> BLOCK_BITS]! * BLOCK +
      (record & BLOCK_MASK);
  }

  /**
   * Puts the records at positions `positions[from]` to `positions[until - 1]` of a swarm into `records`.
   *
   * It reads a bit of each without waiting for one before asking for the next: of a large swarm they come from memory, not
   * from a cache, and one after the other that was half the time of a draw. What it read is added up and returned, so that
   * the reading is not optimized away.
   */
  recordsAt(
    swarm: number,
    { positions, from, until }: {
      readonly positions: Uint32Array;
      readonly from: number;
      readonly until: number;
    },
    records: Uint32Array,
  ): number {
    const blocks = this.#lists.stretch(swarm);
    const segments = this.#segments;
    const words = this.#words;
    let touched = 0;
    for (let step = from; step < until; step++) {
      const position = positions[step]!;
      const record = blocks[position >> BLOCK_BITS]! * BLOCK +
        (position & BLOCK_MASK);
      records[step - from] = record;
      const { shown } = segments[record >> SEGMENT_BITS]!;
      touched += shown[(record & SEGMENT_MASK) * words]!;
    }
    return touched;
  }

  /**
   * Copies address and port of the first `count` of `records` to `into` from word `offset` on, except of peers that have
   * been silent for too long or have the id `peerId`. Puts those it copied at the front of `records`; returns how many.
   */
  copyPresent(
    records: Uint32Array,
    count: number,
    { peerId, tick, into, offset }: {
      readonly peerId: Uint8Array;
      readonly tick: number;
      readonly into: Uint16Array;
      readonly offset: number;
    },
  ): number {
    const print = printOf(peerId);
    const segments = this.#segments;
    const words = this.#words;
    let taken = 0;
    let to = offset;
    for (let at = 0; at < count; at++) {
      const record = records[at]!;
      const segment = segments[record >> SEGMENT_BITS]!;
      const { shown } = segment;
      const from = (record & SEGMENT_MASK) * words;
      const stamp = shown[from]!;
      if (ticksSince(stamp, tick) >= EXPIRY_TICKS) continue;
      if (hasPrint(stamp, print) && this.#ids.has(segment, record, peerId)) {
        continue;
      }
      records[taken++] = record;
      copyWords(shown, from + 1, { into, offset: to, count: words - 1 });
      to += words - 1;
    }
    return taken;
  }

  /** Copies address and port to `into`. */
  copyCompact(record: number, into: Uint8Array): void {
    const { shownBytes } = this.#segmentOf(record);
    copyBytes(shownBytes, 2 * this.#shownAt(record) + 2, {
      into,
      offset: 0,
      count: this.compactBytes,
    });
  }

  /** Copies the peer id to `into` at `offset`. */
  copyId(record: number, into: Uint8Array, offset: number): void {
    this.#ids.copy({ segment: this.#segmentOf(record), record }, into, offset);
  }

  /** Sets peer id and time of the last announce. */
  touch(record: number, peerId: Uint8Array, tick: number): void {
    const segment = this.#segmentOf(record);
    segment.shown[this.#shownAt(record)] = stampOf(tick, printOf(peerId));
    this.#ids.set(segment, record, peerId);
  }

  /** How many ticks have passed since the last announce, less than eight times {@linkcode EXPIRY_TICKS}. */
  silence(record: number, tick: number): number {
    const stamp = this.#segmentOf(record).shown[this.#shownAt(record)]!;
    return ticksSince(stamp, tick);
  }

  /** One of three numbers of 16 bits that are the owner's. */
  size16(record: number, which: 0 | 1 | 2): number {
    const { rest } = this.#segmentOf(record);
    const at = restAt(record) + SIZES_AT + 2 * which;
    return rest[at]! | rest[at + 1]! << 8;
  }

  /** Sets one of the three numbers. */
  setSize16(record: number, which: 0 | 1 | 2, value: number): void {
    const { rest } = this.#segmentOf(record);
    const at = restAt(record) + SIZES_AT + 2 * which;
    rest[at] = value;
    rest[at + 1] = value >> 8;
  }

  #setCount(swarm: number, count: number): void {
    const { length } = this.#counts;
    if (swarm >= length) {
      const counts = new Uint32Array(Math.max(swarm + 1, 2 * length));
      counts.set(this.#counts);
      this.#counts = counts;
    }
    this.#counts[swarm] = count;
  }

  #addBlock(swarm: number): void {
    const block = this.#freeBlocks.pop() ?? this.#blocks++;
    if (block * BLOCK >> SEGMENT_BITS >= this.#segments.length) {
      this.#segments.push(newSegment(this.#words));
    }
    const segment = this.#segmentOf(block * BLOCK);
    const at = (block * BLOCK & SEGMENT_MASK) >> BLOCK_BITS;
    segment.swarms[at] = swarm;
    segment.places[at] = this.#lists.length(swarm);
    this.#lists.push(swarm, block);
  }

  /** Puts `link` into the place where the chain points to `record`. */
  #unchain(record: number, link: number): void {
    const bucket = this.#bucketOfRecord(record);
    let before = this.#chains.head(bucket);
    if (before === record + 1) return this.#chains.setHead(bucket, link);
    while (before !== 0) {
      const next = this.#nextOf(before - 1);
      if (next === record + 1) return this.#setNext(before - 1, link);
      before = next;
    }
  }

  #copy(from: number, to: number): void {
    const source = this.#segmentOf(from);
    const target = this.#segmentOf(to);
    copyBytes(source.shownBytes, 2 * this.#shownAt(from), {
      into: target.shownBytes,
      offset: 2 * this.#shownAt(to),
      count: 2 * this.#words,
    });
    copyBytes(source.rest, restAt(from), {
      into: target.rest,
      offset: restAt(to),
      count: REST_BYTES,
    });
    this.#ids.follow(
      { segment: source, record: from },
      { segment: target, record: to },
    );
    this.#setNext(to, this.#nextOf(from));
  }

  /** Adds a bucket if the chains are long enough, and moves to it what belongs there of the one bucket it splits. */
  #growTable(): void {
    if (this.#size <= this.#chains.count * LOAD) return;
    const split = this.#chains.add();
    let link = this.#chains.head(split);
    this.#chains.setHead(split, 0);
    while (link !== 0) {
      const record = link - 1;
      link = this.#nextOf(record);
      const bucket = this.#bucketOfRecord(record);
      this.#setNext(record, this.#chains.head(bucket));
      this.#chains.setHead(bucket, record + 1);
    }
  }

  #bucketOfRecord(record: number): number {
    const { shownBytes } = this.#segmentOf(record);
    const from = 2 * this.#shownAt(record) + 2;
    return this.#bucketOf(this.#swarmOf(record), shownBytes, from);
  }

  /** The bucket of the peer whose address and port are at `offset` of `compact`. */
  #bucketOf(swarm: number, compact: Uint8Array, offset: number): number {
    const key = this.#key;
    key[0] = swarm;
    key[1] = swarm >> 8;
    key[2] = swarm >> 16;
    key[3] = swarm >> 24;
    for (let at = 0; at < this.compactBytes; at++) {
      key[4 + at] = compact[offset + at]!;
    }
    this.#hash.update(key, key.length);
    return this.#chains.of(this.#hash.low);
  }

  #isAt(record: number, compact: Uint8Array): boolean {
    const own = this.#segmentOf(record).shownBytes;
    const from = 2 * this.#shownAt(record) + 2;
    for (let at = this.compactBytes - 1; at >= 0; at--) {
      if (own[from + at] !== compact[at]) return false;
    }
    return true;
  }

  #segmentOf(record: number): Segment {
    return this.#segments[record >> SEGMENT_BITS]!;
  }

  /** Where a record starts in {@linkcode Segment.shown}. */
  #shownAt(record: number): number {
    return (record & SEGMENT_MASK) * this.#words;
  }

  #swarmOf(record: number): number {
    return this.#segmentOf(record)
      .swarms[(record & SEGMENT_MASK) >> BLOCK_BITS]!;
  }

  #nextOf(record: number): number {
    return this.#segmentOf(record).next.at(record & SEGMENT_MASK);
  }

  #setNext(record: number, link: number): void {
    this.#segmentOf(record).next.set(record & SEGMENT_MASK, link);
  }
}
