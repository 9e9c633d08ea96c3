import { InputError, messageOf } from "../../core/errors.ts";
import { streamOf } from "../body_source.ts";
import type { HttpHandler, HttpResponse, HttpServer } from "../http.ts";
import type { ListenAddress } from "../net.ts";
import type { TlsIdentity } from "../self_signed.ts";
import { listenError } from "./errors.ts";

/** How long answers in flight may take once the server is told to stop. */
const CLOSING_MS = 2000;

/** What the system throws for where to listen; all else is of the certificate. */
const OF_THE_ADDRESS = [
  Deno.errors.AddrInUse,
  Deno.errors.AddrNotAvailable,
  Deno.errors.PermissionDenied,
];

/**
 * Serves HTTP/2 and HTTP/1.1 over TLS, with the runtime's own server: our strict one speaks neither TLS nor HTTP/2.
 * What that server lets pass, and how long it waits, is its own.
 *
 * @throws {InputError} If certificate or key cannot be used.
 */
export function serveHttps(
  at: ListenAddress,
  handler: HttpHandler,
  tls: TlsIdentity,
): HttpServer {
  let server: Deno.HttpServer<Deno.NetAddr>;
  const closing = new AbortController();
  try {
    server = Deno.serve({
      hostname: at.host,
      port: at.port,
      cert: tls.certificate,
      key: tls.key,
      signal: closing.signal,
      onListen() {},
      onError: () => new Response("Internal error\n", { status: 500 }),
    }, async (request, { remoteAddr }) => {
      const { pathname, search, host } = new URL(request.url);
      const { method, headers, body, signal } = request;
      const answer = await handler({
        method,
        target: pathname + search,
        authority: host,
        headers,
        // HTTP/2 has the authority in the place of Host.
        protocol: headers.has("host") ? "HTTP/1.1" : "HTTP/2.0",
        body,
        remote: { host: plainHost(remoteAddr.hostname), port: remoteAddr.port },
        signal,
      });
      return responseOf(answer, method);
    });
  } catch (error) {
    if (OF_THE_ADDRESS.some((one) => error instanceof one)) {
      throw listenError("tcp", at, error);
    }
    throw new InputError(
      `Cannot serve TLS: the certificate or its key cannot be used: ${
        messageOf(error)
      }`,
      { cause: error },
    );
  }
  return {
    host: server.addr.hostname,
    port: server.addr.port,
    async [Symbol.asyncDispose]() {
      const timer = setTimeout(() => closing.abort(), CLOSING_MS);
      await server.shutdown();
      clearTimeout(timer);
    },
  };
}

function plainHost(host: string): string {
  return host.replace(/^::ffff:(?=\d+\.)/, "");
}

function responseOf(
  { status, headers, body }: HttpResponse,
  method: string,
): Response {
  const isBodiless = method === "HEAD" || status === 204 || status === 304 ||
    status === 205;
  if (isBodiless && body !== null && !(body instanceof Uint8Array)) {
    body.leave();
  }
  const fields = new Headers([...headers]);
  const length = body instanceof Uint8Array ? body.length : body?.lengthBytes;
  if (length !== undefined) fields.set("content-length", String(length));
  return new Response(
    isBodiless || body === null
      ? null
      : body instanceof Uint8Array
      ? body as Uint8Array<ArrayBuffer>
      : streamOf(body),
    { status, headers: fields },
  );
}
