import { parseAddress } from "../../lib/core/address.ts";
import { concat } from "../../lib/core/bytes.ts";
import { RunError } from "../../lib/core/errors.ts";
import type { Answering } from "../../lib/dns/responder.ts";
import { frameMessage, MessageDecoder } from "../../lib/dns/stream.ts";
import {
  formatAddress,
  type TcpConnection,
  type TcpListener,
} from "../../lib/io/net.ts";
import type { RoleContext } from "../../lib/role.ts";
import type { QueryLog } from "./query_log.ts";

const READ_BYTES = 16_384;

/** What a door needs. */
export interface TcpDoor {
  readonly responder: Answering;
  readonly log: QueryLog;
  readonly ctx: RoleContext;
  readonly flags: {
    readonly maxConnections: number;
    readonly idleTimeout: number;
  };
}

/** Answers over TCP (RFC 7766): many queries per connection, sent without waiting, answered in their order. */
export async function serveTcp(
  listener: TcpListener,
  door: TcpDoor,
): Promise<void> {
  const { ctx, flags } = door;
  const talks = new Set<Promise<void>>();
  for await (const connection of listener.accept(ctx.signal)) {
    if (talks.size >= flags.maxConnections) {
      const remote = formatAddress(connection.remote);
      connection[Symbol.dispose]();
      door.log.noteEnd({
        type: "resolver.disconnected",
        remote,
        reason: "too-many-connections",
      });
      continue;
    }
    const talk = converse(connection, door);
    talks.add(talk);
    talk.finally(() => talks.delete(talk));
  }
  await Promise.all(talks);
}

async function converse(
  connection: TcpConnection,
  door: TcpDoor,
): Promise<void> {
  const { ctx, log } = door;
  const remote = formatAddress(connection.remote);
  const ended = new AbortController();
  const signal = AbortSignal.any([ctx.signal, ended.signal]);
  const since = { lastQueryAtMs: ctx.clock.nowMs() };
  const watching = closeWhenIdle(connection, { door, since, signal });
  const decoder = new MessageDecoder();
  try {
    await answerAll(connection, { door, since, decoder });
    if (decoder.pendingBytes > 0) {
      log.noteEnd({
        type: "protocol.violated",
        remote,
        code: "dns-truncated",
        message: "Cannot read a query: the connection ended inside it",
      });
    }
  } catch (error) {
    // the client is gone; it may come back
    if (!(error instanceof RunError)) throw error;
  } finally {
    ended.abort();
    connection[Symbol.dispose]();
    await watching;
  }
}

async function answerAll(
  connection: TcpConnection,
  { door, since, decoder }: {
    readonly door: TcpDoor;
    readonly since: { lastQueryAtMs: number };
    readonly decoder: MessageDecoder;
  },
): Promise<void> {
  const { port } = connection.remote;
  // a link-local address comes with its interface: fe80::1%eth0
  const address = parseAddress(connection.remote.host.replace(/%.*$/, ""));
  const from = { address, port, transport: "tcp" } as const;
  const buffer = new Uint8Array(READ_BYTES);
  connection.setNoDelay(true);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return;
    const answers: Uint8Array[] = [];
    for (const query of decoder.push(buffer.subarray(0, count))) {
      since.lastQueryAtMs = door.ctx.clock.nowMs();
      const reply = door.responder.respond(query, from);
      door.log.note(query, reply, from);
      if (reply !== undefined) answers.push(frameMessage(reply.bytes));
    }
    if (answers.length > 0) await connection.write(concat(...answers));
  }
}

/** Closes a connection on which no whole query came for a while, and all of them at the end: reading then ends. */
async function closeWhenIdle(
  connection: TcpConnection,
  { door, since, signal }: {
    readonly door: TcpDoor;
    readonly since: { readonly lastQueryAtMs: number };
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { clock } = door.ctx;
  const { idleTimeout } = door.flags;
  try {
    while (clock.nowMs() - since.lastQueryAtMs < idleTimeout) {
      await clock.sleepUntil(since.lastQueryAtMs + idleTimeout, signal);
    }
    door.log.noteEnd({
      type: "resolver.disconnected",
      remote: formatAddress(connection.remote),
      reason: "idle",
    });
  } catch {
    // ended or stopping
  }
  connection[Symbol.dispose]();
}
