import { RunError } from "../../../lib/core/errors.ts";
import type {
  BodySource,
  HttpRequest,
  HttpResponse,
} from "../../../lib/io/http.ts";
import { OwnRequest } from "../requests/own_request.ts";
import type { Post } from "./service.ts";
import {
  askedRequest,
  type AskerMessage,
  fieldsOf,
  type OwnerMessage,
} from "./messages.ts";

const GONE = new RunError("thread-failed", "The other thread has ended");

/** A request that is being answered at the other end. */
interface Asked {
  readonly request: HttpRequest;
  readonly resolve: (answer: HttpResponse) => void;
  readonly reject: (error: Error) => void;
  body?: ComingBody;
  upload?: ReadableStreamDefaultReader<Uint8Array>;
}

/** The end of a link where the client is. */
export class Asker {
  readonly #post: Post<AskerMessage>;
  readonly #asked = new Map<number, Asked>();
  readonly #called = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 0;
  #isOver = false;

  /** Asks by `post`. */
  constructor(post: Post<AskerMessage>) {
    this.#post = post;
  }

  /** See {@linkcode WorkerLink.ask}. */
  ask(request: HttpRequest): Promise<HttpResponse> {
    if (this.#isOver) return Promise.reject(GONE);
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
    this.#asked.set(id, { request, resolve, reject });
    const isOwn = request instanceof OwnRequest;
    this.#post({ kind: "ask", id, request: askedRequest(request, isOwn) });
    return promise;
  }

  /** See {@linkcode WorkerLink.call}. */
  call(call: unknown): Promise<unknown> {
    if (this.#isOver) return Promise.reject(GONE);
    const id = this.#nextId++;
    const called = Promise.withResolvers<unknown>();
    this.#called.set(id, called);
    this.#post({ kind: "call", id, call });
    return called.promise;
  }

  /** Whoever still waits hears that nothing comes. */
  end(): void {
    this.#isOver = true;
    for (const { reject, body } of this.#asked.values()) {
      reject(GONE);
      body?.fail(GONE);
    }
    this.#asked.clear();
    for (const { reject } of this.#called.values()) reject(GONE);
    this.#called.clear();
  }

  /** Takes what the other end says. */
  heard(message: OwnerMessage): void {
    const { id } = message;
    if (message.kind === "result") {
      this.#called.get(id)?.resolve(message.result);
      this.#called.delete(id);
      return;
    }
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    switch (message.kind) {
      case "answer":
        return this.#answered(id, asked, message);
      case "refused":
        this.#over(id, asked);
        return asked.reject(
          new RunError("thread-failed", "The other thread cannot answer"),
        );
      case "piece":
        if (message.bytes === null) this.#over(id, asked);
        return asked.body?.push(message.bytes);
      case "broken":
        this.#over(id, asked);
        return asked.body?.fail(
          new RunError("body-cut-short", "The answer broke off"),
        );
      case "interim":
        return asked.request.inform?.(
          message.status,
          fieldsOf(message.fields),
        );
      case "watch":
        return this.#watch(id, asked);
      case "upload":
        return void this.#upload(id, asked);
    }
  }

  #answered(
    id: number,
    asked: Asked,
    { status, fields, body }: Extract<OwnerMessage, { kind: "answer" }>,
  ): void {
    const headers = fieldsOf(fields);
    if (body === null || body instanceof Uint8Array) {
      this.#over(id, asked);
      return asked.resolve({ status, headers, body });
    }
    asked.body = new ComingBody(body.lengthBytes, {
      more: () => this.#post({ kind: "more", id }),
      leave: () => {
        this.#over(id, asked);
        this.#post({ kind: "leave", id });
      },
    });
    asked.resolve({ status, headers, body: asked.body });
  }

  #over(id: number, asked: Asked): void {
    this.#asked.delete(id);
    asked.upload?.cancel().catch(() => {});
  }

  #watch(id: number, { request: { signal } }: Asked): void {
    const tell = () => {
      if (this.#asked.has(id)) this.#post({ kind: "gone", id });
    };
    if (signal.aborted) tell();
    else signal.addEventListener("abort", tell, { once: true });
  }

  async #upload(id: number, asked: Asked): Promise<void> {
    try {
      asked.upload ??= asked.request.body!.getReader();
      const { value } = await asked.upload.read();
      if (!this.#asked.has(id)) return;
      this.#post({ kind: "uploaded", id, bytes: value?.slice() ?? null });
    } catch {
      this.#post({ kind: "upload-failed", id });
    }
  }
}

/** The body of an answer that comes from the other end. */
class ComingBody implements BodySource {
  readonly lengthBytes: number | undefined;
  readonly #ask: { more(): void; leave(): void };
  readonly #pieces: (Uint8Array | null)[] = [];
  #failure: Error | undefined;
  #waiting: PromiseWithResolvers<Uint8Array | null> | undefined;

  constructor(
    lengthBytes: number | undefined,
    ask: { more(): void; leave(): void },
  ) {
    this.lengthBytes = lengthBytes;
    this.#ask = ask;
  }

  push(piece: Uint8Array | null): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return void this.#pieces.push(piece);
    this.#waiting = undefined;
    if (piece !== null) this.#ask.more();
    waiting.resolve(piece);
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  next(): Promise<Uint8Array | null> {
    const piece = this.#pieces.shift();
    if (piece === undefined) {
      if (this.#failure !== undefined) return Promise.reject(this.#failure);
      this.#waiting = Promise.withResolvers();
      return this.#waiting.promise;
    }
    if (piece !== null) this.#ask.more();
    return Promise.resolve(piece);
  }

  leave(): void {
    this.#waiting?.resolve(null);
    this.#waiting = undefined;
    this.#ask.leave();
  }
}
