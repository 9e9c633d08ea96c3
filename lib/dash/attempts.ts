import type { Rng } from "../core/rng.ts";
import type { Locations } from "./locations.ts";

/** Why a request came to nothing. */
export interface Failure {
  /** The HTTP status; undefined when there was no answer, or half of one. */
  readonly status: number | undefined;
  /** What the server asked to wait (Retry-After), in ms. */
  readonly retryAfterMs?: number | undefined;
}

/** What to do next to get a resource. */
export type NextAttempt =
  | {
    readonly kind: "fetch";
    readonly url: string;
    /** When, on the clock of the caller. */
    readonly atMs: number;
    readonly step: "again" | "next-url";
  }
  | {
    readonly kind: "give-up";
    /** The servers say that there is no such thing: no failure of theirs. */
    readonly absent: boolean;
    /** They answer, and what they answer is not what was asked for: asking again later will not help either. */
    readonly hopeless: boolean;
  };

/** Rounds for a resource that no server knows: a second one, as a CDN node may just be filling. */
const ROUNDS_ABSENT = 2;
/** Rounds for a resource of which at least one place failed. */
const ROUNDS_FAILED = 3;
/** Wait before the second round, doubled before each further one; half of it is drawn. */
const BACK_OFF_MS = 500;
/** Longest wait a server is granted with Retry-After; one that wants more is not waited for. */
export const MAX_RETRY_AFTER_MS = 10_000;

/**
 * The requests for one resource that is to be had at several places: each place once, those that failed lately last;
 * then, after a pause, once more round.
 *
 * Pauses grow by two and are half drawn by lot, so that players that failed together do not come back together
 * ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015: equal jitter). What a status means: 4xx but 408 and
 * 429 is absent here; all else, and no answer, is a failure of the place, which goes to `Locations`.
 */
export class Attempts {
  readonly #urls: readonly string[];
  readonly #locations: Locations;
  readonly #random: Rng;
  readonly #rounds: number;
  readonly #absentRounds: number;
  #left: string[] = [];
  #round = 0;
  #failed = false;
  #hope = false;
  #retryAfterMs = 0;

  /**
   * Prepares requests for what is at all of `urls`, at least one.
   *
   * @param options.rounds At most so many; 1 is each place once.
   * @param options.absentRounds So many when all say that there is no such thing; 2 unless said otherwise.
   */
  constructor(urls: readonly string[], options: {
    readonly locations: Locations;
    readonly random: Rng;
    readonly rounds?: number | undefined;
    readonly absentRounds?: number | undefined;
  }) {
    this.#urls = urls;
    this.#locations = options.locations;
    this.#random = options.random;
    this.#rounds = options.rounds ?? ROUNDS_FAILED;
    this.#absentRounds = options.absentRounds ?? ROUNDS_ABSENT;
  }

  /** The first URL to ask. */
  first(nowMs: number): string {
    this.#left = [...this.#locations.order(this.#urls, nowMs)];
    return this.#left.shift()!;
  }

  /** What to do now that the last request failed. */
  next({ status, retryAfterMs }: Failure, nowMs: number): NextAttempt {
    this.#failed ||= !isAbsent(status);
    this.#hope ||= mayPass(status);
    this.#retryAfterMs = Math.max(this.#retryAfterMs, retryAfterMs ?? 0);
    const other = this.#left.shift();
    if (other !== undefined) {
      return { kind: "fetch", url: other, atMs: nowMs, step: "next-url" };
    }
    this.#round += 1;
    const rounds = Math.min(
      this.#rounds,
      this.#failed ? ROUNDS_FAILED : this.#absentRounds,
    );
    if (this.#round >= rounds || this.#retryAfterMs > MAX_RETRY_AFTER_MS) {
      const absent = !this.#failed;
      return { kind: "give-up", absent, hopeless: !this.#hope };
    }
    const pauseMs = BACK_OFF_MS * 2 ** (this.#round - 1) *
      (1 + this.#random()) / 2;
    const atMs = nowMs + Math.max(pauseMs, this.#retryAfterMs);
    this.#retryAfterMs = 0;
    return { kind: "fetch", url: this.first(nowMs), atMs, step: "again" };
  }
}

/** Whether a status says that the resource is not there, rather than that the server cannot help. */
export function isAbsent(status: number | undefined): boolean {
  return status !== undefined && status >= 400 && status < 500 &&
    status !== 408 && status !== 429;
}

/** Whether what a status says may be over soon: the server is busy or broken, or did not answer. */
function mayPass(status: number | undefined): boolean {
  return status === undefined || status >= 500 || status === 408 ||
    status === 429;
}

/** Reads a Retry-After field (RFC 9110 §10.2.3) of `nowWallMs`: seconds or a date; undefined when it is neither. */
export function readRetryAfter(
  text: string | null,
  nowWallMs: number,
): number | undefined {
  const trimmed = text?.trim() ?? "";
  if (/^\d{1,9}$/.test(trimmed)) return Number(trimmed) * 1000;
  if (!/^[A-Za-z]{3,9},? /.test(trimmed)) return undefined;
  const at = Date.parse(trimmed);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowWallMs);
}
