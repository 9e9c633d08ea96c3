import type { Lookup } from "../../lib/http/cache.ts";
import { requestDirectives } from "../../lib/http/cache_control.ts";
import type {
  CacheStatus,
  ForwardReason,
} from "../../lib/http/cache_status.ts";
import { endToEnd, Fields } from "../../lib/http/fields.ts";
import type { Flight, OriginFailure } from "../../lib/http/flights.ts";
import { mayStandIn } from "../../lib/http/reuse.ts";
import type { StoredResponse } from "../../lib/http/stored_response.ts";
import { normaliseTarget } from "../../lib/http/target.ts";
import type { HttpRequest, HttpResponse } from "../../lib/io/http.ts";
import { answerFrom } from "./answer.ts";
import { Exchange } from "./exchange.ts";
import { fill } from "./fill.ts";
import { type EdgeParts, fetched } from "./parts.ts";
import { pass, through } from "./pass.ts";
import { UpstreamError, type UpstreamResponse } from "./upstream.ts";

/** Statuses for which `stale-if-error` lets a stale response stand in (RFC 5861 §4). */
const STAND_IN_STATUSES: ReadonlySet<number> = new Set([500, 502, 503, 504]);
/** Conditions only the origin can evaluate (RFC 9111 §4.3.2), and methods nobody may send through us. */
const ORIGIN_CONDITIONS: readonly string[] = [
  "if-match",
  "if-unmodified-since",
];
const REFUSED_METHODS: ReadonlySet<string> = new Set([
  "CONNECT",
  "TRACE",
  "TRACK",
]);
/** How many URLs are remembered as too large. */
const MAX_TOO_LARGE = 10_000;
/** What we answer ourselves from the full copy, and so do not send on with a fetch for the cache. */
const OWN_FIELDS: readonly string[] = [
  "range",
  "if-range",
  "if-none-match",
  "if-modified-since",
];

/** A caching reverse proxy: carries out what `HttpCache` decides. */
export class Edge {
  readonly #parts: EdgeParts;
  /** What turned out too large to keep, oldest first: ranges of it are forwarded at once. */
  readonly #tooLarge = new Set<string>();

  /** Puts the parts together. */
  constructor(parts: EdgeParts) {
    this.#parts = parts;
  }

  /** Answers one request. */
  handle(request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    const { ctx, log, pseudonym, mark } = this.#parts;
    const key = normaliseTarget(request.target);
    const fields = this.#forwarded(request);
    const exchange = new Exchange({
      clock: ctx.clock,
      log,
      pseudonym,
      request,
      forward: { method: request.method, key: key ?? request.target, fields },
    });
    if (key === undefined) {
      return exchange.plain(400, "The request target must be a path");
    }
    if (REFUSED_METHODS.has(request.method)) {
      return exchange.plain(501, `This is no proxy for ${request.method}`);
    }
    if (request.headers.get("via")?.includes(mark)) {
      return exchange.plain(508, "The request came back here: a loop");
    }
    const reading = request.method === "GET" || request.method === "HEAD";
    const forOrigin = ORIGIN_CONDITIONS.some((name) => fields.has(name));
    if (!reading || forOrigin) {
      return pass(this.#parts, exchange, reading ? "bypass" : "method");
    }
    if (this.#tooLarge.has(key) && fields.has("range")) {
      return pass(this.#parts, exchange, "bypass");
    }
    // A hit, the common case, is answered at once; all else waits for an origin.
    const own = withoutOwnFields(exchange);
    const found = this.#parts.cache.lookup(own, {
      nowMs: ctx.clock.nowMs(),
      mayJoin: true,
    });
    return found.kind === "hit"
      ? this.#hit(exchange, found, undefined)
      : this.#cached(exchange, found);
  }

