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
import { Directives, requestDirectives } from "./cache_control.ts";
import type { ForwardReason } from "./cache_status.ts";
import { type Flight, type FlightOutcome, Flights } from "./flights.ts";
import { GrowingBody } from "./growing_body.ts";
import { type Reuse, reuse } from "./reuse.ts";
import { Shelf } from "./shelf.ts";
import { mayStore } from "./storability.ts";
import {
  type CacheRequest,
  conditionsFor,
  isUseful,
  type ReceivedHead,
  refreshed,
  type StoredResponse,
  toStore,
} from "./stored_response.ts";
import { varyNames } from "./vary.ts";

/** What to do with a request. */
export type Lookup =
  /** Answer from `stored`; when `flight` is there, also ask the origin anew and report (`stale-while-revalidate`). */
  | {
    readonly kind: "hit";
    readonly stored: StoredResponse;
    readonly reuse: Reuse;
    readonly flight: Flight | undefined;
  }
  /** Ask the origin whether `stored` is still good, with `conditions` added to the request. */
  | {
    readonly kind: "revalidate";
    readonly stored: StoredResponse;
    readonly conditions: readonly (readonly [string, string])[];
    readonly reason: ForwardReason;
    readonly flight: Flight | undefined;
  }
  /** Fetch. */
  | {
    readonly kind: "fetch";
    readonly reason: ForwardReason;
    readonly flight: Flight | undefined;
  }
  /** Wait for the flight to settle, then look again. */
  | { readonly kind: "join"; readonly flight: Flight }
  /** `only-if-cached`, and it is not: answer 504. */
  | { readonly kind: "not-cached" };

/** See the head of this file. */
export class HttpCache {
  readonly #shelf: Shelf;
  readonly #flights = new Flights();
  readonly #capacityBytes: number;
  /** Bodies that grow. They are in memory even when the shelf has no place for them any more. */
  readonly #filling = new Set<GrowingBody>();

  /** Largest body that is kept. */
  readonly maxObjectBytes: number;

  /** Creates an empty cache; an object may take half of `capacityBytes`. */
  constructor(options: { readonly capacityBytes: number }) {
    this.maxObjectBytes = Math.floor(options.capacityBytes / 2);
    this.#capacityBytes = options.capacityBytes;
    this.#shelf = new Shelf(options);
  }

  /** How full it is. */
  stats(): { objects: number; usedBytes: number; evictions: number } {
    return this.#shelf.stats();
  }

