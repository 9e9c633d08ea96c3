import { RunError } from "../../core/errors.ts";
import type { HttpHandler, HttpOptions, HttpServer } from "../http.ts";
import { HttpConnections } from "../http1/server.ts";
import type { ListenAddress } from "../net.ts";
import { addressOf } from "./address.ts";
import { denoClock } from "./clock.ts";
import { listenError } from "./errors.ts";

/** How long after a failed accept the next one is tried. */
const ACCEPT_PAUSE_MS = 50;

/** Serves HTTP/1.1 on a TCP port. See {@linkcode Net.serveHttp}. */
export function serveHttp(
  at: ListenAddress,
  handler: HttpHandler,
  options: HttpOptions = {},
): HttpServer {
  const isShared = options.shared === true;
  if (isShared && Deno.build.os !== "linux") {
    throw new RunError(
      "unsupported",
      "Threads cannot share a port on this system: only Linux deals out the connections",
    );
  }
  let listener: Deno.TcpListener;
  try {
    const { host: hostname, port } = at;
    listener = Deno.listen({ hostname, port, reusePort: isShared });
  } catch (error) {
    throw listenError("tcp", at, error);
  }
  const connections = new HttpConnections(handler, {
    ...options,
    clock: denoClock,
  });
  const closing = new AbortController();
  const accepting = acceptAll(listener, connections, closing.signal);
  return {
    ...addressOf(listener.addr),
    async [Symbol.asyncDispose]() {
      closing.abort();
      listener.close();
      await accepting;
      await connections.close();
    },
  };
}

/** An accept that fails never ends the server: the client had reset already, or no file descriptor is left. */
async function acceptAll(
  listener: Deno.TcpListener,
  connections: HttpConnections,
  closing: AbortSignal,
): Promise<void> {
  while (!closing.aborted) {
    try {
      const stream = await listener.accept();
      connections.add(stream, () => addressOf(stream.remoteAddr));
    } catch (error) {
      if (closing.aborted || error instanceof Deno.errors.BadResource) return;
      if (error instanceof Deno.errors.NotConnected) continue;
      // Whoever holds a connection without using it makes room.
      connections.giveWay();
      await new Promise((wake) => setTimeout(wake, ACCEPT_PAUSE_MS));
    }
  }
}
