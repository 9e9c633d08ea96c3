import { messageOf, RunError } from "../../lib/core/errors.ts";
import { displayName, equalNames } from "../../lib/dns/name.ts";
import { Responder } from "../../lib/dns/responder.ts";
import type { TcpListener, UdpSocket } from "../../lib/io/net.ts";
import type { RoleContext } from "../../lib/role.ts";
import { QueryLog } from "./query_log.ts";
import { serveTcp } from "./tcp_door.ts";
import { loadZones, type ZoneFlagValues } from "./zone_flags.ts";

/** UDP and TCP must have the same port; a free one of the first may be taken in the second. */
const PORT_TRIES = 20;

/** What the server is told by flags. */
export interface ServeFlags extends ZoneFlagValues {
  readonly port: number;
  readonly maxConnections: number;
  readonly idleTimeout: number;
}

/** Answers for the zones of `flags` over UDP and TCP until `ctx.signal` aborts. */
export async function serveDns(
  flags: ServeFlags,
  ctx: RoleContext,
): Promise<void> {
  const zones = await loadZones(flags, ctx);
  const { udp, tcp } = await bindBoth(flags, ctx);
  await using _udp = udp;
  await using _tcp = tcp;
  for (const [transport, socket] of [["udp", udp], ["tcp", tcp]] as const) {
    const { host, port } = socket;
    ctx.emit({ type: "role.listening", transport, host, port });
  }
  for (const { origin } of zones.zones) {
    const redirects = zones.redirects().filter(({ zone }) =>
      equalNames(zone.origin, origin)
    ).length;
    ctx.emit({ type: "zone.loaded", zone: displayName(origin), redirects });
  }
  const log = new QueryLog(ctx);
  // each has its own buffer: while one answer is being sent, the other may write the next
  const responder = () =>
    new Responder(zones, { rng: ctx.rng, version: "rolecall" });
  await Promise.all([
    serveUdp(udp, { responder: responder(), log, ctx }),
    serveTcp(tcp, { responder: responder(), log, ctx, flags }),
  ]);
  log.flush();
}

async function bindBoth(
  { host, port }: ServeFlags,
  ctx: RoleContext,
): Promise<{ readonly udp: UdpSocket; readonly tcp: TcpListener }> {
  for (let attempt = 1;; attempt++) {
    const udp = ctx.net.listenUdp({ host, port });
    try {
      return { udp, tcp: ctx.net.listenTcp({ host, port: udp.port }) };
    } catch (error) {
      await udp[Symbol.asyncDispose]();
      if (
        port !== 0 || attempt === PORT_TRIES ||
        !(error instanceof RunError && error.code === "address-in-use")
      ) throw error;
    }
  }
}

async function serveUdp(
  socket: UdpSocket,
  { responder, log, ctx }: {
    readonly responder: Responder;
    readonly log: QueryLog;
    readonly ctx: RoleContext;
  },
): Promise<void> {
  for await (const { bytes, host, port } of socket.receive(ctx.signal)) {
    const reply = responder.respond(bytes, { host, transport: "udp" });
    log.note(bytes, reply, { host, port, transport: "udp" });
    if (reply === undefined) continue;
    try {
      await socket.send(reply.bytes, { host, port });
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
      // port 0, or a host that cannot be reached: whoever sent this does not wait for an answer
      log.noteEnd({
        type: "protocol.violated",
        remote: `${host}:${port}`,
        code: error.code,
        message: messageOf(error),
      });
    }
  }
}
