/**
 * Response rate limiting (Vixie and Schryver, 2012; as BIND, NSD and Knot have it): who forges the sender of many equal
 * questions makes a server flood somebody. So each network gets only so many equal answers a second; of those beyond,
 * every few are sent as an empty "ask over TCP" (slip), which no forger can, and the rest are not sent at all.
 *
 * A bucket for a network and an answer fills by the rate up to one second's worth; it may go into debt, so that a flood
 * has to pause, not only to slow down. Buckets are in a table of fixed size; where two meet, the newer wins.
 */
import { type Cidr, cidrContains } from "../../core/address.ts";

/** Buckets in the table. */
const BUCKETS = 65_536;
/** A debt is forgotten after so long without a question (BIND's `window`). */
const MAX_DEBT_SECONDS = 15;
/** Networks of this many bits count as one asker (BIND's and NSD's default). */
const NETWORK_BYTES = { ipv4: 3, ipv6: 7 } as const;

/** What becomes of an answer: sent, sent as "ask over TCP", not sent. */
export type AnswerFate = "sent" | "slipped" | "dropped";

/** How {@linkcode ResponseRateLimit} limits. */
export interface RateLimitOptions {
  /** Equal answers for each network; 1 or more. */
  readonly perSecond: number;
  /** Every so many of those beyond is slipped; 0 for none, 1 for all. */
  readonly slip: number;
  /** Who is not limited. */
  readonly exempt: readonly Cidr[];
  /** 32 bits nobody knows, so that nobody finds networks that share a bucket. */
  readonly key: number;
}

/** See the head of this file. */
export class ResponseRateLimit {
  readonly #options: RateLimitOptions;
  readonly #hashes = new Int32Array(BUCKETS);
  readonly #balances = new Float64Array(BUCKETS);
  readonly #filledAtMs = new Float64Array(BUCKETS);
  readonly #skipped = new Uint32Array(BUCKETS);

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** Says what becomes of the answer `answerKey` (equal for equal answers) to `address` at `nowMs`. */
  decide(
    address: Uint8Array,
    { answerKey, nowMs }: {
      readonly answerKey: number;
      readonly nowMs: number;
    },
  ): AnswerFate {
    const { perSecond, slip, exempt } = this.#options;
    for (const cidr of exempt) if (cidrContains(cidr, address)) return "sent";
    const hash = this.#hash(address, answerKey);
    const bucket = hash & (BUCKETS - 1);
    if (this.#hashes[bucket] !== hash || this.#filledAtMs[bucket] === 0) {
      this.#hashes[bucket] = hash;
      this.#balances[bucket] = perSecond;
      this.#skipped[bucket] = 0;
    } else {
      const seconds = (nowMs - this.#filledAtMs[bucket]!) / 1000;
      this.#balances[bucket] = Math.min(
        perSecond,
        this.#balances[bucket]! + seconds * perSecond,
      );
    }
    // 0 is "never"
    this.#filledAtMs[bucket] = Math.max(nowMs, 0.001);
    this.#balances[bucket] = Math.max(
      this.#balances[bucket]! - 1,
      -MAX_DEBT_SECONDS * perSecond,
    );
    if (this.#balances[bucket]! >= 0) return "sent";
    if (slip === 0) return "dropped";
    this.#skipped[bucket] = (this.#skipped[bucket]! + 1) % slip;
    return this.#skipped[bucket] === 0 ? "slipped" : "dropped";
  }

  #hash(address: Uint8Array, answerKey: number): number {
    const kept = address.length === 4 ? NETWORK_BYTES.ipv4 : NETWORK_BYTES.ipv6;
    let hash = mix(this.#options.key ^ answerKey);
    for (let at = 0; at < kept; at++) hash = mix(hash ^ (address[at] ?? 0));
    return mix(hash ^ address.length);
  }
}

/** Mixes all bits of a 32-bit number into all others. */
function mix(value: number): number {
  let mixed = Math.imul(value ^ value >>> 16, 0x7feb352d);
  mixed = Math.imul(mixed ^ mixed >>> 15, 0x846ca68b);
  return mixed ^ mixed >>> 16;
}
