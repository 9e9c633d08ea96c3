import { RunError } from "../../core/errors.ts";
import type { HttpHandler, HttpOptions, HttpServer } from "../http.ts";
import { HttpConnections } from "../http1/server.ts";
import type { Address, ListenAddress } from "../net.ts";
import { addressOf } from "./address.ts";
import { denoClock } from "./clock.ts";
import { listenError } from "./errors.ts";
import { TcpBatch } from "./tcp_batch.ts";

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
  const listener = listen(at, isShared, options.cannotBatch);
  const connections = new HttpConnections(handler, {
    ...options,
    clock: denoClock,
  });
  const door = listener instanceof TcpBatch
    ? batchedDoor(listener, connections)
    : portableDoor(listener, connections);
  return {
    ...door.address,
    async [Symbol.asyncDispose]() {
      door.stop();
      await connections.close();
      await door.end();
    },
  };
}

/** How clients come in. */
interface Door {
  readonly address: Address;
  /** Lets nobody in any more. */
  stop(): void;
  /** Resolves when nothing is left of it. */
  end(): Promise<void>;
}

/** Listens for the engine `batch` if `cannotBatch` is given and it can be had, or else with Deno's own listener. */
function listen(
  at: ListenAddress,
  isShared: boolean,
  cannotBatch: HttpOptions["cannotBatch"],
): Deno.TcpListener | TcpBatch {
  if (cannotBatch === undefined) return denoListener(at, isShared);
  try {
    return TcpBatch.listen(at, isShared);
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    // Where it is the address that is wrong, this says what.
    const listener = denoListener(at, isShared);
    cannotBatch(error.message);
    return listener;
  }
}

function denoListener(
  { host: hostname, ...at }: ListenAddress,
  reusePort: boolean,
): Deno.TcpListener {
  try {
    return Deno.listen({ hostname, port: at.port, reusePort });
  } catch (error) {
    throw listenError("tcp", { host: hostname, ...at }, error);
  }
}

function batchedDoor(batch: TcpBatch, connections: HttpConnections): Door {
  const serving = batch.serve({
    accepted: (stream, remoteOf) => connections.add(stream, remoteOf),
    exhausted: () => connections.giveWay(),
  });
  return {
    address: batch.address,
    stop: () => batch.stop(),
    async end() {
      batch.end();
      await serving;
    },
  };
}

function portableDoor(
  listener: Deno.TcpListener,
  connections: HttpConnections,
): Door {
  const closing = new AbortController();
  const accepting = acceptAll(listener, connections, closing.signal);
  return {
    address: addressOf(listener.addr),
    stop() {
      closing.abort();
      listener.close();
    },
    end: () => accepting,
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
