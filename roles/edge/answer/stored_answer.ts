import type { CacheStatus } from "../../../lib/http/cache/cache_status.ts";
import { requestDirectives } from "../../../lib/http/cache/cache_control.ts";
import { Fields } from "../../../lib/http/fields.ts";
import type { OriginFailure } from "../../../lib/http/cache/flights.ts";
import { mayStandIn } from "../../../lib/http/cache/reuse.ts";
import { newerOf } from "../../../lib/http/cache/shelf.ts";
import type { StoredResponse } from "../../../lib/http/cache/stored_response.ts";
import type { EdgeCacheStatus } from "../../../lib/events/edge.ts";
import type { HttpResponse } from "../../../lib/io/http.ts";
import { answerFrom } from "./answer.ts";
import type { Exchange } from "./exchange.ts";
import { localise } from "./location.ts";
import type { EdgeParts } from "./parts.ts";

/** Answers from a stored response, now. */
export function answerNow(
  parts: EdgeParts,
  exchange: Exchange,
  story: {
    readonly stored: StoredResponse;
    readonly cacheStatus: EdgeCacheStatus;
    readonly status: CacheStatus;
    readonly own?: Iterable<readonly [string, string]>;
  },
): HttpResponse {
  const { clock } = parts.ctx;
  const times = { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
  const answer = answerFrom(story.stored, exchange, { ...story, ...times });
  const { status, headers: fields } = answer;
  if (fields instanceof Fields) localise(parts, exchange, { status, fields });
  return answer;
}

/**
 * The stale answer that may stand in for an origin that failed; undefined when there is none.
 *
 * @param asked What was to be revalidated: it may have left the memory, or be on the disk alone.
 */
export function standIn(
  parts: EdgeParts,
  exchange: Exchange,
  failure: OriginFailure,
  asked?: StoredResponse,
): HttpResponse | undefined {
  const { cache, ctx } = parts;
  const request = exchange.forFill();
  const isUsable = asked?.body.state !== "failed";
  const stored = newerOf(cache.peek(request), isUsable ? asked : undefined);
  if (stored === undefined) return undefined;
  const hasWanted = cache.hasWanted(stored, request, exchange.wanted);
  const allowed = hasWanted &&
    mayStandIn(stored, requestDirectives(request.fields), {
      failure: failure.kind,
      nowMs: ctx.clock.nowMs(),
    });
  if (!allowed) return undefined;
  const isStatus = failure.kind === "status";
  return answerNow(parts, exchange, {
    stored,
    cacheStatus: "stale",
    status: {
      forward: "stale",
      forwardStatus: isStatus ? failure.status : undefined,
      detail: isStatus ? "stale-if-error" : "disconnected",
    },
  });
}
