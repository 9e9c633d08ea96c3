import { formatHostPort } from "../../core/address.ts";
import { RunError } from "../../core/errors.ts";
import type {
  Address,
  ConnectOptions,
  ListenAddress,
  Net,
  TcpConnection,
  TcpListener,
  UdpSocket,
} from "../net.ts";
import { addressOf } from "./address.ts";
import { listenError, systemError } from "./errors.ts";
import { fetchOnce } from "./fetch.ts";
import { udpSocket } from "./udp.ts";
import { serveHttps } from "./https.ts";
import { serveHttp } from "./http.ts";
import { closer } from "./close.ts";
import { joinMulticast } from "./multicast.ts";
import { hostsInTime, isLiteral, resolve } from "./resolve.ts";

/** How long to wait after an accept that failed for want of file descriptors before the next one. */
const ACCEPT_PAUSE_MS = 50;

/** The real sockets. */
export const denoNet: Net = {
  listenUdp,
  joinMulticast,
  listenTcp,
  connectTcp,
  serveHttp: (at, handler, options) =>
    options?.tls === undefined
      ? serveHttp(bound(at), handler, options)
      : serveHttps(bound(at), handler, options.tls),
  fetch: fetchOnce,
  resolve,
  hostname: () => Deno.hostname(),
};

let hasIpv6: boolean | undefined;

/** The address to bind: an empty host becomes `::`, which takes IPv4 as well, or `0.0.0.0` on a machine without IPv6. */
function bound(at: ListenAddress): ListenAddress {
  if (at.host !== "") return at;
  if (hasIpv6 === undefined) {
    try {
      Deno.listen({ hostname: "::", port: 0 }).close();
      hasIpv6 = true;
    } catch {
      hasIpv6 = false;
    }
  }
  return { ...at, host: hasIpv6 ? "::" : "0.0.0.0" };
}

function listenUdp(at: ListenAddress): UdpSocket {
  const { host: hostname, port } = bound(at);
  try {
    return udpSocket(
      Deno.listenDatagram({ transport: "udp", hostname, port }),
      hostname,
    );
  } catch (error) {
    throw listenError("udp", at, error);
  }
}

function listenTcp(at: ListenAddress): TcpListener {
  const { host: hostname, port } = bound(at);
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname, port });
  } catch (error) {
    throw listenError("tcp", at, error);
  }
  const close = closer(listener);
  return {
    ...addressOf(listener.addr),
    async *accept(signal, options) {
      signal.addEventListener("abort", close, { once: true });
      try {
        while (!signal.aborted) {
          let connection: Deno.TcpConn;
          try {
            connection = await listener.accept();
          } catch (error) {
            if (error instanceof Deno.errors.BadResource || signal.aborted) {
              return;
            }
            // A client that reset before we accepted (ENOTCONN, ECONNABORTED), or no file descriptor left: never the end.
            if (options?.lostClient === "throw") {
              throw systemError("accept a client", error);
            }
            if (!(error instanceof Deno.errors.NotConnected)) {
              await new Promise((wake) => setTimeout(wake, ACCEPT_PAUSE_MS));
            }
            continue;
          }
          const wrapped = wrap(connection);
          if (wrapped !== null) yield wrapped;
          else if (options?.lostClient === "throw") throw lostClient();
        }
      } finally {
        signal.removeEventListener("abort", close);
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(close()),
  };
}

function lostClient(): RunError {
  return new RunError(
    "connection-lost",
    "Cannot accept a client: it reset the connection at once",
  );
}

/** Tries the addresses of a name one after the other, each with its share of the time: one may be of a family that the server, or this machine, does not have. */
async function connectTcp(
  to: Address,
  options: ConnectOptions,
): Promise<TcpConnection> {
  options.signal?.throwIfAborted();
  if (isLiteral(to.host)) return await connectTo(to, to.host, options);
  const endMs = performance.now() + options.timeoutMs;
  const hosts = await hostsInTime(to, resolve(to.host, options), options);
  let failure: unknown;
  for (const [at, host] of hosts.entries()) {
    const leftMs = Math.max(0, endMs - performance.now());
    const timeoutMs = Math.round(leftMs / (hosts.length - at));
    try {
      return await connectTo(to, host, { ...options, timeoutMs });
    } catch (error) {
      options.signal?.throwIfAborted();
      failure ??= error;
    }
  }
  throw failure;
}

/** Connects to one address of `to`, whose name a certificate is checked against. A TLS handshake that hangs is given up in time, but Deno keeps its socket until the other side closes it: no call of its ends one. */
async function connectTo(
  to: Address,
  host: string,
  options: ConnectOptions,
): Promise<TcpConnection> {
  const tcp = Deno.connect({ hostname: host, port: to.port });
  const attempt = options.tls === true
    ? tcp.then((connection) => startTls(connection, to.host))
    : tcp;
  // Both let go of what they hold when the attempt is over: the signal may live as long as the role.
  const stopped = Promise.withResolvers<null>();
  const stop = () => stopped.resolve(null);
  const timeout = setTimeout(stop, options.timeoutMs);
  options.signal?.addEventListener("abort", stop, { once: true });
  let isLate: boolean;
  try {
    const connection = await Promise.race([attempt, stopped.promise]);
    const wrapped = connection === null ? null : wrap(connection);
    if (wrapped !== null) return wrapped;
    isLate = connection === null;
  } catch (error) {
    throw new RunError(
      "connect-failed",
      systemError(`connect to ${formatHostPort(to)}`, error).message,
      { cause: error },
    );
  } finally {
    clearTimeout(timeout);
    options.signal?.removeEventListener("abort", stop);
  }
  attempt.then((late) => closer(late)(), () => {});
  options.signal?.throwIfAborted();
  throw new RunError(
    isLate ? "connect-timeout" : "connect-failed",
    `Cannot connect to ${formatHostPort(to)}: ${
      isLate
        ? `no answer within ${options.timeoutMs} ms`
        : "the other side closed at once"
    }`,
  );
}

async function startTls(
  tcp: Deno.TcpConn,
  hostname: string,
): Promise<Deno.TlsConn> {
  const connection = await Deno.startTls(tcp, {
    hostname,
    alpnProtocols: ["http/1.1"],
  });
  try {
    // Else the first read would tell that the certificate is not to be trusted.
    await connection.handshake();
    return connection;
  } catch (error) {
    closer(connection)();
    throw error;
  }
}

/** Null when the connection is gone already: its addresses cannot be asked for then. */
function wrap(connection: Deno.TcpConn | Deno.TlsConn): TcpConnection | null {
  let local: Address;
  let remote: Address;
  try {
    local = addressOf(connection.localAddr);
    remote = addressOf(connection.remoteAddr);
  } catch {
    closer(connection)();
    return null;
  }
  const lost = (error: unknown) =>
    new RunError(
      "connection-lost",
      systemError(`use the connection with ${formatHostPort(remote)}`, error)
        .message,
      { cause: error },
    );
  return {
    local,
    remote,
    async read(buffer) {
      try {
        return await connection.read(buffer);
      } catch (error) {
        throw lost(error);
      }
    },
    async write(bytes) {
      try {
        let at = await connection.write(bytes);
        while (at < bytes.length) {
          at += await connection.write(bytes.subarray(at));
        }
      } catch (error) {
        throw lost(error);
      }
    },
    async closeWrite() {
      try {
        await connection.closeWrite();
      } catch { /* The other side was faster. */ }
    },
    setNoDelay(on) {
      // What TLS sends goes out at once anyway.
      if ("setNoDelay" in connection) connection.setNoDelay(on);
    },
    [Symbol.dispose]: closer(connection),
  };
}
