import type { StoredResponse } from "./stored_response.ts";

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

  /** Remembers that answers for `key` cannot be shared. */
  markUnshared(key: string, nowMs: number): void {
    this.#unshared.delete(key);
    this.#unshared.set(key, nowMs + UNSHARED_MS);
    const oldest = this.#unshared.keys().next();
    if (this.#unshared.size > MAX_UNSHARED && !oldest.done) {
      this.#unshared.delete(oldest.value);
    }
  }

  /** Forgets what {@linkcode Flights.markUnshared} said. */
  markShared(key: string): void {
    this.#unshared.delete(key);
  }

  /** Whether a request for `key` should not make others wait for it. */
  isUnshared(key: string, nowMs: number): boolean {
    return (this.#unshared.get(key) ?? -Infinity) > nowMs;
  }
}
