import { type NetworkTrace, TraceLink, type TracePeriod } from "./trace.ts";

/** Fewer bits than this are none: sums of shares are not exact. */
const NOTHING_BITS = 1e-3;

/** One answer on its way over a {@linkcode SharedLink}. */
interface Transfer {
  /** No bit of it flows before. */
  readonly readyAtMs: number;
  offeredBits: number;
  passedBits: number;
  /** When the last of what was offered was through. */
  drainedAtMs: number;
  /** How long all that was offered was through, before more was. */
  idleMs: number;
}

/**
 * The link of a trace with several answers on it at once: paces what comes from a real, faster network.
 *
 * A fluid model, as `TraceCursor` is: each request waits a round trip, then its bits flow, and answers that flow at the
 * same time have equal shares of the rate of the moment (processor sharing, what TCP connections of equal round trips
 * tend to). What the real network delivered is offered to the link; the link says how much of it is through, and when
 * exactly: who looks late loses nothing as long as enough was offered, so that the pace does not depend on timers.
 * With one answer at a time it is `TraceCursor` to the bit; a test shows it. What a near server and this machine take
 * for themselves is no part of a trace either: time in which an answer could have flowed, but was late in being offered,
 * is made up for, the last `graceMs` of it, as a token bucket's depth does it.
 *
 * All instants are on one clock of the caller's, which may run faster than the wall's.
 */
export class SharedLink {
  readonly #link: TraceLink;
  readonly #beganAtMs: number;
  readonly #graceMs: number;
  /** On the trace's clock, as everything inside: until when bits have flowed. */
  #atMs = 0;
  /** Nothing has flowed since. */
  #idleSinceMs = 0;
  #lastId = 0;
  readonly #transfers = new Map<number, Transfer>();

  /**
   * The trace begins at `nowMs`.
   *
   * @param options.graceMs Of an answer that is late so much is made up for; 0 unless it says otherwise.
   */
  constructor(
    trace: NetworkTrace,
    nowMs: number,
    options: { readonly graceMs?: number } = {},
  ) {
    this.#link = new TraceLink(trace);
    this.#beganAtMs = nowMs;
    this.#graceMs = options.graceMs ?? 0;
  }

  /** What the link has at `nowMs`. */
  periodAt(nowMs: number): TracePeriod {
    return this.#link.periodAt(Math.max(0, nowMs - this.#beganAtMs));
  }

  /** How many answers are on the link, or waited for. */
  get transferCount(): number {
    return this.#transfers.size;
  }

