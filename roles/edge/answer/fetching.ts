import type { ForwardReason } from "../../../lib/http/cache/cache_status.ts";
import type { Flight } from "../../../lib/http/cache/flights.ts";
import type {
  Lookup,
  PartialResponse,
} from "../../../lib/http/cache/lookup.ts";
import { Fields, type FieldSource } from "../../../lib/http/fields.ts";
import { linesForOne } from "../../../lib/http/cache/storability.ts";
import {
  conditionsFor,
  confirms,
  restConditions,
  type StoredResponse,
} from "../../../lib/http/cache/stored_response.ts";
import type { HttpResponse } from "../../../lib/io/http.ts";
import { UpstreamError, type UpstreamResponse } from "../origin/upstream.ts";
import type { Exchange, FillRequest } from "./exchange.ts";
import { fillStored, storedAnswer } from "./filling.ts";
import { type EdgeParts, fetched } from "./parts.ts";
import { pass, through } from "./pass.ts";
import { answerNow, standIn } from "./stored_answer.ts";

/** Statuses for which `stale-if-error` lets a stale response stand in (RFC 5861 §4). */
const STAND_IN_STATUSES: ReadonlySet<number> = new Set([500, 502, 503, 504]);

/** Hears of interim answers. */
type Interim = (status: number, fields: FieldSource) => void;

/** A fetch for the cache under way: what for, and who waits. */
interface Fetch {
  readonly request: FillRequest;
  readonly flight: Flight | undefined;
  readonly reason: ForwardReason;
  /** What is to be revalidated, or cannot be. */
  readonly stale: StoredResponse | undefined;
}

/** Fetches or revalidates for this client, and for those who join. */
export async function fetchFor(
  parts: EdgeParts,
  exchange: Exchange,
  found: Extract<Lookup, { kind: "fetch" | "revalidate" }>,
): Promise<HttpResponse> {
  const { cache } = parts;
  const request = { ...exchange.forFill(), begun: cache.tiers.orders };
  const { flight, reason } = found;
  const stale = found.kind === "revalidate" ? found.stored : found.stale;
  const what: Fetch = { request, flight, reason, stale };
  try {
    const part = found.kind === "fetch" ? found.parts : undefined;
    if (part !== undefined) {
      const completed = await completeParts(parts, exchange, what, part);
      if (completed !== undefined) return completed;
    }
    const inform: Interim = (status, fields) => exchange.inform(status, fields);
    const response = found.kind === "revalidate"
      ? await askAbout(parts, exchange, { ...found, request, inform })
      : await ask(parts, request, inform);
    if (found.kind === "revalidate" && confirms(response, found.stored)) {
      const options = { request, flight };
      const { fresh, isKept } = cache.refresh(found.stored, response, options);
      fetched(parts, exchange, response, { reason, stored: isKept });
      return answerNow(parts, exchange, {
        stored: fresh,
        cacheStatus: "revalidated",
        status: { forward: reason, forwardStatus: 304, stored: isKept },
        own: linesForOne(response.fields, fresh.directives),
      });
    }
    if (STAND_IN_STATUSES.has(response.status)) {
      const answer = insteadOf(parts, exchange, response, what);
      if (answer !== undefined) return answer;
    }
    return await taken(parts, exchange, response, what);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const { failure } = error;
    cache.settle(flight, { kind: "failed", failure });
    return standIn(parts, exchange, failure, stale) ??
      exchange.plain(failure.status, failure.message, { forward: reason });
  } finally {
    cache.settle(flight, { kind: "unshared" });
  }
}

function ask(
  { upstream, signal }: EdgeParts,
  request: FillRequest,
  interim?: Interim,
): Promise<UpstreamResponse> {
  return upstream.fetch({
    ...request,
    target: request.key,
    signal,
    ...(interim === undefined ? {} : { interim }),
  });
}

/** Asks whether `stored` is still good; a 304 that is about another version is no answer, and then all is asked for. */
async function askAbout(
  parts: EdgeParts,
  exchange: Exchange,
  { request, stored, conditions, reason, inform }: {
    readonly request: FillRequest;
    readonly stored: StoredResponse;
    readonly conditions: readonly (readonly [string, string])[];
    readonly reason: ForwardReason;
    readonly inform?: Interim;
  },
): Promise<UpstreamResponse> {
  const fields = new Fields(request.fields);
  for (const [name, value] of conditions) fields.set(name, value);
  const response = await ask(parts, { ...request, fields }, inform);
  if (response.status !== 304 || confirms(response, stored)) return response;
  fetched(parts, exchange, response, { reason, stored: false });
  return await ask(parts, request, inform);
}

