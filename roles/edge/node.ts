import { tokenOf } from "../../lib/http/cache/cache_status.ts";
import type { HttpCache } from "../../lib/http/cache/cache.ts";
import type { HttpClient } from "../../lib/io/http1/client.ts";
import type { HttpRequest, HttpResponse } from "../../lib/io/http.ts";
import type { AnswerLog } from "./account/answer_log.ts";
import type { DiskTier } from "./disk/tier.ts";
import { Course, type CourseOptions } from "./titles/course.ts";
import { Edge } from "./answer/edge.ts";
import type { EdgeGauges } from "./account/metrics.ts";
import { Errands } from "./titles/errands.ts";
import type { EdgeFlags } from "./flags.ts";
import { Front } from "./front/front.ts";
import type { Limits } from "./front/limits.ts";
import type { EdgeContext, EdgeParts } from "./answer/parts.ts";
import type { Players } from "./account/players.ts";
import { Prefetcher } from "./titles/prefetch.ts";
import { Prefill, prefillTargets } from "./titles/prefill.ts";
import type { Purger } from "./front/purge.ts";
import { RequestBodies } from "./requests/bodies.ts";
import { Titles } from "./titles/titles.ts";
import { isTls } from "./tls.ts";
import { Upstream } from "./origin/upstream.ts";

/** What a node is given. */
export interface NodeParts {
  readonly cache: HttpCache;
  readonly disk: DiskTier | undefined;
  readonly client: HttpClient;
  readonly limits: Limits;
  readonly log: AnswerLog;
  readonly courseLog: CourseOptions["log"];
  readonly players: Pick<Players, "note">;
  readonly purger: Pick<Purger, "answer">;
  /** Answers its own errands; without it, it does itself. */
  readonly route?:
    | ((request: HttpRequest) => HttpResponse | Promise<HttpResponse>)
    | undefined;
  readonly forget?: EdgeParts["forget"];
  /** Of all threads of an edge; without it, one of its own. */
  readonly mark?: string;
  /** Ends every fetch. */
  readonly signal: AbortSignal;
}

/** One edge, put together as its flags say. */
export class Node {
  /** Answers requests. */
  readonly front: Front;
  readonly #cache: HttpCache;
  readonly #capacityBytes: number;
  readonly #diskBytes: number;
  readonly #upstream: Upstream;
  readonly #prefill: Prefill;
  readonly #prefills: readonly string[];
  readonly #prefetcher: Prefetcher | undefined;
  readonly #signal: AbortSignal;

  /** Puts the parts together. @throws {InputError} If `--prefill` is not at an origin. */
  constructor(flags: EdgeFlags, ctx: EdgeContext, parts: NodeParts) {
    const { cache, disk, client, limits, log, route, signal } = parts;
    this.#cache = cache;
    this.#capacityBytes = flags.cacheSize;
    this.#diskBytes = flags.diskSize;
    const upstream = this.#upstream = upstreamOf(flags, ctx, client);
    const pseudonym = tokenOf(ctx.name);
    const edge = new Edge({
      ctx,
      log,
      cache,
      disk,
      upstream,
      bodies: new RequestBodies(ctx.clock),
      forget: parts.forget,
      pseudonym,
      scheme: isTls(flags) ? "https" : "http",
      mark: parts.mark ?? markOf(ctx),
      signal,
      idleMs: flags.originIdleTimeout ?? flags.originTimeout,
    });
    const titles = new Titles(upstream, ctx.clock);
    const errands = new Errands(
      route === undefined ? edge : { handle: route },
      signal,
    );
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
      purger: parts.purger,
      players: parts.players,
      limits,
      log,
      prefetcher: this.#prefetcher,
      clock: ctx.clock,
      pseudonym,
      serverTiming: flags.serverTiming,
    });
  }

  /** How things stand. */
  gauges(): EdgeGauges {
    const { disk, ...memory } = this.#cache.tiers.stats();
    return {
      ...memory,
      capacityBytes: this.#capacityBytes,
      disk: disk && { ...disk, capacityBytes: this.#diskBytes },
      origins: this.#upstream.stats(),
    };
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

/** A name that no other node has: see {@linkcode EdgeParts.mark}. */
export function markOf({ rng, clock }: Pick<EdgeContext, "rng" | "clock">) {
  const drawn = Math.floor(rng() * 2 ** 32).toString(16);
  return `rolecall-${drawn}-${Math.floor(clock.wallMs()).toString(36)}`;
}

function upstreamOf(
  flags: EdgeFlags,
  ctx: EdgeContext,
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
