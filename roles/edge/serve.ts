import { InputError } from "../../lib/core/errors.ts";
import { tokenOf } from "../../lib/http/cache_status.ts";
import { HttpCache } from "../../lib/http/cache.ts";
import { normaliseTarget } from "../../lib/http/target.ts";
import type { HttpHandler } from "../../lib/io/http.ts";
import { HttpClient } from "../../lib/io/http_client.ts";
import { Throttle, throttleBody } from "../../lib/io/throttle.ts";
import { ViolationLog } from "../../lib/io/violation_log.ts";
import type { RoleContext } from "../../lib/role.ts";
import { AnswerLog } from "./answer_log.ts";
import { Edge } from "./edge.ts";
import type { EdgeFlags } from "./flags.ts";
import { RequestBodies } from "./request_bodies.ts";
import { Upstream } from "./upstream.ts";

/** Runs an edge until told to stop. */
export async function serveEdge(
  flags: EdgeFlags,
  ctx: RoleContext,
): Promise<void> {
  if (flags.origin.length === 0) {
    throw new InputError(
      "An edge needs an origin: --origin http://127.0.0.1:8080/",
    );
  }
  checkOriginFlags(flags);
  const gone = new AbortController();
  const client = new HttpClient(ctx.net, ctx.clock);
  const upstream = new Upstream(ctx, {
    origins: flags.origin,
    client,
    connectMs: flags.originConnectTimeout,
    firstByteMs: flags.originTimeout,
    concurrency: flags.originConnections,
    queueLength: flags.originQueue,
    checkTarget: flags.healthCheck,
    checkEveryMs: flags.healthInterval,
  });
  await using log = new AnswerLog(ctx);
  const edge = new Edge({
    ctx,
    log,
    cache: new HttpCache({ capacityBytes: flags.cacheSize }),
    upstream,
    bodies: new RequestBodies(ctx.clock),
    pseudonym: tokenOf(ctx.name),
    mark: `rolecall-${Math.floor(ctx.rng() * 2 ** 32).toString(16)}-${
      Math.floor(ctx.clock.wallMs()).toString(36)
    }`,
    signal: gone.signal,
    idleMs: flags.originIdleTimeout ?? flags.originTimeout,
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
    await upstream.check(ctx.signal);
    await ctx.clock.sleepUntil(Infinity, ctx.signal).catch(() => {});
  }
  // Answers in flight have had their time: what is still being fetched is for nobody.
  gone.abort();
  client.close();
}

function checkOriginFlags(flags: EdgeFlags): void {
  if (flags.originConnections === 0) {
    throw new InputError("--origin-connections must be above 0, got 0");
  }
  if (flags.healthInterval < 100) {
    throw new InputError("--health-interval must be at least 100ms");
  }
  const { healthCheck } = flags;
  if (healthCheck !== undefined && normaliseTarget(healthCheck) === undefined) {
    throw new InputError(
      `--health-check must be a path such as /healthz, got "${healthCheck}"`,
    );
  }
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