/** A stale answer instead of the origin's error, if one may stand in. */
function insteadOf(
  parts: EdgeParts,
  exchange: Exchange,
  response: UpstreamResponse,
  { flight, reason, stale }: Fetch,
): HttpResponse | undefined {
  const failure = {
    kind: "status" as const,
    status: response.status,
    message: "the origin answered with an error",
  };
  const answer = standIn(parts, exchange, failure, stale);
  if (answer === undefined) return undefined;
  parts.cache.settle(flight, { kind: "failed", failure });
  response.body?.leave();
  fetched(parts, exchange, response, { reason, stored: false });
  return answer;
}

/**
 * Asks for what is missing behind the parts that are here (RFC 9111 §3.3); undefined when what came does not belong to
 * them, and all is to be fetched.
 */
async function completeParts(
  parts: EdgeParts,
  exchange: Exchange,
  what: Fetch,
  here: PartialResponse,
): Promise<HttpResponse | undefined> {
  const { cache } = parts;
  const { request, flight, reason } = what;
  if (here.body.prefixBytes === 0 || request.method !== "GET") return undefined;
  const rest = exchange.forFill();
  const { prefixBytes } = here.body;
  const conditions = restConditions(here, prefixBytes) ??
    [["range", `bytes=${prefixBytes}-`] as const];
  for (const [name, value] of conditions) rest.fields.set(name, value);
  const response = await ask(
    parts,
    rest,
    (status, fields) => exchange.inform(status, fields),
  );
  if (response.status === 200) {
    return await taken(parts, exchange, response, what);
  }
  const stored = cache.complete(request, response, { parts: here, flight });
  if (stored === undefined) {
    cache.tiers.remove(here);
    response.body?.leave();
    fetched(parts, exchange, response, { reason, stored: false });
    return undefined;
  }
  void fillStored(parts, exchange, response, { stored, reason });
  return answerNow(parts, exchange, {
    stored,
    cacheStatus: "miss",
    status: { forward: reason, forwardStatus: 206, stored: true },
    own: linesForOne(response.fields, stored.directives),
  });
}

/** An answer for the cache to keep, or for this client alone. */
async function taken(
  parts: EdgeParts,
  exchange: Exchange,
  response: UpstreamResponse,
  { request, flight, reason }: Fetch,
): Promise<HttpResponse> {
  const { cache, tooLarge } = parts;
  if (isUnasked(exchange, response)) {
    response.body?.leave();
    fetched(parts, exchange, response, { reason, stored: false });
    const message =
      `The origin answered with status ${response.status}, for which nobody had asked`;
    throw new UpstreamError({ kind: "unreachable", status: 502, message });
  }
  const { stored, reason: why } = cache.store(request, response, {
    bodyBytes: response.bodyBytes,
    flight,
  });
  if (stored !== undefined) {
    tooLarge.delete(stored.key);
    return storedAnswer(parts, exchange, response, {
      stored,
      status: { forward: reason, stored: true },
    });
  }
  if (why === "too-large") tooLarge.add(request.key);
  const isUnkept = why === "too-large" || why === "busy" || why === "forgotten";
  if (isUnkept && exchange.wanted.range !== null) {
    response.body?.leave();
    return await pass(parts, exchange, "bypass");
  }
  const { begun } = request;
  return through(parts, exchange, response, {
    reason,
    cacheStatus: "miss",
    begun,
  });
}

/** A 304 to a request without conditions, a part for who wants the whole, a status that there is not: no client could use it. */
function isUnasked(
  { wanted }: Exchange,
  { status }: UpstreamResponse,
): boolean {
  return status === 304 || status > 599 ||
    (status === 206 && wanted.range === null);
}

/** `stale-while-revalidate`: the client has its answer already. */
export async function refreshInBackground(
  parts: EdgeParts,
  exchange: Exchange,
  { stored, flight }: {
    readonly stored: StoredResponse;
    readonly flight: Flight;
  },
): Promise<void> {
  const { cache } = parts;
  const begun = cache.tiers.orders;
  const get = { ...exchange.forFill(), method: "GET", begun };
  const conditions = conditionsFor(stored);
  const reason = "stale";
  try {
    const response = await askAbout(
      parts,
      exchange,
      { request: get, stored, conditions, reason },
    );
    if (conditions.length > 0 && confirms(response, stored)) {
      const options = { request: get, flight };
      const { isKept } = cache.refresh(stored, response, options);
      fetched(parts, exchange, response, { reason, stored: isKept });
      return;
    }
    const { bodyBytes } = response;
    const isOfUse = !STAND_IN_STATUSES.has(response.status) &&
      !isUnasked(exchange, response);
    const kept = !isOfUse
      ? undefined
      : cache.store(get, response, { bodyBytes, flight }).stored;
    if (kept !== undefined) {
      await fillStored(parts, exchange, response, { stored: kept, reason });
    } else {
      response.body?.leave();
      fetched(parts, exchange, response, { reason, stored: false });
    }
  } catch {
    /* said by the upstream; the stale copy stays for the next */
  } finally {
    cache.settle(flight, { kind: "unshared" });
  }
}
