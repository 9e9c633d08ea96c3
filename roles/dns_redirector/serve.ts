import { RunError } from "../../lib/core/errors.ts";
import { Responder } from "../../lib/dns/responder.ts";
import type { Address, TcpListener, UdpSocket } from "../../lib/io/net.ts";
import type { RoleContext } from "../../lib/role.ts";
import { QueryLog } from "./query_log.ts";
import { serveTcp } from "./tcp_door.ts";
import type { ServeFlags } from "./server_flags.ts";
import { serveUdp } from "./udp_door.ts";
import { ZoneKeeper } from "./zone_keeper.ts";

/** UDP and TCP must have the same port; a free one of the first may be taken in the second. */
const PORT_TRIES = 20;

/** Answers for the zones of `flags` over UDP and TCP until `ctx.signal` aborts. */
export async function serveDns(
  flags: ServeFlags,
  ctx: RoleContext,
): Promise<void> {
  const keeper = await ZoneKeeper.open(flags, ctx);
  const { udp, tcp } = await bindBoth(flags, ctx);
  await using _udp = udp;
  await using _tcp = tcp;
  for (const [transport, socket] of [["udp", udp], ["tcp", tcp]] as const) {
    const { host, port } = socket;
    ctx.emit({ type: "role.listening", transport, host, port });
  }
  keeper.tell();
  const log = new QueryLog(ctx);
  // each has its own buffer: while one answer is being sent, the other may write the next
  const responder = () => {
    const { rng } = ctx;
    const made = new Responder(keeper.zones, { rng, version: "rolecall" });
    keeper.follow((zones) => made.zones = zones);
    return made;
  };
  const { engine } = flags;
  await Promise.all([
    serveUdp(udp, { responder: responder(), log, ctx, engine }),
    serveTcp(tcp, { responder: responder(), log, ctx, flags }),
    keeper.watch(),
  ]);
  log.flush();
}

/** Binds UDP and TCP to the same port; port 0 takes one that is free for both. @throws {RunError} As `Net.listenUdp`. */
export async function bindBoth(
  { host, port }: Address,
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
