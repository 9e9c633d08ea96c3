import type { GrowingBody } from "../../../lib/http/cache/growing_body.ts";
import type { Clock } from "../../../lib/io/clock.ts";
import { pauseUntil } from "../../../lib/io/pause.ts";
import {
  FELL_SILENT,
  type UpstreamBody,
  type UpstreamResponse,
} from "./origin.ts";

/** What stays in memory of a body that turned out too large to keep: how far its slowest reader may lag. */
const WINDOW_BYTES = 4 * 2 ** 20;

/** Made once: an error has a stack, which costs 20 µs. */
const STOPPED = new Error("the body is not read any more");

/** How much of a body is asked for at once. */
const PIECE_BYTES = 131_072;

/** How often the rest of a body that breaks off is fetched. */
const MAX_RESTS = 2;

/** Reads an origin's body; rejects when nothing has come for `idleMs`. */
export class BodySource {
  readonly #body: UpstreamBody | null;
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #stopped = new AbortController();
  #lastAtMs: number;
  #waiting = false;
  /** How many bytes came. */
  bytes = 0;

  /** Takes the body over. */
  constructor(
    body: UpstreamBody | null,
    options: { readonly clock: Clock; readonly idleMs: number },
  ) {
    this.#body = body;
    this.#clock = options.clock;
    this.#idleMs = options.idleMs;
    this.#lastAtMs = options.clock.nowMs();
    if (body !== null) void this.#watch();
  }

  /** The next bytes, good until the next call; null at the end. */
  async next(): Promise<Uint8Array | null> {
    this.#lastAtMs = this.#clock.nowMs();
    this.#waiting = true;
    try {
      const piece = await this.#body?.next(PIECE_BYTES) ?? null;
      // A body that was left may end like one that is complete.
      this.#stopped.signal.throwIfAborted();
      if (piece === null) this.#stopped.abort(STOPPED);
      else this.bytes += piece.length;
      return piece;
    } catch (error) {
      this.#stopped.abort(STOPPED);
      throw error;
    } finally {
      this.#waiting = false;
    }
  }

  /** Wants no more: the connection to the origin is freed. */
  leave(why?: typeof FELL_SILENT): void {
    this.#stopped.abort(STOPPED);
    this.#body?.leave(why);
  }

  /** One timer for the whole body, not one for each piece. */
  async #watch(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const wakeAtMs = (this.#waiting ? this.#lastAtMs : this.#clock.nowMs()) +
        this.#idleMs;
      await pauseUntil(wakeAtMs, { clock: this.#clock, signal });
      const idleMs = this.#clock.nowMs() - this.#lastAtMs;
      if (!signal.aborted && this.#waiting && idleMs >= this.#idleMs) {
        this.leave(FELL_SILENT);
      }
    }
  }
}

/** How a fill ended. */
export interface Filled {
  readonly bytes: number;
  readonly complete: boolean;
}

/**
 * Reads an origin's body into `body` while any number of clients read it from there. Never waits for a client, unless
 * the body outgrew the cache: then it stays just ahead of the fastest, and ends when nobody is left. What is told in the
 * end is of the last response that was read.
 */
export async function fill(
  response: UpstreamResponse,
  options: {
    readonly body: GrowingBody;
    readonly clock: Clock;
    readonly idleMs: number;
    /** Whether a body of unknown length may still be kept. */
    readonly mayGrow: () => boolean;
    /** It is kept no longer, or will never be complete. */
    readonly dropped: () => void;
    /** The rest of a body that broke off after `broken.bytes`, from wherever it may be had; undefined when it may not. */
    readonly rest?: (broken: Filled) => Promise<UpstreamResponse | undefined>;
  },
): Promise<Filled> {
  const { body } = options;
  let source = new BodySource(response.body, options);
  let isKept = true;
  for (let left = MAX_RESTS;; left--) {
    try {
      isKept = await pour(source, options);
      break;
    } catch (error) {
      source.leave();
      const rest = left > 0 && !(error instanceof RangeError)
        ? await options.rest?.({ bytes: source.bytes, complete: false })
        : undefined;
      if (rest === undefined) {
        body.fail(error);
        break;
      }
      source = new BodySource(rest.body, options);
    }
  }
  const complete = body.state === "complete";
  if (!complete) options.dropped();
  return { bytes: source.bytes, complete: complete && isKept };
}

/** Returns whether all of the body was kept. */
async function pour(
  source: BodySource,
  { body, mayGrow, dropped }: {
    readonly body: GrowingBody;
    readonly mayGrow: () => boolean;
    readonly dropped: () => void;
  },
): Promise<boolean> {
  let released = false;
  for (;;) {
    const piece = await source.next();
    if (piece === null) break;
    if (!body.append(piece)) {
      throw new RangeError("the origin sent more than it announced");
    }
    if (!released && body.lengthBytes === undefined && !mayGrow()) {
      released = true;
      dropped();
      body.release(WINDOW_BYTES);
    }
    if (released && !(await body.demand())) {
      throw new RangeError("nobody reads it any more");
    }
  }
  body.finish();
  return !released;
}