  /** A request is sent at `nowMs`; returns the number of its answer. Who takes one calls {@linkcode SharedLink.end}. */
  request(nowMs: number): number {
    const atMs = this.#advance(nowMs);
    this.#lastId += 1;
    const readyAtMs = this.#link.answerAtMs(atMs);
    this.#transfers.set(this.#lastId, {
      readyAtMs,
      offeredBits: 0,
      passedBits: 0,
      drainedAtMs: readyAtMs,
      idleMs: 0,
    });
    return this.#lastId;
  }

  /** When the first bit of an answer may come. */
  readyAtMs(id: number): number {
    return this.#beganAtMs + this.#of(id).readyAtMs;
  }

  /** When an answer begins whose first bit the real network delivers at `nowMs`. */
  answeredAtMs(id: number, nowMs: number): number {
    const readyAtMs = this.readyAtMs(id);
    return nowMs <= readyAtMs + this.#graceMs ? readyAtMs : nowMs;
  }

  /** The real network has delivered `bytes` more of an answer. */
  offer(id: number, bytes: number, nowMs: number): void {
    this.#advance(nowMs);
    const transfer = this.#of(id);
    // Nothing has flowed meanwhile, so that nothing is undone by going back.
    this.#atMs = Math.min(
      this.#atMs,
      Math.max(
        this.#idleSinceMs,
        transfer.readyAtMs,
        this.#atMs - this.#graceMs,
      ),
    );
    if (transfer.passedBits === transfer.offeredBits) {
      transfer.idleMs += Math.max(0, this.#atMs - transfer.drainedAtMs);
    }
    transfer.offeredBits += bytes * 8;
  }

  /** How long, up to now, the real network had nothing of an answer to offer that could have flowed. */
  idleMs(id: number): number {
    return this.#of(id).idleMs;
  }

  /** How many bytes of what was offered are through. */
  passedBytes(id: number, nowMs: number): number {
    this.#advance(nowMs);
    const { offeredBits, passedBits } = this.#of(id);
    const whole = offeredBits - passedBits <= NOTHING_BITS;
    return whole ? offeredBits / 8 : Math.floor(passedBits / 8);
  }

  /**
   * When all that was offered is through: the past instant at which it was, or the first at which it can be. Other
   * answers that begin to flow meanwhile put it off.
   */
  drainedAtMs(id: number, nowMs: number): number {
    this.#advance(nowMs);
    const { offeredBits, passedBits, drainedAtMs, readyAtMs } = this.#of(id);
    const mine = offeredBits - passedBits;
    if (mine <= NOTHING_BITS) return this.#beganAtMs + drainedAtMs;
    let bits = mine;
    for (const [other, transfer] of this.#transfers) {
      if (other === id || !this.#flows(transfer)) continue;
      bits += Math.min(mine, transfer.offeredBits - transfer.passedBits);
    }
    // What is not ready yet begins alone, at best.
    const fromMs = Math.max(this.#atMs, readyAtMs);
    const untilMs = this.#link.arrivalAtMs(
      fromMs,
      readyAtMs > this.#atMs ? mine : bits,
    );
    return this.#beganAtMs + untilMs;
  }

  /** An answer is complete, or given up: what was offered of it is forgotten. */
  end(id: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#transfers.delete(id);
  }

  #of(id: number): Transfer {
    const transfer = this.#transfers.get(id);
    if (transfer === undefined) {
      throw new RangeError(`Cannot pace: no answer ${id} is under way`);
    }
    return transfer;
  }

  #flows({ readyAtMs, offeredBits, passedBits }: Transfer): boolean {
    return readyAtMs <= this.#atMs && offeredBits - passedBits > NOTHING_BITS;
  }

  /** Lets bits flow until `nowMs`, from one change of shares to the next; returns that instant on the trace's clock. */
  #advance(nowMs: number): number {
    const untilMs = Math.max(this.#atMs, nowMs - this.#beganAtMs);
    while (this.#atMs < untilMs) {
      const flowing = [...this.#transfers.values()].filter((each) =>
        this.#flows(each)
      );
      let nextMs = untilMs;
      for (const { readyAtMs } of this.#transfers.values()) {
        if (readyAtMs > this.#atMs) nextMs = Math.min(nextMs, readyAtMs);
      }
      this.#flow(flowing, nextMs);
    }
    return this.#atMs;
  }

  /** Lets `flowing` share the link until `nextMs`, or until the first of them is through. */
  #flow(flowing: readonly Transfer[], nextMs: number): void {
    if (flowing.length === 0) {
      this.#atMs = nextMs;
      return;
    }
    const least = flowing.reduce(
      (bits, each) => Math.min(bits, each.offeredBits - each.passedBits),
      Infinity,
    );
    const throughAtMs = this.#link.arrivalAtMs(
      this.#atMs,
      least * flowing.length,
    );
    const isThrough = throughAtMs <= nextMs;
    const share = isThrough
      ? least
      : this.#link.bitsBetween(this.#atMs, nextMs) / flowing.length;
    this.#atMs = isThrough ? throughAtMs : nextMs;
    this.#idleSinceMs = this.#atMs;
    for (const each of flowing) {
      each.passedBits += share;
      if (each.offeredBits - each.passedBits > NOTHING_BITS) continue;
      each.passedBits = each.offeredBits;
      each.drainedAtMs = this.#atMs;
    }
  }
}