  /** The request's fields as they go on: end-to-end, signed, in a coding everyone can read. */
  #forwarded(request: HttpRequest): Fields {
    const fields = endToEnd(request.headers);
    for (const name of ["host", "content-length", "expect"]) {
      fields.delete(name);
    }
    // One stored copy serves all clients, and its bytes can be cut into ranges.
    fields.set("accept-encoding", "identity");
    fields.append("via", `1.1 ${this.#parts.pseudonym} (${this.#parts.mark})`);
    const before = fields.get("x-forwarded-for");
    const { host } = request.remote;
    fields.set(
      "x-forwarded-for",
      before === null ? host : `${before}, ${host}`,
    );
    return fields;
  }

  /** GET and HEAD: from the cache, or through it, beginning with what a first lookup found. */
  async #cached(exchange: Exchange, first: Lookup): Promise<HttpResponse> {
    const { cache, ctx } = this.#parts;
    const request = withoutOwnFields(exchange);
    let mayJoin = true;
    let waited: ForwardReason | undefined;
    for (let found = first;;) {
      switch (found.kind) {
        case "not-cached":
          return exchange.plain(504, "Not in the cache, and only-if-cached");
        case "hit":
          return this.#hit(exchange, found, waited);
        case "join": {
          waited = cache.peek(request) === undefined ? "uri-miss" : "stale";
          const outcome = await found.flight.settled;
          if (outcome.kind === "failed") {
            const { failure } = outcome;
            const standIn = this.#standIn(exchange, failure);
            if (standIn !== undefined) return standIn;
            if (failure.kind === "unreachable") {
              return exchange.plain(failure.status, failure.message);
            }
          }
          if (outcome.kind !== "look-again") mayJoin = false;
          found = cache.lookup(request, { nowMs: ctx.clock.nowMs(), mayJoin });
          break;
        }
        case "fetch":
        case "revalidate":
          return await this.#fetch(exchange, found);
      }
    }
  }

  #hit(
    exchange: Exchange,
    found: Extract<Lookup, { kind: "hit" }>,
    waited: ForwardReason | undefined,
  ): HttpResponse {
    if (found.flight !== undefined) {
      void this.#refreshInBackground(exchange, found.stored, found.flight);
    }
    const filling = found.stored.body.state === "filling";
    const status: CacheStatus = waited === undefined
      ? { hit: true, detail: filling ? "filling" : undefined }
      : { forward: waited, collapsed: true };
    const cacheStatus = waited !== undefined || filling
      ? "collapsed"
      : found.reuse.kind === "fresh"
      ? "hit"
      : "stale";
    return this.#answer(exchange, found.stored, { cacheStatus, status });
  }

  #answer(
    exchange: Exchange,
    stored: StoredResponse,
    story: Pick<Parameters<typeof answerFrom>[2], "cacheStatus" | "status">,
  ): HttpResponse {
    const { clock } = this.#parts.ctx;
    const times = { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
    return answerFrom(stored, exchange, { ...story, ...times });
  }

  /** Fetches or revalidates for this client, and for those who join. */
  async #fetch(
    exchange: Exchange,
    found: Extract<Lookup, { kind: "fetch" | "revalidate" }>,
  ): Promise<HttpResponse> {
    const { cache, upstream, signal } = this.#parts;
    const request = withoutOwnFields(exchange);
    const { flight, reason } = found;
    if (found.kind === "revalidate") {
      for (const [name, value] of found.conditions) {
        request.fields.set(name, value);
      }
    }
    try {
      const response = await upstream.fetch({
        ...request,
        target: request.key,
        signal,
      });
      if (found.kind === "revalidate" && response.status === 304) {
        const stored = cache.refresh(found.stored, response, {
          request,
          flight,
        });
        fetched(this.#parts, exchange, response, { reason, stored: true });
        const status = { forward: reason, forwardStatus: 304, stored: true };
        return this.#answer(exchange, stored, {
          cacheStatus: "revalidated",
          status,
        });
      }
      if (STAND_IN_STATUSES.has(response.status)) {
        const failure = {
          kind: "status" as const,
          status: response.status,
          message: "the origin answered with an error",
        };
        const standIn = this.#standIn(exchange, failure);
        if (standIn !== undefined) {
          cache.settle(flight, { kind: "failed", failure });
          await response.body?.cancel();
          fetched(this.#parts, exchange, response, { reason, stored: false });
          return standIn;
        }
      }
      return await this.#taken(exchange, response, { request, flight, reason });
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      const { failure } = error;
      cache.settle(flight, { kind: "failed", failure });
      return this.#standIn(exchange, failure) ??
        exchange.plain(failure.status, failure.message, { forward: reason });
    } finally {
      cache.settle(flight, { kind: "unshared" });
    }
  }

  /** An answer for the cache to keep, or for this client alone. */
  async #taken(
    exchange: Exchange,
    response: UpstreamResponse,
    options: {
      readonly request: ReturnType<typeof withoutOwnFields>;
      readonly flight: Flight | undefined;
      readonly reason: ForwardReason;
    },
  ): Promise<HttpResponse> {
    const { cache } = this.#parts;
    const { reason } = options;
    const { stored, reason: why } = cache.store(options.request, response, {
      bodyBytes: response.bodyBytes,
      flight: options.flight,
    });
    if (stored !== undefined) {
      this.#tooLarge.delete(stored.key);
      void this.#fill(exchange, response, { stored, reason });
      return this.#answer(exchange, stored, {
        cacheStatus: "miss",
        status: { forward: reason, stored: true },
      });
    }
    if (why === "too-large") this.#rememberTooLarge(exchange.forward.key);
    const isUnkept = why === "too-large" || why === "busy";
    if (isUnkept && exchange.request.headers.get("range") !== null) {
      await response.body?.cancel();
      return await pass(this.#parts, exchange, "bypass");
    }
    return through(this.#parts, exchange, response, {
      reason,
      cacheStatus: "miss",
    });
  }

  #rememberTooLarge(key: string): void {
    this.#tooLarge.add(key);
    const oldest = this.#tooLarge.values().next();
    if (this.#tooLarge.size > MAX_TOO_LARGE && !oldest.done) {
      this.#tooLarge.delete(oldest.value);
    }
  }

  async #fill(
    exchange: Exchange,
    response: UpstreamResponse,
    options: { readonly stored: StoredResponse; readonly reason: string },
  ): Promise<void> {
    const { cache, ctx, idleMs } = this.#parts;
    const { clock } = ctx;
    const { stored, reason } = options;
    const filled = await fill(response, { stored, cache, clock, idleMs });
    fetched(this.#parts, exchange, response, {
      reason,
      stored: filled.complete,
      filled,
    });
  }

  /** `stale-while-revalidate`: the client has its answer already. */
  async #refreshInBackground(
    exchange: Exchange,
    stored: StoredResponse,
    flight: Flight,
  ): Promise<void> {
    const { cache, upstream, signal } = this.#parts;
    const request = withoutOwnFields(exchange);
    const get = { ...request, method: "GET" };
    const etag = stored.fields.get("etag");
    const modified = stored.fields.get("last-modified");
    if (etag !== null) get.fields.set("if-none-match", etag);
    if (modified !== null) get.fields.set("if-modified-since", modified);
    try {
      const response = await upstream.fetch({
        ...get,
        target: get.key,
        signal,
      });
      const reason = "stale";
      if (response.status === 304) {
        cache.refresh(stored, response, { request: get, flight });
        fetched(this.#parts, exchange, response, { reason, stored: true });
        return;
      }
      const { bodyBytes } = response;
      const kept = STAND_IN_STATUSES.has(response.status)
        ? undefined
        : cache.store(get, response, { bodyBytes, flight }).stored;
      if (kept !== undefined) {
        await this.#fill(exchange, response, { stored: kept, reason });
      } else {
        await response.body?.cancel();
        fetched(this.#parts, exchange, response, { reason, stored: false });
      }
    } catch {
      /* said by the upstream; the stale copy stays for the next */
    } finally {
      cache.settle(flight, { kind: "unshared" });
    }
  }

  #standIn(
    exchange: Exchange,
    failure: OriginFailure,
  ): HttpResponse | undefined {
    const { cache, ctx } = this.#parts;
    const request = withoutOwnFields(exchange);
    const stored = cache.peek(request);
    if (stored === undefined) return undefined;
    const allowed = mayStandIn(stored, requestDirectives(request.fields), {
      failure: failure.kind,
      nowMs: ctx.clock.nowMs(),
    });
    return allowed
      ? this.#answer(exchange, stored, {
        cacheStatus: "stale",
        status: {
          forward: "stale",
          forwardStatus: failure.kind === "status" ? failure.status : undefined,
          detail: failure.kind === "status" ? "stale-if-error" : "disconnected",
        },
      })
      : undefined;
  }
}

/** The request as a fetch for the cache: for the whole, without the client's own conditions. */
function withoutOwnFields(exchange: Exchange) {
  const fields = new Fields(exchange.forward.fields);
  for (const name of OWN_FIELDS) fields.delete(name);
  return { ...exchange.forward, fields };
}
