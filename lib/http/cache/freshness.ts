/**
 * How long a stored response may be used without asking, and how old it is (RFC 9111 §4.2).
 *
 * Two clocks are at work. `Date`, `Expires` and `Last-Modified` are wall time of the origin and are compared with our
 * wall clock once, when the response arrives. From then on only our monotonic clock counts, so that a clock set back
 * by an hour makes nothing fresh again.
 */
import type { FieldSource } from "../fields.ts";
import { parseHttpDate } from "../http_date.ts";
import type { Directives } from "./cache_control.ts";

/** Heuristic freshness: this share of the time since Last-Modified (RFC 9111 §4.2.2 names 10 %) … */
const HEURISTIC_SHARE = 0.1;
/** … but at most a day: longer guesses have annoyed people since 1997. */
const HEURISTIC_MAX_MS = 86_400_000;

/** 2^31 s: what a longer time is taken for (RFC 9111 §1.2.2). */
const MAX_AGE_SECONDS = 2 ** 31;

/** Statuses a cache may guess a lifetime for (RFC 9110 §15.1). */
const HEURISTIC_STATUSES: ReadonlySet<number> = new Set([
  200,
  203,
  204,
  206,
  300,
  301,
  308,
  404,
  405,
  410,
  414,
  501,
]);

/** Whether a response of this status may be stored without any explicit freshness (RFC 9110 §15.1). */
export function isHeuristicallyCacheable(status: number): boolean {
  return HEURISTIC_STATUSES.has(status);
}

/** What {@linkcode freshnessLifetime} found, and where. */
export interface Lifetime {
  readonly lifetimeMs: number;
  readonly source: "s-maxage" | "max-age" | "expires" | "heuristic" | "none";
}

/**
 * The freshness lifetime for a shared cache: the first of `s-maxage`, `max-age`, `Expires` minus `Date`, a heuristic
 * (RFC 9111 §4.2.1).
 *
 * @param response Its status, fields and directives, and our wall clock when it arrived.
 */
export function freshnessLifetime(response: {
  readonly status: number;
  readonly fields: FieldSource;
  readonly directives: Directives;
  readonly responseWallMs: number;
}): Lifetime {
  const { fields, directives, responseWallMs } = response;
  const shared = directives.seconds("s-maxage");
  if (shared !== undefined) {
    return { lifetimeMs: shared * 1000, source: "s-maxage" };
  }
  const maxAge = directives.seconds("max-age");
  if (maxAge !== undefined) {
    return { lifetimeMs: maxAge * 1000, source: "max-age" };
  }
  const dateMs = dateOf(fields, responseWallMs);
  const expires = directives.isTargeted ? null : fields.get("expires");
  if (expires !== null) {
    // RFC 9111 §5.3: an invalid date, "0" above all, is a time in the past.
    const atMs = parseHttpDate(expires, responseWallMs) ?? dateMs;
    return { lifetimeMs: Math.max(0, atMs - dateMs), source: "expires" };
  }
  const modified = fields.get("last-modified");
  const modifiedMs = modified === null
    ? undefined
    : parseHttpDate(modified, responseWallMs);
  const mayGuess = isHeuristicallyCacheable(response.status) ||
    directives.has("public");
  if (modifiedMs === undefined || !mayGuess || modifiedMs >= dateMs) {
    return { lifetimeMs: 0, source: "none" };
  }
  return {
    lifetimeMs: Math.min(
      HEURISTIC_MAX_MS,
      (dateMs - modifiedMs) * HEURISTIC_SHARE,
    ),
    source: "heuristic",
  };
}

/** When the response says it was made; when it arrived, if it does not say or cannot be read (RFC 9110 §6.6.1). */
export function dateOf(fields: FieldSource, responseWallMs: number): number {
  const date = fields.get("date");
  return (date === null ? undefined : parseHttpDate(date, responseWallMs)) ??
    responseWallMs;
}

/**
 * The age a response has on arrival: `corrected_initial_age` of RFC 9111 §4.2.3.
 *
 * @returns Milliseconds.
 */
export function initialAgeMs(response: {
  readonly fields: FieldSource;
  /** The `Age` field. */
  readonly age: string | null;
  readonly requestAtMs: number;
  readonly responseAtMs: number;
  readonly responseWallMs: number;
}): number {
  const apparentMs = Math.max(
    0,
    response.responseWallMs -
      dateOf(response.fields, response.responseWallMs),
  );
  const delayMs = response.responseAtMs - response.requestAtMs;
  const correctedMs = ageSeconds(response.age) * 1000 + delayMs;
  // Dates have whole seconds, so an origin whose clock agrees with ours still looks up to a second old.
  return Math.max(apparentMs < 1000 ? 0 : apparentMs, correctedMs);
}

/**
 * What `Age` says: the first member where there are several; what is no number is ignored (RFC 9111 §5.1).
 * Parameters behind a number, which the field does not have, do not make it less of one: older is the safe side.
 */
function ageSeconds(age: string | null): number {
  const first = /^[ \t]*([0-9]+)[ \t]*(?:[,;]|$)/.exec(age ?? "");
  return first === null ? 0 : Math.min(Number(first[1]), MAX_AGE_SECONDS);
}
