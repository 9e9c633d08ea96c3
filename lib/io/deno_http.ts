import { addressOf } from "./deno_address.ts";
import { systemError } from "./deno_errors.ts";
import type { HttpHandler, HttpServer } from "./http.ts";
import { type Address, formatAddress } from "./net.ts";

/** How long answers in flight may take once the server is told to stop. */
const CLOSING_MS = 2000;

/** How long after a failed accept the next one is tried. */
const REOPEN_MS = 100;

/** Statuses whose answers have no body (RFC 9110 §6.4.1). */
const BODILESS = new Set([101, 204, 205, 304]);

/** No host has one of these (RFC 3986 §3.2.2). Deno makes one URL of host and target, in which `Host: a/b?` would change the path. */
const NOT_IN_A_HOST = /[^\w.~%!$&'()*+,;=:[\]-]/;

/** Serves the small HTTP interface with Deno's own server. See {@linkcode Net.serveHttp}. */
export function serveHttp(
  options: { hostname: string; port: number },
  handler: HttpHandler,
): HttpServer {
  return serve(options, async (request, remote) => {
    const url = request.url;
    const slash = url.indexOf("/", url.indexOf("//") + 2);
    const answer = await handler({
      method: request.method,
      target: slash < 0 ? "/" : url.slice(slash),
      authority: request.headers.get("host") ?? "",
      headers: request.headers,
      body: request.body,
      remote,
      signal: request.signal,
    });
    const bodiless = BODILESS.has(answer.status) || request.method === "HEAD";
    if (
      answer.body instanceof Uint8Array && !answer.headers.has("content-length")
    ) {
      answer.headers.set("content-length", String(answer.body.length));
    }
    if (bodiless && answer.body instanceof ReadableStream) {
      await answer.body.cancel();
    }
    return new Response(bodiless ? null : answer.body, {
      status: answer.status,
      headers: answer.headers,
    });
  });
}

/** Serves Request to Response, as hono has them. See {@linkcode Net.servePages}. */
export function servePages(
  options: { hostname: string; port: number },
  handler: (
    request: Request,
    remote: Address,
  ) => Response | Promise<Response>,
): HttpServer {
  return serve(options, handler);
}

function serve(
  options: { hostname: string; port: number },
  handler: (
    request: Request,
    remote: Address,
  ) => Response | Promise<Response>,
): HttpServer {
  const flights = new Flights();
  let isClosing = false;
  let hard = new AbortController();
  const begin = (port: number) => {
    hard = new AbortController();
    return Deno.serve(
      {
        ...options,
        port,
        signal: hard.signal,
        onListen() {},
        onError: () => new Response("Internal error\n", { status: 500 }),
      },
      (request, info) => {
        if (isClosing) return goingAway();
        if (!hasGoodHost(request)) return noHost();
        flights.add(info.completed);
        return handler(request, addressOf(info.remoteAddr));
      },
    );
  };
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = begin(options.port);
  } catch (error) {
    throw systemError(
      `listen on tcp ${
        formatAddress({ host: options.hostname, port: options.port })
      }`,
      error,
    );
  }
  const { addr } = server;
  const keepUp = async () => {
    while (!await endedForGood(server, () => isClosing)) {
      try {
        server = begin(addr.port);
      } catch { /* Still no file descriptor: once more. */ }
    }
  };
  const keeping = keepUp();
  return {
    ...addressOf(addr),
    async [Symbol.asyncDispose]() {
      // Not server.shutdown(): it waits for connections that are idle, too (Deno 2.4), and cannot be cut short (2.4, 2.9).
      isClosing = true;
      await flights.landed(CLOSING_MS);
      hard.abort();
      await keeping;
    },
  };
}

/**
 * Waits for the end of `server`; false if it is to be begun anew.
 *
 * Deno's server ends at the first accept that fails, as when no file descriptor is left: clients that hold too many
 * connections must not end the program.
 */
async function endedForGood(
  server: Deno.HttpServer,
  isClosing: () => boolean,
): Promise<boolean> {
  await server.finished.catch(() => {});
  if (!isClosing()) await new Promise((wake) => setTimeout(wake, REOPEN_MS));
  return isClosing();
}

function hasGoodHost(request: Request): boolean {
  return !NOT_IN_A_HOST.test(request.headers.get("host") ?? "");
}

/** RFC 9112 §3.2. */
function noHost(): Response {
  return new Response("This Host is none\n", { status: 400 });
}

function goingAway(): Response {
  return new Response("This server is stopping\n", {
    status: 503,
    headers: { "connection": "close" },
  });
}

/** Answers that are on their way. */
class Flights {
  #count = 0;
  #landed = () => {};

  /** Counts an answer until `completed` settles: sent whole, or its client gone. */
  add(completed: Promise<void>): void {
    this.#count += 1;
    const land = () => {
      this.#count -= 1;
      if (this.#count === 0) this.#landed();
    };
    completed.then(land, land);
  }

  /** Resolves when nothing is on its way, at the latest after `limitMs`. */
  async landed(limitMs: number): Promise<void> {
    if (this.#count === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#landed = resolve;
    const timer = setTimeout(resolve, limitMs);
    await promise;
    clearTimeout(timer);
  }
}
