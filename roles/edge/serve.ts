import { InputError } from "../../lib/core/errors.ts";
import { HttpCache } from "../../lib/http/cache.ts";
import { normaliseTarget } from "../../lib/http/target.ts";
import type { TlsIdentity } from "../../lib/io/self_signed.ts";
import { HttpClient } from "../../lib/io/http_client.ts";
import { ViolationLog } from "../../lib/io/violation_log.ts";
import type { RoleContext } from "../../lib/role.ts";
import { AccessFile } from "./access_file.ts";
import { AnswerLog } from "./answer_log.ts";
import { DiskTier } from "./disk_tier.ts";
import type { CourseOptions } from "./course.ts";
import { EdgeMetrics } from "./edge_metrics.ts";
import type { EdgeFlags } from "./flags.ts";
import type { Front } from "./front.ts";
import { Limits } from "./limits.ts";
import { Node } from "./node.ts";
import { tlsIdentity } from "./tls.ts";

/** Runs an edge until told to stop. */
export async function serveEdge(
  flags: EdgeFlags,
  given: RoleContext,
): Promise<void> {
  checkOriginFlags(flags);
  const limits = new Limits(
    { total: flags.limitRate, perClient: flags.limitRatePerClient },
    given.clock,
  );
  const metrics = new EdgeMetrics();
  const ctx = counted(given, metrics);
  const gone = new AbortController();
  await using opened = new AsyncDisposableStack();
  const accessFile = await openAccessLog(flags, ctx);
  if (accessFile !== undefined) opened.use(accessFile);
  const log = opened.use(new AnswerLog(ctx, { metrics, accessFile }));
  const client = new HttpClient(ctx.net, ctx.clock);
  const disk = flags.cacheDir === undefined
    ? undefined
    : opened.use(new DiskTier(ctx, flags.cacheDir));
  const cache = cacheOf(flags, disk);
  await disk?.restore(cache.tiers);
  const node = new Node(flags, ctx, {
    cache,
    disk,
    courseLog: await openCourseLog(flags, ctx, opened),
    client,
    limits,
    log,
    metrics,
    signal: gone.signal,
  });
  const tls = await tlsIdentity(flags, ctx);
  let working = Promise.resolve();
  try {
    await listen(flags, ctx, {
      front: node.front,
      tls,
      listening: () => working = node.work(),
    });
  } finally {
    // Answers in flight have had their time: what is still being fetched is for nobody.
    gone.abort();
    client.close();
    await working;
  }
}

/** Serves until told to stop, and lets answers in flight end. */
async function listen(
  { host, port }: EdgeFlags,
  ctx: RoleContext,
  { front, tls, listening }: {
    readonly front: Front;
    readonly tls: TlsIdentity | undefined;
    readonly listening: () => void;
  },
): Promise<void> {
  await using violations = new ViolationLog(ctx);
  await using server = ctx.net.serveHttp(
    { host, port },
    (request) => front.handle(request),
    { violated: violations.violated, tls },
  );
  ctx.emit({
    type: "role.listening",
    transport: "http",
    host: server.host,
    port: server.port,
  });
  listening();
  await ctx.clock.sleepUntil(Infinity, ctx.signal).catch(() => {});
}

/** The context, whose fetches are counted. */
function counted(ctx: RoleContext, metrics: EdgeMetrics): RoleContext {
  return {
    ...ctx,
    emit(event) {
      if (event.type === "edge.fetched") metrics.fetched(event);
      ctx.emit(event);
    },
  };
}

async function openAccessLog(
  flags: EdgeFlags,
  { files, clock }: RoleContext,
): Promise<AccessFile | undefined> {
  if (flags.accessLog === undefined) return undefined;
  const file = await files.appender(flags.accessLog);
  return new AccessFile(file, { format: flags.accessLogFormat, clock });
}

function cacheOf(flags: EdgeFlags, disk: DiskTier | undefined): HttpCache {
  const capacityBytes = flags.cacheSize;
  if (disk === undefined) return new HttpCache({ capacityBytes });
  if (flags.diskSize === 0) {
    throw new InputError("--disk-size must be above 0, such as 10GiB");
  }
  return new HttpCache({
    capacityBytes,
    disk: {
      capacityBytes: flags.diskSize,
      gone: (entry) => disk.discard(entry),
    },
  });
}

async function openCourseLog(
  { courseLog: format, courseLogFile, adapt }: EdgeFlags,
  { files, terminal }: RoleContext,
  opened: AsyncDisposableStack,
): Promise<CourseOptions["log"]> {
  if (format === "none") return undefined;
  if (adapt === undefined) {
    throw new InputError("--course-log needs --adapt, such as --adapt 0.5");
  }
  if (courseLogFile === undefined) {
    return { format, write: (text) => terminal.write(text) };
  }
  const file = opened.use(await files.appender(courseLogFile));
  return { format, write: (text) => file.append(text) };
}

function checkOriginFlags(flags: EdgeFlags): void {
  if (flags.origin.length === 0) {
    throw new InputError(
      "An edge needs an origin: --origin http://127.0.0.1:8080/",
    );
  }
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
