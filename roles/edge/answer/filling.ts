import type {
  CacheStatus,
  ForwardReason,
} from "../../../lib/http/cache/cache_status.ts";
import type { FillingPart } from "../../../lib/http/cache/cache.ts";
import { Fields } from "../../../lib/http/fields.ts";
import {
  type FillingResponse,
  isRestOf,
  restConditions,
} from "../../../lib/http/cache/stored_response.ts";
import { linesForOne } from "../../../lib/http/cache/storability.ts";
import type { EdgeCacheStatus } from "../../../lib/events/edge.ts";
import type { HttpResponse } from "../../../lib/io/http.ts";
import { fill } from "../origin/fill.ts";
import { UpstreamError, type UpstreamResponse } from "../origin/upstream.ts";
import type { Exchange } from "./exchange.ts";
import { type EdgeParts, fetched } from "./parts.ts";
import { answerNow } from "./stored_answer.ts";

/** Begins to fill what has just been stored, and answers from it. */
export function storedAnswer(
  parts: EdgeParts,
  exchange: Exchange,
  response: UpstreamResponse,
  { stored, status }: {
    readonly stored: FillingResponse;
    readonly status: CacheStatus & { readonly forward: ForwardReason };
  },
): HttpResponse {
  const reason = status.forward;
  void fillStored(parts, exchange, response, { stored, reason });
  const own = linesForOne(response.fields, stored.directives);
  return answerNow(parts, exchange, {
    stored,
    cacheStatus: "miss",
    status,
    own,
  });
}

/** Reads an origin's body into what is stored, and onto the disk; tells of it. */
export async function fillStored(
  parts: EdgeParts,
  exchange: Exchange,
  response: UpstreamResponse,
  options: { readonly stored: FillingResponse; readonly reason: string },
): Promise<void> {
  const { cache: { tiers }, ctx, disk, idleMs } = parts;
  const { stored, reason } = options;
  let last = { response, reason };
  const filled = await fill(response, {
    body: stored.body,
    clock: ctx.clock,
    idleMs,
    mayGrow: () => tiers.mayGrow(stored),
    dropped: () => tiers.dropped(stored),
    async rest(broken) {
      const next = await restOf(parts, exchange, stored);
      if (next === undefined) return undefined;
      const told = { reason: last.reason, stored: false, filled: broken };
      fetched(parts, exchange, last.response, told);
      last = { response: next, reason: "rest" };
      return next;
    },
  });
  if (filled.complete) {
    // First, for it may leave the memory at once when it is not pinned any more.
    disk?.write(stored);
    tiers.completed(stored);
  }
  fetched(parts, exchange, last.response, {
    reason: last.reason,
    stored: filled.complete,
    filled,
  });
}

/**
 * What is missing of a body that broke off, asked for as a range of the very same representation, of whichever origin
 * answers; undefined when that cannot be told, or is not had.
 */
async function restOf(
  parts: EdgeParts,
  exchange: Exchange,
  stored: FillingResponse,
): Promise<UpstreamResponse | undefined> {
  const { filledBytes, lengthBytes } = stored.body;
  const { signal, upstream } = parts;
  const conditions = restConditions(stored, filledBytes);
  const mayAsk = lengthBytes !== undefined && !signal.aborted;
  if (conditions === undefined || !mayAsk) return undefined;
  const request = { ...exchange.forFill(), method: "GET" };
  for (const [name, value] of conditions) request.fields.set(name, value);
  try {
    const response = await upstream.fetch({
      ...request,
      target: request.key,
      signal,
    });
    if (isRestOf(stored, response, filledBytes)) return response;
    response.body?.leave();
    fetched(parts, exchange, response, { reason: "rest", stored: false });
  } catch (error) {
    // The edge may have been told to go meanwhile.
    if (!(error instanceof UpstreamError) && !signal.aborted) throw error;
  }
  return undefined;
}

/** Hands on a part of a representation while the cache takes it in (RFC 9111 §3.3); undefined when it may not, or it is none. */
export function partAnswer(
  parts: EdgeParts,
  exchange: Exchange,
  response: UpstreamResponse,
  options: {
    readonly reason: ForwardReason;
    readonly cacheStatus: EdgeCacheStatus;
    readonly begun: number | undefined;
  },
): HttpResponse | undefined {
  const { reason, cacheStatus, begun } = options;
  const { bodyBytes, status } = response;
  const request = {
    ...exchange.forFill(),
    ...(begun === undefined ? {} : { begun }),
  };
  const part = bodyBytes === undefined
    ? undefined
    : parts.cache.storePart(request, response, bodyBytes);
  if (part === undefined) return undefined;
  void fillPart(parts, exchange, response, { part, reason });
  // The cache keeps the fields as they came.
  const fields = new Fields(response.fields);
  exchange.sign(fields, { forward: reason, stored: true });
  return exchange.stream({ status, fields }, part.body.reader(), cacheStatus);
}

async function fillPart(
  parts: EdgeParts,
  exchange: Exchange,
  response: UpstreamResponse,
  { part, reason }: { readonly part: FillingPart; readonly reason: string },
): Promise<void> {
  const { cache, ctx, idleMs } = parts;
  const filled = await fill(response, {
    body: part.body,
    clock: ctx.clock,
    idleMs,
    mayGrow: () => true,
    dropped: () => cache.droppedPart(part),
  });
  if (filled.complete) cache.completedPart(part);
  fetched(parts, exchange, response, {
    reason,
    stored: filled.complete,
    filled,
  });
}
