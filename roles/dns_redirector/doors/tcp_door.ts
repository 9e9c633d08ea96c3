import { formatHostPort } from "../../../lib/core/address.ts";
import { InputError } from "../../../lib/core/errors.ts";
import type { TcpListener } from "../../../lib/io/net.ts";
import { TcpTalk, type TcpTalkOptions } from "./tcp_talk.ts";

/** Who was silent for less than this may be about to ask: not closed to make room. */
const MIN_IDLE_MS = 1000;

/**
 * Answers over TCP (RFC 7766): many queries per connection, sent without waiting. Answers come in the order of the
 * queries, but those to later ones do not wait for a zone transfer (§6.2.1.1).
 */
export async function serveTcp(
  listener: TcpListener,
  options: TcpTalkOptions & { readonly maxConnections: number },
): Promise<void> {
  const { ctx, log, maxConnections } = options;
  const talks = new Map<TcpTalk, Promise<void>>();
  /** Closed to make room, and not gone yet. */
  const evicted = new Set<TcpTalk>();
  for await (const connection of listener.accept(ctx.signal)) {
    if (talks.size - evicted.size >= maxConnections) {
      const idle = longestIdle(
        [...talks.keys()].filter((talk) => !evicted.has(talk)),
        ctx.clock.nowMs(),
      );
      const closed = idle ?? new TcpTalk(connection, options);
      log.noteEnd({
        type: "resolver.disconnected",
        remote: formatHostPort(closed.connection.remote),
        reason: "too-many-connections",
      });
      closed.close();
      if (idle === undefined) continue;
      evicted.add(idle);
    }
    const talk = new TcpTalk(connection, options);
    const running = talk.run().finally(() => {
      talks.delete(talk);
      evicted.delete(talk);
    });
    talks.set(talk, running);
  }
  await Promise.all(talks.values());
}

/** The talk in which nothing was asked for the longest time; none if all are young. */
function longestIdle(
  talks: readonly TcpTalk[],
  nowMs: number,
): TcpTalk | undefined {
  let longest: TcpTalk | undefined;
  let sinceMs = nowMs - MIN_IDLE_MS;
  for (const talk of talks) {
    if (talk.lastActiveAtMs > sinceMs) continue;
    longest = talk;
    sinceMs = talk.lastActiveAtMs;
  }
  return longest;
}

/** @throws {InputError} If it would close every connection at once. */
export function checkIdleTimeout(
  { idleTimeout }: { readonly idleTimeout: number },
): void {
  if (idleTimeout > 0) return;
  throw new InputError("--idle-timeout must be more than 0");
}
