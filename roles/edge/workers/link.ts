import type { Clock } from "../../../lib/io/clock.ts";
import type { HttpRequest, HttpResponse } from "../../../lib/io/http.ts";
import { Asker } from "./asker.ts";
import type { AskerMessage, LinkMessage, OwnerMessage } from "./messages.ts";
import { Owner } from "./owner.ts";
import type { LinkService, Post } from "./service.ts";

/** Messages wait until so long after the last ones, and go together: to wake a thread costs 100 µs, what a message says 5 to 10. */
const BETWEEN_MS = 1;

/** The part of a `MessagePort` that is needed here. */
export interface LinkPort {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

/**
 * Between two threads of an edge: requests whose answers are the other one's to give, both ways.
 *
 * The first message goes at once; of many, some go together. Small bodies go with the answer, others in pieces, a few
 * ahead of the client.
 */
export class WorkerLink implements Disposable {
  readonly #port: LinkPort;
  readonly #clock: Pick<Clock, "nowMs" | "sleepUntil">;
  readonly #asker: Asker;
  readonly #owner: Owner;
  #queue: LinkMessage[] = [];
  #sentAtMs = -Infinity;
  readonly #ended = new AbortController();

  /** Takes the port over. */
  constructor(
    port: LinkPort,
    service: LinkService,
    clock: Pick<Clock, "nowMs" | "sleepUntil">,
  ) {
    this.#port = port;
    this.#clock = clock;
    this.#asker = new Asker(this.#post);
    this.#owner = new Owner(this.#post, service);
    port.onmessage = ({ data }) => {
      for (const message of data as LinkMessage[]) this.#heard(message);
    };
  }

  /** Has a request answered at the other end. @throws {Error} If its handler fails. */
  ask(request: HttpRequest): Promise<HttpResponse> {
    return this.#asker.ask(request);
  }

  /** Has something else done at the other end. @throws {RunError} `thread-failed` when the link ends first. */
  call(call: unknown): Promise<unknown> {
    return this.#asker.call(call);
  }

  /** Ends it: what was asked is not answered any more. */
  [Symbol.dispose](): void {
    this.#ended.abort();
    this.#port.close();
    this.#asker.end();
  }

  readonly #post: Post<LinkMessage> = (message) => {
    if (this.#queue.push(message) > 1) return;
    const nextAtMs = this.#sentAtMs + BETWEEN_MS;
    if (this.#clock.nowMs() >= nextAtMs) queueMicrotask(this.#flush);
    else {
      const { signal } = this.#ended;
      this.#clock.sleepUntil(nextAtMs, signal).then(this.#flush, () => {});
    }
  };

  readonly #flush = () => {
    if (this.#ended.signal.aborted) return;
    const queue = this.#queue;
    this.#queue = [];
    this.#sentAtMs = this.#clock.nowMs();
    this.#port.postMessage(queue);
  };

  #heard(message: LinkMessage): void {
    switch (message.kind) {
      case "ask":
      case "more":
      case "leave":
      case "gone":
      case "uploaded":
      case "upload-failed":
      case "call":
        return this.#owner.heard(message satisfies AskerMessage);
      default:
        return this.#asker.heard(message satisfies OwnerMessage);
    }
  }
}
