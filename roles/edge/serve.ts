import { InputError } from "../../lib/core/errors.ts";
import { normaliseTarget } from "../../lib/http/target.ts";
import type { RoleContext } from "../../lib/role.ts";
import { addAdmin } from "./front/admin.ts";
import { baseOf } from "./origin/origin.ts";
import { lockFolder } from "./disk/tier.ts";
import { EdgeMetrics } from "./account/metrics.ts";
import type { EdgeFlags } from "./flags.ts";
import { Players } from "./account/players.ts";
import { forgetIn, Purger } from "./front/purge.ts";
import { cacheOf, runNode } from "./run_node.ts";
import { checkWorkerFlags, serveByWorkers } from "./workers/workers.ts";

/** Runs an edge until told to stop. */
export async function serveEdge(
  flags: EdgeFlags,
  ctx: RoleContext,
): Promise<void> {
  checkOriginFlags(flags);
  checkCourseFlags(flags);
  checkWorkerFlags(flags);
  checkCacheFlags(flags);
  using _lock = flags.cacheDir === undefined
    ? undefined
    : await lockFolder(ctx.files, flags.cacheDir);
  if (flags.workers > 1) return await serveByWorkers(flags, ctx);
  const metrics = new EdgeMetrics();
  const { cache, disk } = cacheOf(flags, ctx);
  const players = new Players(ctx);
  const purger = new Purger(ctx, {
    token: flags.purgeToken,
    forget: async (order) => {
      const count = forgetIn(cache.tiers, order);
      // Before anybody hears of it, on the disk too.
      await disk?.caughtUp();
      return count;
    },
  });
  await runNode(flags, ctx, {
    cache,
    disk,
    metrics,
    players,
    purger,
    made: (node) => {
      const look = () => ({ metrics, gauges: node.gauges() });
      addAdmin(ctx, { look, players, purger });
    },
  });
}

function checkCacheFlags(
  { cacheSize, cacheDir, diskSize, prefill, prefetch }: EdgeFlags,
): void {
  if (cacheDir !== undefined && diskSize === 0) {
    throw new InputError("--disk-size must be above 0, such as 10GiB");
  }
  // All that is kept comes in through the memory.
  const idle = cacheDir !== undefined
    ? "--cache-dir"
    : prefill.length > 0
    ? "--prefill"
    : prefetch
    ? "--prefetch"
    : undefined;
  if (cacheSize === 0 && idle !== undefined) {
    throw new InputError(`${idle} has no effect with --cache-size 0`);
  }
}

function checkOriginFlags(flags: EdgeFlags): void {
  if (flags.origin.length === 0) {
    throw new InputError(
      "An edge needs an origin: --origin http://127.0.0.1:8080/",
    );
  }
  const bases = new Set<string>();
  for (const origin of flags.origin) {
    const { search, hash, username, password } = new URL(origin);
    const base = baseOf(origin);
    if (bases.has(base)) {
      throw new InputError(`--origin ${base} is given twice: once is enough`);
    }
    bases.add(base);
    if (search + hash + username + password !== "") {
      throw new InputError(
        "--origin must have no query, fragment, user name or password: an edge does not send them",
      );
    }
  }
  const { originTimeout, originConnectTimeout, originIdleTimeout } = flags;
  if ([originTimeout, originConnectTimeout, originIdleTimeout].includes(0)) {
    throw new InputError(
      "--origin-timeout, --origin-connect-timeout and --origin-idle-timeout must be above 0",
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

function checkCourseFlags({ adapt, courseLog, courseLogFile }: EdgeFlags) {
  if (courseLog !== "none" && adapt === undefined) {
    throw new InputError("--course-log needs --adapt, such as --adapt 0.5");
  }
  if (courseLogFile !== undefined && courseLog === "none") {
    throw new InputError(
      "--course-log-file needs --course-log, such as --course-log cmu",
    );
  }
}
