import type { Fields } from "../../../lib/http/fields.ts";
import { sourceOf } from "../../../lib/io/body_source.ts";
import type {
  BodySource,
  HttpRequest,
  HttpResponse,
} from "../../../lib/io/http.ts";
import type { Address } from "../../../lib/io/net.ts";
import { OwnRequest } from "../requests/own_request.ts";
import type { LinkService, Post } from "./service.ts";
import {
  type AskedRequest,
  type AskerMessage,
  fieldLines,
  fieldsOf,
  type OwnerMessage,
} from "./messages.ts";

/** Bodies up to so many bytes go with the answer, others in pieces of so many. */
const PIECE_BYTES = 65_536;
/** Pieces that may wait at the other end for a client to read. */
const AHEAD = 2;

/** A request that is being answered here. */
interface Answering {
  readonly gone: AbortController;
  source?: BodySource;
  /** Pieces that may be sent. */
  credit: number;
  /** Continues when there is credit again. */
  wake?: (() => void) | undefined;
  upload?: ReadableStreamDefaultController<Uint8Array> | undefined;
}

/** The end of a link where the answer is. */
export class Owner {
  readonly #post: Post<OwnerMessage>;
  readonly #service: LinkService;
  readonly #answering = new Map<number, Answering>();

  /** Answers by `post`. */
  constructor(post: Post<OwnerMessage>, service: LinkService) {
    this.#post = post;
    this.#service = service;
  }

  /** Takes what the other end says. */
  heard(message: AskerMessage): void {
    const { id } = message;
    if (message.kind === "ask") return void this.#ask(id, message.request);
    if (message.kind === "call") return void this.#call(id, message.call);
    const answering = this.#answering.get(id);
    if (answering === undefined) return;
    switch (message.kind) {
      case "more":
        answering.credit += 1;
        return answering.wake?.();
      case "leave":
        this.#answering.delete(id);
        answering.wake?.();
        return answering.source?.leave();
      case "gone":
        return answering.gone.abort();
      case "uploaded":
        if (message.bytes !== null) {
          return answering.upload?.enqueue(message.bytes);
        }
        answering.upload?.close();
        answering.upload = undefined;
        return;
      case "upload-failed":
        return answering.upload?.error(new TypeError("the body broke off"));
    }
  }

  async #call(id: number, call: unknown): Promise<void> {
    const result = await this.#service.call(call);
    this.#post({ kind: "result", id, result });
  }

  async #ask(id: number, asked: AskedRequest): Promise<void> {
    const answering: Answering = { gone: new AbortController(), credit: AHEAD };
    this.#answering.set(id, answering);
    let answer: HttpResponse;
    try {
      const given = this.#service.handle(this.#request(id, asked, answering));
      // Without a turn of the event loop where there is none to wait for.
      answer = given instanceof Promise ? await given : given;
    } catch {
      this.#answering.delete(id);
      return this.#post({ kind: "refused", id });
    }
    const { status, headers, body } = answer;
    const fields = fieldLines(headers);
    if (body === null || body instanceof Uint8Array) {
      if (body === null || body.length <= PIECE_BYTES) {
        this.#answering.delete(id);
        // Of a body in the cache, a copy: memory cannot be lent.
        const copy = body?.slice() ?? null;
        return this.#post({ kind: "answer", id, status, fields, body: copy });
      }
    }
    const source = sourceOf(body);
    const { lengthBytes } = source;
    this.#post({ kind: "answer", id, status, fields, body: { lengthBytes } });
    answering.source = source;
    await this.#send(id, answering, source);
  }

  /** Sends a body, no further ahead of the client than it may be. */
  async #send(
    id: number,
    answering: Answering,
    source: BodySource,
  ): Promise<void> {
    try {
      for (;;) {
        if (answering.credit === 0) {
          await new Promise<void>((wake) => answering.wake = wake);
          answering.wake = undefined;
        }
        if (!this.#answering.has(id)) return;
        answering.credit -= 1;
        const piece = await source.next(PIECE_BYTES);
        if (!this.#answering.has(id)) return;
        // It is good until the next one is asked for, and may be a part of much more.
        const bytes = piece?.slice() ?? null;
        this.#post({ kind: "piece", id, bytes });
        if (bytes === null) break;
      }
    } catch {
      if (this.#answering.has(id)) this.#post({ kind: "broken", id });
    }
    this.#answering.delete(id);
  }

  #request(
    id: number,
    asked: AskedRequest,
    answering: Answering,
  ): HttpRequest {
    if (asked.isOwn) return new OwnRequest(asked.target, answering.gone.signal);
    return new AskedFor(asked, {
      watch: () => {
        this.#post({ kind: "watch", id });
        return answering.gone.signal;
      },
      inform: (status, fields) =>
        this.#post({ kind: "interim", id, status, fields: fieldLines(fields) }),
      body: asked.hasBody ? this.#upload(id, answering) : null,
    });
  }

  #upload(id: number, answering: Answering): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (controller) => void (answering.upload = controller),
      pull: () => this.#post({ kind: "upload", id }),
      cancel: () => void (answering.upload = undefined),
    }, { highWaterMark: 0 });
  }
}

/** A request of a client that the other end has. */
class AskedFor implements HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly protocol: string;
  readonly headers: Fields;
  readonly remote: Address;
  readonly body: ReadableStream<Uint8Array> | null;
  readonly inform: NonNullable<HttpRequest["inform"]>;
  readonly #watch: () => AbortSignal;
  #signal: AbortSignal | undefined;

  constructor(
    asked: AskedRequest,
    parts: {
      readonly watch: () => AbortSignal;
      readonly inform: NonNullable<HttpRequest["inform"]>;
      readonly body: ReadableStream<Uint8Array> | null;
    },
  ) {
    this.method = asked.method;
    this.target = asked.target;
    this.authority = asked.authority;
    this.protocol = asked.protocol;
    this.headers = fieldsOf(asked.fields);
    this.remote = asked.remote;
    this.body = parts.body;
    this.inform = parts.inform;
    this.#watch = parts.watch;
  }

  /** Most handlers never ask, so the other end is not bothered before. */
  get signal(): AbortSignal {
    return this.#signal ??= this.#watch();
  }
}
