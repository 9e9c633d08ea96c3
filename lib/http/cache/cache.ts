/**
 * A shared HTTP cache as decisions: RFC 9111, RFC 5861, and collapsed forwarding (RFC 9211 §2.5).
 *
 * {@linkcode HttpCache.lookup} says what to do with a request; the driver does it and reports back. Between a miss and
 * its answer a {@linkcode Flight} stands for the fetch under way: who comes meanwhile joins it instead of fetching
 * again. When the head of the answer is there, the driver calls {@linkcode HttpCache.store}; from that moment the
 * response is found by lookups although its body is still growing, the flight is settled, and those who joined look
 * again. An answer that may not be shared sends them off to fetch for themselves, and the cache remembers for a while
 * not to make anyone wait for that URL again.
 *
 * Nothing here knows sockets, time or promises other than a flight's.
 */
import { type ByteRange, parseContentRange } from "../range.ts";
import { type Directives, requestDirectives } from "./cache_control.ts";
import type { DiskEntry } from "./disk_entry.ts";
import {
  ASK_ANEW,
  type Flight,
  type FlightOutcome,
  Flights,
} from "./flights.ts";
import { GrowingBody } from "./growing_body.ts";
import type { Lookup, LookupOptions, PartialResponse } from "./lookup.ts";
import { reuse } from "./reuse.ts";
import { newerOf } from "./shelf.ts";
import { SparseBody } from "./sparse_body.ts";
import {
  asWhole,
  broughtFor,
  type CacheRequest,
  conditionsFor,
  type FillingResponse,
  isRestOf,
  isSameRepresentation,
  isUseful,
  type ReceivedHead,
  refreshed,
  storabilityOf,
  type StoredResponse,
  strongValidator,
  toStore,
} from "./stored_response.ts";
import { type TierOptions, Tiers } from "./tiers.ts";

/** A part of a representation on its way into the cache. */
export interface FillingPart {
  readonly request: CacheRequest;
  readonly head: ReceivedHead;
  readonly range: ByteRange;
  readonly sizeBytes: number;
  readonly body: GrowingBody;
}

/** See the head of this file. */
export class HttpCache {
  /** What it holds. */
  readonly tiers: Tiers;
  readonly #flights = new Flights();

  /** Creates an empty cache. */
  constructor(options: TierOptions) {
    this.tiers = new Tiers(options);
  }

