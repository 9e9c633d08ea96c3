import type { ForwardReason } from "../../../lib/http/cache/cache_status.ts";
import {
  answersGet,
  invalidatedUrls,
} from "../../../lib/http/cache/storability.ts";
import type { HttpResponse } from "../../../lib/io/http.ts";
import { BodySource } from "../origin/fill.ts";
import { UpstreamError, type UpstreamResponse } from "../origin/upstream.ts";
import type { Exchange } from "./exchange.ts";
import { partAnswer, storedAnswer } from "./filling.ts";
import { localise } from "./location.ts";
import { type EdgeParts, fetched } from "./parts.ts";

/** Forwards what the cache cannot answer as it is: keeps what may be kept of the answer, and forgets what an unsafe method made wrong. */
export async function pass(
  parts: EdgeParts,
  exchange: Exchange,
  reason: "method" | "bypass" | "partial",
): Promise<HttpResponse> {
  const { upstream, signal } = parts;
  const read = await parts.bodies.read(exchange.request);
  if ("status" in read) return exchange.plain(read.status, read.message);
  const { body } = read;
  const { method, key, fields } = exchange.forward;
  const begun = parts.cache.tiers.orders;
  try {
    const response = await upstream.fetch({
      method,
      target: key,
      fields,
      ...(body === undefined ? {} : { body }),
      signal,
      interim: (status, interim) => exchange.inform(status, interim),
    });
    await invalidate(parts, exchange, response);
    return kept(parts, exchange, response) ??
      through(parts, exchange, response, {
        reason,
        cacheStatus: "bypass",
        begun,
      });
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const { failure } = error;
    return exchange.plain(failure.status, failure.message, {
      forward: reason,
    });
  }
}

/** Forgets what an unsafe method made wrong, on the disk too, before the client hears of its success. */
async function invalidate(
  { cache, disk, upstream, forget }: EdgeParts,
  { forward: { method } }: Exchange,
  response: UpstreamResponse,
): Promise<void> {
  for (const url of invalidatedUrls({ ...response, method })) {
    const target = upstream.targetOf(url);
    if (target === undefined) continue;
    if (forget === undefined) cache.tiers.forgetAll(target);
    else await forget(target);
  }
  await disk?.caughtUp();
}

/** The answer to a POST, if it is what a later GET gets (RFC 9110 §9.3.3): it goes through the cache then. */
function kept(
  parts: EdgeParts,
  exchange: Exchange,
  response: UpstreamResponse,
): HttpResponse | undefined {
  if (exchange.forward.method !== "POST" || !answersGet(response)) {
    return undefined;
  }
  const request = { ...exchange.forFill(), method: "GET" };
  const { stored } = parts.cache.store(request, response, {
    bodyBytes: response.bodyBytes,
    flight: undefined,
  });
  if (stored === undefined) return undefined;
  const status = { forward: "method" as const, stored: true };
  return storedAnswer(parts, exchange, response, { stored, status });
}

/** Hands the origin's answer to this client as it comes, at the client's pace. */
export function through(
  parts: EdgeParts,
  exchange: Exchange,
  response: UpstreamResponse,
  options: {
    readonly reason: ForwardReason;
    readonly cacheStatus: "miss" | "bypass";
    readonly begun: number | undefined;
  },
): HttpResponse {
  const { ctx, idleMs } = parts;
  const { reason, cacheStatus } = options;
  const { fields, status } = response;
  if (status > 599) {
    response.body?.leave();
    return exchange.plain(502, `The origin answered with status ${status}`);
  }
  const part = partAnswer(parts, exchange, response, options);
  if (part !== undefined) return part;
  exchange.sign(fields, { forward: reason });
  localise(parts, exchange, response);
  const source = new BodySource(response.body, { clock: ctx.clock, idleMs });
  const done = (complete: boolean) =>
    fetched(parts, exchange, response, {
      reason,
      stored: false,
      filled: { bytes: source.bytes, complete },
    });
  if (response.body === null || exchange.request.method === "HEAD") {
    source.leave();
    done(true);
    return exchange.bytes({ status, fields }, null, cacheStatus);
  }
  return exchange.stream({ status, fields }, {
    async next() {
      const piece = await source.next();
      if (piece === null) done(true);
      return piece;
    },
    leave() {
      done(false);
      source.leave();
    },
  }, cacheStatus);
}
