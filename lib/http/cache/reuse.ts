import type { Directives } from "./cache_control.ts";

/** Without `stale-if-error`, how stale an answer may be while no origin can be reached at all (RFC 9111 §4.2.4 leaves it to us). */
const DISCONNECTED_MAX_STALE_MS = 86_400_000;

/** The part of a stored response that decides whether it may be used. */
export interface StoredTimes {
  /** RFC 9111 §4.2.3 `corrected_initial_age`. */
  readonly initialAgeMs: number;
  /** When it arrived, on the monotonic clock. */
  readonly responseAtMs: number;
  readonly lifetimeMs: number;
  readonly directives: Directives;
}

/** May a stored response be used now, and why. */
export interface Reuse {
  readonly kind:
    /** Use it. */
    | "fresh"
    /** Stale, and the request takes it so (`max-stale`). */
    | "stale"
    /** Use it and ask the origin meanwhile (RFC 5861 §3). */
    | "stale-while-revalidate"
    /** Ask the origin first. */
    | "revalidate";
  /** The rule that decided, such as `fresh`, `expired`, `request-no-cache`. */
  readonly reason: string;
  readonly ageMs: number;
  /** How much longer it is fresh; negative when stale. */
  readonly ttlMs: number;
}

/** Age of a stored response now (RFC 9111 §4.2.3). */
export function currentAgeMs(stored: StoredTimes, nowMs: number): number {
  return stored.initialAgeMs + Math.max(0, nowMs - stored.responseAtMs);
}

/** Decides whether a stored response may satisfy a request (RFC 9111 §4, §5.2.1; RFC 5861 §3). Pure. */
export function reuse(
  stored: StoredTimes,
  request: Directives,
  nowMs: number,
): Reuse {
  const ageMs = currentAgeMs(stored, nowMs);
  const ttlMs = stored.lifetimeMs - ageMs;
  const decide = (kind: Reuse["kind"], reason: string): Reuse => ({
    kind,
    reason,
    ageMs,
    ttlMs,
  });
  if (request.has("no-cache")) return decide("revalidate", "request-no-cache");
  if (stored.directives.bare("no-cache")) {
    return decide("revalidate", "no-cache");
  }
  const maxAge = request.seconds("max-age");
  if (maxAge !== undefined && ageMs > maxAge * 1000) {
    return decide("revalidate", "request-max-age");
  }
  const minFresh = request.seconds("min-fresh");
  if (minFresh !== undefined && ttlMs < minFresh * 1000) {
    return decide("revalidate", "request-min-fresh");
  }
  if (ttlMs > 0) return decide("fresh", "fresh");
  if (forbidsStale(stored.directives)) {
    return decide("revalidate", "must-revalidate");
  }
  if (
    request.bare("max-stale") ||
    -ttlMs < (request.seconds("max-stale") ?? 0) * 1000
  ) {
    return decide("stale", "max-stale");
  }
  const window = stored.directives.seconds("stale-while-revalidate") ?? 0;
  if (-ttlMs < window * 1000) {
    return decide("stale-while-revalidate", "stale-while-revalidate");
  }
  return decide("revalidate", "expired");
}

/** `must-revalidate` and its like: never used stale, whatever happens (RFC 9111 §5.2.2.2, §5.2.2.8, §5.2.2.10). */
function forbidsStale(directives: Directives): boolean {
  return directives.has("must-revalidate") ||
    directives.has("proxy-revalidate") || directives.has("s-maxage");
}

/**
 * Whether a stale response may stand in for an origin that failed (RFC 5861 §4, RFC 9111 §4.2.4).
 *
 * @param failure `status` when the origin answered 500, 502, 503 or 504: only `stale-if-error` allows it then;
 *   `unreachable` when no origin answered at all: then a cache may also do so unasked.
 */
export function mayStandIn(
  stored: StoredTimes,
  request: Directives,
  options: {
    readonly failure: "status" | "unreachable";
    readonly nowMs: number;
  },
): boolean {
  const { directives } = stored;
  if (directives.has("no-cache") || forbidsStale(directives)) return false;
  if (request.has("no-cache") || request.has("max-age")) return false;
  const staleMs = currentAgeMs(stored, options.nowMs) - stored.lifetimeMs;
  const window = request.seconds("stale-if-error") ??
    directives.seconds("stale-if-error");
  if (window !== undefined) return staleMs < window * 1000;
  return options.failure === "unreachable" &&
    staleMs < DISCONNECTED_MAX_STALE_MS;
}
