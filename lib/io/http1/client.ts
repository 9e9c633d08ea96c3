import { messageOf, ProtocolError, RunError } from "../../core/errors.ts";
import { concat } from "../../core/bytes.ts";
import type { FieldSource } from "../../http/fields.ts";
import {
  type ResponsePart,
  ResponseReader,
} from "../../http/http1/response_reader.ts";
import type { Clock } from "../clock.ts";
import type { BodySource } from "../http.ts";
import type { Net } from "../net.ts";
import { within } from "../within.ts";
import { ClientConnection } from "./client_connection.ts";

/** Most connections kept for later, for each server. */
const MAX_IDLE = 64;
/** How long one is kept: less than most servers keep theirs. */
const IDLE_MS = 30_000;

/** One request. */
export interface ClientRequest {
  readonly method: string;
  /** Without `Host`, `Content-Length` and `Connection`. */
  readonly headers: Iterable<readonly [string, string]>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** Longest wait for a connection. */
  readonly connectMs: number;
  /** Longest wait, with a connection, for the head of the answer. */
  readonly firstByteMs: number;
  /** Gives up waiting for the head. */
  readonly signal: AbortSignal;
  /** Hears of interim answers, but of 100, which we never ask for (RFC 9110 §15.2). */
  readonly interim?: (status: number, fields: FieldSource) => void;
}

/** An answer; who takes it reads the body to its end or leaves it. */
export interface ClientResponse {
  readonly status: number;
  readonly headers: FieldSource;
  readonly body: BodySource | null;
  /** Whether the connection had served a request before. */
  readonly reused?: boolean;
}

/**
 * An HTTP/1.1 client that keeps connections (RFC 9112 §9.3), one request at a time on each.
 *
 * Unlike the runtime's `fetch` it knows apart what took too long, hands over what it does not understand as an error,
 * and changes nothing in the answer.
 */
export class HttpClient {
  readonly #net: Pick<Net, "connectTcp">;
  readonly #clock: Clock;
  /** By origin, the latest used last. */
  readonly #idle = new Map<string, ClientConnection[]>();
  readonly #all = new Set<ClientConnection>();

  /** Creates a client without connections. */
  constructor(net: Pick<Net, "connectTcp">, clock: Clock) {
    this.#net = net;
    this.#clock = clock;
  }

  /**
   * Sends a request; resolves when the head of the answer is there. One that got no answer at all on a connection that
   * had been idle is sent again on another, if it is idempotent: the server had closed it (RFC 9112 §9.3.1).
   *
   * @throws {RunError} `connect-failed`, `connect-timeout`, `fetch-timeout`, `connection-lost`, `answer-malformed`; the
   * signal's reason if it aborts.
   */
  async send(url: string, request: ClientRequest): Promise<ClientResponse> {
    request.signal.throwIfAborted();
    const to = new URL(url);
    const bytes = requestBytes(to, request);
    for (;;) {
      const kept = this.#take(to.origin);
      const connection = kept ?? await this.#connect(to, request);
      const reader = new ResponseReader(request.method);
      try {
        return await this.#exchange(connection, reader, {
          url: to,
          request,
          bytes,
          reused: kept !== undefined,
        });
      } catch (error) {
        connection.close();
        request.signal.throwIfAborted();
        const again = kept !== undefined && !reader.hasBegun &&
          IDEMPOTENT.has(request.method) && !isTimeout(error);
        if (!again) throw asRunError(error, to, request.firstByteMs);
      }
    }
  }

  /** Ends all connections, also those in use. */
  close(): void {
    for (const connection of [...this.#all]) connection.close();
    this.#idle.clear();
  }

  async #exchange(
    connection: ClientConnection,
    reader: ResponseReader,
    { url, request, bytes, reused }: {
      readonly url: URL;
      readonly request: ClientRequest;
      readonly bytes: Uint8Array;
      readonly reused: boolean;
    },
  ): Promise<ClientResponse> {
    const sent = connection.write(bytes);
    const parts: ResponsePart[] = [];
    const head = await within(headOf(connection, reader, { parts, request }), {
      clock: this.#clock,
      limitMs: request.firstByteMs,
      signal: request.signal,
    });
    const over = (isWhole: boolean) => {
      // An answer that came before the request was all sent leaves the rest of it in the connection.
      const good = isWhole && reader.canReuse && connection.hasSent;
      if (good) this.#keep(url.origin, connection);
      else connection.close();
    };
    void sent;
    const { status, fields: headers } = head;
    if (!head.hasBody) {
      over(true);
      return { status, headers, body: null, reused };
    }
    const body = bodyOf(connection, reader, { parts, over });
    return { status, headers, body, reused };
  }

  async #connect(
    url: URL,
    { connectMs, signal }: ClientRequest,
  ): Promise<ClientConnection> {
    const isTls = url.protocol === "https:";
    const to = {
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: Number(url.port) || (isTls ? 443 : 80),
    };
    const stream = await this.#net.connectTcp(to, {
      timeoutMs: connectMs,
      signal,
      tls: isTls,
    });
    const connection = new ClientConnection(
      stream,
      () => void this.#all.delete(connection),
    );
    this.#all.add(connection);
    return connection;
  }

  #take(origin: string): ClientConnection | undefined {
    const idle = this.#idle.get(origin);
    for (
      let connection = idle?.pop();
      connection !== undefined;
      connection = idle?.pop()
    ) {
      if (this.#clock.nowMs() - connection.idleSinceMs > IDLE_MS) {
        connection.close();
      } else if (connection.resume()) return connection;
    }
    return undefined;
  }

  #keep(origin: string, connection: ClientConnection): void {
    const idle = this.#idle.get(origin) ?? [];
    this.#idle.set(origin, idle);
    const nowMs = this.#clock.nowMs();
    connection.park(nowMs);
    idle.push(connection);
    // The latest used is taken first, so those of a busy moment would stay for ever.
    while (
      idle.length > MAX_IDLE || nowMs - idle[0]!.idleSinceMs > IDLE_MS
    ) idle.shift()!.close();
  }
}

