/**
 * The peers of one address family in all swarms of a tracker, in records instead of objects.
 *
 * An object for each peer takes about 500 bytes and the garbage collector walks them all; here a peer takes 43 bytes
 * (IPv4; IPv6 12 more), which docs/protocols/bittorrent_tracker.md breaks down, and nothing is walked.
 *
 * A record is a number: its bytes lie at that place in an array, which is cut into segments so that growing copies nothing. The peers of a swarm are its positions 0 to count - 1, kept in blocks of eight records; when one
 * leaves, the last takes its place. Who announces is found through a hash table with chains over all swarms. It grows by
 * linear hashing (Litwin, 1980): each new bucket takes over half of one old chain, so there is never a pause in which
 * all is hashed anew. The hash has a key, so that nobody can choose addresses that all fall into one chain.
 */
import type { Rng } from "../core/rng.ts";
import { SipHash } from "../core/siphash.ts";

/** Records of a block. More would leave more empty records in small swarms, fewer would need more to be kept of each. */
const BLOCK = 8;
const BLOCK_BITS = 3;
const BLOCK_MASK = BLOCK - 1;
/** Records, and buckets, of a segment. A power of two. */
const SEGMENT = 4096;
const SEGMENT_BITS = 12;
const SEGMENT_MASK = SEGMENT - 1;
/** Peers for each bucket of the hash table. */
const LOAD = 2;
/** Bytes of a peer id. */
const ID_BYTES = 20;
/** Where a record's fields are, after the peer id at 0. Address and port come last. */
const TICK_AT = 20;
const SIZES_AT = 22;
const FLAGS_AT = 28;
const COMPACT_AT = 29;
/** A peer is silent after so many ticks: fine enough to show an age, and 16 bits hold eight times as many. */
export const EXPIRY_TICKS = 8192;
/** In place of a record: there is none. */
export const NO_RECORD: number = -1;

/** The peers of one swarm in a {@linkcode PeerStore}. */
export interface PeerGroup {
  /** No two swarms have the same; 32 bits. */
  readonly swarm: number;
  /** How many peers there are. */
  count: number;
  /** Where they are, {@linkcode BLOCK} in each. */
  readonly blocks: number[];
}

interface Segment {
  /** The records, each in one stretch, so that using one touches one line of the cache or two. */
  readonly bytes: Uint8Array;
  /** The next of its chain, plus one; 0 ends it. */
  readonly next: Uint32Array;
  /** Of each block: the swarm it belongs to, and where it stands in that group's blocks. */
  readonly swarms: Uint32Array;
  readonly places: Uint32Array;
}

