import { formatHostPort } from "../../lib/core/address.ts";
import { RunError } from "../../lib/core/errors.ts";
import type { EventOf } from "../../lib/events/mod.ts";
import { drive } from "../../lib/io/drive.ts";
import type { EchoLog } from "../../lib/echo/log.ts";
import { LinkedAbort } from "../../lib/io/linked_abort.ts";
import type { TcpConnection } from "../../lib/io/net.ts";
import { within } from "../../lib/io/within.ts";
import type { RoleContext } from "../../lib/role.ts";
import {
  EchoSession,
  type SessionInput,
  type SessionOutput,
} from "./session.ts";

/** Most bytes taken from the system at once; the socket keeps the rest. */
const READ_BYTES = 16_384;

/** How a conversation ended and how much was said. */
export type Outcome = Pick<
  EventOf<"connection.closed">,
  "reason" | "receivedBytes" | "sentBytes"
>;

/** Talks with one client to the end, whatever the client does: {@linkcode EchoSession} decides, this reads and writes. */
export async function converse(
  connection: TcpConnection,
  { idleMs, log, ctx }: {
    readonly idleMs: number;
    readonly log: EchoLog;
    readonly ctx: RoleContext;
  },
): Promise<Outcome> {
  using _closedInTheEnd = connection;
  const { clock } = ctx;
  const remote = formatHostPort(connection.remote);
  const session = new EchoSession({ nowMs: clock.nowMs(), idleMs });
  using over = new LinkedAbort(ctx.signal);
  let closes = false;
  let reason: Outcome["reason"] = "by-client";
  let receivedBytes = 0;
  let sentBytes = 0;

  async function* readings(): AsyncGenerator<SessionInput, void> {
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) return yield { kind: "end" };
      receivedBytes += count;
      yield { kind: "bytes", bytes: buffer.slice(0, count) };
    }
  }
  async function perform(output: SessionOutput): Promise<void> {
    if (output.kind === "close") {
      reason = output.reason;
      closes = true;
      return over.abort();
    }
    // A client that takes no answers fills the buffers between us, and this waits; but not for ever.
    await within(connection.write(output.bytes), { clock, limitMs: idleMs });
    sentBytes += output.bytes.length;
    log.add({
      type: "echo.answered",
      remote,
      receivedBytes: output.answersBytes,
      sentBytes: output.bytes.length,
    });
  }

  try {
    const { signal } = over;
    await drive(session, readings(), perform, { clock, signal });
    if (!closes) {
      const rest = session.handle({ kind: "end" }, clock.nowMs());
      for (const output of rest) await perform(output);
    }
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    reason = error.code === "timed-out" ? "stalled" : "reset";
  }
  if (ctx.signal.aborted) reason = "stopping";
  return { reason, receivedBytes, sentBytes };
}
