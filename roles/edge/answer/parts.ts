import type { HttpCache } from "../../../lib/http/cache/cache.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { DiskTier } from "../disk/tier.ts";
import type { Filled } from "../origin/fill.ts";
import type { RequestBodies } from "../requests/bodies.ts";
import type { Upstream, UpstreamResponse } from "../origin/upstream.ts";
import type { Exchange, ExchangeParts } from "./exchange.ts";
import type { TooLarge } from "./too_large.ts";

/** What an edge needs of the world: it may run in a thread of its own. */
export type EdgeContext = Pick<
  RoleContext,
  "name" | "clock" | "rng" | "net" | "files" | "terminal" | "signal" | "emit"
>;

/** What an edge is made of. */
export interface EdgeParts extends ExchangeParts {
  readonly ctx: EdgeContext;
  readonly cache: HttpCache;
  /** The cache's second tier, if it has one. */
  readonly disk?: DiskTier | undefined;
  readonly tooLarge: TooLarge;
  readonly upstream: Upstream;
  readonly bodies: RequestBodies;
  /** Forgets the responses to a target that another part of the cache may have; without it, `cache` is all. */
  readonly forget?: ((target: string) => Promise<unknown>) | undefined;
  /** Ends every fetch: aborted when the edge is gone, later than when it is asked to go. */
  readonly signal: AbortSignal;
  /** How long an origin may pause within a body. */
  readonly idleMs: number;
}

/** Closes the account of one request to an origin. */
export function fetched(
  parts: EdgeParts,
  exchange: Exchange,
  response: UpstreamResponse,
  options: {
    readonly reason: string;
    readonly stored: boolean;
    readonly filled?: Filled;
  },
): void {
  const { ctx } = parts;
  const { requestAtMs, responseAtMs, origin, reused, status } = response;
  const { reason, stored, filled = { bytes: 0, complete: true } } = options;
  ctx.emit({
    type: "edge.fetched",
    origin,
    method: exchange.request.method,
    path: exchange.key,
    status,
    reason,
    stored,
    ...filled,
    headMs: responseAtMs - requestAtMs,
    durationMs: ctx.clock.nowMs() - requestAtMs,
    reused,
  });
}
