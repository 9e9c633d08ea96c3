import type { ProtocolError } from "../core/errors.ts";
import type { FieldSource } from "../http/fields.ts";
import type { Address } from "./address.ts";
import type { TlsIdentity } from "./self_signed.ts";

/** A request, its head read and checked. */
export interface HttpRequest {
  /** As sent: methods are case-sensitive (RFC 9110 §9.1). */
  readonly method: string;
  /** Path and query as sent, starting with `/` (origin-form, RFC 9112 §3.2.1), or `*`. */
  readonly target: string;
  /** The authority the client asked for: the `Host` field. */
  readonly authority: string;
  readonly headers: FieldSource;
  /** Such as `HTTP/1.1`. */
  readonly protocol: string;
  readonly body: ReadableStream<Uint8Array> | null;
  readonly remote: Address;
  /** Aborts when the client has gone before it had the whole answer. */
  readonly signal: AbortSignal;
  /** Sends an interim answer, with a status from 102 to 199, before the answer (RFC 9110 §15.2); nothing where the client cannot take one. */
  inform?(status: number, fields: FieldSource): void;
}

/** What a handler answers. The server adds `Date` and what delimits the body, and sends none for HEAD, 204 and 304. */
export interface HttpResponse {
  readonly status: number;
  /** Of the fields that rule the connection (`Connection`, `Transfer-Encoding`) the server takes no notice. */
  readonly headers: FieldSource;
  readonly body: Uint8Array | BodySource | null;
}

/** A body that comes piece by piece, as fast as the client reads: the next piece is asked for when the one before is sent. */
export interface BodySource {
  /** How long it is, when `Content-Length` does not say; without either the answer is chunked. */
  readonly lengthBytes?: number | undefined;
  /**
   * The next piece, about as many bytes as asked for or fewer; null at the end. Its memory is good until the next call, its
   * array is its own: the same one with other bytes would be taken for what was sent before. What it rejects with breaks the
   * connection off.
   */
  next(maxBytes: number): Promise<Uint8Array | null>;
  /** The client has left, or wants no body. Called at most once, perhaps while {@linkcode BodySource.next} is under way; not after it gave null or failed. */
  leave(): void;
}

/** Answers one request. What it throws becomes a 500; it never ends the server. One that answers at once spares a turn of the event loop. */
export type HttpHandler = (
  request: HttpRequest,
) => HttpResponse | Promise<HttpResponse>;

/** How a server treats its clients. */
export interface HttpOptions {
  /** Serve TLS, HTTP/2 and HTTP/1.1, with the runtime's own server. */
  readonly tls?: TlsIdentity | undefined;
  /** Other threads of this program listen on the same port, and the system deals the connections out; Linux only. */
  readonly shared?: boolean | undefined;
  /** Longest that the head of a request may take, in milliseconds, at least 1000; 10 s when nothing is said. Not with `tls`. */
  readonly headTimeoutMs?: number | undefined;
  /**
   * Serve many connections with few system calls (engine `batch`: Linux, with the permission to call the C library); where
   * that cannot be it is told why, and they are served as ever. Not with `tls`.
   */
  readonly cannotBatch?: ((reason: string) => void) | undefined;
  /** Hears of every client that broke the protocol; it is answered and cut off already. */
  readonly violated?: (remote: Address, error: ProtocolError) => void;
}

/** A running server. Disposing of it stops accepting, lets answers in flight finish for up to 2 s and closes. */
export interface HttpServer extends AsyncDisposable, Address {}
