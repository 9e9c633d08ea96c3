import { EchoLog } from "../../lib/echo/log.ts";
import type { TcpConnection } from "../../lib/io/net.ts";
import { within } from "../../lib/io/within.ts";
import type { RoleContext } from "../../lib/role.ts";
import { converse } from "./converse.ts";
import { serveFaithfully } from "./faithful.ts";
import { fourTuple } from "./four_tuple.ts";

/** How long clients have to take their last answers when the server stops. */
const GRACE_MS = 2000;

/** One socket welcomes clients; each client gets a socket of its own, and all of them are served at the same time. */
export async function serveTcpEcho(
  flags: {
    readonly host: string;
    readonly port: number;
    readonly maxConnections: number;
    readonly idleTimeout: number;
    readonly faithful: boolean;
  },
  ctx: RoleContext,
): Promise<void> {
  await using listener = ctx.net.listenTcp(flags);
  await using log = new EchoLog(ctx);
  const { host, port } = listener;
  ctx.emit({ type: "role.listening", transport: "tcp", host, port });
  if (flags.faithful) return await serveFaithfully(listener, { log, ctx });

  const { maxConnections } = flags;
  const idleMs = flags.idleTimeout === 0 ? Infinity : flags.idleTimeout;
  const conversations = new Map<TcpConnection, Promise<void>>();

  for await (const connection of listener.accept(ctx.signal)) {
    if (conversations.size < maxConnections) {
      conversations.set(connection, serve(connection));
    } else {
      const tuple = fourTuple(connection);
      ctx.emit({ type: "connection.refused", ...tuple, maxConnections });
      connection[Symbol.dispose]();
    }
  }

  const all = Promise.all(conversations.values());
  await within(all, { clock: ctx.clock, limitMs: GRACE_MS }).catch(() => {});
  for (const connection of conversations.keys()) connection[Symbol.dispose]();
  await all;

  async function serve(connection: TcpConnection): Promise<void> {
    const tuple = fourTuple(connection);
    const openedAtMs = ctx.clock.nowMs();
    const openConnections = conversations.size + 1;
    ctx.emit({ type: "connection.opened", ...tuple, openConnections });
    const outcome = await converse(connection, { idleMs, log, ctx });
    conversations.delete(connection);
    ctx.emit({
      type: "connection.closed",
      ...tuple,
      ...outcome,
      durationMs: ctx.clock.nowMs() - openedAtMs,
      openConnections: conversations.size,
    });
  }
}
