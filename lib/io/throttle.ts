import { TokenBucket } from "../model/token_bucket.ts";
import type { Clock } from "./clock.ts";

/** Largest piece of a body that is read and handed over at once. */
const MAX_CHUNK_BYTES = 64 * 1024;
/** A limited rate is sent in pieces of about this much time, so that it looks even to who measures it. */
const CHUNK_MS = 20;
/** A datagram's worth: smaller pieces would only cost. */
const MIN_CHUNK_BYTES = 1024;

/**
 * The link of the whole server (`--limit-rate`): all answers share one token bucket and take turns, first come
 * first served, so that equal downloads get equal shares.
 */
export class Throttle {
  /** How much an answer may read for one turn. */
  readonly chunkBytes: number;
  readonly #bucket: TokenBucket;
  readonly #clock: Clock;
  #last: Promise<void> = Promise.resolve();

  /** Limits to `bytesPerSecond`; `Infinity` does not limit. */
  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bucket = new TokenBucket({ bytesPerSecond }, clock.nowMs());
    this.#clock = clock;
    this.chunkBytes = Math.max(
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
  body: Uint8Array | ReadableStream<Uint8Array>,
  throttle: Throttle,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const chunks = chunksOf(body, throttle, signal);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  }, { highWaterMark: 0 });
}

async function* chunksOf(
  body: Uint8Array | ReadableStream<Uint8Array>,
  throttle: Throttle,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const bytes of body instanceof Uint8Array ? [body] : body) {
    for (let at = 0; at < bytes.length; at += throttle.chunkBytes) {
      const chunk = bytes.subarray(at, at + throttle.chunkBytes);
      await throttle.take(chunk.length, signal);
      yield chunk;
    }
  }
}
