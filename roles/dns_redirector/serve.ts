import { InputError, RunError } from "../../lib/core/errors.ts";
import { ResponseRateLimit } from "../../lib/dns/authority/rate_limit.ts";
import {
  Responder,
  type ResponderOptions,
} from "../../lib/dns/authority/responder.ts";
import { ServerCookies } from "../../lib/dns/authority/server_cookies.ts";
import { secretBytes } from "../../lib/io/hash.ts";
import type { Address, TcpListener, UdpSocket } from "../../lib/io/net.ts";
import type { RoleContext } from "../../lib/role.ts";
import { CourseMode } from "./course.ts";
import { EdgeWatch } from "./edge_watch.ts";
import { QueryLog } from "./query_log.ts";
import { serveTcp } from "./tcp_door.ts";
import type { ServeFlags } from "./server_flags.ts";
import { Transfers } from "./transfers.ts";
import { serveUdp } from "./udp_door.ts";
import { refuseIdle, watchRules } from "./watch_flags.ts";
import { ZoneKeeper } from "./zone_keeper.ts";

/** UDP and TCP must have the same port; a free one of the first may be taken in the second. */
const PORT_TRIES = 20;

/** @throws {InputError} If it would close every connection at once. */
export function checkIdleTimeout(
  { idleTimeout }: { readonly idleTimeout: number },
): void {
  if (idleTimeout > 0) return;
  throw new InputError("--idle-timeout must be more than 0");
}

/** Answers for the zones of `flags` over UDP and TCP until `ctx.signal` aborts. */
export async function serveDns(
  flags: ServeFlags,
  ctx: RoleContext,
): Promise<void> {
  const rules = watchRules(flags);
  checkIdleTimeout(flags);
  const keeper = await ZoneKeeper.open(flags, ctx);
  refuseIdle(flags, keeper.zones);
  using course = await CourseMode.open(flags, ctx);
  const { udp, tcp } = await bindBoth(flags, ctx);
  await using _udp = udp;
  await using _tcp = tcp;
  const watching = keeper.watch();
  for (const [transport, socket] of [["udp", udp], ["tcp", tcp]] as const) {
    const { host, port } = socket;
    ctx.emit({ type: "role.listening", transport, host, port });
  }
  keeper.tell();
  const log = new QueryLog(ctx);
  // each has its own buffer: while one answer is being sent, the other may write the next
  const transfers = new Transfers(flags.allowTransfer, ctx);
  const options = {
    ...responderOptions(flags, ctx),
    transferVerdict: transfers.verdict,
  };
  const responder = () => {
    const made = new Responder(keeper.zones, options);
    keeper.follow((zones) => made.zones = zones);
    return course.answering(made);
  };
  const watch = new EdgeWatch(rules, { book: keeper.book, ctx });
  keeper.follow((zones) => watch.follow(zones));
  const { engine, idleTimeout, maxConnections } = flags;
  const zones = () => keeper.zones;
  await Promise.all([
    serveUdp(udp, { responder: responder(), log, ctx, engine }),
    serveTcp(tcp, {
      ...{ responder: responder(), zones, transfers, log, ctx },
      ...{ idleTimeout, maxConnections },
    }),
    watching,
    watch.run(),
  ]);
  log.flush();
}

function responderOptions(
  flags: ServeFlags,
  { clock, rng }: RoleContext,
): ResponderOptions {
  const [key = 0] = new Uint32Array(secretBytes(4).buffer);
  return {
    rng,
    clock,
    version: "rolecall",
    cookies: new ServerCookies(secretBytes(16)),
    keepaliveMs: flags.idleTimeout,
    ...(flags.rateLimit === 0 ? {} : {
      rateLimit: new ResponseRateLimit({
        key,
        perSecond: flags.rateLimit,
        slip: flags.rateLimitSlip,
        exempt: flags.rateLimitExempt,
      }),
    }),
  };
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
