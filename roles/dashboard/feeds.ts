import { formatHostPort } from "../../lib/core/address.ts";
import { EventStreamReader } from "../../lib/core/event_stream.ts";
import { messageOf, RunError } from "../../lib/core/errors.ts";
import { LinkedAbort, OVER } from "../../lib/io/linked_abort.ts";
import type { Address } from "../../lib/io/net.ts";
import { pauseUntil } from "../../lib/io/pause.ts";
import type { RoleContext } from "../../lib/role.ts";
import type { Board } from "./board.ts";
import { readEvent } from "./shown.ts";

/** Longest wait for the head of the answer. */
const HEAD_MS = 5000;
/** Wait before a feed that broke is asked for again, doubled up to the second. */
const RETRY_MS = { first: 500, longest: 10_000 };
/** Clocks no farther apart count as the same. */
const ALIKE_MS = 2000;
/** Longest line of a stream; the largest events are some kilobytes. */
const MAX_LINE_BYTES = 65_536;

/** Follows the events of roles at their `--admin`, and feeds the board. */
export class Feeds {
  readonly #ctx: RoleContext;
  readonly #board: Board;
  readonly #running = new Map<
    string,
    { readonly at: string; readonly stop: LinkedAbort; done: Promise<void> }
  >();

  /** Creates feeds, none of them yet. */
  constructor(ctx: RoleContext, board: Board) {
    this.#ctx = ctx;
    this.#board = board;
  }

  /** Follows the events at `at` for the source `id`, until {@linkcode Feeds.stop}; again somewhere else if it has moved. */
  follow(id: string, at: Address): void {
    const place = formatHostPort(at);
    const running = this.#running.get(id);
    if (running?.at === place) return;
    running?.stop.abort(OVER);
    const stop = new LinkedAbort(this.#ctx.signal);
    this.#board.set(id, { state: "waiting", reason: `asks ${place}` });
    const feed = { at: place, stop, done: Promise.resolve() };
    feed.done = this.#keep(id, place, stop.signal);
    this.#running.set(id, feed);
  }

  /** The role has gone. */
  stop(id: string): void {
    this.#running.get(id)?.stop.abort(OVER);
    this.#running.delete(id);
  }

  /** Ends all of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    const running = [...this.#running.values()];
    for (const { stop } of running) stop.abort(OVER);
    this.#running.clear();
    await Promise.all(running.map(({ done }) => done));
  }

  async #keep(id: string, place: string, signal: AbortSignal): Promise<void> {
    const { clock, emit } = this.#ctx;
    let waitMs = RETRY_MS.first;
    while (!signal.aborted) {
      let reason = "its stream has ended";
      const before = this.#eventsOf(id);
      try {
        await this.#read(id, place, signal);
      } catch (error) {
        if (!(error instanceof RunError) && !(error instanceof TypeError)) {
          if (signal.aborted) return;
          throw error;
        }
        reason = messageOf(error);
      }
      if (signal.aborted) return;
      if (this.#eventsOf(id) > before) waitMs = RETRY_MS.first;
      this.#board.set(id, { state: "waiting", reason });
      emit({ type: "feed.lost", source: id, at: place, reason });
      await pauseUntil(clock.nowMs() + waitMs, { clock, signal });
      waitMs = Math.min(2 * waitMs, RETRY_MS.longest);
    }
  }

  #eventsOf(id: string): number {
    return this.#board.sources.find((source) => source.id === id)?.events ?? 0;
  }

  async #read(id: string, place: string, signal: AbortSignal): Promise<void> {
    using own = new LinkedAbort(signal);
    const response = await this.#ctx.net.fetch(`http://${place}/events`, {
      ...{ signal: own.signal, timeoutMs: HEAD_MS },
      headers: { accept: "text/event-stream" },
    });
    const type = response.headers.get("content-type") ?? "";
    if (response.status !== 200 || !type.startsWith("text/event-stream")) {
      own.abort(OVER);
      throw new RunError(
        "no-events",
        `${place} has no events: status ${response.status}`,
      );
    }
    this.#board.set(id, { state: "live", reason: "" });
    this.#ctx.emit({ type: "feed.opened", source: id, at: place });
    const aheadMs = aheadOf(response, this.#ctx.clock.wallMs());
    const reader = new EventStreamReader({ maxLineBytes: MAX_LINE_BYTES });
    for await (const bytes of response.body ?? []) {
      for (const { data } of reader.push(bytes)) {
        const nowMs = this.#ctx.clock.wallMs();
        this.#take(readEvent(id, data, { aheadMs, nowMs }));
      }
    }
  }

  #take(read: ReturnType<typeof readEvent>): void {
    if (read === undefined) return;
    const id = read.event.source;
    const known = this.#board.sources.find((source) => source.id === id);
    if (known?.role === "?") this.#board.set(id, read.teller);
    this.#board.take(read.event);
  }
}

/** How far the clock of who answers is ahead of ours, as far as its `Date` says: that has whole seconds. */
function aheadOf(response: Response, nowMs: number): number {
  const dateMs = Date.parse(response.headers.get("date") ?? "");
  const aheadMs = dateMs - nowMs;
  return Math.abs(aheadMs) < ALIKE_MS || Number.isNaN(dateMs) ? 0 : aheadMs;
}
