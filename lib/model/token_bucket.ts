/**
 * A token bucket that lets a stream of blocks through at `bytesPerSecond`, smoothly.
 *
 * Tokens are bytes. A block may be sent as soon as there is any token and then takes its whole length, so the count may
 * go below zero: the debt is waited for afterwards. That keeps the long-run rate exact even when a block is larger than
 * the bucket, and over T seconds at most `rate * T + depth + one block` bytes pass. Who cuts what it sends into parts of
 * {@linkcode TokenBucket.quantumBytes} never sends more than 100 ms of the rate too early, however low the rate.
 */
export class TokenBucket {
  readonly #bytesPerSecond: number;
  readonly #depthBytes: number;
  #tokens: number;
  #filledAtMs: number;

  /**
   * Creates a full bucket.
   *
   * @param options.bytesPerSecond Rate; `Infinity` never limits.
   * @param options.depthMs How much unused time may be made up for; 50 ms keeps 10 s within 0.5 %.
   * @throws {RangeError} If the rate is not positive.
   */
  constructor(
    options: { readonly bytesPerSecond: number; readonly depthMs?: number },
    nowMs: number,
  ) {
    const { bytesPerSecond, depthMs = 50 } = options;
    if (!(bytesPerSecond > 0)) {
      throw new RangeError(
        `Cannot limit a rate: bytesPerSecond must be above 0, got ${bytesPerSecond}`,
      );
    }
    this.#bytesPerSecond = bytesPerSecond;
    this.#depthBytes = bytesPerSecond * depthMs / 1000;
    this.#tokens = this.#depthBytes;
    this.#filledAtMs = nowMs;
  }

  /** Whether the rate is limited at all. */
  get limited(): boolean {
    return this.#bytesPerSecond !== Infinity;
  }

  /** What may go out in one part and be smooth: the bucket's depth; `Infinity` without a limit. */
  get quantumBytes(): number {
    return Math.max(1, Math.ceil(this.#depthBytes));
  }

  /** Returns whether a block may be sent now. */
  ready(nowMs: number): boolean {
    if (!this.limited) return true;
    this.#fill(nowMs);
    return this.#tokens > 0;
  }

  /** Takes `bytes` tokens for a block that is sent now. */
  spend(bytes: number): void {
    if (this.limited) this.#tokens -= bytes;
  }

  /** Gives `bytes` tokens back: what was paid for is not going to be sent. More than a full bucket is not saved up. */
  refund(bytes: number): void {
    if (!this.limited) return;
    this.#tokens = Math.min(this.#depthBytes, this.#tokens + bytes);
  }

  /** When {@linkcode TokenBucket.ready} will be true; `nowMs` if it is. */
  readyAtMs(nowMs: number): number {
    if (this.ready(nowMs)) return nowMs;
    return nowMs + Math.max(1, (1 - this.#tokens) / this.#bytesPerSecond * 1e3);
  }

  #fill(nowMs: number): void {
    const elapsedMs = nowMs - this.#filledAtMs;
    if (elapsedMs <= 0) return;
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(
      this.#depthBytes,
      this.#tokens + elapsedMs * this.#bytesPerSecond / 1000,
    );
  }
}
