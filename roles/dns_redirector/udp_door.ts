import type { Answering } from "../../lib/dns/responder.ts";
import type { UdpSocket } from "../../lib/io/net.ts";
import type { RoleContext } from "../../lib/role.ts";
import type { QueryLog } from "./query_log.ts";

/** Answers over UDP until the role ends, one datagram at a time or, with the engine `batch`, many. */
export async function serveUdp(
  socket: UdpSocket,
  { responder, log, ctx, engine }: {
    readonly responder: Answering;
    readonly log: QueryLog;
    readonly ctx: RoleContext;
    readonly engine: "portable" | "batch";
  },
): Promise<void> {
  const cannotBatch = (reason: string) =>
    ctx.emit({ type: "engine.rejected", engine, reason });
  await socket.serve(
    ({ bytes, length, address, port }, answer) => {
      const query = bytes.subarray(0, length);
      const from = { address, port, transport: "udp" } as const;
      const reply = responder.respond(query, from);
      log.note(query, reply, from);
      if (reply === undefined) return 0;
      answer.set(reply.bytes);
      return reply.bytes.length;
    },
    ctx.signal,
    engine === "batch" ? { cannotBatch } : {},
  );
}
