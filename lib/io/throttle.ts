import { TokenBucket } from "../model/token_bucket.ts";
import { sourceOf } from "./body_source.ts";
import type { Clock } from "./clock.ts";
import type { BodySource } from "./http.ts";

/** Largest piece of a body that is read and handed over at once, with a limit and without. */
const MAX_CHUNK_BYTES = 64 * 1024;
const UNLIMITED_CHUNK_BYTES = 128 * 1024;
/** A limited rate is sent in pieces of about this much time, so that it looks even to who measures it. */
const CHUNK_MS = 10;
/** How much unused time may be made up for: with a chunk on top, no second has 5 % too much. A timer is rarely later. */
const DEPTH_MS = 25;
/** A datagram's worth: smaller pieces would only cost. */
const MIN_CHUNK_BYTES = 1024;

/**
 * The link of the whole server (`--limit-rate`): all answers share one token bucket and take turns, first come
 * first served, so that equal downloads get equal shares.
 */
export class Throttle {
  /** The limit. */
  readonly bytesPerSecond: number;
  /** How much an answer may read for one turn. */
  readonly chunkBytes: number;
  readonly #bucket: TokenBucket;
  readonly #clock: Clock;
  #last: Promise<void> = Promise.resolve();

  /** Limits to `bytesPerSecond`; `Infinity` does not limit. */
  constructor(bytesPerSecond: number, clock: Clock) {
    this.bytesPerSecond = bytesPerSecond;
    this.#bucket = new TokenBucket(
      { bytesPerSecond, depthMs: DEPTH_MS },
      clock.nowMs(),
    );
    this.#clock = clock;
    this.chunkBytes = bytesPerSecond === Infinity
      ? UNLIMITED_CHUNK_BYTES
      : Math.max(
        MIN_CHUNK_BYTES,
        Math.min(MAX_CHUNK_BYTES, Math.floor(bytesPerSecond * CHUNK_MS / 1000)),
      );
  }

  /** Waits for its turn and takes `bytes`; rejects with the signal's reason when the client leaves while waiting. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    if (!this.#bucket.limited) return;
    const mine = this.#last.then(async () => {
      signal.throwIfAborted();
      const atMs = this.#bucket.readyAtMs(this.#clock.nowMs());
      await this.#clock.sleepUntil(atMs, signal);
      this.#bucket.spend(bytes);
    });
    this.#last = mine.catch(() => {});
    await mine;
  }
}

/**
 * Lets a body through no faster than `throttle` allows, in its order; what a slow client has not taken is not asked
 * for, and a client that leaves cancels the body.
 */
export function throttleBody(
  body: Uint8Array | BodySource,
  throttle: Throttle,
  signal: AbortSignal,
): BodySource {
  const source = sourceOf(body);
  let rest: Uint8Array = new Uint8Array(0);
  return {
    lengthBytes: source.lengthBytes,
    async next() {
      if (rest.length === 0) {
        const piece = await source.next(throttle.chunkBytes);
        if (piece === null) return null;
        rest = piece;
      }
      const chunk = rest.subarray(0, throttle.chunkBytes);
      rest = rest.subarray(chunk.length);
      try {
        await throttle.take(chunk.length, signal);
      } catch (error) {
        source.leave();
        throw error;
      }
      return chunk;
    },
    leave: () => source.leave(),
  };
}
