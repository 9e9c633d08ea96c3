/**
 * Whether an origin should be asked: a circuit breaker, and the verdict of health checks.
 *
 * Closed, requests go through. After {@linkcode FAILURES} failures in a row, and a second without an answer, the circuit
 * opens: for a while nobody waits for an origin that does not answer, and the origin is left in peace to recover. Then one request is let through on
 * trial; an answer closes the circuit, another failure doubles the pause. Health checks, where they are asked for, do
 * the trying instead of a client's request: two that fail open the circuit, two that succeed close it.
 */

/** So many requests that fail in a row open the circuit. */
const FAILURES = 3;
/** An origin that has answered so lately is there: of many requests at once, a few that fail may come in a row. */
const ANSWERED_MS = 1000;
/** So many checks in a row change the verdict. */
const CHECKS = 2;
/** The first pause, and the longest. */
const PAUSE_MS = 1000;
const MAX_PAUSE_MS = 10_000;
/** How long an origin that failed once is asked only after the others. */
const AVOID_MS = 5000;

/** What changed. */
export type HealthChange =
  | {
    readonly kind: "suspended";
    /** How long nobody asks; `Infinity` until a health check succeeds. */
    readonly pauseMs: number;
  }
  | { readonly kind: "restored"; readonly suspendedMs: number };

/** See the head of this file. */
export class OriginHealth {
  readonly #hasChecks: boolean;
  #failures = 0;
  #failedAtMs = -Infinity;
  #answeredAtMs = -Infinity;
  #suspendedAtMs: number | undefined;
  #pauseMs = PAUSE_MS;
  #retryAtMs = 0;
  #onTrial = false;
  /** Checks in a row that spoke against the present state. */
  #against = 0;

  /** Creates the health of an origin about which nothing is known: it is asked. */
  constructor(options: { readonly hasChecks: boolean }) {
    this.#hasChecks = options.hasChecks;
  }

  /** Whether the circuit is open. */
  get isSuspended(): boolean {
    return this.#suspendedAtMs !== undefined;
  }

  /** Whether it failed so lately that others come first. */
  isDoubtful(nowMs: number): boolean {
    return this.isSuspended || nowMs - this.#failedAtMs <= AVOID_MS;
  }

  /** Whether a request may go there now; one that does must end with `succeeded`, `failed` or `abandoned`. */
  mayAsk(nowMs: number): boolean {
    if (!this.isSuspended) return true;
    if (this.#hasChecks || this.#onTrial || nowMs < this.#retryAtMs) {
      return false;
    }
    this.#onTrial = true;
    return true;
  }

  /** It answered. */
  succeeded(nowMs: number): HealthChange | undefined {
    this.#failures = 0;
    this.#answeredAtMs = nowMs;
    return this.isSuspended && !this.#hasChecks
      ? this.#restore(nowMs)
      : undefined;
  }

  /** It could not be reached, did not answer in time, or what it said was no HTTP. */
  failed(nowMs: number): HealthChange | undefined {
    this.#failures += 1;
    this.#failedAtMs = nowMs;
    if (this.isSuspended) {
      // Of many requests at once the others fail a moment later: that is the same failure.
      if (!this.#onTrial) return undefined;
      this.#onTrial = false;
      this.#pauseMs = Math.min(MAX_PAUSE_MS, 2 * this.#pauseMs);
      this.#retryAtMs = nowMs + this.#pauseMs;
      return undefined;
    }
    const isSilent = nowMs - this.#answeredAtMs >= ANSWERED_MS;
    return isSilent && this.#failures >= FAILURES
      ? this.#suspend(nowMs)
      : undefined;
  }

  /** It answered that it cannot answer (502, 503, 504): others may do better, but it is there. */
  declined(nowMs: number): HealthChange | undefined {
    const change = this.succeeded(nowMs);
    this.#failedAtMs = nowMs;
    return change;
  }

  /** Nobody waited for the answer: that says nothing. */
  abandoned(): void {
    this.#onTrial = false;
  }

  /** Takes the outcome of a health check. */
  checked(isHealthy: boolean, nowMs: number): HealthChange | undefined {
    const agrees = isHealthy !== this.isSuspended;
    this.#against = agrees ? 0 : this.#against + 1;
    if (this.#against < CHECKS) return undefined;
    return isHealthy ? this.#restore(nowMs) : this.#suspend(nowMs);
  }

  #suspend(nowMs: number): HealthChange {
    this.#suspendedAtMs = nowMs;
    this.#against = 0;
    this.#pauseMs = PAUSE_MS;
    this.#retryAtMs = nowMs + PAUSE_MS;
    const pauseMs = this.#hasChecks ? Infinity : PAUSE_MS;
    return { kind: "suspended", pauseMs };
  }

  #restore(nowMs: number): HealthChange {
    const suspendedMs = nowMs - this.#suspendedAtMs!;
    this.#suspendedAtMs = undefined;
    this.#failures = 0;
    this.#failedAtMs = -Infinity;
    this.#onTrial = false;
    this.#against = 0;
    return { kind: "restored", suspendedMs };
  }
}
