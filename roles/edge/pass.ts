import type { ForwardReason } from "../../lib/http/cache_status.ts";
import { invalidatedUrls } from "../../lib/http/storability.ts";
import type { HttpResponse } from "../../lib/io/http.ts";
import type { Exchange } from "./exchange.ts";
import { BodySource } from "./fill.ts";
import { type EdgeParts, fetched } from "./parts.ts";
import { UpstreamError, type UpstreamResponse } from "./upstream.ts";

/** Forwards without a look at the cache, and forgets what an unsafe method made wrong. */
export async function pass(
  parts: EdgeParts,
  exchange: Exchange,
  reason: "method" | "bypass",
): Promise<HttpResponse> {
  const { cache, upstream, signal } = parts;
  const read = await parts.bodies.read(exchange.request);
  if ("status" in read) return exchange.plain(read.status, read.message);
  const { body } = read;
  const { method, key, fields } = exchange.forward;
  try {
    const response = await upstream.fetch({
      method,
      target: key,
      fields,
      ...(body === undefined ? {} : { body }),
      signal,
    });
    for (const url of invalidatedUrls({ ...response, method })) {
      const target = upstream.targetOf(url);
      if (target !== undefined) cache.invalidate(target);
    }
    return through(parts, exchange, response, {
      reason,
      cacheStatus: "bypass",
    });
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const { failure } = error;
    return exchange.plain(failure.status, failure.message, {
      forward: reason,
    });
  }
}

/** Hands the origin's answer to this client as it comes, at the client's pace. */
export function through(
  parts: EdgeParts,
  exchange: Exchange,
  response: UpstreamResponse,
  options: {
    readonly reason: ForwardReason;
    readonly cacheStatus: "miss" | "bypass";
  },
): HttpResponse {
  const { ctx, idleMs } = parts;
  const { reason, cacheStatus } = options;
  const { fields, status } = response;
  if (status > 599) {
    void response.body?.cancel();
    return exchange.plain(502, `The origin answered with status ${status}`);
  }
  exchange.sign(fields, { forward: reason });
  const source = new BodySource(response.body, { clock: ctx.clock, idleMs });
  const done = (complete: boolean) =>
    fetched(parts, exchange, response, {
      reason,
      stored: false,
      filled: { bytes: source.bytes, complete },
    });
  if (response.body === null || exchange.request.method === "HEAD") {
    void source.cancel();
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
      void source.cancel();
    },
  }, cacheStatus);
}
