/**
 * The chunks of a segment that is sent while it is made: low-latency CMAF (ISO/IEC 23009-1 annex K) sends each chunk, a
 * `moof` with its `mdat`, as soon as the encoder has it. What has come of the segment can be played, which is what such
 * a title is for.
 *
 * A segment of two seconds then takes two seconds, however fast the link, and a player that took that for the link's rate
 * would stay in the lowest rung for ever. So the time between the end of one chunk and the beginning of the next is not
 * the link's (as in ACTE, Bentaleb et al., NOSSDAV 2019), unless it is about as long as between any two parts of a chunk:
 * then the link is what is slow.
 */
import { ByteCollector } from "../core/byte_collector.ts";
import { fragmentMs, type SampleTimes } from "./sample_times.ts";

const HEAD_BYTES = 8;
const MDAT = 0x6d646174;
const MOOF = 0x6d6f6f66;
/** A larger one is no head of a chunk. */
const MAX_MOOF_BYTES = 2 ** 20;
/** So much longer than between two parts of a chunk is a wait for the encoder. */
const MUCH_LONGER = 4;

/** Takes a segment's bytes as they come, and when. See the head of this file. */
export class Chunks {
  /** Of the box that is being passed: its first bytes, and what is left of it after them. */
  readonly #head = new Uint8Array(2 * HEAD_BYTES);
  #headBytes = 0;
  #leftBytes = 0;
  #isChunkEnd = false;
  #lastAtMs: number | undefined;
  #insideMs = 0;
  #insideCount = 0;
  readonly #betweenMs: number[] = [];
  readonly #times: SampleTimes | undefined;
  /** Of the chunk that is coming. */
  #moof: ByteCollector | undefined;
  #comingMs = 0;
  #mediaMs = 0;

  /** @param times To know how much media has come. */
  constructor(times?: SampleTimes) {
    this.#times = times;
  }

  /** Media in the chunks that have come whole. */
  get mediaMs(): number {
    return this.#mediaMs;
  }

  /** The next bytes came at `atMs`. */
  push(bytes: Uint8Array, atMs: number): void {
    if (bytes.length === 0) return;
    if (this.#lastAtMs !== undefined) {
      const gapMs = atMs - this.#lastAtMs;
      if (this.#isChunkEnd) this.#betweenMs.push(gapMs);
      else {
        this.#insideMs += gapMs;
        this.#insideCount += 1;
      }
    }
    this.#lastAtMs = atMs;
    for (let at = 0; at < bytes.length;) at += this.#pass(bytes.subarray(at));
  }

  /** How long there was nothing to send, so far. */
  get idleMs(): number {
    const eachMs = this.#insideMs / Math.max(1, this.#insideCount);
    return this.#betweenMs.filter((ms) => ms > MUCH_LONGER * eachMs)
      .reduce((sum, ms) => sum + ms, 0);
  }

  /** Passes some bytes of one box; returns how many. */
  #pass(bytes: Uint8Array): number {
    this.#isChunkEnd = false;
    if (this.#leftBytes === 0) return this.#passHead(bytes);
    const count = Math.min(bytes.length, this.#leftBytes);
    this.#leftBytes -= count;
    this.#moof?.push(bytes.subarray(0, count));
    if (this.#leftBytes === 0) this.#endBox();
    return count;
  }

  #passHead(bytes: Uint8Array): number {
    const view = new DataView(this.#head.buffer);
    const isWide = this.#headBytes >= HEAD_BYTES && view.getUint32(0) === 1;
    const wanted = (isWide ? 2 * HEAD_BYTES : HEAD_BYTES) - this.#headBytes;
    const count = Math.min(wanted, bytes.length);
    this.#head.set(bytes.subarray(0, count), this.#headBytes);
    this.#headBytes += count;
    if (count < wanted) return count;
    const size = view.getUint32(0);
    if (size === 1 && !isWide) return count; // 64 bits of size follow.
    const boxBytes = isWide ? Number(view.getBigUint64(HEAD_BYTES)) : size;
    // 0 is to the end of the file; less than its own head is no box, so that there is nothing to tell.
    this.#leftBytes = boxBytes < this.#headBytes
      ? Infinity
      : boxBytes - this.#headBytes;
    if (
      this.#times !== undefined && view.getUint32(4) === MOOF &&
      boxBytes <= MAX_MOOF_BYTES
    ) {
      this.#moof = new ByteCollector();
      this.#moof.push(this.#head.subarray(0, this.#headBytes));
    }
    if (this.#leftBytes === 0) this.#endBox();
    return count;
  }

  #endBox(): void {
    this.#isChunkEnd = new DataView(this.#head.buffer).getUint32(4) === MDAT;
    this.#headBytes = 0;
    if (this.#moof !== undefined) {
      this.#comingMs = fragmentMs(this.#moof.bytes, this.#times!);
      this.#moof = undefined;
    }
    if (!this.#isChunkEnd) return;
    this.#mediaMs += this.#comingMs;
    this.#comingMs = 0;
  }
}
