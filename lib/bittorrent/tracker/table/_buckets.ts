import { Links } from "./_links.ts";

/** Buckets of one piece of memory. A power of two. */
const PIECE = 4096;
const PIECE_BITS = 12;
const PIECE_MASK = PIECE - 1;

/**
 * The buckets of a hash table with chains, as numbers of 24 bits where the chains begin; 0 for nowhere.
 *
 * It grows by linear hashing (Litwin, 1980): each new bucket takes over half of one old chain, so there is never a pause
 * in which all is hashed anew, and growing copies nothing.
 */
export class Buckets {
  readonly #heads: Links[] = [new Links(PIECE)];
  #count = 1;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** The bucket of a hash of 32 bits. */
  of(hash: number): number {
    // As many bits as name all buckets; a bucket that is not there yet is still part of the one it will be split from.
    const bits = 32 - Math.clz32(this.#count - 1);
    const bucket = hash & (1 << bits) - 1;
    return bucket < this.#count ? bucket : bucket - (1 << bits - 1);
  }

  /** Adds a bucket; returns the one it is split from, whose chain has to be dealt out to both. */
  add(): number {
    const added = this.#count++;
    if (added >> PIECE_BITS >= this.#heads.length) {
      this.#heads.push(new Links(PIECE));
    }
    return added - (1 << 31 - Math.clz32(added));
  }

  /** Where the chain of a bucket begins. */
  head(bucket: number): number {
    return this.#heads[bucket >> PIECE_BITS]!.at(bucket & PIECE_MASK);
  }

  /** Sets where the chain of a bucket begins. */
  setHead(bucket: number, head: number): void {
    this.#heads[bucket >> PIECE_BITS]!.set(bucket & PIECE_MASK, head);
  }
}
