import type { Rng } from "../core/rng.ts";
import type { BaseUrl, Mpd } from "./mpd/mpd.ts";

/** A place that was given up for a while. */
export interface FailedLocation {
  /** `@serviceLocation`, or the origin of its URLs. */
  readonly location: string;
  /** For how long it is asked last. */
  readonly forMs: number;
}

/** A place that failed is asked last for so long; twice as long if it fails again at once. */
const FIRST_BLACKLIST_MS = 10_000;
const MAX_BLACKLIST_MS = 300_000;
/** More places than a manifest has are not remembered. */
const MAX_LOCATIONS = 256;

interface Known {
  readonly priority: number;
  /** Of places of the same priority the smallest goes first. */
  readonly draw: number;
}

/**
 * The places where a title's files are, and which of them failed lately.
 *
 * BaseURLs of the same `@serviceLocation` are one place and fail together (ISO/IEC 23009-1 §5.6.5); without one it is
 * the URL's origin. Those of lower `dvb:priority` go first; of equal ones, if they have a `dvb:weight`, one is drawn by
 * that for the whole session, else the manifest's order counts (ETSI TS 103 285 §10.8.2.1). A place that failed goes to
 * the end for a while and then gets its turn again: nothing is lost for good.
 */
export class Locations {
  readonly #random: Rng;
  /** By BaseURL, the longest first: what a URL begins with says where it is. */
  #bases: BaseUrl[] = [];
  readonly #known = new Map<string, Known>();
  readonly #failed = new Map<string, { untilMs: number; forMs: number }>();
  /** Folders that a redirect led to, and those in which it was asked. */
  readonly #asked = new Map<string, string>();

  /** Knows no place; `random` draws among weighted ones. */
  constructor(random: Rng) {
    this.#random = random;
  }

  /** Takes in the BaseURLs of a manifest; what is known of places stays. */
  learn({ periods }: Pick<Mpd, "periods">): void {
    const bases = new Map<string, BaseUrl>();
    const representations = periods.flatMap(({ adaptationSets }) =>
      adaptationSets.flatMap((set) => set.representations)
    );
    for (const { bases: own } of representations) {
      for (const base of own) {
        if (bases.size < MAX_LOCATIONS) bases.set(base.url, base);
      }
    }
    this.#bases = [...bases.values()].sort((a, b) =>
      b.url.length - a.url.length
    );
    for (const { url, priority, weight } of bases.values()) {
      const location = this.locationOf(url);
      if (this.#known.has(location)) continue;
      // Exponential draws: the chance to be the smallest is in proportion to the weight.
      const draw = weight === undefined
        ? 0
        : -Math.log(1 - this.#random()) / weight;
      this.#known.set(location, { priority, draw });
    }
  }

  /**
   * A manifest that was asked for at one URL was at another in the end, at another server. What lies beside it can perhaps
   * be had by way of the first one, which may lead elsewhere now: it is asked after all other places.
   */
  redirected(askedUrl: string, url: string): void {
    if (new URL(askedUrl).origin === new URL(url).origin) return;
    if (this.#asked.size >= MAX_LOCATIONS) this.#asked.clear();
    this.#asked.set(new URL(".", url).href, new URL(".", askedUrl).href);
    const location = this.locationOf(askedUrl);
    if (this.#known.has(location)) return;
    this.#known.set(location, { priority: LAST, draw: 0 });
  }

  /** All URLs of what has `urls` in a manifest: see {@linkcode Locations.redirected}. */
  all(urls: readonly string[]): readonly string[] {
    if (this.#asked.size === 0) return urls;
    const more = urls.flatMap((url) => {
      const from = new URL(".", url).href;
      const folder = [...this.#asked.keys()].find((each) =>
        from.startsWith(each)
      );
      return folder === undefined
        ? []
        : [this.#asked.get(folder)! + url.slice(folder.length)];
    });
    return [...new Set([...urls, ...more])];
  }

  /** The place of a URL: a `serviceLocation`, or its origin. */
  locationOf(url: string): string {
    const base = this.#bases.find((each) => url.startsWith(each.url));
    return base === undefined || base.serviceLocation === ""
      ? new URL(url).origin
      : base.serviceLocation;
  }

  /** The URLs in the order in which to ask: those of places that failed lately last, the one that is due first first. */
  order(urls: readonly string[], nowMs: number): readonly string[] {
    if (urls.length < 2) return urls;
    const rank = (url: string) => {
      const location = this.locationOf(url);
      const untilMs = this.#failed.get(location)?.untilMs ?? 0;
      const { priority, draw } = this.#known.get(location) ?? UNKNOWN;
      return { url, dueMs: untilMs > nowMs ? untilMs : 0, priority, draw };
    };
    return urls.map(rank).sort((a, b) =>
      a.dueMs - b.dueMs || a.priority - b.priority || a.draw - b.draw
    ).map(({ url }) => url);
  }

  /** The place of `url` failed; `forMs` is what the server asked for, if it did. Returns for how long it goes last. */
  failed(url: string, nowMs: number, forMs = 0): FailedLocation {
    const location = this.locationOf(url);
    const before = this.#failed.get(location);
    // What fails while it is given up, or at its first try after that, fails for longer.
    const nextMs = before === undefined
      ? FIRST_BLACKLIST_MS
      : nowMs < before.untilMs
      ? before.forMs
      : Math.min(MAX_BLACKLIST_MS, before.forMs * 2);
    const chosenMs = Math.max(nextMs, forMs);
    if (this.#failed.size >= MAX_LOCATIONS) this.#failed.clear();
    this.#failed.set(location, { untilMs: nowMs + chosenMs, forMs: chosenMs });
    return { location, forMs: chosenMs };
  }

  /** The place of `url` answered; returns its name if it had failed before. */
  answered(url: string): string | undefined {
    const location = this.locationOf(url);
    return this.#failed.delete(location) ? location : undefined;
  }
}

/** After what any manifest has for `dvb:priority`. */
const LAST = Number.MAX_SAFE_INTEGER;
const UNKNOWN: Known = { priority: 1, draw: 0 };
