import type {
  CacheRequest,
  ReceivedHead,
  StoredResponse,
} from "./stored_response.ts";

/** How long requests for a URL whose answers cannot be shared do not wait for each other. */
const UNSHARED_MS = 10_000;
/** How many such URLs are remembered. */
const MAX_UNSHARED = 10_000;

/** A fetch under way that others may wait for. */
export interface Flight {
  /** What it fetches: resource and variant. */
  readonly id: string;
  /** Resolves when the head of the answer is there, or there will be none. */
  readonly settled: Promise<FlightOutcome>;
}

/** How an origin failed us. */
export interface OriginFailure {
  readonly kind: "status" | "unreachable";
  /** What to answer with if nothing stored may stand in: the origin's status, or 502 or 504. */
  readonly status: number;
  readonly message: string;
}

/** How a flight ended. */
export type FlightOutcome =
  /**
   * The answer was stored or the stored one refreshed: look again, for `stored` where it has left already. Undefined where it
   * was to be forgotten meanwhile: then one of those who waited asks anew.
   */
  | { readonly kind: "look-again"; readonly stored: StoredResponse | undefined }
  /** What the disk had is at hand, or turned out not to be: look again, for `stored` where the memory had no room. */
  | { readonly kind: "loaded"; readonly stored: StoredResponse | undefined }
  /** The answer is not for others: each fetches for itself. */
  | { readonly kind: "unshared" }
  /** The fetch failed: `unreachable` when no origin answered, `status` when one answered 500, 502, 503 or 504. */
  | { readonly kind: "failed"; readonly failure: OriginFailure };

/** One of those who waited fetches, and the others wait for that. */
export const ASK_ANEW: FlightOutcome = {
  kind: "look-again",
  stored: undefined,
};

/** Why an answer is not kept that says nothing of the answers others get. */
const OF_THE_REQUEST: ReadonlySet<string | undefined> = new Set([
  "forgotten",
  "method",
  "request-no-store",
]);

interface OpenFlight extends Flight {
  settle(outcome: FlightOutcome): void;
}

/** The fetches under way, and the URLs for which waiting has proved useless lately. */
export class Flights {
  readonly #open = new Map<string, OpenFlight>();
  readonly #unshared = new Map<string, number>();

  /** The flight with this id, if it is under way. */
  get(id: string): Flight | undefined {
    return this.#open.get(id);
  }

  /** Starts a flight; its owner must settle it. */
  open(id: string): Flight {
    let settle: (outcome: FlightOutcome) => void = () => {};
    const settled = new Promise<FlightOutcome>((resolve) => settle = resolve);
    const flight: OpenFlight = { id, settled, settle };
    this.#open.set(id, flight);
    return flight;
  }

  /** Ends a flight, whose joiners wake up; a second time, or undefined, does nothing. */
  settle(flight: Flight | undefined, outcome: FlightOutcome): void {
    if (flight === undefined) return;
    if (this.#open.get(flight.id) === flight) this.#open.delete(flight.id);
    (flight as OpenFlight).settle(outcome);
  }

  /**
   * What `flight`, if there was one, brought is not kept: those who wait go for themselves, and nobody waits for such an
   * answer again for a while, unless that was for a reason that says nothing of theirs.
   */
  notKept(
    flight: Flight | undefined,
    { request, head, reason }: {
      readonly request: CacheRequest;
      readonly head: ReceivedHead;
      readonly reason: string | undefined;
    },
  ): void {
    if (!OF_THE_REQUEST.has(reason)) this.markUnshared(request, head);
    const isForOne = reason !== "forgotten" && !isNamed(request);
    this.settle(flight, isForOne ? { kind: "unshared" } : ASK_ANEW);
  }

  /**
   * Remembers that the answer to `request` is not for others. An error says nothing of what comes when it is over, such
   * as a live segment that was asked for too early; but who asks by name is not to wait for others who do.
   */
  markUnshared(
    request: CacheRequest,
    head: Pick<ReceivedHead, "status" | "responseAtMs">,
  ): void {
    if (head.status >= 400 && !isNamed(request)) return;
    const key = sharers(request);
    this.#unshared.delete(key);
    this.#unshared.set(key, head.responseAtMs + UNSHARED_MS);
    const oldest = this.#unshared.keys().next();
    if (this.#unshared.size > MAX_UNSHARED && !oldest.done) {
      this.#unshared.delete(oldest.value);
    }
  }

  /** Forgets what {@linkcode Flights.markUnshared} said. */
  markShared(request: CacheRequest): void {
    this.#unshared.delete(sharers(request));
  }

  /** Whether a request like this one should not make others wait for it, nor wait itself. */
  isUnshared(request: CacheRequest, nowMs: number): boolean {
    return (this.#unshared.get(sharers(request)) ?? -Infinity) > nowMs;
  }
}

/**
 * Whether a request says who asks: that its answer is not for others does not mean that those of requests without a name
 * are not (RFC 9111 §3.5).
 */
function isNamed({ fields }: CacheRequest): boolean {
  return fields.get("authorization") !== null;
}

/** Those whose answers are, or are not, for each other. */
function sharers(request: CacheRequest): string {
  return isNamed(request) ? `${request.key}\nauthorization` : request.key;
}