/** Sent twice they do the same (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "PUT",
  "DELETE",
]);

/** Reads up to the head; what came with it stays in `parts`. */
async function headOf(
  connection: ClientConnection,
  reader: ResponseReader,
  { parts, request }: {
    readonly parts: ResponsePart[];
    readonly request: ClientRequest;
  },
): Promise<Extract<ResponsePart, { kind: "head" }>> {
  for (;;) {
    const bytes = await connection.read();
    parts.push(...(bytes === null ? reader.end() : reader.push(bytes)));
    while (parts[0]?.kind === "interim") {
      const { status, fields } = parts[0];
      if (status !== 100) request.interim?.(status, fields);
      parts.shift();
    }
    const head = parts.shift();
    if (head?.kind === "head") return head;
  }
}

/** What follows the head; whoever leaves it in the middle gives the connection up. */
function bodyOf(
  connection: ClientConnection,
  reader: ResponseReader,
  { parts, over }: {
    readonly parts: ResponsePart[];
    readonly over: (isWhole: boolean) => void;
  },
): BodySource {
  let isOver = false;
  const end = (isWhole: boolean) => {
    if (isOver) return;
    isOver = true;
    over(isWhole);
  };
  return {
    async next() {
      if (isOver) return null;
      try {
        let part = parts.shift();
        while (part === undefined) {
          const bytes = await connection.read();
          parts.push(...(bytes === null ? reader.end() : reader.push(bytes)));
          part = parts.shift();
        }
        if (part.kind === "body") return part.bytes;
        end(true);
        return null;
      } catch (error) {
        end(false);
        throw error;
      }
    },
    leave: () => end(false),
  };
}

function requestBytes(url: URL, request: ClientRequest): Uint8Array {
  const { method, headers, body } = request;
  let text = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n`;
  text += `host: ${url.host}\r\n`;
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  if (body !== undefined || method === "POST" || method === "PUT") {
    text += `content-length: ${body?.length ?? 0}\r\n`;
  }
  text += "\r\n";
  const head = latin1(text);
  return body === undefined ? head : concat(head, body);
}

/** RFC 9110 §5.5: what is above ASCII came as single bytes, and goes on as such. */
function latin1(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

function isTimeout(error: unknown): boolean {
  return error instanceof RunError && error.code === "timed-out";
}

function asRunError(error: unknown, url: URL, limitMs: number): unknown {
  const where = `Cannot fetch ${url.href}`;
  if (isTimeout(error)) {
    return new RunError(
      "fetch-timeout",
      `${where}: no answer within ${limitMs} ms`,
      { cause: error },
    );
  }
  if (error instanceof ProtocolError) {
    const code = error.code === "answer-cut-short"
      ? "connection-lost"
      : "answer-malformed";
    const why = error.message.replace(/^.*?: /, "");
    return new RunError(code, `${where}: ${why}`, { cause: error });
  }
  if (error instanceof RunError) {
    return new RunError(error.code, `${where}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return error;
}
