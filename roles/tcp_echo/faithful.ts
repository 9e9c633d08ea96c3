import { formatHostPort } from "../../lib/core/address.ts";
import { upperCaseStrict } from "../../lib/core/upper_case.ts";
import type { EchoLog } from "../../lib/echo/log.ts";
import type { TcpListener } from "../../lib/io/net.ts";
import type { RoleContext } from "../../lib/role.ts";
import { fourTuple } from "./four_tuple.ts";

/** The lecture's server reads `recv(1024)`, once: what is longer, or comes later, is never read. */
const LECTURE_READ_BYTES = 1024;

/**
 * Serves as the lecture's own server does, faults included: a client is accepted, read from once, answered and sent
 * away before the next one's turn comes. Whoever connects and says nothing makes all others wait; and as nothing is
 * caught, a client that resets its connection, or whose text is not UTF-8, ends the server.
 *
 * @throws {RunError} `invalid-utf8`, `connection-lost`.
 */
export async function serveFaithfully(
  listener: TcpListener,
  { log, ctx }: { readonly log: EchoLog; readonly ctx: RoleContext },
): Promise<void> {
  const connections = listener.accept(ctx.signal, { lostClient: "throw" });
  for await (const connection of connections) {
    using client = connection;
    using _stop = onAbort(ctx.signal, () => client[Symbol.dispose]());
    const tuple = fourTuple(client);
    const openedAtMs = ctx.clock.nowMs();
    ctx.emit({ type: "connection.opened", ...tuple, openConnections: 1 });

    const buffer = new Uint8Array(LECTURE_READ_BYTES);
    let receivedBytes = 0;
    let sentBytes = 0;
    try {
      receivedBytes = await client.read(buffer) ?? 0;
      const answer = upperCaseStrict(buffer.subarray(0, receivedBytes));
      await client.write(answer);
      sentBytes = answer.length;
    } catch (error) {
      if (ctx.signal.aborted) return;
      throw error;
    }
    client[Symbol.dispose]();

    const remote = formatHostPort(client.remote);
    log.add({ type: "echo.answered", remote, receivedBytes, sentBytes });
    ctx.emit({
      type: "connection.closed",
      ...tuple,
      reason: "by-server",
      receivedBytes,
      sentBytes,
      durationMs: ctx.clock.nowMs() - openedAtMs,
      openConnections: 0,
    });
  }
}

/** Calls `stop` when `signal` aborts, until disposed of. */
function onAbort(signal: AbortSignal, stop: () => void): Disposable {
  signal.addEventListener("abort", stop, { once: true });
  return {
    [Symbol.dispose]: () => signal.removeEventListener("abort", stop),
  };
}
