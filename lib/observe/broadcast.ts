import { type ServerSentEventMessage, ServerSentEventStream } from "@std/http";

/** Most readers of one broadcast. */
const MAX_READERS = 64;
/** Items a slow reader may fall behind, unless said otherwise. */
const MAX_BEHIND = 1000;

/** One stream for many readers, as Server-Sent Events: who falls too far behind is cut off. */
export class Broadcast<T> {
  readonly #readers = new Set<ReadableStreamDefaultController<T>>();
  readonly #messageOf: (item: T) => ServerSentEventMessage;
  readonly #maxBehind: number;

  /**
   * Creates a broadcast without readers.
   *
   * @param messageOf How an item is written.
   * @param options.maxBehind Items a slow reader may fall behind before it is cut off: they take memory that long.
   */
  constructor(
    messageOf: (item: T) => ServerSentEventMessage,
    { maxBehind = MAX_BEHIND }: { readonly maxBehind?: number } = {},
  ) {
    this.#messageOf = messageOf;
    this.#maxBehind = maxBehind;
  }

  /** The answer to a new reader, who is given `first` before all that comes; 503 when there are too many. */
  answer(first: Iterable<T>): Response {
    if (this.#readers.size >= MAX_READERS) {
      return new Response("Too many readers\n", { status: 503 });
    }
    let mine: ReadableStreamDefaultController<T>;
    const items = new ReadableStream<T>({
      start: (controller) => {
        mine = controller;
        for (const item of first) controller.enqueue(item);
        this.#readers.add(controller);
      },
      cancel: () => void this.#readers.delete(mine),
    }, { highWaterMark: this.#maxBehind });
    const messageOf = this.#messageOf;
    const body = items.pipeThrough(
      new TransformStream<T, ServerSentEventMessage>({
        transform: (item, controller) => controller.enqueue(messageOf(item)),
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
    for (const reader of this.#readers) {
      if ((reader.desiredSize ?? 0) > 0) reader.enqueue(item);
      else {
        this.#readers.delete(reader);
        reader.close();
      }
    }
  }

  /** Ends all streams. */
  close(): void {
    for (const reader of this.#readers) reader.close();
    this.#readers.clear();
  }
}
