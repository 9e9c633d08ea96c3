import { InputError } from "../../lib/core/errors.ts";
import { tokenOf } from "../../lib/http/cache_status.ts";
import { HttpCache } from "../../lib/http/cache.ts";
import type { HttpHandler } from "../../lib/io/http.ts";
import { Throttle, throttleBody } from "../../lib/io/throttle.ts";
import { ViolationLog } from "../../lib/io/violation_log.ts";
import type { RoleContext } from "../../lib/role.ts";
import { AnswerLog } from "./answer_log.ts";
import { Edge } from "./edge.ts";
import { RequestBodies } from "./request_bodies.ts";
import { Upstream } from "./upstream.ts";

/** Runs an edge until told to stop. */
export async function serveEdge(
  flags: {
    readonly host: string;
    readonly port: number;
    readonly origin: readonly string[];
    readonly cacheSize: number;
    readonly limitRate: number | undefined;
    readonly originTimeout: number;
  },
  ctx: RoleContext,
): Promise<void> {
  if (flags.origin.length === 0) {
    throw new InputError(
      "An edge needs an origin: --origin http://127.0.0.1:8080/",
    );
  }
  const gone = new AbortController();
  await using log = new AnswerLog(ctx);
  const edge = new Edge({
    ctx,
    log,
    cache: new HttpCache({ capacityBytes: flags.cacheSize }),
    upstream: new Upstream(ctx, {
      origins: flags.origin,
      timeoutMs: flags.originTimeout,
    }),
    bodies: new RequestBodies(ctx.clock),
    pseudonym: tokenOf(ctx.name),
    mark: `rolecall-${Math.floor(ctx.rng() * 2 ** 32).toString(16)}-${
      Math.floor(ctx.clock.wallMs()).toString(36)
    }`,
    signal: gone.signal,
    idleMs: flags.originTimeout,
  });
  {
    await using violations = new ViolationLog(ctx);
    await using server = ctx.net.serveHttp(
      { host: flags.host, port: flags.port },
      limited(edge, flags.limitRate, ctx),
      violations,
    );
    ctx.emit({
      type: "role.listening",
      transport: "http",
      host: server.host,
      port: server.port,
    });
    await ctx.clock.sleepUntil(Infinity, ctx.signal).catch(() => {});
  }
  // Answers in flight have had their time: what is still being fetched is for nobody.
  gone.abort();
}

/** The edge behind a link of `bytesPerSecond`, which all its answers share. */
function limited(
  edge: Edge,
  bytesPerSecond: number | undefined,
  ctx: RoleContext,
): HttpHandler {
  if (bytesPerSecond === undefined) return (request) => edge.handle(request);
  if (bytesPerSecond === 0) {
    throw new InputError("--limit-rate must be above 0, such as 1MiB/s");
  }
  const throttle = new Throttle(bytesPerSecond, ctx.clock);
  return async (request) => {
    const answer = await edge.handle(request);
    if (answer.body === null) return answer;
    const body = throttleBody(answer.body, throttle, request.signal);
    return { ...answer, body };
  };
}
