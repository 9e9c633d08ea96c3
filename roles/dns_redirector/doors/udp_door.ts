import type { Answering } from "../../../lib/dns/authority/responder.ts";
import { type Engine, engineOptions } from "../../../lib/io/engine.ts";
import type { UdpSocket } from "../../../lib/io/net.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { QueryLog, Sender } from "./query_log.ts";

/** Answers over UDP until the role ends, one datagram at a time or, with the engine `batch`, many. */
export async function serveUdp(
  socket: UdpSocket,
  { responder, log, ctx, engine }: {
    readonly responder: Answering;
    readonly log: QueryLog;
    readonly ctx: RoleContext;
    readonly engine: Engine;
  },
): Promise<void> {
  // One for all: nobody keeps it
  const from: { -readonly [Key in keyof Sender]: Sender[Key] } = {
    ...{ address: new Uint8Array(0), port: 0, transport: "udp" },
  };
  await socket.serve(
    ({ bytes, address, port }, answer) => {
      from.address = address;
      from.port = port;
      const reply = responder.respond(bytes, from, answer);
      log.note(bytes, reply, from);
      return reply === undefined ? 0 : reply.length;
    },
    ctx.signal,
    engineOptions(engine, ctx),
  );
}
