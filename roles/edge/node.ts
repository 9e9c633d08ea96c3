import { tokenOf } from "../../lib/http/cache_status.ts";
import type { HttpCache } from "../../lib/http/cache.ts";
import type { HttpClient } from "../../lib/io/http_client.ts";
import type { RoleContext } from "../../lib/role.ts";
import { addAdmin } from "./admin.ts";
import type { AnswerLog } from "./answer_log.ts";
import type { DiskTier } from "./disk_tier.ts";
import { Course, type CourseOptions } from "./course.ts";
import { Edge } from "./edge.ts";
import type { EdgeMetrics } from "./edge_metrics.ts";
import { Errands } from "./errands.ts";
import type { EdgeFlags } from "./flags.ts";
import { Front } from "./front.ts";
import type { Limits } from "./limits.ts";
import { Players } from "./players.ts";
import { Prefetcher } from "./prefetch.ts";
import { Prefill, prefillTargets } from "./prefill.ts";
import { Purger } from "./purge.ts";
import { RequestBodies } from "./request_bodies.ts";
import { Titles } from "./titles.ts";
import { isTls } from "./tls.ts";
import { Upstream } from "./upstream.ts";

/** What a node is given. */
export interface NodeParts {
  readonly cache: HttpCache;
  readonly disk: DiskTier | undefined;
  readonly client: HttpClient;
  readonly limits: Limits;
  readonly log: AnswerLog;
  readonly metrics: EdgeMetrics;
  readonly courseLog: CourseOptions["log"];
  /** Ends every fetch. */
  readonly signal: AbortSignal;
}

/** One edge, put together as its flags say. */
export class Node {
  /** Answers requests. */
  readonly front: Front;
  readonly #upstream: Upstream;
  readonly #prefill: Prefill;
  readonly #prefills: readonly string[];
  readonly #prefetcher: Prefetcher | undefined;
  readonly #signal: AbortSignal;

  /** Puts the parts together. @throws {InputError} If `--prefill` is not at an origin. */
  constructor(flags: EdgeFlags, ctx: RoleContext, parts: NodeParts) {
    const { cache, disk, client, limits, log, metrics, signal } = parts;
    const upstream = this.#upstream = upstreamOf(flags, ctx, client);
    const pseudonym = tokenOf(ctx.name);
    const edge = new Edge({
      ctx,
      log,
      cache,
      disk,
      upstream,
      bodies: new RequestBodies(ctx.clock),
      pseudonym,
      scheme: isTls(flags) ? "https" : "http",
      mark: `rolecall-${Math.floor(ctx.rng() * 2 ** 32).toString(16)}-${
        Math.floor(ctx.clock.wallMs()).toString(36)
      }`,
      signal,
      idleMs: flags.originIdleTimeout ?? flags.originTimeout,
    });
    const players = new Players(ctx);
    const purger = new Purger(ctx, {
      token: flags.purgeToken,
      tiers: cache.tiers,
    });
    const capacityBytes = flags.cacheSize;
    const shown = { cache, capacityBytes, upstream, metrics, players, purger };
    addAdmin(ctx, shown);
    const titles = new Titles(upstream, ctx.clock);
    const errands = new Errands(edge, signal);
    this.#prefills = prefillTargets(flags.prefill, upstream);
    this.#prefill = new Prefill(ctx, { errands, titles });
    this.#signal = signal;
    this.#prefetcher = flags.prefetch
      ? new Prefetcher(ctx, { errands, titles })
      : undefined;
    const course = flags.adapt === undefined ? undefined : new Course(ctx, {
      alpha: flags.adapt,
      errands,
      titles,
      server: new URL(flags.origin[0]!).hostname,
      log: parts.courseLog,
    });
    this.front = new Front({
      course,
      edge,
      purger,
      players,
      limits,
      log,
      prefetcher: this.#prefetcher,
      clock: ctx.clock,
      pseudonym,
      serverTiming: flags.serverTiming,
    });
  }

  /** What it does of itself; ends with the signal. */
  async work(): Promise<void> {
    await Promise.all([
      this.#prefill.run(this.#prefills, this.#signal),
      this.#upstream.check(this.#signal),
    ]);
    await this.#prefetcher?.settled();
  }
}

function upstreamOf(
  flags: EdgeFlags,
  ctx: RoleContext,
  client: HttpClient,
): Upstream {
  return new Upstream(ctx, {
    origins: flags.origin,
    client,
    connectMs: flags.originConnectTimeout,
    firstByteMs: flags.originTimeout,
    concurrency: flags.originConnections,
    queueLength: flags.originQueue,
    checkTarget: flags.healthCheck,
    checkEveryMs: flags.healthInterval,
  });
}
