import type { ForwardReason } from "../../lib/http/cache_status.ts";
import { invalidatedUrls } from "../../lib/http/storability.ts";
import type { HttpRequest, HttpResponse } from "../../lib/io/http.ts";
import type { Exchange } from "./exchange.ts";
import { BodySource } from "./fill.ts";
import { type EdgeParts, fetched } from "./parts.ts";
import { UpstreamError, type UpstreamResponse } from "./upstream.ts";

/** Largest request body that is passed on; it is held in memory. */
const MAX_REQUEST_BODY_BYTES = 16 * 2 ** 20;
/** Forwards without a look at the cache, and forgets what an unsafe method made wrong. */
export async function pass(
  parts: EdgeParts,
  exchange: Exchange,
  reason: "method" | "bypass",
): Promise<HttpResponse> {
  const { cache, upstream, signal } = parts;
  const body = await bodyOf(exchange.request);
  if (body === "too-large") {
    return exchange.plain(413, "The request body is too large to pass on");
  }
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

async function bodyOf(
  request: HttpRequest,
): Promise<Uint8Array<ArrayBuffer> | undefined | "too-large"> {
  if (request.body === null) return undefined;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of request.body) {
    bytes += piece.length;
    if (bytes > MAX_REQUEST_BODY_BYTES) return "too-large";
    pieces.push(piece);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