/** See the head of this file. */
export class PeerStore {
  /** Bytes of a peer's address and port. */
  readonly compactBytes: number;
  readonly #recordBytes: number;
  readonly #segments: Segment[] = [];
  readonly #freeBlocks: number[] = [];
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
    this.#recordBytes = COMPACT_AT + compactBytes;
    const key = Uint8Array.from({ length: 16 }, () => rng() * 256);
    this.#hash = new SipHash(key, { rounds: 1, finalRounds: 3 });
    this.#key = new Uint8Array(4 + compactBytes);
  }

  /** How many peers there are in all groups. */
  get size(): number {
    return this.#size;
  }

  /** Returns the record of the peer at `compact`, or {@linkcode NO_RECORD}. */
  find(group: PeerGroup, compact: Uint8Array): number {
    let link = this.#head(this.#bucketOf(group.swarm, compact, 0));
    while (link !== 0) {
      const record = link - 1;
      if (
        this.#swarmOf(record) === group.swarm && this.#isAt(record, compact)
      ) {
        return record;
      }
      link = this.#nextOf(record);
    }
    return NO_RECORD;
  }

  /** Adds a peer that is not there yet, all fields 0; returns its record. */
  add(group: PeerGroup, compact: Uint8Array): number {
    if (group.count % BLOCK === 0) this.#addBlock(group);
    const record = this.at(group, group.count);
    group.count += 1;
    this.#size += 1;
    const { bytes } = this.#segmentOf(record);
    const from = this.#offsetOf(record);
    bytes.fill(0, from, from + COMPACT_AT);
    bytes.set(compact, from + COMPACT_AT);
    this.#growTable();
    const bucket = this.#bucketOf(group.swarm, compact, 0);
    this.#setNext(record, this.#head(bucket));
    this.#setHead(bucket, record + 1);
    return record;
  }

  /** Removes a peer; the last of its group takes its position, and its record. */
  remove(group: PeerGroup, record: number): void {
    this.#unchain(record, this.#nextOf(record));
    const last = this.at(group, group.count - 1);
    if (last !== record) {
      this.#unchain(last, record + 1);
      this.#copy(last, record);
    }
    group.count -= 1;
    this.#size -= 1;
    if (group.count % BLOCK === 0) {
      const block = group.blocks.pop();
      if (block !== undefined) this.#freeBlocks.push(block);
    }
  }

  /** The record at a position of a group. */
  at(group: PeerGroup, position: number): number {
    return group.blocks[position >> BLOCK_BITS]! * BLOCK +
      (position & BLOCK_MASK);
  }

  /** Where in its group a record is. */
  positionOf(record: number): number {
    const block = record & SEGMENT_MASK;
    return this.#segmentOf(record).places[block >> BLOCK_BITS]! * BLOCK +
      (record & BLOCK_MASK);
  }

  /**
   * Copies address and port to `into` at `offset`, unless the peer has been silent for too long or has the id `peerId`;
   * returns whether it did.
   */
  copyUnless(
    record: number,
    { peerId, tick }: { readonly peerId: Uint8Array; readonly tick: number },
    { into, offset }: { readonly into: Uint8Array; readonly offset: number },
  ): boolean {
    const { bytes } = this.#segmentOf(record);
    const from = this.#offsetOf(record);
    if (ticksBetween(bytes, from, tick) >= EXPIRY_TICKS) return false;
    // From the end: ids start with the name of the program, which many share.
    let at = ID_BYTES - 1;
    while (at >= 0 && bytes[from + at] === peerId[at]) at -= 1;
    if (at < 0) return false;
    copyBytes(bytes, from + COMPACT_AT, {
      into,
      offset,
      count: this.compactBytes,
    });
    return true;
  }

  /** Some byte of a record, so that the rest is in the cache soon. */
  touched(record: number): number {
    return this.#segmentOf(record).bytes[this.#offsetOf(record) + TICK_AT]!;
  }

  /** Copies address and port to `into`. */
  copyCompact(record: number, into: Uint8Array): void {
    const from = this.#offsetOf(record) + COMPACT_AT;
    copyBytes(this.#segmentOf(record).bytes, from, {
      into,
      offset: 0,
      count: this.compactBytes,
    });
  }

  /** Copies the peer id to `into` at `offset`. */
  copyId(record: number, into: Uint8Array, offset: number): void {
    copyBytes(this.#segmentOf(record).bytes, this.#offsetOf(record), {
      into,
      offset,
      count: ID_BYTES,
    });
  }

  /** Sets peer id and time of the last announce. */
  touch(record: number, peerId: Uint8Array, tick: number): void {
    const { bytes } = this.#segmentOf(record);
    const offset = this.#offsetOf(record);
    copyBytes(peerId, 0, { into: bytes, offset, count: ID_BYTES });
    bytes[offset + TICK_AT] = tick;
    bytes[offset + TICK_AT + 1] = tick >> 8;
  }

  /** How many ticks have passed since the last announce, less than 65,536. */
  silence(record: number, tick: number): number {
    const { bytes } = this.#segmentOf(record);
    return ticksBetween(bytes, this.#offsetOf(record), tick);
  }

  /** 8 bits that are the owner's. */
  flags(record: number): number {
    return this.#segmentOf(record).bytes[this.#offsetOf(record) + FLAGS_AT]!;
  }

  /** Sets the 8 bits. */
  setFlags(record: number, flags: number): void {
    const at = this.#offsetOf(record) + FLAGS_AT;
    this.#segmentOf(record).bytes[at] = flags;
  }

  /** One of three numbers of 16 bits that are the owner's. */
  size16(record: number, which: 0 | 1 | 2): number {
    const { bytes } = this.#segmentOf(record);
    const at = this.#offsetOf(record) + SIZES_AT + 2 * which;
    return bytes[at]! | bytes[at + 1]! << 8;
  }

  /** Sets one of the three numbers. */
  setSize16(record: number, which: 0 | 1 | 2, value: number): void {
    const { bytes } = this.#segmentOf(record);
    const at = this.#offsetOf(record) + SIZES_AT + 2 * which;
    bytes[at] = value;
    bytes[at + 1] = value >> 8;
  }

  #addBlock(group: PeerGroup): void {
    const block = this.#freeBlocks.pop() ?? this.#blocks++;
    if (block * BLOCK >> SEGMENT_BITS >= this.#segments.length) {
      this.#segments.push({
        bytes: new Uint8Array(SEGMENT * this.#recordBytes),
        next: new Uint32Array(SEGMENT),
        swarms: new Uint32Array(SEGMENT / BLOCK),
        places: new Uint32Array(SEGMENT / BLOCK),
      });
    }
    const segment = this.#segmentOf(block * BLOCK);
    const at = (block * BLOCK & SEGMENT_MASK) >> BLOCK_BITS;
    segment.swarms[at] = group.swarm;
    segment.places[at] = group.blocks.length;
    group.blocks.push(block);
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
    copyBytes(this.#segmentOf(from).bytes, this.#offsetOf(from), {
      into: this.#segmentOf(to).bytes,
      offset: this.#offsetOf(to),
      count: this.#recordBytes,
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
    const { bytes } = this.#segmentOf(record);
    const from = this.#offsetOf(record) + COMPACT_AT;
    return this.#bucketOf(this.#swarmOf(record), bytes, from);
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
    const own = this.#segmentOf(record).bytes;
    const from = this.#offsetOf(record) + COMPACT_AT;
    for (let at = this.compactBytes - 1; at >= 0; at--) {
      if (own[from + at] !== compact[at]) return false;
    }
    return true;
  }

  #segmentOf(record: number): Segment {
    return this.#segments[record >> SEGMENT_BITS]!;
  }

  /** Where a record starts in the bytes of its segment. */
  #offsetOf(record: number): number {
    return (record & SEGMENT_MASK) * this.#recordBytes;
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

function ticksBetween(bytes: Uint8Array, from: number, tick: number): number {
  const last = bytes[from + TICK_AT]! | bytes[from + TICK_AT + 1]! << 8;
  return tick - last & 0xffff;
}

/** Few bytes are copied faster one by one than by a call. */
function copyBytes(
  bytes: Uint8Array,
  from: number,
  { into, offset, count }: {
    readonly into: Uint8Array;
    readonly offset: number;
    readonly count: number;
  },
): void {
  for (let at = 0; at < count; at++) into[offset + at] = bytes[from + at]!;
}
