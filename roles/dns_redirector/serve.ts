import { ResponseRateLimit } from "../../lib/dns/authority/rate_limit.ts";
import {
  Responder,
  type ResponderOptions,
} from "../../lib/dns/authority/responder.ts";
import { ServerCookies } from "../../lib/dns/authority/server_cookies.ts";
import { secretBytes } from "../../lib/io/hash.ts";
import type { RoleContext } from "../../lib/role.ts";
import { bindBoth } from "./doors/bind_both.ts";
import { CourseMode } from "./zones/course.ts";
import { EdgeWatch } from "./watch/edge_watch.ts";
import { QueryLog } from "./doors/query_log.ts";
import { checkIdleTimeout, serveTcp } from "./doors/tcp_door.ts";
import type { ServeFlags } from "./server_flags.ts";
import { Transfers } from "./doors/transfers.ts";
import { serveUdp } from "./doors/udp_door.ts";
import { refuseIdle, watchRules } from "./watch/watch_flags.ts";
import { ZoneKeeper } from "./zones/zone_keeper.ts";

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
  // Each has its own buffer: while one answer is being sent, the other may write the next
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
