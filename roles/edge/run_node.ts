import { HttpCache } from "../../lib/http/cache/cache.ts";
import { engineOptions } from "../../lib/io/engine.ts";
import type { HttpHandler } from "../../lib/io/http.ts";
import { HttpClient } from "../../lib/io/http1/client.ts";
import { pauseUntil } from "../../lib/io/pause.ts";
import type { TlsIdentity } from "../../lib/io/self_signed.ts";
import { ViolationLog } from "../../lib/io/violation_log.ts";
import { AccessFile } from "./account/access_file.ts";
import { AnswerLog } from "./account/answer_log.ts";
import type { CourseOptions } from "./titles/course.ts";
import { type DiskShare, DiskTier } from "./disk/tier.ts";
import type { EdgeMetrics } from "./account/metrics.ts";
import type { EdgeFlags } from "./flags.ts";
import { Limits } from "./front/limits.ts";
import { Node, type NodeParts } from "./node.ts";
import type { EdgeContext } from "./answer/parts.ts";
import { tlsIdentity } from "./tls.ts";

/** A node to run: all of an edge, or one thread's part of it. */
export interface NodeRun extends
  Pick<
    NodeParts,
    "cache" | "disk" | "players" | "purger" | "forget" | "mark"
  > {
  readonly metrics: EdgeMetrics;
  /** Hears of the node before it listens. */
  readonly made: (node: Node) => void;
  /** Of several threads that share a port. */
  readonly shared?: {
    /** Answers requests: by the node, or by another thread's. */
    readonly route: HttpHandler;
    /** Resolves when none of them has clients any more. */
    readonly allClosed: () => Promise<void>;
    /** Ends what is asked of the others. */
    readonly end: () => void;
  };
}

/** Runs a node until told to stop. */
export async function runNode(
  flags: EdgeFlags,
  given: EdgeContext,
  run: NodeRun,
): Promise<void> {
  const { cache, disk, metrics, shared } = run;
  const limits = new Limits(
    { total: flags.limitRate, perClient: flags.limitRatePerClient },
    given.clock,
  );
  const ctx = counted(given, metrics);
  const gone = new AbortController();
  await using opened = new AsyncDisposableStack();
  const accessFile = await openAccessLog(flags, ctx);
  if (accessFile !== undefined) opened.use(accessFile);
  const log = opened.use(new AnswerLog(ctx, { metrics, accessFile }));
  const client = new HttpClient(ctx.net, ctx.clock);
  if (disk !== undefined) opened.use(disk);
  await disk?.restore(cache.tiers);
  const node = new Node(flags, ctx, {
    ...run,
    courseLog: await openCourseLog(flags, ctx, opened),
    client,
    limits,
    log,
    route: shared?.route,
    signal: gone.signal,
  });
  run.made(node);
  const tls = await tlsIdentity(flags, ctx);
  let working = Promise.resolve();
  try {
    await listen(flags, ctx, {
      handler: shared?.route ?? ((request) => node.front.handle(request)),
      shared: shared !== undefined,
      tls,
      listening: () => working = node.work(),
    });
    await shared?.allClosed();
  } finally {
    // Answers in flight have had their time: what is still being fetched is for nobody.
    gone.abort();
    shared?.end();
    client.close();
    await working;
  }
}

/** Serves until told to stop, and lets answers in flight end. */
async function listen(
  { host, port, headTimeout, engine }: EdgeFlags,
  ctx: EdgeContext,
  { handler, shared, tls, listening }: {
    readonly handler: HttpHandler;
    readonly shared: boolean;
    readonly tls: TlsIdentity | undefined;
    readonly listening: () => void;
  },
): Promise<void> {
  await using violations = new ViolationLog(ctx);
  await using server = ctx.net.serveHttp({ host, port }, handler, {
    ...engineOptions(engine, ctx),
    violated: violations.violated,
    tls,
    shared,
    headTimeoutMs: headTimeout,
  });
  ctx.emit({
    type: "role.listening",
    transport: "http",
    host: server.host,
    port: server.port,
  });
  listening();
  await pauseUntil(Infinity, ctx);
}

/** The context, whose fetches are counted. */
function counted(ctx: EdgeContext, metrics: EdgeMetrics): EdgeContext {
  return {
    ...ctx,
    emit(event) {
      if (event.type === "edge.fetched") metrics.fetched(event);
      ctx.emit(event);
    },
  };
}

/** Opens the file of `--access-log`; undefined without it. */
export async function openAccessLog(
  flags: EdgeFlags,
  { files, clock, emit }: EdgeContext,
): Promise<AccessFile | undefined> {
  const { accessLog: path } = flags;
  if (path === undefined) return undefined;
  const file = await files.appender(
    path,
    ({ message: reason }) => emit({ type: "file.failed", path, reason }),
  );
  return new AccessFile(file, { format: flags.accessLogFormat, clock });
}

/** An empty cache of the size that the flags say; with `--cache-dir`, what writes it to the disk. */
export function cacheOf(
  flags: EdgeFlags,
  ctx: EdgeContext,
  share?: DiskShare,
): { readonly cache: HttpCache; readonly disk: DiskTier | undefined } {
  const { cacheSize: capacityBytes, cacheDir, diskSize } = flags;
  if (cacheDir === undefined) {
    return { cache: new HttpCache({ capacityBytes }), disk: undefined };
  }
  const disk = new DiskTier(ctx, cacheDir, share);
  const cache = new HttpCache({
    capacityBytes,
    disk: {
      capacityBytes: diskSize,
      gone: (entry) => disk.discard(entry),
    },
  });
  return { cache, disk };
}

async function openCourseLog(
  { courseLog: format, courseLogFile: path }: EdgeFlags,
  { files, terminal, emit }: EdgeContext,
  opened: AsyncDisposableStack,
): Promise<CourseOptions["log"]> {
  if (format === "none") return undefined;
  if (path === undefined) {
    return { format, write: (text) => terminal.write(text) };
  }
  const file = opened.use(
    await files.appender(
      path,
      ({ message: reason }) => emit({ type: "file.failed", path, reason }),
    ),
  );
  return { format, write: (text) => file.append(text) };
}
