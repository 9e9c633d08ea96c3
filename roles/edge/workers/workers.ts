import { InputError } from "../../../lib/core/errors.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { addAdmin } from "../front/admin.ts";
import { AnswerLog } from "../account/answer_log.ts";
import { EdgeMetrics } from "../account/metrics.ts";
import type { EdgeFlags } from "../flags.ts";
import { tellOwn } from "../front/front.ts";
import { Players } from "../account/players.ts";
import { Purger } from "../front/purge.ts";
import { openAccessLog } from "../run_node.ts";
import { Crew } from "./crew.ts";

/** Most threads. */
const MAX_WORKERS = 32;

/** What needs one account of each client, which several threads do not have. */
const FOR_ONE = [
  ["limitRate", "--limit-rate"],
  ["limitRatePerClient", "--limit-rate-per-client"],
  ["adapt", "--adapt"],
  ["tlsCert", "--tls-cert"],
] as const;

/** Checks `--workers`, and what goes with it. @throws {InputError} If it does not. */
export function checkWorkerFlags(flags: EdgeFlags): void {
  const { workers } = flags;
  if (workers < 1 || workers > MAX_WORKERS) {
    throw new InputError(
      `--workers must be from 1 to ${MAX_WORKERS}, got ${workers}`,
    );
  }
  if (workers === 1) return;
  if (flags.originConnections < workers) {
    throw new InputError(
      `--origin-connections must be at least --workers, got ${flags.originConnections} for ${workers}`,
    );
  }
  const wrong = flags.prefetch
    ? "--prefetch"
    : flags.tls !== "off"
    ? "--tls"
    : FOR_ONE.find(([name]) => flags[name] !== undefined)?.[1];
  if (wrong !== undefined) {
    throw new InputError(`${wrong} needs --workers 1, got ${workers}`);
  }
}

/** Runs an edge in several threads until told to stop. */
export async function serveByWorkers(
  flags: EdgeFlags,
  ctx: RoleContext,
): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const accessFile = await openAccessLog(flags, ctx);
  if (accessFile !== undefined) opened.use(accessFile);
  const metrics = new EdgeMetrics();
  const log = opened.use(new AnswerLog(ctx, { metrics, accessFile }));
  const players = new Players(ctx);
  const purger: Purger = new Purger(ctx, {
    token: flags.purgeToken,
    forget: async (order) => {
      const counts = await crew.callAll({ kind: "forget", order });
      return (counts as number[]).reduce((sum, count) => sum + count, 0);
    },
  });
  const crew = opened.use(
    new Crew(flags, ctx, {
      players,
      answer: async (request) => {
        const fromMs = ctx.clock.nowMs();
        const answer = await purger.answer(request);
        return tellOwn({ log, clock: ctx.clock }, request, { answer, fromMs });
      },
    }),
  );
  addAdmin(ctx, { look: () => crew.look(metrics), players, purger });
  await crew.run();
}
