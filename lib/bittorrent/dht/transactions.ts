import type { Rng } from "../../core/rng.ts";
import type { PeerEndpoint } from "../peer_endpoint.ts";
import { keyOf } from "./contact.ts";

/** How long an answer may take; BEP 5 repeats nothing. */
const TIMEOUT_MS = 2_000;
/** Queries under way at once. */
const MAX_OPEN = 512;

/** A query under way. */
export interface Transaction<P> {
  readonly to: PeerEndpoint;
  /** What it was sent for. */
  readonly purpose: P;
  readonly deadlineMs: number;
}

/** The queries of a node that are not answered yet, by transaction id: 2 bytes nobody else can foresee. */
export class DhtTransactions<P> {
  readonly #open = new Map<number, Transaction<P>>();
  readonly #rng: Rng;

  /** @param rng Draws the ids. */
  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** When the oldest query is given up. */
  get deadlineMs(): number {
    // All wait equally long, so the first that was opened is the first that is over.
    return this.#open.values().next().value?.deadlineMs ?? Infinity;
  }

  /** Opens a transaction and returns its id; null if too many are open. */
  open(
    to: PeerEndpoint,
    purpose: P,
    nowMs: number,
  ): Uint8Array<ArrayBuffer> | null {
    if (this.#open.size >= MAX_OPEN) return null;
    let id: number;
    do id = Math.floor(this.#rng() * 65_536); while (this.#open.has(id));
    this.#open.set(id, { to, purpose, deadlineMs: nowMs + TIMEOUT_MS });
    return Uint8Array.of(id >> 8, id & 0xff);
  }

  /** Closes the transaction that a message from `from` belongs to; undefined if there is none: late, forged or nonsense. */
  close(
    transactionId: Uint8Array,
    from: PeerEndpoint,
  ): Transaction<P> | undefined {
    if (transactionId.length !== 2) return undefined;
    const id = transactionId[0]! << 8 | transactionId[1]!;
    const transaction = this.#open.get(id);
    if (transaction === undefined || keyOf(transaction.to) !== keyOf(from)) {
      return undefined;
    }
    this.#open.delete(id);
    return transaction;
  }

  /** Closes those that waited too long. */
  expire(nowMs: number): Transaction<P>[] {
    const expired: Transaction<P>[] = [];
    for (const [id, transaction] of this.#open) {
      if (transaction.deadlineMs > nowMs) break;
      this.#open.delete(id);
      expired.push(transaction);
    }
    return expired;
  }

  /** Returns whether a query to `to` is under way. */
  asking(to: PeerEndpoint): boolean {
    const key = keyOf(to);
    for (const open of this.#open.values()) {
      if (keyOf(open.to) === key) return true;
    }
    return false;
  }
}
