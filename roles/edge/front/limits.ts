import { InputError } from "../../../lib/core/errors.ts";
import { RecentMap } from "../../../lib/core/recent_map.ts";
import type { Clock } from "../../../lib/io/clock.ts";
import type { HttpRequest, HttpResponse } from "../../../lib/io/http.ts";
import { Throttle, throttleBody } from "../../../lib/io/throttle.ts";

/** Most clients whose own limit is remembered, the longest unseen forgotten first: a forgotten one begins with a full bucket of 25 ms. */
const MAX_CLIENTS = 10_000;

/** The links of an edge: one that all answers share, and one for each client. */
export class Limits {
  readonly #clock: Clock;
  readonly #total: Throttle | undefined;
  readonly #perClient: number | undefined;
  readonly #clients = new RecentMap<string, Throttle>(MAX_CLIENTS);

  /**
   * Limits to these rates, in bytes per second; undefined does not limit.
   *
   * @throws {InputError} If one is 0.
   */
  constructor(
    rates: {
      readonly total: number | undefined;
      readonly perClient: number | undefined;
    },
    clock: Clock,
  ) {
    this.#clock = clock;
    this.#perClient = rates.perClient;
    for (
      const [flag, rate] of [
        ["--limit-rate", rates.total],
        ["--limit-rate-per-client", rates.perClient],
      ] as const
    ) {
      if (rate === 0) {
        throw new InputError(`${flag} must be above 0, such as 1MiB/s`);
      }
    }
    this.#total = rates.total === undefined
      ? undefined
      : new Throttle(rates.total, clock);
  }

  /** The rate one client cannot exceed, in bytes per second; `Infinity` without a limit. */
  get clientBytesPerSecond(): number {
    return Math.min(
      this.#perClient ?? Infinity,
      this.#total?.bytesPerSecond ?? Infinity,
    );
  }

  /** The answer behind the links that it has to pass. */
  apply(request: HttpRequest, answer: HttpResponse): HttpResponse {
    let { body } = answer;
    if (body === null) return answer;
    const mine = this.#clientLink(request.remote.host);
    if (mine !== undefined) body = throttleBody(body, mine, request.signal);
    if (this.#total !== undefined) {
      body = throttleBody(body, this.#total, request.signal);
    }
    return body === answer.body ? answer : { ...answer, body };
  }

  #clientLink(host: string): Throttle | undefined {
    if (this.#perClient === undefined) return undefined;
    const link = this.#clients.get(host) ??
      new Throttle(this.#perClient, this.#clock);
    this.#clients.set(host, link);
    return link;
  }
}