  /**
   * Decides what to do with a GET or HEAD.
   *
   * @param options `mayJoin` false after a flight turned out `unshared`.
   */
  lookup(
    request: CacheRequest,
    options: { readonly nowMs: number; readonly mayJoin: boolean },
  ): Lookup {
    const directives = requestDirectives(request.fields);
    const stored = this.#shelf.find(request);
    if (stored === undefined) return this.#miss(request, directives, options);
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
          asked: decision.reason.startsWith("request"),
        });
    }
  }

  #miss(
    request: CacheRequest,
    directives: Directives,
    options: { readonly nowMs: number; readonly mayJoin: boolean },
  ): Lookup {
    if (directives.has("only-if-cached")) return { kind: "not-cached" };
    // Such a client wants an answer made for it, which then is nobody else's.
    const alone = directives.has("no-store") || directives.has("no-cache");
    const flight = alone ? undefined : this.#board(request, options);
    if (flight?.joined) return { kind: "join", flight: flight.flight };
    const reason = this.#shelf.has(request.key) ? "vary-miss" : "uri-miss";
    return { kind: "fetch", reason, flight: flight?.flight };
  }

  #revalidation(request: CacheRequest, stored: StoredResponse, options: {
    readonly asked: boolean;
    readonly nowMs: number;
    readonly mayJoin: boolean;
  }): Lookup {
    // A client that demands a check gets one of its own: what is under way may have begun before it asked.
    const flight = options.asked ? undefined : this.#board(request, options);
    if (flight?.joined) return { kind: "join", flight: flight.flight };
    const reason = options.asked ? "request" : "stale";
    const conditions =
      stored.body.state === "complete" && request.method === "GET"
        ? conditionsFor(stored)
        : [];
    return conditions.length === 0
      ? { kind: "fetch", reason, flight: flight?.flight }
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
    options: { readonly nowMs: number; readonly mayJoin: boolean },
  ): { readonly joined: boolean; readonly flight: Flight } | undefined {
    if (
      !options.mayJoin || this.#flights.isUnshared(request.key, options.nowMs)
    ) return undefined;
    const id = this.#flightId(request);
    const under = this.#flights.get(id);
    if (under !== undefined) return { joined: true, flight: under };
    if (request.method !== "GET") return undefined;
    return { joined: false, flight: this.#flights.open(id) };
  }

  #flightId(request: CacheRequest): string {
    return `${request.key}\n${this.#shelf.variantOf(request)}`;
  }

  /** The stored response a failed fetch may fall back on, if any; the caller asks `mayStandIn`. */
  peek(request: CacheRequest): StoredResponse | undefined {
    return this.#shelf.find(request);
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
  ): { readonly stored: StoredResponse | undefined; readonly reason: string } {
    const { store, reason } = mayStore({
      method: request.method,
      requestFields: request.fields,
      requestDirectives: requestDirectives(request.fields),
      status: head.status,
      fields: head.fields,
      directives: new Directives(head.fields.get("cache-control")),
    });
    const refuse = (why: string) => {
      this.#flights.markUnshared(request.key, head.responseAtMs);
      this.settle(options.flight, { kind: "unshared" });
      return { stored: undefined, reason: why };
    };
    if (!store) {
      // The newest answer counts: what it replaces must not come back.
      if (reason === "no-store" || reason === "private") {
        this.#drop(this.peek(request));
      }
      return refuse(reason);
    }
    if ((options.bodyBytes ?? 0) > this.maxObjectBytes) {
      return refuse("too-large");
    }
    // Each client goes at its own pace then, and nothing is kept: who asks for many large things does not fill the memory.
    if (this.#fillingBytes() + (options.bodyBytes ?? 0) > this.#capacityBytes) {
      return refuse("busy");
    }
    const stored = toStore(request, head, new GrowingBody(options.bodyBytes));
    if (!isUseful(stored)) return refuse("no-freshness");
    this.#filling.add(stored.body);
    this.#shelf.keep(stored);
    this.#flights.markShared(request.key);
    this.settle(options.flight, { kind: "look-again" });
    return { stored, reason };
  }

  /** Takes a 304 to the revalidation of `stored`: refreshes its fields and times, settles the flight, returns what is stored now (RFC 9111 §4.3.4). */
  refresh(
    stored: StoredResponse,
    head: ReceivedHead,
    options: {
      readonly request: CacheRequest;
      readonly flight: Flight | undefined;
    },
  ): StoredResponse {
    const fresh = refreshed(stored, options.request, head);
    this.#shelf.remove(stored);
    const keeps = !fresh.directives.has("no-store") &&
      varyNames(fresh.fields.get("vary")) !== null;
    if (keeps) this.#shelf.keep(fresh);
    const shared = keeps && fresh.lifetimeMs > fresh.initialAgeMs &&
      !fresh.directives.bare("no-cache");
    if (!shared) {
      this.#flights.markUnshared(stored.key, head.responseAtMs);
    }
    this.settle(options.flight, { kind: shared ? "look-again" : "unshared" });
    return fresh;
  }

  /** Whether the growing body of `stored`, whose length nobody knew, may still be kept. */
  mayGrow({ body }: StoredResponse): boolean {
    return body.filledBytes <= this.maxObjectBytes &&
      this.#fillingBytes() <= this.#capacityBytes;
  }

  /** The body of `stored` is complete: from now on it counts in the budget with its real size. */
  completed(stored: StoredResponse): void {
    this.#filling.delete(stored.body);
    this.#shelf.resize(stored);
  }

  /** The body of `stored` will never be complete, or is too large to keep: later lookups do not find it. */
  dropped(stored: StoredResponse): void {
    this.#filling.delete(stored.body);
    this.#shelf.remove(stored);
  }

  /** Settles a flight, whose joiners wake up; a second time, or undefined, does nothing. */
  settle(flight: Flight | undefined, outcome: FlightOutcome): void {
    this.#flights.settle(flight, outcome);
  }

  /** Forgets all variants of a resource (RFC 9111 §4.4). Returns how many there were. */
  invalidate(key: string): number {
    return this.#shelf.removeAll(key);
  }

  /** Forgets every response that `matches`. Returns how many there were. */
  purge(matches: (stored: StoredResponse) => boolean): number {
    return this.#shelf.removeWhere(matches);
  }

  #fillingBytes(): number {
    let sum = 0;
    for (const body of this.#filling) {
      sum += body.lengthBytes ?? body.filledBytes;
    }
    return sum;
  }

  #drop(stored: StoredResponse | undefined): void {
    if (stored !== undefined) this.#shelf.remove(stored);
  }
}
