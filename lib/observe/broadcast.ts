import { type ServerSentEventMessage, ServerSentEventStream } from "@std/http";
import type { Clock } from "../io/clock.ts";
import { pauseUntil } from "../io/pause.ts";

/** Most readers of one broadcast. */
const MAX_READERS = 64;
/** Items a slow reader may fall behind, unless said otherwise. */
const MAX_BEHIND = 1000;
/**
 * How often readers get a comment. One that has gone is noticed by writing to it: the first time its system says so, the
 * second time we hear it. So its place is free again within twice this, however quiet the stream is.
 */
const KEEP_ALIVE_MS = 10_000;
const KEEP_ALIVE: ServerSentEventMessage = { comment: " still here" };

/** One stream for many readers, as Server-Sent Events: who falls too far behind is cut off, and who has gone is noticed. */
export class Broadcast<T> {
  readonly #readers = new Set<ReadableStreamDefaultController<T | null>>();
  readonly #messageOf: (item: T) => ServerSentEventMessage;
  readonly #clock: Clock;
  readonly #maxBehind: number;
  readonly #closed = new AbortController();
  #isKeepingAlive = false;

  /**
   * Creates a broadcast without readers.
   *
   * @param messageOf How an item is written.
   * @param options.clock Says when readers get a comment.
   * @param options.maxBehind Items a slow reader may fall behind before it is cut off: they take memory that long.
   */
  constructor(
    messageOf: (item: T) => ServerSentEventMessage,
    { clock, maxBehind = MAX_BEHIND }: {
      readonly clock: Clock;
      readonly maxBehind?: number;
    },
  ) {
    this.#messageOf = messageOf;
    this.#clock = clock;
    this.#maxBehind = maxBehind;
  }

  /** The answer to a new reader, who is given `first` before all that comes; 503 when there are too many. */
  answer(first: Iterable<T>): Response {
    if (this.#readers.size >= MAX_READERS) {
      return new Response("Too many readers\n", { status: 503 });
    }
    let mine: ReadableStreamDefaultController<T | null>;
    const items = new ReadableStream<T | null>({
      start: (controller) => {
        mine = controller;
        for (const item of first) controller.enqueue(item);
        this.#readers.add(controller);
      },
      cancel: () => void this.#readers.delete(mine),
    }, { highWaterMark: this.#maxBehind });
    void this.#keepAlive();
    const messageOf = this.#messageOf;
    const body = items.pipeThrough(
      new TransformStream<T | null, ServerSentEventMessage>({
        transform: (item, controller) =>
          controller.enqueue(item === null ? KEEP_ALIVE : messageOf(item)),
      }),
    ).pipeThrough(new ServerSentEventStream());
    return new Response(body, {
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "access-control-allow-origin": "*",
      },
    });
  }

  /** Gives an item to all. */
  send(item: T): void {
    this.#enqueue(item);
  }

  #enqueue(item: T | null): void {
    for (const reader of this.#readers) {
      if ((reader.desiredSize ?? 0) > 0) reader.enqueue(item);
      else {
        this.#readers.delete(reader);
        reader.close();
      }
    }
  }

  async #keepAlive(): Promise<void> {
    if (this.#isKeepingAlive) return;
    this.#isKeepingAlive = true;
    const waiting = { clock: this.#clock, signal: this.#closed.signal };
    while (this.#readers.size > 0) {
      await pauseUntil(this.#clock.nowMs() + KEEP_ALIVE_MS, waiting);
      this.#enqueue(null);
    }
    this.#isKeepingAlive = false;
  }

  /** Ends all streams. */
  close(): void {
    this.#closed.abort();
    for (const reader of this.#readers) reader.close();
    this.#readers.clear();
  }
}
