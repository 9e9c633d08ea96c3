/** Sizes and rates of the lecture's file distribution problem. */
export interface Distribution {
  /** F: the file. */
  readonly fileBytes: number;
  /** N: how many clients want it. */
  readonly clients: number;
  /** u_s: what the server can send. */
  readonly serverBytesPerSecond: number;
  /** d_min: what the slowest client can receive; Infinity when it is no bottleneck. */
  readonly slowestDownloadBytesPerSecond: number;
  /** u_i: what each client can send; only P2P uses it. */
  readonly peerBytesPerSecond: number;
}

/**
 * The least time, in seconds, in which a server alone can give all N clients the file: max{N·F/u_s, F/d_min}.
 *
 * Slide "File distribution time: client-server".
 *
 * @example Three clients of a slow server
 * ```ts
 * import { clientServerSeconds } from "./distribution.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(
 *   clientServerSeconds({
 *     fileBytes: 100,
 *     clients: 3,
 *     serverBytesPerSecond: 10,
 *     slowestDownloadBytesPerSecond: Infinity,
 *     peerBytesPerSecond: 5,
 *   }),
 *   30,
 * );
 * ```
 */
export function clientServerSeconds(d: Distribution): number {
  return Math.max(
    d.clients * d.fileBytes / d.serverBytesPerSecond,
    d.fileBytes / d.slowestDownloadBytesPerSecond,
  );
}

/**
 * The least time, in seconds, in which the clients can have it when they serve each other:
 * max{F/u_s, F/d_min, N·F/(u_s + Σu_i)}.
 *
 * Slide "File distribution time: P2P".
 */
export function peerToPeerSeconds(d: Distribution): number {
  const totalBytesPerSecond = d.serverBytesPerSecond +
    d.clients * d.peerBytesPerSecond;
  return Math.max(
    d.fileBytes / d.serverBytesPerSecond,
    d.fileBytes / d.slowestDownloadBytesPerSecond,
    d.clients * d.fileBytes / totalBytesPerSecond,
  );
}
