import { isIpv6, isLoopback, parseAddress } from "../../core/address.ts";
import { toHex } from "../../core/bytes.ts";
import { RecentMap } from "../../core/recent_map.ts";

/** Bytes of answers that one host gets in a second on average, and at once: 100 answers, a busy peer's hour. */
const HOST_BYTES_PER_SECOND = 4 * 1024;
const HOST_BURST_BYTES = 48 * 1024;
/** The same for all hosts together. */
const ALL_BYTES_PER_SECOND = 256 * 1024;
const ALL_BURST_BYTES = 1024 * 1024;
/** Who has less than this left is not worth the work: an answer seldom is shorter. */
const LEAST_BYTES = 64;
/** Hosts that are told apart; those not heard of for longest are forgotten first. */
const MAX_HOSTS = 2_000;

interface Bucket {
  bytes: number;
  atMs: number;
}

/**
 * How much a DHT node may answer. The sender of a datagram can be forged, and an answer is up to ten times as long as
 * its query: without a limit, anyone could make us flood anyone. A host that got its share is not answered for a while.
 * This machine's own programs cannot be forged from outside and share only the limit of all.
 */
export class DhtAnswerLimit {
  readonly #hosts = new RecentMap<string, Bucket>(MAX_HOSTS);
  readonly #all: Bucket;

  /** Starts with every bucket full. */
  constructor(nowMs: number) {
    this.#all = { bytes: ALL_BURST_BYTES, atMs: nowMs };
  }

  /** Whether an answer to `host` could be sent now. */
  ready(host: string, nowMs: number): boolean {
    return this.#left(host, nowMs) >= LEAST_BYTES;
  }

  /** Takes the bytes of an answer to `host`; false if it is to be kept to ourselves. */
  spend(host: string, bytes: number, nowMs: number): boolean {
    if (this.#left(host, nowMs) < bytes) return false;
    this.#all.bytes -= bytes;
    const bucket = this.#hosts.get(keyOf(host));
    if (bucket !== undefined) bucket.bytes -= bytes;
    return true;
  }

  #left(host: string, nowMs: number): number {
    fill(this.#all, ALL_BYTES_PER_SECOND, ALL_BURST_BYTES, nowMs);
    if (isLoopback(host)) return this.#all.bytes;
    const key = keyOf(host);
    const bucket = this.#hosts.get(key) ??
      { bytes: HOST_BURST_BYTES, atMs: nowMs };
    this.#hosts.set(key, bucket);
    fill(bucket, HOST_BYTES_PER_SECOND, HOST_BURST_BYTES, nowMs);
    return Math.min(this.#all.bytes, bucket.bytes);
  }
}

/** An IPv6 host has a whole /64 of addresses, and is known by that. */
function keyOf(host: string): string {
  if (!isIpv6(host)) return host;
  return toHex(parseAddress(host).subarray(0, 8));
}

function fill(
  bucket: Bucket,
  bytesPerSecond: number,
  burstBytes: number,
  nowMs: number,
): void {
  const earned = (nowMs - bucket.atMs) / 1000 * bytesPerSecond;
  bucket.bytes = Math.min(burstBytes, bucket.bytes + earned);
  bucket.atMs = nowMs;
}
