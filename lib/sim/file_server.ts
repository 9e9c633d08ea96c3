import { TokenBucket } from "../model/token_bucket.ts";

/** A server that gives N clients a file each, over a link that all share. */
export interface FileServerOptions {
  readonly fileBytes: number;
  readonly clients: number;
  readonly bytesPerSecond: number;
  /** What is sent at a turn. */
  readonly chunkBytes: number;
  /** From the last byte sent to the last one received. */
  readonly delayMs: number;
}

/**
 * When each client has the whole file, in virtual milliseconds since all asked at once.
 *
 * Answers take turns at one token bucket, first come first served, as those of `rolecall origin --limit-rate` do: the
 * bucket is the same code, the turns are its rule (lib/io/throttle.ts).
 */
export function serveInTurn(options: FileServerOptions): Float64Array {
  const { fileBytes, clients, chunkBytes, delayMs } = options;
  const bucket = new TokenBucket(options, 0);
  const doneAtMs = new Float64Array(clients);
  let nowMs = 0;
  for (let begin = 0; begin < fileBytes; begin += chunkBytes) {
    const bytes = Math.min(chunkBytes, fileBytes - begin);
    for (let client = 0; client < clients; client++) {
      nowMs = bucket.readyAtMs(nowMs);
      bucket.spend(bytes);
      doneAtMs[client] = nowMs + delayMs;
    }
  }
  return doneAtMs;
}
