import { RunError } from "../../../lib/core/errors.ts";
import { Attempts, isAbsent } from "../../../lib/dash/attempts.ts";
import type { Locations } from "../../../lib/dash/locations.ts";
import type { SegmentLocation } from "../../../lib/dash/mpd/mpd.ts";
import type { RequestState } from "../../../lib/dash/player/request_state.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { LinkedAbort } from "../../../lib/io/linked_abort.ts";
import type {
  Fetched,
  Fetcher,
  FetchOptions,
  NotFetched,
} from "../network/fetcher.ts";

/** How to get a segment. */
export interface SegmentOptions extends Omit<FetchOptions, "range"> {
  /** For events. */
  readonly segmentNumber: number;
  /** See `Attempts`. */
  readonly rounds?: number | undefined;
  readonly absentRounds?: number | undefined;
  /** The player, as it asks. */
  readonly state?: RequestState;
  /** A request begins: what the sink had of one before is void. */
  readonly begin?: () => void;
}

/** Where segments come from. */
export interface Segments {
  /**
   * Gets one; what is measured is the request that succeeded.
   *
   * @throws the reason of the role's signal, if that aborts.
   */
  get(
    location: SegmentLocation,
    options: SegmentOptions,
  ): Promise<Fetched | Unavailable>;
}

/** A segment that is to be had nowhere now. */
export interface Unavailable extends NotFetched {
  /** The URL asked last. */
  readonly url: string;
  /** All servers say that there is no such thing. */
  readonly absent: boolean;
  /** Asking again later will not help; see `Attempts`. */
  readonly hopeless?: boolean;
}

/** Fetches segments from whichever of their places has them, again after a pause, as `Attempts` and `Locations` say. */
export class SegmentSource implements Segments {
  readonly #fetcher: Fetcher;
  readonly #locations: Locations;
  readonly #ctx: RoleContext;

  /** Fetches with `fetcher`. */
  constructor(fetcher: Fetcher, locations: Locations, ctx: RoleContext) {
    this.#fetcher = fetcher;
    this.#locations = locations;
    this.#ctx = ctx;
  }

  /** See {@linkcode Segments.get}. */
  async get(
    { urls: listed, range }: SegmentLocation,
    options: SegmentOptions,
  ): Promise<Fetched | Unavailable> {
    const { clock, rng, emit } = this.#ctx;
    const urls = this.#locations.all(listed);
    const { segmentNumber } = options;
    const attempts = new Attempts(urls, {
      locations: this.#locations,
      random: rng,
      rounds: options.rounds,
      absentRounds: options.absentRounds,
    });
    let url = attempts.first(clock.nowMs());
    for (;;) {
      options.begin?.();
      const got = await this.#fetch(url, { ...options, range });
      if (got.ok) {
        this.#answered(url);
        return got;
      }
      if (got.abandoned === true) return { ...got, url, absent: false };
      if (urls.length > 1) this.#failed(url, got);
      const nowMs = clock.nowMs();
      const next = attempts.next(got, nowMs);
      const { problem } = got;
      if (next.kind === "give-up") {
        const { absent, hopeless } = next;
        return { ...got, url, absent, hopeless };
      }
      const waitMs = next.atMs - nowMs;
      const missed = { segmentNumber, url, problem, next: next.step, waitMs };
      emit({ type: "segment.missed", ...missed });
      url = next.url;
      const stopped = await this.#sleepUntil(next.atMs, options.signal);
      if (stopped) {
        return {
          ...got,
          problem: "given up",
          abandoned: true,
          url,
          absent: false,
        };
      }
    }
  }

  /** A place whose name nobody knows has failed like any other. */
  async #fetch(
    url: string,
    options: FetchOptions,
  ): Promise<Fetched | NotFetched> {
    try {
      return await this.#fetcher.get(url, options);
    } catch (error) {
      this.#ctx.signal.throwIfAborted();
      if (!(error instanceof RunError)) throw error;
      return { ok: false, status: undefined, problem: error.message };
    }
  }

  #answered(url: string): void {
    const location = this.#locations.answered(url);
    if (location === undefined) return;
    this.#ctx.emit({ type: "location.recovered", location });
  }

  #failed(url: string, got: NotFetched): void {
    if (isAbsent(got.status)) return;
    const nowMs = this.#ctx.clock.nowMs();
    const failed = this.#locations.failed(url, nowMs, got.retryAfterMs);
    const { problem } = got;
    this.#ctx.emit({ type: "location.failed", url, problem, ...failed });
  }

  /** Waits; true when the request was given up meanwhile. @throws the reason of the role's signal. */
  async #sleepUntil(
    atMs: number,
    given: AbortSignal | undefined,
  ): Promise<boolean> {
    const { clock, signal } = this.#ctx;
    if (clock.nowMs() >= atMs) return given?.aborted === true;
    using ending = new LinkedAbort(signal, given);
    try {
      await clock.sleepUntil(atMs, ending.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (given?.aborted !== true) throw error;
    }
    return given?.aborted === true;
  }
}
