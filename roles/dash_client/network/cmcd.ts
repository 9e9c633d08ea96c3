import type { Rng } from "../../../lib/core/rng.ts";
import type { RequestState } from "../../../lib/dash/player/request_state.ts";
import type { Cmcd } from "../../../lib/http/cmcd.ts";
import { cmcdHeaders, cmcdQuery } from "../../../lib/http/cmcd_writer.ts";

/** A request that says something of its player. */
export interface CmcdRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The standard's longest id. */
const MAX_ID_CHARACTERS = 64;
/** A server need not send faster than fills the buffer in this share of the time it holds: dash.js has the same. */
const RATE_MARGIN = 5;
/** The buffer a rate is reckoned by is taken to be no less. */
const LEAST_BUFFER_MS = 500;

/** `ot`, by the kind of media. */
const OBJECT_TYPES: Readonly<Record<string, string>> = {
  video: "v",
  audio: "a",
};

/** One session of a player as it tells CDNs of itself (`--cmcd`; CTA-5004). */
export class CmcdSession {
  readonly #by: "query" | "header";
  readonly #session: Pick<Cmcd, "sessionId" | "contentId" | "format">;
  #isLive = false;

  /**
   * Begins a session of an id that is drawn.
   *
   * @param options.contentId The same for all who play this; of one that is too long the end counts.
   */
  constructor(by: "query" | "header", options: {
    readonly contentId: string;
    readonly ctx: { readonly rng: Rng };
  }) {
    this.#by = by;
    this.#session = {
      sessionId: drawUuid(options.ctx.rng),
      contentId: options.contentId.slice(-MAX_ID_CHARACTERS),
      format: "d",
    };
  }

  /** The title turned out to be live. */
  setLive(): void {
    this.#isLive = true;
  }

  /** How to ask for the manifest. */
  manifest(): (url: URL) => CmcdRequest {
    return (url) => this.#say(url, { objectType: "m" });
  }

  /** How to ask for a segment. */
  segment(state: RequestState): (url: URL) => CmcdRequest {
    const { bufferMs, bitsPerSecond, durationMs } = state;
    const isMedia = durationMs !== undefined;
    const about: Partial<Cmcd> = {
      objectType: isMedia ? OBJECT_TYPES[state.contentType] ?? "av" : "i",
      streamType: this.#isLive ? "l" : "v",
      startup: state.startup,
      stalled: state.stalled,
      throughputBitsPerSecond: state.throughputBitsPerSecond,
      bitsPerSecond,
      topBitsPerSecond: state.topBitsPerSecond,
      durationMs,
      bufferMs: isMedia ? bufferMs : undefined,
      deadlineMs: isMedia ? bufferMs : undefined,
      requestedBitsPerSecond: isMedia
        ? RATE_MARGIN * bitsPerSecond * durationMs /
          Math.max(LEAST_BUFFER_MS, bufferMs)
        : undefined,
    };
    return (url) =>
      this.#say(url, { ...about, next: relative(url, state.next) });
  }

  #say(url: URL, about: Partial<Cmcd>): CmcdRequest {
    const cmcd: Cmcd = { ...NOTHING, ...this.#session, ...about };
    if (this.#by === "header") {
      return { url: url.href, headers: cmcdHeaders(cmcd) };
    }
    const parameter = `CMCD=${encodeURIComponent(cmcdQuery(cmcd))}`;
    const told = new URL(url);
    told.search = told.search === ""
      ? parameter
      : `${told.search}&${parameter}`;
    return { url: told.href, headers: {} };
  }
}

const NOTHING: Cmcd = {
  sessionId: undefined,
  contentId: undefined,
  bufferMs: undefined,
  bitsPerSecond: undefined,
  throughputBitsPerSecond: undefined,
  topBitsPerSecond: undefined,
  stalled: false,
  startup: false,
  playbackRate: undefined,
  objectType: undefined,
  next: undefined,
};

/** What comes next, as seen from `url`; undefined when it is on another server. */
function relative(url: URL, next: string | undefined): string | undefined {
  const other = next === undefined ? null : URL.parse(next);
  if (other === null || other.origin !== url.origin) return undefined;
  const folder = url.pathname.slice(0, url.pathname.lastIndexOf("/") + 1);
  const path = `${other.pathname}${other.search}`;
  return path.startsWith(folder) ? path.slice(folder.length) : path;
}

/** A random UUID (RFC 9562 §5.4). */
function drawUuid(rng: Rng): string {
  const digits = Array.from(
    { length: 32 },
    (_, at) =>
      at === 12
        ? 4
        : at === 16
        ? 8 + Math.floor(rng() * 4)
        : Math.floor(rng() * 16),
  ).map((digit) => digit.toString(16)).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
