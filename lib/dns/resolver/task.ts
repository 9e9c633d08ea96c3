import { formatHostPort } from "../../core/address.ts";
import type { Name } from "../name.ts";
import type { Exchange } from "./exchange.ts";
import type { ServerAddress } from "./servers.ts";
import { resolve } from "./walk.ts";
import type { Outcome, Resolved, Walker, Wish } from "./walker.ts";

/** A question is given up after so long; resolvers' clients ask again after 5 s, the third time for the last. */
const MAX_TASK_MS = 8000;
/** RFC 8767 §5: the client response timer. */
const CLIENT_WAIT_MS = 1800;
/** So many replies that are none, and the rest is left to TCP: somebody guesses ids. */
const MAX_MISMATCHES = 10;

/** A question a resolver is at work on: the walk, the message it waits for, and the clients that wait for it. */
export class Task<W> {
  /** Equal for equal questions. */
  readonly key: string;
  readonly walker: Walker;
  readonly waiting: W[] = [];
  /** Something expired can be served in place of its answer. */
  readonly hasStale: boolean;
  /** The message that was sent last, while its answer is awaited. */
  exchange: Exchange | undefined;
  exchangeId: number | undefined;
  /** When the wait for it ends. */
  waitsUntilMs = Infinity;
  /** When the question is given up. */
  readonly endsAtMs: number;
  /** When clients get what has expired; Infinity if there is no such thing. */
  staleAtMs: number;
  readonly #steps: Generator<Wish, Resolved, Outcome>;
  #mismatches = 0;

  /** Creates a task that is not yet under way. */
  constructor(options: {
    readonly key: string;
    readonly walker: Walker;
    readonly name: Name;
    readonly type: number;
    readonly hasStale: boolean;
  }) {
    const { key, walker, name, type, hasStale } = options;
    this.key = key;
    this.walker = walker;
    this.hasStale = hasStale;
    this.endsAtMs = walker.nowMs + MAX_TASK_MS;
    this.staleAtMs = hasStale ? walker.nowMs + CLIENT_WAIT_MS : Infinity;
    this.#steps = resolve(walker, { name, type });
  }

  /** When something is due. */
  get deadlineMs(): number {
    return Math.min(this.waitsUntilMs, this.endsAtMs, this.staleAtMs);
  }

  /** Whether clients got what has expired: who comes now need not wait as long as they did. */
  get isLate(): boolean {
    return this.hasStale && this.staleAtMs === Infinity;
  }

  /** Returns what arrived, if the walk is to know; the rest is told and ignored. */
  read(bytes: Uint8Array, from: ServerAddress): Outcome | undefined {
    const exchange = this.exchange;
    if (exchange === undefined) return undefined;
    const message = exchange.check(bytes, from);
    if (typeof message !== "string") return { kind: "message", message };
    this.#mismatches += 1;
    this.walker.emit({
      type: "recursion.ignored",
      resolution: this.walker.resolution,
      server: formatHostPort(exchange.server),
      remote: formatHostPort(from),
      reason: message,
    });
    return message === "wrong-case" || this.#mismatches >= MAX_MISMATCHES
      ? { kind: "distrusted" }
      : undefined;
  }

  /** Goes on; returns what came of it, or undefined if {@linkcode Task.exchange} is to be sent. `undefined` starts. */
  resume(outcome: Outcome | undefined, nowMs: number): Resolved | undefined {
    this.walker.nowMs = nowMs;
    this.exchange = undefined;
    this.waitsUntilMs = Infinity;
    this.#mismatches = 0;
    const next = outcome === undefined
      ? this.#steps.next()
      : this.#steps.next(outcome);
    if (next.done === true) return next.value;
    this.exchange = next.value.exchange;
    this.waitsUntilMs = nowMs + next.value.waitMs;
    return undefined;
  }

  /** Ends it. */
  giveUp(): Resolved {
    this.exchange = undefined;
    this.#steps.return({ kind: "failed", reason: "" });
    return {
      kind: "failed",
      reason: `no answer in ${MAX_TASK_MS / 1000} s`,
    };
  }
}
