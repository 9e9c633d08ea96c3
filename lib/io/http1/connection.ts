import { ProtocolError, RunError } from "../../core/errors.ts";
import type {
  ConnectionInput,
  ConnectionOutput,
} from "../../http/http1/connection_messages.ts";
import { Fields, type FieldSource } from "../../http/fields.ts";
import type { RequestHead } from "../../http/http1/request_head.ts";
import { ServerConnection } from "../../http/http1/server_connection.ts";
import type { BodySource, HttpHandler, HttpResponse } from "../http.ts";
import type { Address } from "../net.ts";
import type { HttpBuffers, WriteOutput } from "./buffers.ts";
import { RequestBody } from "./request_body.ts";
import { ServedRequest } from "./served_request.ts";

/** How much of a body is asked for at once. */
const PIECE_BYTES = 65_536;
/** How long, and for how many bytes, what a refused client still sends is read: else the reset would overtake our answer. */
const LINGER_MS = 1000;
const LINGER_BYTES = 2 ** 20;
/** A connection that has sent nothing takes so much at once: no system's memory for what is to be sent is smaller. */
const WHOLE_BYTES = 4096;

/** The part of a TCP connection that is needed here; the runtime's own has it, without a wrapper around each call. */
export interface ByteStream {
  /** Reads what is there; null at the end. */
  read(buffer: Uint8Array): number | null | Promise<number | null>;
  /** Writes some of `bytes`; returns how many. */
  write(bytes: Uint8Array): number | Promise<number>;
  /** Sends FIN. */
  closeWrite(): Promise<void>;
  /** Ends everything that is under way. */
  close(): void;
  /** Turns Nagle's algorithm off. */
  setNoDelay(on?: boolean): void;
}

/** What all connections of a server share. */
export interface ConnectionHost {
  readonly handler: HttpHandler;
  readonly buffers: HttpBuffers;
  nowMs(): number;
  violated(remote: Address, error: ProtocolError): void;
  closed(connection: HttpConnection): void;
}

/**
 * Carries out what a {@linkcode ServerConnection} decides. Reads while the machine wants bytes, has one write under way
 * at a time, and takes the next piece of a body when the one before is gone.
 *
 * Each await here is paid for by every request: an answer that is there at once costs one read and one write.
 */
export class HttpConnection {
  readonly machine: ServerConnection;
  /** For the server: where this stands among its connections. */
  place = -1;
  readonly #stream: ByteStream;
  readonly #host: ConnectionHost;
  readonly #remoteOf: () => Address;
  #remote: Address | undefined;
  #gone: AbortController | undefined;
  #isGone = false;
  #source: BodySource | undefined;
  #body: RequestBody | undefined;
  /** Of the request that is being answered, or was last. */
  #head: RequestHead | undefined;
  /** What is to be written, in order. */
  #queue: Uint8Array[] = [];
  #isSending = false;
  /** For those that wait until all is written. */
  #waiting: PromiseWithResolvers<void> | undefined;
  /** {@linkcode HttpConnection.#work} tells the machine something, and sends what there is to send after it. */
  #isAtWork = false;
  #wake: (() => void) | undefined;
  #isOver = false;
  #hasWritten = false;
  #isFinal = false;
  #hasNoDelay = false;

  /** Takes the connection over; `remoteOf` is asked only when a handler asks. */
  constructor(
    stream: ByteStream,
    options: {
      readonly machine: ServerConnection;
      readonly host: ConnectionHost;
      readonly remoteOf: () => Address;
    },
  ) {
    this.#stream = stream;
    this.machine = options.machine;
    this.#host = options.host;
    this.#remoteOf = options.remoteOf;
  }

  /** Where the client is. */
  get remote(): Address {
    return this.#remote ??= this.#remoteOf();
  }

