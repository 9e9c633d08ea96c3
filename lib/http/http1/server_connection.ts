import { ProtocolError } from "../../core/errors.ts";
import type { Machine } from "../../core/machine.ts";
import type { FieldSource } from "../fields.ts";
import { BodyDecoder } from "./body_decoder.ts";
import { errorAnswer, framingOf, keptAlive } from "./answer_framing.ts";
import { Backlog } from "./backlog.ts";
import type {
  ConnectionInput,
  ConnectionLimits,
  ConnectionOutput,
} from "./connection_messages.ts";
import { HeadScanner } from "./head_scanner.ts";
import { RequestHead } from "./request_head.ts";
import {
  formatInterimHead,
  formatResponseHead,
  type ResponseFraming,
} from "./response_head.ts";

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
const GOES_ON = { isLast: false, isFinal: false };

/**
 * One connection of an HTTP/1.1 server (RFC 9112 §9): reads requests strictly, one at a time, frames the answers, and
 * knows when a client has had its time. No request is read before the one before it is answered.
 */
export class ServerConnection
  implements Machine<ConnectionInput, ConnectionOutput> {
  readonly #limits: ConnectionLimits;
  /** The text of `Date` for answers that have none. */
  readonly #date: () => string;
  readonly #scanner = new HeadScanner();
  /** Bytes that came and are not read yet. */
  readonly #backlog = new Backlog();
  #reading: "head" | "body" | "held" | "closed" = "head";
  #answering: "nothing" | "request" | "stream" | "last" = "nothing";
  #head: RequestHead | undefined;
  #body: BodyDecoder | undefined;
  #isWanted = false;
  #mustContinue = false;
  #framing: ResponseFraming | undefined;
  #leftBytes = 0;
  #hasSentChunk = false;
  #isLastRequest = false;
  /** The client may still be sending what nobody will read. */
  #mustLinger = false;
  #hasEnded = false;
  #isClosed = false;
  #readDeadlineMs: number;
  #writeDeadlineMs = Infinity;
  #idleSinceMs: number;

  /** Creates the machine of a connection made at `nowMs`. */
  constructor(
    options: { readonly limits: ConnectionLimits; readonly date: () => string },
    nowMs: number,
  ) {
    this.#limits = options.limits;
    this.#date = options.date;
    this.#readDeadlineMs = nowMs + this.#limits.headMs;
    this.#idleSinceMs = nowMs;
  }

  /** See {@linkcode Machine.deadlineMs}. */
  get deadlineMs(): number {
    return Math.min(this.#readDeadlineMs, this.#writeDeadlineMs);
  }

  /** Whether more bytes can be used now; what comes meanwhile waits in the system, and so does the client. */
  get wantsBytes(): boolean {
    return this.#reading === "head" ||
      (this.#reading === "body" && this.#isWanted);
  }

  /** Since when no request is under way; `Infinity` while one is. */
  get idleSinceMs(): number {
    return this.#answering === "nothing" ? this.#idleSinceMs : Infinity;
  }

  /** See {@linkcode Machine.handle}. */
  handle(input: ConnectionInput, nowMs: number): ConnectionOutput[] {
    if (this.#isClosed) return [];
    try {
      switch (input.kind) {
        case "bytes":
          return this.#bytes(input.bytes, nowMs);
        case "answer":
          return this.#answer(input, nowMs);
        case "wrote":
          this.#writeDeadlineMs = Infinity;
          return this.#answering === "last" ? this.#finish(nowMs) : [];
        case "progress":
          this.#writeDeadlineMs = nowMs + this.#limits.writeMs;
          return [];
        case "interim":
          return this.#interim(input, nowMs);
        case "piece":
          return this.#piece(input.bytes, nowMs);
        case "ended":
          return this.#ended(nowMs);
        case "want":
          return this.#want(nowMs);
        case "end":
          return this.#end();
        case "failed":
          return this.#close(false);
        case "stop":
          this.#isLastRequest = true;
          return this.#answering === "nothing" ? this.#close(false) : [];
        case "timeout":
          return this.#timeout(nowMs);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return this.#violated(error, nowMs);
    }
  }

  #bytes(bytes: Uint8Array, nowMs: number): ConnectionOutput[] {
    if (this.#reading === "closed") return [];
    if (!this.#backlog.isEmpty) {
      this.#backlog.push(bytes);
      return this.#read(this.#backlog.bytes, nowMs);
    }
    return this.#read(bytes, nowMs);
  }

  /** Reads on in `data`, which is all there is that was not read. */
  #read(data: Uint8Array, nowMs: number): ConnectionOutput[] {
    switch (this.#reading) {
      case "head":
        return this.#readHead(data, nowMs);
      case "body":
        if (this.#isWanted) return this.#readBody(data, nowMs);
    }
    this.#backlog.keepRest(data, 0);
    return [];
  }

  #readHead(data: Uint8Array, nowMs: number): ConnectionOutput[] {
    const scanner = this.#scanner;
    const isFirst = scanner.at === 0;
    const isComplete = scanner.scan(data, data.length);
    if (scanner.at > this.#limits.maxHeadBytes) {
      throw new ProtocolError(
        "head-too-large",
        `Cannot read a request: its head must have at most ${this.#limits.maxHeadBytes} bytes`,
      );
    }
    if (!isComplete) {
      if (isFirst) this.#readDeadlineMs = nowMs + this.#limits.headMs;
      this.#backlog.keepRest(data, 0);
      return [];
    }
    const head = new RequestHead(data, scanner);
    const end = scanner.at;
    scanner.reset();
    this.#head = head;
    this.#answering = "request";
    this.#readDeadlineMs = Infinity;
    if (!head.keepAlive) this.#isLastRequest = true;
    const hasBody = head.framing.kind !== "none";
    if (hasBody) {
      this.#body = new BodyDecoder(head.framing, this.#limits.maxBodyBytes);
      this.#isWanted = false;
      this.#mustContinue = head.expectsContinue;
    }
    this.#reading = hasBody ? "body" : "held";
    this.#backlog.keepRest(data, end);
    return [{ kind: "request", head, hasBody }];
  }

  #want(nowMs: number): ConnectionOutput[] {
    if (this.#reading !== "body") return [];
    this.#isWanted = true;
    this.#readDeadlineMs = nowMs + this.#limits.bodyMs;
    const mustContinue = this.#mustContinue && this.#backlog.isEmpty;
    this.#mustContinue = false;
    if (mustContinue) {
      return [{ kind: "write", text: CONTINUE, bytes: null, ...GOES_ON }];
    }
    return this.#backlog.isEmpty
      ? []
      : this.#readBody(this.#backlog.bytes, nowMs);
  }

  #readBody(data: Uint8Array, nowMs: number): ConnectionOutput[] {
    const outputs: ConnectionOutput[] = [];
    const body = this.#body!;
    const end = body.push(
      data,
      0,
      (piece) => void outputs.push({ kind: "body", bytes: piece.slice() }),
    );
    this.#readDeadlineMs = nowMs + this.#limits.bodyMs;
    if (outputs.length > 0) {
      this.#isWanted = false;
      this.#readDeadlineMs = Infinity;
    }
    if (body.isDone) {
      this.#reading = "held";
      this.#readDeadlineMs = Infinity;
      outputs.push({ kind: "body-ended" });
    }
    this.#backlog.keepRest(data, end);
    return outputs;
  }

  #answer(
    answer: Extract<ConnectionInput, { kind: "answer" }>,
    nowMs: number,
  ): ConnectionOutput[] {
    if (this.#answering !== "request") return [];
    const head = this.#head!;
    const { body } = answer;
    const framing = framingOf(answer, head);
    this.#skipBody();
    if (framing.kind === "until-close") this.#isLastRequest = true;
    const text = formatResponseHead(answer, {
      framing,
      connection: keptAlive(head, this.#isLastRequest),
      date: this.#date(),
    });
    const isLast = framing.kind === "none" || body === null ||
      body instanceof Uint8Array || answer.status === 205;
    const sent = isLast && framing.kind === "length" && framing.bytes > 0
      ? body as Uint8Array
      : null;
    this.#answering = isLast ? "last" : "stream";
    this.#framing = framing;
    this.#leftBytes = framing.kind === "length" ? framing.bytes : 0;
    this.#hasSentChunk = false;
    return this.#write(text, sent, { isLast, nowMs });
  }

  /** RFC 9110 §15.2: HTTP/1.0 has no such answers. */
  #interim(
    answer: { readonly status: number; readonly fields: FieldSource },
    nowMs: number,
  ): ConnectionOutput[] {
    const isTime = this.#answering === "request" &&
      this.#head?.minorVersion === 1;
    if (!isTime) return [];
    const text = formatInterimHead(answer);
    return this.#write(text, null, { isLast: false, nowMs });
  }

  /** The answer begins: what has not come of the request's body by now is not wanted, and where the next request would begin nobody knows. */
  #skipBody(): void {
    if (this.#reading !== "body") return;
    const data = this.#backlog.bytes;
    this.#readDeadlineMs = Infinity;
    let end = 0;
    try {
      end = this.#body!.push(data, 0, () => {});
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
    if (this.#body!.isDone) {
      this.#reading = "held";
      this.#backlog.keepRest(data, end);
    } else {
      this.#reading = "closed";
      this.#isLastRequest = true;
      this.#mustLinger = true;
    }
  }

  #piece(bytes: Uint8Array, nowMs: number): ConnectionOutput[] {
    if (this.#answering !== "stream" || bytes.length === 0) return [];
    switch (this.#framing!.kind) {
      case "length":
        // More than was announced would be read as the next answer.
        if (bytes.length > this.#leftBytes) return this.#close(false);
        this.#leftBytes -= bytes.length;
        return this.#write("", bytes, { isLast: false, nowMs });
      case "chunked": {
        const before = this.#hasSentChunk ? "\r\n" : "";
        this.#hasSentChunk = true;
        const size = `${before}${bytes.length.toString(16)}\r\n`;
        return this.#write(size, bytes, { isLast: false, nowMs });
      }
      default:
        return this.#write("", bytes, { isLast: false, nowMs });
    }
  }

  #ended(nowMs: number): ConnectionOutput[] {
    if (this.#answering !== "stream") return [];
    // Less than announced: only a connection that breaks tells the client (RFC 9112 §8).
    if (this.#leftBytes > 0) return this.#close(false);
    this.#answering = "last";
    if (this.#framing!.kind !== "chunked") return this.#finish(nowMs);
    const text = `${this.#hasSentChunk ? "\r\n" : ""}0\r\n\r\n`;
    return this.#write(text, null, { isLast: true, nowMs });
  }

  /** The answer is complete and written: on to the next request, or the end. */
  #finish(nowMs: number): ConnectionOutput[] {
    this.#answering = "nothing";
    this.#head = undefined;
    this.#body = undefined;
    if (this.#isLastRequest || this.#reading !== "held") {
      return this.#close(this.#mustLinger);
    }
    this.#reading = "head";
    this.#idleSinceMs = nowMs;
    this.#readDeadlineMs = nowMs + this.#limits.idleMs;
    const outputs = this.#backlog.isEmpty
      ? []
      : this.#readHead(this.#backlog.bytes, nowMs);
    return outputs.length === 0 && this.#hasEnded
      ? this.#close(false)
      : outputs;
  }

  #end(): ConnectionOutput[] {
    this.#hasEnded = true;
    if (this.#answering === "nothing") return this.#close(false);
    if (this.#reading !== "body") return [];
    this.#reading = "closed";
    this.#isLastRequest = true;
    this.#readDeadlineMs = Infinity;
    return [{
      kind: "body-failed",
      error: new ProtocolError(
        "body-cut-short",
        "Cannot read a request's body: the client ended before it was complete",
      ),
    }];
  }

  #timeout(nowMs: number): ConnectionOutput[] {
    if (nowMs >= this.#writeDeadlineMs) return this.#close(false);
    if (nowMs < this.#readDeadlineMs) return [];
    if (this.#reading === "body") {
      throw new ProtocolError(
        "body-too-slow",
        `Cannot read a request's body: nothing of it came within ${this.#limits.bodyMs} ms`,
      );
    }
    // Between requests, clients that have no more to ask need no answer.
    if (this.#scanner.at === 0) return this.#close(false);
    throw new ProtocolError(
      "head-too-slow",
      `Cannot read a request: its head must come within ${this.#limits.headMs} ms`,
    );
  }

  /** The client broke a rule: whatever it sends from now on is not read. */
  #violated(error: ProtocolError, nowMs: number): ConnectionOutput[] {
    const wasBody = this.#reading === "body" && this.#body !== undefined;
    this.#reading = "closed";
    this.#readDeadlineMs = Infinity;
    this.#isLastRequest = true;
    this.#mustLinger = true;
    this.#backlog.clear();
    // Who waits for the body answers.
    if (wasBody) {
      return [{ kind: "violated", error }, { kind: "body-failed", error }];
    }
    this.#answering = "last";
    const { text, bytes } = errorAnswer(error, this.#date());
    return [
      { kind: "violated", error },
      ...this.#write(text, bytes, { isLast: true, nowMs }),
    ];
  }

  #write(
    text: string,
    bytes: Uint8Array | null,
    { isLast, nowMs }: { readonly isLast: boolean; readonly nowMs: number },
  ): ConnectionOutput[] {
    this.#writeDeadlineMs = nowMs + this.#limits.writeMs;
    const isFinal = isLast && this.#isLastRequest;
    return [{ kind: "write", text, bytes, isLast, isFinal }];
  }

  #close(politely: boolean): ConnectionOutput[] {
    this.#isClosed = true;
    this.#reading = "closed";
    this.#readDeadlineMs = this.#writeDeadlineMs = Infinity;
    this.#backlog.clear();
    return [{ kind: "close", politely }];
  }
}
