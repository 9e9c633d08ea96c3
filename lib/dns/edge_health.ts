/**
 * Whether an edge is in service, by checks.
 *
 * An edge that is up is checked every interval. After a check that fails it is checked again sooner, `fall` times within
 * one interval, so that it is out two intervals after the last check it passed at the latest: one to notice, one to be
 * sure. An edge that is down is checked every interval and is back after `rise` checks in a row that it passed. One that
 * fails its very first check is out at once: nothing speaks for it.
 */
import type { Machine } from "../core/machine.ts";

/** How edges are checked. */
export interface HealthRules {
  /** Time from the start of one check to that of the next. */
  readonly intervalMs: number;
  /** So many checks in a row must fail, at least 1 … */
  readonly fall: number;
  /** … and so many must be passed. */
  readonly rise: number;
}

/** What happens to {@linkcode EdgeHealth}. */
export type HealthInput =
  | { readonly kind: "timeout" }
  | { readonly kind: "passed" }
  | { readonly kind: "missed"; readonly reason: string };

/** What {@linkcode EdgeHealth} wants done or known. */
export type HealthOutput =
  /** Check now, and tell the outcome. */
  | { readonly kind: "check" }
  | {
    readonly kind: "failed";
    readonly misses: number;
    readonly reason: string;
    /** Since the last check that it passed began, or since checking began. */
    readonly silentMs: number;
    /** False if it passed none yet. */
    readonly hasPassed: boolean;
  }
  | {
    readonly kind: "recovered";
    readonly passes: number;
    readonly downMs: number;
  };

/** Longest wait for a check with which an edge is out within two intervals. */
export function longestTimeoutMs({ intervalMs, fall }: HealthRules): number {
  return intervalMs / fall;
}

/** See the head of this file. */
export class EdgeHealth implements Machine<HealthInput, HealthOutput> {
  readonly #rules: HealthRules;
  #isUp = true;
  #isProved = false;
  #misses = 0;
  #passes = 0;
  #checkedAtMs = 0;
  #passedAtMs: number;
  #downAtMs = 0;
  #deadlineMs: number;

  /** Makes the health of an edge that is checked first at `startAtMs`, and taken to be up until then. */
  constructor(rules: HealthRules, startAtMs: number) {
    this.#rules = rules;
    this.#deadlineMs = startAtMs;
    this.#passedAtMs = startAtMs;
  }

  /** When the next check is due; `Infinity` while one is under way. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** See {@linkcode Machine.handle}. */
  handle(input: HealthInput, nowMs: number): HealthOutput[] {
    switch (input.kind) {
      case "timeout":
        if (nowMs < this.#deadlineMs) return [];
        this.#checkedAtMs = nowMs;
        this.#deadlineMs = Infinity;
        return [{ kind: "check" }];
      case "passed":
        return this.#passed(nowMs);
      case "missed":
        return this.#missed(input.reason, nowMs);
    }
  }

  #passed(nowMs: number): HealthOutput[] {
    this.#isProved = true;
    this.#misses = 0;
    this.#passes += 1;
    this.#passedAtMs = this.#checkedAtMs;
    this.#next(this.#rules.intervalMs, nowMs);
    if (this.#isUp || this.#passes < this.#rules.rise) return [];
    this.#isUp = true;
    const downMs = nowMs - this.#downAtMs;
    return [{ kind: "recovered", passes: this.#passes, downMs }];
  }

  #missed(reason: string, nowMs: number): HealthOutput[] {
    const { intervalMs, fall } = this.#rules;
    this.#passes = 0;
    this.#misses += 1;
    const falls = this.#isUp && (this.#misses >= fall || !this.#isProved);
    if (falls) {
      this.#isUp = false;
      this.#downAtMs = nowMs;
    }
    this.#next(this.#isUp ? intervalMs / fall : intervalMs, nowMs);
    if (!falls) return [];
    return [{
      kind: "failed",
      misses: this.#misses,
      reason,
      silentMs: nowMs - this.#passedAtMs,
      hasPassed: this.#isProved,
    }];
  }

  #next(afterMs: number, nowMs: number): void {
    this.#deadlineMs = Math.max(nowMs, this.#checkedAtMs + afterMs);
  }
}
