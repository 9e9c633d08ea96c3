import type {
  CacheStatus,
  ForwardReason,
} from "../../../lib/http/cache/cache_status.ts";
import type { Flight, FlightOutcome } from "../../../lib/http/cache/flights.ts";
import type { Lookup, LookupOptions } from "../../../lib/http/cache/lookup.ts";
import type { StoredResponse } from "../../../lib/http/cache/stored_response.ts";
import type { Fields } from "../../../lib/http/fields.ts";
import { normaliseTarget } from "../../../lib/http/target.ts";
import type { HttpRequest, HttpResponse } from "../../../lib/io/http.ts";
import { within } from "../../../lib/io/within.ts";
import { Exchange } from "./exchange.ts";
import { fetchFor, refreshInBackground } from "./fetching.ts";
import type { EdgeParts } from "./parts.ts";
import { pass } from "./pass.ts";
import { answerNow, standIn } from "./stored_answer.ts";
import { TooLarge } from "./too_large.ts";
import { WholeHits } from "./whole_hits.ts";

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

/** More hops than any request goes: larger numbers are taken for this (RFC 9110 §7.6.2 lets us choose). */
const MAX_FORWARDS = 1000;

/** How long what comes by another edge waits for a fetch. */
const MAX_JOIN_MS = 1000;

/** A caching reverse proxy: carries out what `HttpCache` decides. */
export class Edge {
  readonly #parts: EdgeParts;
  readonly #wholeHits = new WholeHits();

  /** Puts the parts together. */
  constructor(parts: Omit<EdgeParts, "tooLarge">) {
    this.#parts = { ...parts, tooLarge: new TooLarge() };
  }

  /** Answers one request. */
  handle(request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    const { mark } = this.#parts;
    const key = normaliseTarget(request.target);
    const exchange = new Exchange(this.#parts, request, key ?? request.target);
    if (
      request.method === "OPTIONS" &&
      (request.target === "*" || !oneHopLess(exchange.forward.fields))
    ) {
      return exchange.plain(
        200,
        "An edge of a CDN, which passes on what has a path",
      );
    }
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
    const forOrigin = ORIGIN_CONDITIONS.some((name) =>
      exchange.asked.fields.get(name) !== null
    );
    if (!reading || forOrigin) {
      return pass(this.#parts, exchange, reading ? "bypass" : "method");
    }
    // A hit, the common case, is answered at once; all else waits for an origin.
    const nowMs = exchange.startedAtMs;
    const found = this.#lookup(exchange, { mayJoin: true, nowMs });
    return found.kind === "hit"
      ? this.#hit(exchange, found, undefined)
      : this.#cached(exchange, found);
  }

  #lookup(
    exchange: Exchange,
    options: Omit<LookupOptions, "wanted">,
  ): Lookup {
    const { wanted } = exchange;
    return this.#parts.cache.lookup(exchange.asked, { ...options, wanted });
  }

  /** GET and HEAD: from the cache, or through it, beginning with what a first lookup found. */
  async #cached(exchange: Exchange, first: Lookup): Promise<HttpResponse> {
    const { cache, disk, ctx } = this.#parts;
    let mayJoin = true;
    let mayLoad = true;
    let brought: StoredResponse | undefined;
    let waited: ForwardReason | undefined;
    for (let found = first;;) {
      switch (found.kind) {
        case "not-cached":
          return exchange.plain(504, "Not in the cache, and only-if-cached");
        case "hit":
          return this.#hit(exchange, found, waited);
        case "load": {
          const { entry, flight } = found;
          mayLoad = false;
          await disk!.load(entry, (stored) => {
            brought = stored;
            cache.settle(flight, { kind: "loaded", stored });
          });
          break;
        }
        case "join": {
          const outcome = await this.#outcomeFor(exchange, found.flight);
          brought = "stored" in outcome ? outcome.stored : undefined;
          if (outcome.kind === "loaded") {
            mayLoad = false;
            break;
          }
          waited = cache.peek(exchange.asked) === undefined
            ? "uri-miss"
            : "stale";
          if (outcome.kind === "failed") {
            const { failure } = outcome;
            const answer = standIn(this.#parts, exchange, failure);
            if (answer !== undefined) return answer;
            if (failure.kind === "unreachable") {
              return exchange.plain(failure.status, failure.message);
            }
          }
          if (outcome.kind !== "look-again") mayJoin = false;
          break;
        }
        case "fetch":
          if (this.#isForRange(exchange, found)) {
            cache.settle(found.flight, { kind: "unshared" });
            return await pass(
              this.#parts,
              exchange,
              found.parts === undefined ? "bypass" : "partial",
            );
          }
          return await fetchFor(this.#parts, exchange, found);
        case "revalidate":
          return await fetchFor(this.#parts, exchange, found);
      }
      const nowMs = ctx.clock.nowMs();
      found = this.#lookup(exchange, { mayJoin, mayLoad, brought, nowMs });
    }
  }

  /**
   * How a flight ends. What comes by another edge waits for a while only, then goes for itself: in a ring the flight may
   * wait for that one's answer, which only a request shows that comes back.
   */
  #outcomeFor(
    { request }: Exchange,
    { settled }: Flight,
  ): Promise<FlightOutcome> {
    if (!request.headers.get("via")?.includes("(rolecall-")) return settled;
    const { clock } = this.#parts.ctx;
    return within(settled, { clock, limitMs: MAX_JOIN_MS })
      .catch(() => ({ kind: "unshared" }));
  }

  /** Whether to fetch the range that is asked for and not the whole: that is too large to keep, or was when parts of it were stored. */
  #isForRange(
    exchange: Exchange,
    found: Extract<Lookup, { kind: "fetch" }>,
  ): boolean {
    return exchange.wanted.range !== null &&
      (found.parts !== undefined ||
        this.#parts.tooLarge.has(exchange.key));
  }

  #hit(
    exchange: Exchange,
    found: Extract<Lookup, { kind: "hit" }>,
    waited: ForwardReason | undefined,
  ): HttpResponse {
    const { stored, flight } = found;
    if (flight !== undefined) {
      void refreshInBackground(this.#parts, exchange, { stored, flight });
    }
    const filling = stored.body.state === "filling";
    const status: CacheStatus = waited === undefined
      ? { hit: true, detail: filling ? "filling" : undefined }
      : { forward: waited, collapsed: true };
    const cacheStatus = waited !== undefined || filling
      ? "collapsed"
      : found.reuse.kind === "fresh"
      ? "hit"
      : "stale";
    const whole = cacheStatus === "hit"
      ? this.#wholeHits.answer(stored, exchange, found.reuse)
      : undefined;
    return whole ??
      answerNow(this.#parts, exchange, { stored, cacheStatus, status });
  }
}

/** Counts this hop in `Max-Forwards`, which only OPTIONS and TRACE have (RFC 9110 §7.6.2). False when there may be no further one. */
function oneHopLess(fields: Fields): boolean {
  const left = fields.get("max-forwards");
  if (left === null || !/^[0-9]+$/.test(left)) return true;
  const hops = Math.min(Number(left), MAX_FORWARDS);
  fields.set("max-forwards", String(hops - 1));
  return hops > 0;
}