  /** Decides what to do with a GET or HEAD. */
  lookup(request: CacheRequest, options: LookupOptions): Lookup {
    const directives = requestDirectives(request.fields);
    const stored = newerOf(
      this.tiers.find(request),
      broughtFor(request, options.brought),
    );
    const entry = options.mayLoad === false
      ? undefined
      : this.tiers.findOnDisk(request, stored);
    if (entry !== undefined) return this.#load(request, entry);
    if (stored === undefined) return this.#miss(request, directives, options);
    if (
      isPartial(stored) && !this.hasWanted(stored, request, options.wanted)
    ) {
      return this.#partial(request, stored, directives, options);
    }
    const decision = reuse(stored, directives, options.nowMs);
    switch (decision.kind) {
      case "fresh":
      case "stale":
        return { kind: "hit", stored, reuse: decision, flight: undefined };
      case "stale-while-revalidate": {
        const id = this.#flightId(request);
        const flight = this.#flights.get(id) === undefined
          ? this.#flights.open(id)
          : undefined;
        return { kind: "hit", stored, reuse: decision, flight };
      }
      case "revalidate":
        if (directives.has("only-if-cached")) return { kind: "not-cached" };
        return this.#revalidation(request, stored, {
          ...options,
          // What such a request brings is not stored: nobody should wait for it.
          mayJoin: options.mayJoin && !directives.has("no-store"),
          asked: decision.reason.startsWith("request"),
        });
    }
  }

  #load(request: CacheRequest, entry: DiskEntry): Lookup {
    const id = `load\n${request.key}\n${entry.variant}`;
    const flight = this.#flights.get(id);
    return flight === undefined
      ? { kind: "load", entry, flight: this.#flights.open(id) }
      : { kind: "join", flight };
  }

  /** Only parts are here, and not those that are wanted: ranges are fetched one by one, the whole for all who want it. */
  #partial(
    request: CacheRequest,
    parts: PartialResponse,
    directives: Directives,
    options: LookupOptions,
  ): Lookup {
    if (options.wanted?.range) {
      return directives.has("only-if-cached")
        ? { kind: "not-cached" }
        : { kind: "fetch", reason: "partial", flight: undefined, parts };
    }
    const found = this.#miss(request, directives, options);
    return found.kind === "fetch"
      ? { ...found, reason: "partial", parts }
      : found;
  }

  #miss(
    request: CacheRequest,
    directives: Directives,
    options: LookupOptions,
  ): Lookup {
    if (directives.has("only-if-cached")) return { kind: "not-cached" };
    // Such a client wants an answer made for it, which then is nobody else's.
    const alone = directives.has("no-store") || directives.has("no-cache");
    const flight = alone ? undefined : this.#board(request, options);
    if (flight?.joined) return { kind: "join", flight: flight.flight };
    const reason = this.tiers.has(request.key) ? "vary-miss" : "uri-miss";
    return { kind: "fetch", reason, flight: flight?.flight };
  }

  #revalidation(
    request: CacheRequest,
    stored: StoredResponse,
    options: LookupOptions & { readonly asked: boolean },
  ): Lookup {
    // A client that demands a check gets one of its own: what is under way may have begun before it asked.
    const flight = options.asked ? undefined : this.#board(request, options);
    if (flight?.joined) return { kind: "join", flight: flight.flight };
    const reason = options.asked ? "request" : "stale";
    const conditions =
      stored.body.state === "complete" && request.method === "GET"
        ? conditionsFor(stored)
        : [];
    return conditions.length === 0
      ? { kind: "fetch", reason, flight: flight?.flight, stale: stored }
      : {
        kind: "revalidate",
        stored,
        conditions,
        reason,
        flight: flight?.flight,
      };
  }

  /** The flight this request joins, or the one it opens for others; undefined when it goes alone. */
  #board(
    request: CacheRequest,
    options: LookupOptions,
  ): { readonly joined: boolean; readonly flight: Flight } | undefined {
    if (!options.mayJoin || this.#flights.isUnshared(request, options.nowMs)) {
      return undefined;
    }
    const id = this.#flightId(request);
    const under = this.#flights.get(id);
    if (under !== undefined) return { joined: true, flight: under };
    if (request.method !== "GET") return undefined;
    return { joined: false, flight: this.#flights.open(id) };
  }

  #flightId(request: CacheRequest): string {
    return `${request.key}\n${this.tiers.variantOf(request)}`;
  }

  /** Whether what is here of a response is all that a request wants of it. */
  hasWanted(
    stored: StoredResponse,
    request: CacheRequest,
    wanted: LookupOptions["wanted"],
  ): boolean {
    if (!isPartial(stored)) return true;
    if (request.method !== "GET" || wanted === undefined) return false;
    const { range, ifRange } = wanted;
    const isSame = ifRange === null ||
      ifRange === strongValidator(stored.fields, stored.responseWallMs);
    return isSame && stored.body.satisfies(range);
  }

  /** The stored response a failed fetch may fall back on, if any; the caller asks `mayStandIn`. */
  peek(request: CacheRequest): StoredResponse | undefined {
    return this.tiers.find(request);
  }

  /**
   * Takes the head of a response to a GET; settles the flight. Returns what was stored, whose body the driver then
   * fills and reports with {@linkcode HttpCache.completed} or {@linkcode HttpCache.dropped}, or why nothing was.
   *
   * @param options `bodyBytes` from `Content-Length`, undefined when unknown.
   */
  store(
    request: CacheRequest,
    head: ReceivedHead,
    options: {
      readonly bodyBytes: number | undefined;
      readonly flight: Flight | undefined;
    },
  ): { readonly stored: FillingResponse | undefined; readonly reason: string } {
    const { bodyBytes } = options;
    const refusal = this.#refusal(request, head, bodyBytes);
    // Parts go another way: HttpCache.storePart.
    const reason = head.status === 206 ? "status" : refusal;
    const stored = reason === undefined
      ? toStore(request, head, new GrowingBody(bodyBytes))
      : undefined;
    const isKept = stored !== undefined && isUseful(stored) &&
      this.tiers.keep(stored);
    if (!isKept) {
      this.#flights.notKept(options.flight, { request, head, reason });
      if (stored === undefined || isUseful(stored)) {
        return { stored: undefined, reason: reason ?? "busy" };
      }
      this.#replacedBy(request, head, "no-freshness");
      return { stored: undefined, reason: "no-freshness" };
    }
    this.#flights.markShared(request);
    this.settle(options.flight, { kind: "look-again", stored });
    return { stored, reason: "ok" };
  }

  /**
   * Takes the head of a 206 to a GET. Returns the part, whose body the driver then fills and reports with
   * {@linkcode HttpCache.completedPart} or {@linkcode HttpCache.droppedPart}; undefined when it may not be stored, or
   * is no single part of known place.
   */
  storePart(
    request: CacheRequest,
    head: ReceivedHead,
    bodyBytes: number | undefined,
  ): FillingPart | undefined {
    const place = parseContentRange(head.fields.get("content-range"));
    if (head.status !== 206 || place === null) return undefined;
    if (this.#refusal(request, head, bodyBytes) !== undefined) return undefined;
    const body = new GrowingBody(bodyBytes);
    this.tiers.begin(body);
    return { request, head, ...place, body };
  }

  /** The body of `part` is complete: what is stored now is made of it and of what was stored of the same representation (RFC 9111 §3.4). */
  completedPart(part: FillingPart): void {
    const { request, head, range, sizeBytes, body } = part;
    this.tiers.end(body);
    const before = this.peek(request);
    const isSame = before !== undefined && isSameRepresentation(before, head) &&
      before.body.lengthBytes === sizeBytes;
    // A whole copy of the same is better.
    if (isSame && !isPartial(before)) return;
    const parts = isSame && isPartial(before)
      ? before.body
      : new SparseBody(sizeBytes);
    const { firstByte } = range;
    const whole = parts.with(
      { firstByte, bytes: body.bytes },
      this.tiers.maxObjectBytes,
    );
    const stored = toStore(
      request,
      asWhole(head),
      whole.isComplete && sizeBytes <= this.tiers.maxObjectBytes
        ? GrowingBody.of(whole.joined())
        : whole,
    );
    const isWanted = !this.tiers.wasForgotten(stored, request.begun);
    if (isWanted && isUseful(stored)) this.tiers.keep(stored);
  }

  /** The body of a part will never be complete. */
  droppedPart(part: FillingPart): void {
    this.tiers.end(part.body);
  }

  /**
   * Takes the head of a 206 that was asked for to complete `parts`. Returns what is stored now, its body begun with what
   * was there, to be filled as with {@linkcode HttpCache.store}; undefined when the two do not belong together.
   */
  complete(
    request: CacheRequest,
    head: ReceivedHead,
    options: {
      readonly parts: PartialResponse;
      readonly flight: Flight | undefined;
    },
  ): FillingResponse | undefined {
    const { parts, flight } = options;
    const { prefixBytes, lengthBytes } = parts.body;
    const fits = isRestOf(parts, head, prefixBytes) &&
      this.#refusal(request, head, lengthBytes) === undefined;
    if (!fits) return undefined;
    const body = new GrowingBody(lengthBytes);
    body.append(parts.body.prefix());
    const stored = toStore(request, asWhole(head), body);
    if (!this.tiers.keep(stored)) return undefined;
    this.settle(flight, { kind: "look-again", stored });
    return stored;
  }

  /** Why a response may not be stored, undefined when it may. */
  #refusal(
    request: CacheRequest,
    head: ReceivedHead,
    bodyBytes: number | undefined,
  ): string | undefined {
    const { store, reason } = storabilityOf(request, head);
    if (!store) {
      this.#replacedBy(request, head, reason);
      return reason;
    }
    const { key, begun } = request;
    if (this.tiers.wasForgotten({ key, fields: head.fields }, begun)) {
      return "forgotten";
    }
    // Each client goes at its own pace then, and nothing is kept: who asks for many large things does not fill the memory.
    const room = this.tiers.roomFor(bodyBytes ?? 0);
    return room === "ok" ? undefined : room;
  }

  /**
   * Forgets what an answer replaces that may not be kept: the newest counts, and what was before must not come back. An
   * error speaks of a moment, or of who asked, unless it is that there is nothing any more.
   */
  #replacedBy(request: CacheRequest, head: ReceivedHead, reason: string) {
    const { status } = head;
    const isOfResource = status < 400 || status === 404 || status === 410;
    const replaces = reason === "no-store" || reason === "private" ||
      isOfResource && (reason === "no-freshness" || reason === "vary-any");
    if (replaces) this.tiers.forget(request);
  }

  /**
   * Takes a 304 to the revalidation of `stored`: refreshes its fields and times, settles the flight, returns what the client
   * gets now, and whether that is what others will (RFC 9111 §4.3.4).
   */
  refresh(
    stored: StoredResponse,
    head: ReceivedHead,
    options: {
      readonly request: CacheRequest;
      readonly flight: Flight | undefined;
    },
  ): { readonly fresh: StoredResponse; readonly isKept: boolean } {
    const { request, flight } = options;
    const fresh = refreshed(stored, request, head);
    if (this.tiers.wasForgotten(fresh, request.begun)) {
      this.settle(flight, ASK_ANEW);
      return { fresh, isKept: false };
    }
    const { store, reason } = storabilityOf(request, fresh);
    if (!store) {
      this.#replacedBy(request, head, reason);
      this.#flights.notKept(flight, { request, head, reason });
      return { fresh, isKept: false };
    }
    // Whoever asked may select another variant than the one that was refreshed, by its language.
    if (fresh.variant !== stored.variant) this.tiers.remove(stored);
    this.tiers.keep(fresh);
    const shared = fresh.lifetimeMs > fresh.initialAgeMs &&
      !fresh.directives.bare("no-cache");
    if (!shared) this.#flights.markUnshared(request, head);
    this.settle(
      flight,
      shared ? { kind: "look-again", stored: fresh } : { kind: "unshared" },
    );
    return { fresh, isKept: true };
  }

  /** Settles a flight, whose joiners wake up; a second time, or undefined, does nothing. */
  settle(flight: Flight | undefined, outcome: FlightOutcome): void {
    this.#flights.settle(flight, outcome);
  }
}

function isPartial(stored: StoredResponse): stored is PartialResponse {
  return stored.body instanceof SparseBody;
}