  /** Aborts when the client has gone. Most requests never ask. */
  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      this.#gone = new AbortController();
      if (this.#isGone) this.#gone.abort();
    }
    return this.#gone.signal;
  }

  /** Serves until the connection is over. */
  async run(): Promise<void> {
    const { buffers } = this.#host;
    const buffer = buffers.takeRead();
    await this.#work(buffer);
    buffers.giveRead(buffer);
  }

  /**
   * Sends what there is to send, then reads into `buffer` what comes, and so on; without a buffer it only sends. One
   * function for both: to wait for another costs each request as much as to parse it. Does not throw.
   */
  async #work(buffer?: Uint8Array): Promise<void> {
    try {
      while (!this.#isOver) {
        const next = this.#queue[0];
        if (this.#isSending) await this.#allSent();
        else if (next !== undefined) {
          this.#isSending = true;
          // Who was read in the same turn of the event loop is answered first: the answers then go out one right behind
          // the other, and wake a client's system once. Each by itself, a hit cost 14 % more.
          await undefined;
          let at = await this.#begin(next);
          while (at < next.length) {
            this.machine.handle({ kind: "progress" }, this.#host.nowMs());
            at += await this.#stream.write(next.subarray(at));
          }
          this.#isSending = false;
          this.#sent(next);
        } else if (buffer === undefined) return;
        else if (this.machine.wantsBytes) {
          const count = await this.#stream.read(buffer);
          if (this.#isOver) return;
          this.#feedAtWork(
            count === null
              ? { kind: "end" }
              : { kind: "bytes", bytes: buffer.subarray(0, count) },
          );
        } else await new Promise<void>((wake) => this.#wake = wake);
      }
    } catch {
      this.#over(); // The client reset the connection, or we closed it.
    }
  }

  #sent(piece: Uint8Array): void {
    this.#queue.shift();
    this.#host.buffers.giveWrite(piece);
    if (this.#queue.length > 0) return;
    this.#tellAllSent();
    this.#feedAtWork({ kind: "wrote" });
  }

  #feedAtWork(input: ConnectionInput): void {
    this.#isAtWork = true;
    this.feed(input);
    this.#isAtWork = false;
  }

  /** Begins to write a piece of the queue; returns how many bytes of it are gone. */
  #begin(bytes: Uint8Array): number | Promise<number> {
    const isOnly = !this.#hasWritten && this.#queue.length === 1;
    // Without this, the second of two small writes waits for the client's acknowledgement of the first.
    if (!isOnly) this.#noDelay();
    this.#hasWritten = true;
    const written = this.#stream.write(bytes);
    if (isOnly && this.#isFinal && bytes.length <= WHOLE_BYTES) this.#sendFin();
    return written;
  }

  /** Tells the machine what happened and does what it says. */
  feed(input: ConnectionInput): void {
    for (const output of this.machine.handle(input, this.#host.nowMs())) {
      this.#perform(output);
    }
    const wake = this.#wake;
    if (wake !== undefined) {
      this.#wake = undefined;
      wake();
    }
  }

  /** Sends an interim answer, if `request` is still the one to be answered. */
  inform(
    request: RequestHead,
    answer: { readonly status: number; readonly fields: FieldSource },
  ): void {
    if (this.#head === request) this.feed({ kind: "interim", ...answer });
  }

  /** Ends the connection whatever is under way. */
  abort(): void {
    this.#over();
  }

  #perform(output: ConnectionOutput): void {
    switch (output.kind) {
      case "request":
        return this.#request(output.head, output.hasBody);
      case "write":
        return this.#write(output);
      case "body":
        return this.#body?.push(output.bytes);
      case "body-ended":
        return this.#body?.end();
      case "body-failed":
        return this.#body?.fail(asRunError(output.error));
      case "violated":
        return this.#host.violated(this.remote, output.error);
      case "close":
        return output.politely ? void this.#linger() : this.#over();
    }
  }

  #request(head: RequestHead, hasBody: boolean): void {
    this.#head = head;
    this.#body = hasBody
      ? new RequestBody(() => this.feed({ kind: "want" }))
      : undefined;
    let answer: HttpResponse | Promise<HttpResponse>;
    try {
      answer = this.#host.handler(
        new ServedRequest(head, this, this.#body?.stream ?? null),
      );
    } catch {
      answer = INTERNAL_ERROR;
    }
    if (!(answer instanceof Promise)) return this.#answer(answer);
    answer.then(
      (response) => this.#answer(response),
      () => this.#answer(INTERNAL_ERROR),
    );
  }

  #answer(response: HttpResponse): void {
    const { body } = response;
    const source = body === null || body instanceof Uint8Array
      ? undefined
      : body;
    if (this.#isOver) return source?.leave();
    this.#source = source;
    let isStreamed: boolean;
    try {
      isStreamed = this.#beginAnswer(response);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      // A field that cannot be sent: a handler's mistake, as much as if it had thrown.
      this.#leave();
      this.#beginAnswer(INTERNAL_ERROR);
      return;
    }
    this.#body?.fail(new TypeError("the request is answered"));
    if (source === undefined) return;
    if (isStreamed) void this.#pump(source);
    else this.#leave();
  }

  /** Starts the answer; returns whether a stream follows. */
  #beginAnswer({ status, headers, body }: HttpResponse): boolean {
    const outputs = this.machine.handle(
      { kind: "answer", status, fields: headers, body },
      this.#host.nowMs(),
    );
    let isStreamed = false;
    for (const output of outputs) {
      if (output.kind === "write") isStreamed = !output.isLast;
      this.#perform(output);
    }
    return isStreamed;
  }

  /** Sends a stream, one piece at a time. */
  async #pump(source: BodySource): Promise<void> {
    try {
      for (;;) {
        if (this.#isSending || this.#queue.length > 0) await this.#allSent();
        if (this.#isOver) return;
        const piece = await source.next(PIECE_BYTES);
        if (this.#isOver) return;
        if (piece === null) break;
        this.feed({ kind: "piece", bytes: piece });
      }
      this.#source = undefined;
      this.feed({ kind: "ended" });
    } catch {
      this.#source = undefined;
      this.feed({ kind: "failed" });
    }
  }

  #write(output: WriteOutput): void {
    this.#host.buffers.fill(this.#queue, output);
    this.#isFinal = output.isFinal;
    if (!this.#isAtWork && !this.#isSending) void this.#work();
  }

  /** Resolves when nothing waits to be written any more, or never will be. */
  #allSent(): Promise<void> {
    this.#waiting ??= Promise.withResolvers<void>();
    return this.#waiting.promise;
  }

  #tellAllSent(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve();
  }

  /**
   * Sends FIN behind the write that is under way. Closing when that is known to be done is too late to be the first: the
   * client reads the answer and closes meanwhile, and then it is the client's system that keeps the port for a minute
   * (TIME_WAIT, RFC 9293 §3.6). A machine with many clients runs out of ports.
   */
  #sendFin(): void {
    this.#stream.closeWrite().catch(() => {}); // The write fails as well, and tells.
  }

  #noDelay(): void {
    if (this.#hasNoDelay) return;
    this.#hasNoDelay = true;
    this.#stream.setNoDelay(true);
  }

  /** The source, if it still has something, is not asked any more. */
  #leave(): void {
    const source = this.#source;
    this.#source = undefined;
    source?.leave();
  }

  async #linger(): Promise<void> {
    const buffer = this.#host.buffers.takeRead();
    const late = setTimeout(() => this.#over(), LINGER_MS);
    try {
      await this.#stream.closeWrite();
      for (let left = LINGER_BYTES; left > 0;) {
        const count = await this.#stream.read(buffer);
        if (count === null) break;
        left -= count;
      }
    } catch { /* It has gone already. */ }
    clearTimeout(late);
    this.#host.buffers.giveRead(buffer);
    this.#over();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const wasAnswered = this.machine.idleSinceMs < Infinity;
    this.machine.handle({ kind: "failed" }, this.#host.nowMs());
    try {
      this.#stream.close();
    } catch { /* The system was faster. */ }
    this.#isGone = !wasAnswered;
    if (this.#isGone) this.#gone?.abort();
    this.#body?.fail(
      new RunError("connection-lost", "Cannot read on: the client has gone"),
    );
    this.#leave();
    this.#host.buffers.lose(this.#queue.splice(0));
    this.#tellAllSent();
    this.#wake?.();
    this.#host.closed(this);
  }
}

const INTERNAL_ERROR: HttpResponse = {
  status: 500,
  headers: new Fields([["content-type", "text/plain; charset=utf-8"]]),
  body: new TextEncoder().encode("Internal error\n"),
};

function asRunError(error: ProtocolError): RunError {
  const code = error.code === "body-too-slow"
    ? "timed-out"
    : error.code === "body-too-large"
    ? "too-large"
    : "connection-lost";
  return new RunError(code, error.message, { cause: error });
}
