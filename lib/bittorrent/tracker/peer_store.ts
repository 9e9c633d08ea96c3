/**
 * The peers of one address family in all swarms of a tracker, in records instead of objects.
 *
 * An object for each peer takes about 500 bytes and the garbage collector walks them all; here a peer takes 43 bytes
 * (IPv4; IPv6 12 more), which docs/protocols/bittorrent_tracker.md breaks down, and nothing is walked.
 *
 * A record is a number: what is known of the peer lies at that place in arrays, which are cut into segments so that
 * growing copies nothing. What every answer to others needs, its address and how fresh it is, lies apart from the rest:
 * a block of eight of these is one or two lines of the processor's cache, where it would be five. The peers of a swarm
 * are its positions 0 to count - 1, kept in blocks of eight records; when one leaves, the last takes its place. Who
 * announces is found through a hash table with chains over all swarms. It grows by linear hashing (Litwin, 1980): each
 * new bucket takes over half of one old chain, so there is never a pause in which all is hashed anew. The hash has a
 * key, so that nobody can choose addresses that all fall into one chain.
 */
import { BlockLists } from "./_block_lists.ts";
import {
  BLOCK,
  BLOCK_BITS,
  BLOCK_MASK,
  copyBytes,
  FLAGS_AT,
  ID_BYTES,
  newSegment,
  REST_BYTES,
  restAt,
  SEGMENT,
  type Segment,
  SEGMENT_BITS,
  SEGMENT_MASK,
  SIZES_AT,
} from "./_peer_segment.ts";
import type { Rng } from "../../core/rng.ts";
import { SipHash } from "../../core/siphash.ts";

/** Swarms there is room for at first. */
const FIRST_SWARMS = 64;
/** Peers for each bucket of the hash table. */
const LOAD = 2;
/** A peer is silent after so many ticks: fine enough to show an age, and {@linkcode TICK_MASK} holds eight times as many. */
export const EXPIRY_TICKS = 512;
const TICK_MASK = 0xfff;
/** Beside the tick of the last announce, a stamp has so many bits of the peer's id: most ids need not be looked at. */
const PRINT_BITS = 4;
const PRINT_MASK = 0xf;
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
  /** How many peers each swarm has. */
  #counts = new Uint32Array(FIRST_SWARMS);
  /** Blocks that were ever used. */
  #blocks = 0;
  /** Heads of the chains, plus one. */
  readonly #heads: Uint32Array[] = [new Uint32Array(SEGMENT)];
  #buckets = 1;
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
    let link = this.#head(this.#bucketOf(swarm, compact, 0));
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
    this.#setNext(record, this.#head(bucket));
    this.#setHead(bucket, record + 1);
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
   * Copies address and port to `into` at word `offset`, unless the peer has been silent for too long or has the id
   * `peerId`, whose {@linkcode printOf} is `print`; returns whether it did.
   */
  copyUnless(
    record: number,
    { peerId, print, tick }: {
      readonly peerId: Uint8Array;
      readonly print: number;
      readonly tick: number;
    },
    { into, offset }: { readonly into: Uint16Array; readonly offset: number },
  ): boolean {
    const { shown } = this.#segmentOf(record);
    const from = this.#shownAt(record);
    const stamp = shown[from]!;
    if (ticksSince(stamp, tick) >= EXPIRY_TICKS) return false;
    if ((stamp & PRINT_MASK) === print && this.#hasId(record, peerId)) {
      return false;
    }
    const words = this.#words;
    for (let word = 1; word < words; word++) {
      into[offset + word - 1] = shown[from + word]!;
    }
    return true;
  }

  /** The part of a record that every answer needs: reading it, it is in the cache soon. */
  touched(record: number): number {
    return this.#segmentOf(record).shown[this.#shownAt(record)]!;
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
    const { rest } = this.#segmentOf(record);
    copyBytes(rest, restAt(record), { into, offset, count: ID_BYTES });
  }

  /** Sets peer id and time of the last announce. */
  touch(record: number, peerId: Uint8Array, tick: number): void {
    const { shown, rest } = this.#segmentOf(record);
    shown[this.#shownAt(record)] = (tick & TICK_MASK) << PRINT_BITS |
      printOf(peerId);
    copyBytes(peerId, 0, {
      into: rest,
      offset: restAt(record),
      count: ID_BYTES,
    });
  }

  /** How many ticks have passed since the last announce, less than eight times {@linkcode EXPIRY_TICKS}. */
  silence(record: number, tick: number): number {
    return ticksSince(this.touched(record), tick);
  }

  /** 8 bits that are the owner's. */
  flags(record: number): number {
    return this.#segmentOf(record).rest[restAt(record) + FLAGS_AT]!;
  }

  /** Sets the 8 bits. */
  setFlags(record: number, flags: number): void {
    this.#segmentOf(record).rest[restAt(record) + FLAGS_AT] = flags;
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
    let before = this.#head(bucket);
    if (before === record + 1) return this.#setHead(bucket, link);
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
    this.#setNext(to, this.#nextOf(from));
  }

  /** Adds a bucket if the chains are long enough, and moves to it what belongs there of the one bucket it splits. */
  #growTable(): void {
    if (this.#size <= this.#buckets * LOAD) return;
    const added = this.#buckets;
    this.#buckets += 1;
    if (added >> SEGMENT_BITS >= this.#heads.length) {
      this.#heads.push(new Uint32Array(SEGMENT));
    }
    const split = added - (1 << 31 - Math.clz32(added));
    let link = this.#head(split);
    this.#setHead(split, 0);
    while (link !== 0) {
      const record = link - 1;
      link = this.#nextOf(record);
      const bucket = this.#bucketOfRecord(record);
      this.#setNext(record, this.#head(bucket));
      this.#setHead(bucket, record + 1);
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
    // As many bits as name all buckets; a bucket that is not there yet is still part of the one it will be split from.
    const bits = 32 - Math.clz32(this.#buckets - 1);
    const bucket = this.#hash.low & (1 << bits) - 1;
    return bucket < this.#buckets ? bucket : bucket - (1 << bits - 1);
  }

  #isAt(record: number, compact: Uint8Array): boolean {
    const own = this.#segmentOf(record).shownBytes;
    const from = 2 * this.#shownAt(record) + 2;
    for (let at = this.compactBytes - 1; at >= 0; at--) {
      if (own[from + at] !== compact[at]) return false;
    }
    return true;
  }

  /** Whether the peer has that id. From the end: ids start with the name of the program, which many share. */
  #hasId(record: number, peerId: Uint8Array): boolean {
    const { rest } = this.#segmentOf(record);
    const from = restAt(record);
    let at = ID_BYTES - 1;
    while (at >= 0 && rest[from + at] === peerId[at]) at -= 1;
    return at < 0;
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
    return this.#segmentOf(record).next[record & SEGMENT_MASK]!;
  }

  #setNext(record: number, link: number): void {
    this.#segmentOf(record).next[record & SEGMENT_MASK] = link;
  }

  #head(bucket: number): number {
    return this.#heads[bucket >> SEGMENT_BITS]![bucket & SEGMENT_MASK]!;
  }

  #setHead(bucket: number, link: number): void {
    this.#heads[bucket >> SEGMENT_BITS]![bucket & SEGMENT_MASK] = link;
  }
}

/** Some bits of a peer id, of which two ids rarely share all. */
export function printOf(peerId: Uint8Array): number {
  return peerId[16]! + peerId[17]! + peerId[18]! + 3 * peerId[19]! &
    PRINT_MASK;
}

function ticksSince(stamp: number, tick: number): number {
  return tick - (stamp >> PRINT_BITS) & TICK_MASK;
}
