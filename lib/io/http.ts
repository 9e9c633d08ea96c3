import type { Address } from "./net.ts";

/**
 * The one HTTP server interface under origin and edge, small enough that another HTTP/1.1 engine can take its place.
 */
export interface HttpRequest {
  /** As sent: methods are case-sensitive (RFC 9110 §9.1). */
  readonly method: string;
  /** Path and query as sent, starting with `/` (origin-form, RFC 9112 §3.2.1). */
  readonly target: string;
  /** The authority the client asked for: the `Host` field. */
  readonly authority: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  readonly remote: Address;
  /** Aborts when the client has gone before it had the whole answer. */
  readonly signal: AbortSignal;
}

/** What a handler answers. The server adds `Date` and, for byte bodies, `Content-Length`, and sends no body for HEAD, 204 and 304. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Bytes, or a stream that is pulled only as fast as the client reads and cancelled when it leaves. */
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;
}

/** Answers one request. What it throws becomes a 500 and a `protocol.violated`-free log line; it never ends the server. */
export type HttpHandler = (
  request: HttpRequest,
) => HttpResponse | Promise<HttpResponse>;

/** A running server. Disposing of it stops accepting, lets answers in flight finish for up to 2 s and closes. */
export interface HttpServer extends AsyncDisposable, Address {}
