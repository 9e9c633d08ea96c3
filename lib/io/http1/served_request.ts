import type { FieldSource } from "../../http/fields.ts";
import type { RequestHead } from "../../http/http1/request_head.ts";
import type { HttpRequest } from "../http.ts";
import type { Address } from "../net.ts";

/** What a request is told of, and asks, the connection it came by. */
export interface RequestConnection {
  readonly remote: Address;
  readonly signal: AbortSignal;
  /** See {@linkcode HttpRequest.inform}. */
  inform(
    request: RequestHead,
    answer: { readonly status: number; readonly fields: FieldSource },
  ): void;
}

/** What a handler sees of a request; what few ask for is made when they do. */
export class ServedRequest implements HttpRequest {
  readonly #head: RequestHead;
  readonly #connection: RequestConnection;
  /** See {@linkcode HttpRequest}. */
  readonly body: ReadableStream<Uint8Array> | null;

  /** Makes what stands for a request that came by a connection. */
  constructor(
    head: RequestHead,
    connection: RequestConnection,
    body: ReadableStream<Uint8Array> | null,
  ) {
    this.#head = head;
    this.#connection = connection;
    this.body = body;
  }

  /** See {@linkcode HttpRequest}. */
  get method(): string {
    return this.#head.method;
  }

  /** See {@linkcode HttpRequest}. */
  get target(): string {
    return this.#head.target;
  }

  /** See {@linkcode HttpRequest}. */
  get authority(): string {
    return this.#head.authority;
  }

  /** See {@linkcode HttpRequest}. */
  get protocol(): string {
    return this.#head.minorVersion === 1 ? "HTTP/1.1" : "HTTP/1.0";
  }

  /** See {@linkcode HttpRequest}. */
  get headers(): FieldSource {
    return this.#head.fields;
  }

  /** See {@linkcode HttpRequest}. */
  get remote(): Address {
    return this.#connection.remote;
  }

  /** See {@linkcode HttpRequest}. */
  get signal(): AbortSignal {
    return this.#connection.signal;
  }

  /** See {@linkcode HttpRequest}. */
  inform(status: number, fields: FieldSource): void {
    this.#connection.inform(this.#head, { status, fields });
  }
}
