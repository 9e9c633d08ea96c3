import type { FieldSource } from "../../../lib/http/fields.ts";
import type { HttpRequest } from "../../../lib/io/http.ts";
import type { Address } from "../../../lib/io/net.ts";

/** A request as if it had asked for another target. */
export class Retargeted implements HttpRequest {
  /** As the client sent it. */
  readonly original: HttpRequest;
  readonly target: string;

  /** Takes the request over. */
  constructor(original: HttpRequest, target: string) {
    this.original = original instanceof Retargeted
      ? original.original
      : original;
    this.target = target;
  }

  /** See {@linkcode HttpRequest}. */
  get method(): string {
    return this.original.method;
  }

  /** See {@linkcode HttpRequest}. */
  get authority(): string {
    return this.original.authority;
  }

  /** See {@linkcode HttpRequest}. */
  get headers(): FieldSource {
    return this.original.headers;
  }

  /** See {@linkcode HttpRequest}. */
  get protocol(): string {
    return this.original.protocol;
  }

  /** See {@linkcode HttpRequest}. */
  get body(): ReadableStream<Uint8Array> | null {
    return this.original.body;
  }

  /** See {@linkcode HttpRequest}. */
  get remote(): Address {
    return this.original.remote;
  }

  /** See {@linkcode HttpRequest}. */
  get signal(): AbortSignal {
    return this.original.signal;
  }

  /** See {@linkcode HttpRequest}. */
  inform(status: number, fields: FieldSource): void {
    this.original.inform?.(status, fields);
  }
}
