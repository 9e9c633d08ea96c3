import type { OriginFailure } from "../../../lib/http/cache/flights.ts";
import { isSafe } from "../../../lib/http/cache/storability.ts";
import { pauseUntil } from "../../../lib/io/pause.ts";
import {
  failureOf,
  GATEWAY_ERRORS,
  Origin,
  type OriginContext,
  type OriginOptions,
  type UpstreamRequest,
  type UpstreamResponse,
} from "./origin.ts";

/** No origin answered. */
export class UpstreamError extends Error {
  /** What to tell the clients. */
  readonly failure: OriginFailure;

  /** Creates the error. */
  constructor(failure: OriginFailure) {
    super(failure.message);
    this.name = "UpstreamError";
    this.failure = failure;
  }
}

/** How origins are treated. */
export interface UpstreamOptions extends Omit<OriginOptions, "hasChecks"> {
  /** In order of preference. */
  readonly origins: readonly string[];
  /** Path and query of health checks; without it there are none. */
  readonly checkTarget?: string | undefined;
  readonly checkEveryMs: number;
}

/** The configured origins, in order of preference. Nothing else is ever asked. */
export class Upstream {
  readonly #origins: readonly Origin[];
  readonly #ctx: OriginContext;
  readonly #options: UpstreamOptions;

  /** Takes the origins' URLs. */
  constructor(
    ctx: OriginContext,
    options: UpstreamOptions,
  ) {
    this.#ctx = ctx;
    this.#options = options;
    const hasChecks = options.checkTarget !== undefined;
    this.#origins = options.origins.map((url) =>
      new Origin(url, { ...options, hasChecks }, ctx)
    );
  }

  /** The URL a target has at the origin of first choice: against it `Location` is resolved. */
  urlOf(target: string): string {
    return this.#origins[0]!.base + target;
  }

  /** The target a URL at any of the origins has here; undefined when it is elsewhere. */
  targetOf(url: string): string | undefined {
    const { href } = new URL(url);
    const found = this.#origins.find(({ base }) => href.startsWith(`${base}/`));
    return found === undefined ? undefined : href.slice(found.base.length);
  }

  /**
   * A `Location` found at `target` as our clients are to read it. An origin knows itself by its own name, and by a path that
   * may be longer than ours: whoever went there would go around us.
   */
  locationHere(location: string, target: string): string {
    const from = this.urlOf(target);
    if (!URL.canParse(location, from)) return location;
    const there = this.targetOf(new URL(location, from).href);
    // What begins with two slashes would name another host.
    if (there === undefined || there.startsWith("//")) return location;
    const seen = new URL(location, `http://edge.invalid${target}`);
    return seen.href === `http://edge.invalid${there}` ? location : there;
  }

  /** How each origin does. */
  stats(): readonly ReturnType<Origin["stats"]>[] {
    return this.#origins.map((origin) => origin.stats());
  }

  /**
   * Sends a request; a safe one that fails goes to the next origin (RFC 9110 §9.2.2), an unsafe one only where it was not
   * sent, for want of a connection: else nobody knows how far it got.
   *
   * @throws {UpstreamError} If no origin answered.
   */
  async fetch(request: UpstreamRequest): Promise<UpstreamResponse> {
    const order = this.#inOrder();
    let failure: OriginFailure | undefined;
    for (const [index, origin] of order.entries()) {
      const isLast = index === order.length - 1;
      if (!origin.mayAsk()) continue;
      if (!await origin.admitted(request.signal)) {
        failure ??= failureOf(503);
        continue;
      }
      const asked = await origin.ask(request);
      if ("failure" in asked) {
        failure ??= asked.failure;
        if (asked.mayHaveHeard && !isSafe(request.method)) break;
        continue;
      }
      const retry = GATEWAY_ERRORS.has(asked.status) && !isLast &&
        isSafe(request.method);
      if (!retry) return asked;
      origin.tell(
        `status-${asked.status}`,
        `It answered with status ${asked.status}, the next one is asked`,
      );
      asked.body?.leave();
    }
    throw new UpstreamError(failure ?? failureOf(502));
  }

  /** Asks every origin for its health, again and again, until the signal aborts; returns at once when no checks are wanted. */
  async check(signal: AbortSignal): Promise<void> {
    const { checkTarget, checkEveryMs } = this.#options;
    if (checkTarget === undefined) return;
    const { clock } = this.#ctx;
    while (!signal.aborted) {
      const nextMs = clock.nowMs() + checkEveryMs;
      await Promise.all(
        this.#origins.map((origin) => origin.check(checkTarget, signal)),
      );
      await pauseUntil(nextMs, { clock, signal });
    }
  }

  /** Those that did not fail lately first. */
  #inOrder(): readonly Origin[] {
    const doubtful = this.#origins.filter((origin) => origin.isDoubtful());
    if (doubtful.length === 0) return this.#origins;
    const sound = this.#origins.filter((each) => !doubtful.includes(each));
    return [...sound, ...doubtful];
  }
}

export type { UpstreamResponse } from "./origin.ts";
