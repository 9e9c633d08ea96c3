import { ByteCollector } from "../../../lib/core/byte_collector.ts";
import { fromUtf8 } from "../../../lib/core/bytes.ts";
import { RunError } from "../../../lib/core/errors.ts";
import { readClock, type UtcClock } from "../../../lib/dash/mpd/live.ts";
import { LiveTitle, type LiveView } from "../../../lib/dash/live_title.ts";
import { type MpdDocument, openMpd } from "../../../lib/dash/mpd/mpd.ts";
import type { Locations } from "../../../lib/dash/locations.ts";
import type { TrackChoice } from "../../../lib/dash/title.ts";
import { MAX_MPD_BYTES, MpdError } from "../../../lib/dash/mpd/xml.ts";
import { LinkedAbort, OVER } from "../../../lib/io/linked_abort.ts";
import { pauseUntil } from "../../../lib/io/pause.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type {
  Fetched,
  Fetcher,
  FetchOptions,
  NotFetched,
} from "../network/fetcher.ts";

/** So many refreshes in a row may fail; then the title is taken for gone. With the waits below that is about a minute. */
const MAX_MISSES = 10;
/** Wait before a refresh that failed is tried again, doubled with each further one. */
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;
/** A refresh is waited for so long before what is known already is looked at again. */
const PATIENCE_MS = 1000;
/** The Date field tells whole seconds, cut: half a second more is the best guess. */
const DATE_ROUNDING_MS = 500;
/** A viewer does not wait longer than this for a clock that says nothing: this machine's may be right. */
const CLOCK_PATIENCE_MS = 2000;
/** A clock's answer is a line. */
const MAX_CLOCK_BYTES = 1024;

/** A manifest that came. */
export interface FetchedManifest extends Fetched {
  readonly text: string;
  /** Where it was asked for, before redirects. */
  readonly askedUrl: string;
  /** What to say to get it only if it has changed (RFC 9110 §13.1). */
  readonly conditions: Readonly<Record<string, string>>;
}

/**
 * Fetches a manifest.
 *
 * @param options.conditions Only if it has changed: status 304 is that it has not.
 */
export async function fetchManifest(
  url: string,
  fetcher: Fetcher,
  { conditions = {}, cmcd }: {
    readonly conditions?: Readonly<Record<string, string>>;
    readonly cmcd?: FetchOptions["cmcd"];
  } = {},
): Promise<FetchedManifest | NotFetched> {
  const collected = new ByteCollector();
  let headers = new Headers();
  const got = await fetcher.get(url, {
    headers: conditions,
    cmcd,
    head: (of) => headers = of,
    sink: (bytes) => {
      if (collected.length + bytes.length > MAX_MPD_BYTES) {
        throw new RunError("too-large", `more than ${MAX_MPD_BYTES} bytes`);
      }
      collected.push(bytes);
    },
  });
  if (!got.ok) return got;
  const etag = headers.get("etag");
  const changed = headers.get("last-modified");
  return {
    ...got,
    askedUrl: url,
    text: fromUtf8(collected.bytes),
    conditions: {
      ...(etag === null ? {} : { "if-none-match": etag }),
      ...(changed === null ? {} : { "if-modified-since": changed }),
    },
  };
}

/** What a live title needs beside its manifest. */
interface LiveWorld {
  readonly fetcher: Fetcher;
  readonly ctx: RoleContext;
  /** Hears where refreshes lead to. */
  readonly locations?: Locations;
}

/**
 * Begins a live title: asks the clock its manifest names how late it is.
 *
 * @throws {MpdError} If the manifest cannot be used.
 */
export async function openLive(
  document: MpdDocument,
  got: FetchedManifest,
  { tracks, ...world }: LiveWorld & { readonly tracks: TrackChoice },
): Promise<LiveSource> {
  const nowWallMs = world.ctx.clock.wallMs();
  const title = new LiveTitle(document, nowWallMs, tracks);
  const { live } = title.mpdAt(nowWallMs);
  const clocks = live?.clocks ?? [];
  const offsetMs = await compareClock(clocks, world);
  if (offsetMs !== undefined) title.setOffset(offsetMs);
  else if (clocks.length > 0) {
    const text =
      "UTCTiming: no clock answers; this machine's is taken to be right";
    world.ctx.emit({ type: "manifest.warned", url: got.url, line: 1, text });
  }
  return new LiveSource(title, got, world);
}

/** A live title whose manifest is fetched again when it is time. */
export class LiveSource {
  /** What there is, by the manifest fetched last. */
  readonly title: LiveTitle;
  readonly #fetcher: Fetcher;
  readonly #ctx: RoleContext;
  readonly #locations: Locations | undefined;
  /** Where it was asked for at first: a redirector may know another place when this one fails. */
  readonly #firstUrl: string;
  #url: string;
  #conditions: Readonly<Record<string, string>>;
  #refreshing: Promise<void> | undefined;
  #misses = 0;
  #retryAtWallMs = 0;

  /** Goes on with `title`, whose manifest is `got`. */
  constructor(
    title: LiveTitle,
    got: FetchedManifest,
    { fetcher, ctx, locations }: LiveWorld,
  ) {
    this.title = title;
    this.#fetcher = fetcher;
    this.#ctx = ctx;
    this.#locations = locations;
    this.#firstUrl = got.askedUrl;
    this.#url = got.url;
    this.#conditions = got.conditions;
  }

  /** Where the manifest was in the end, after redirects. */
  get url(): string {
    return this.#url;
  }

  /**
   * What there is, now and again whenever that may have changed; ends with the title.
   *
   * @throws {RunError} `manifest-lost` if it cannot be had any more; the reason of `signal` or of the role's.
   */
  async *views(signal: AbortSignal): AsyncGenerator<LiveView> {
    const { clock } = this.#ctx;
    for (;;) {
      await this.#refreshIfDue(signal);
      const nowWallMs = clock.wallMs();
      const view = this.#view(nowWallMs);
      yield view;
      if (view.ended) return;
      // What is named by numbers goes on while no manifest is to be had.
      const wakeAtWallMs = this.#misses === 0
        ? view.nextAtWallMs
        : Math.min(this.#retryAtWallMs, view.nextAtWallMs);
      const waitMs = wakeAtWallMs - clock.wallMs();
      await clock.sleepUntil(clock.nowMs() + Math.max(0, waitMs), signal);
    }
  }

  #view(nowWallMs: number): LiveView {
    try {
      return this.title.positionsAt(nowWallMs);
    } catch (error) {
      if (!(error instanceof MpdError)) throw error;
      throw new RunError(
        "manifest-malformed",
        `Cannot go on with ${this.#url}: ${error.message}`,
        { cause: error },
      );
    }
  }

  /** Begins a refresh when it is due, and waits for it a while: a server that says nothing holds up nobody. */
  async #refreshIfDue(signal: AbortSignal): Promise<void> {
    if (this.#refreshing === undefined) {
      const nowWallMs = this.#ctx.clock.wallMs();
      if (nowWallMs < this.#retryAtWallMs) return;
      if (nowWallMs < this.title.refreshAtWallMs(nowWallMs)) return;
      this.#refreshing = this.#refresh(nowWallMs);
      this.#refreshing.catch(() => {}); // Heard below, now or later.
    }
    const { clock } = this.#ctx;
    using done = new LinkedAbort(signal);
    const late = clock.sleepUntil(clock.nowMs() + PATIENCE_MS, done.signal)
      .then(() => false, () => false);
    const refreshed = this.#refreshing.then(() => true);
    if (await Promise.race([refreshed, late])) this.#refreshing = undefined;
    done.abort();
  }

  /** Asks each place once. @throws {RunError} `manifest-lost` when none has had it for too long. */
  async #refresh(nowWallMs: number): Promise<void> {
    const { locations } = this.title.mpdAt(nowWallMs);
    const places = new Set(
      locations.length > 0 ? locations : [this.#url, this.#firstUrl],
    );
    let last = "";
    for (const url of places) {
      const isSame = url === this.#url;
      const got = await this.#fetch(url, isSame ? this.#conditions : {});
      const problem = this.#take(got);
      if (problem === undefined) {
        this.#misses = 0;
        return;
      }
      this.#ctx.emit({ type: "manifest.missed", url, problem });
      last = `${url}: ${problem}`;
    }
    this.#misses += 1;
    const waitMs = Math.min(
      MAX_RETRY_MS,
      FIRST_RETRY_MS * 2 ** (this.#misses - 1),
    );
    this.#retryAtWallMs = this.#ctx.clock.wallMs() + waitMs;
    if (this.#misses < MAX_MISSES) return;
    throw new RunError(
      "manifest-lost",
      `Cannot go on: the live manifest cannot be had any more, last ${last}`,
    );
  }

  /** A place whose name nobody knows has failed like any other. */
  async #fetch(
    url: string,
    conditions: Readonly<Record<string, string>>,
  ): Promise<FetchedManifest | NotFetched> {
    try {
      return await fetchManifest(url, this.#fetcher, { conditions });
    } catch (error) {
      this.#ctx.signal.throwIfAborted();
      if (!(error instanceof RunError)) throw error;
      return { ok: false, status: undefined, problem: error.message };
    }
  }

  /** Takes a refresh in; returns what is wrong with it. */
  #take(got: FetchedManifest | NotFetched): string | undefined {
    const nowWallMs = this.#ctx.clock.wallMs();
    if (!got.ok && got.status !== 304) return got.problem;
    let document: MpdDocument | undefined;
    try {
      if (got.ok) document = openMpd(got.text, got.url);
      document?.at(nowWallMs + this.title.offsetMs);
    } catch (error) {
      if (!(error instanceof MpdError)) throw error;
      return error.message;
    }
    this.title.take(document, nowWallMs);
    if (got.ok) {
      this.#url = got.url;
      this.#conditions = got.conditions;
      this.#locations?.redirected(got.askedUrl, got.url);
    }
    this.#ctx.emit({
      type: "manifest.refreshed",
      url: this.#url,
      changed: got.ok,
      dynamic: document?.dynamic ?? true,
      bytes: got.ok ? got.bytes : 0,
    });
    return undefined;
  }
}

/** Asks the clocks in their order until one answers; returns what it is ahead of this machine's. */
async function compareClock(
  clocks: readonly UtcClock[],
  world: LiveWorld,
): Promise<number | undefined> {
  const { ctx } = world;
  for (const each of clocks) {
    const sentAtWallMs = ctx.clock.wallMs();
    const toldMs = await timeOf(each, world);
    if (toldMs === undefined) continue;
    const roundTripMs = each.kind === "direct"
      ? 0
      : ctx.clock.wallMs() - sentAtWallMs;
    // It was told somewhere between request and answer.
    const offsetMs = toldMs - (sentAtWallMs + roundTripMs / 2);
    ctx.emit({
      type: "clock.compared",
      source: each.kind === "direct" ? "the manifest" : each.url,
      offsetMs,
      roundTripMs,
    });
    return offsetMs;
  }
  return undefined;
}

/** What time a clock tells, in ms since 1970; undefined if it tells none, or says nothing for too long. */
async function timeOf(
  clock: UtcClock,
  { fetcher, ctx }: LiveWorld,
): Promise<number | undefined> {
  if (clock.kind === "direct") return clock.wallMs;
  using patience = new LinkedAbort(ctx.signal);
  const { signal } = patience;
  const giveUpAtMs = ctx.clock.nowMs() + CLOCK_PATIENCE_MS;
  const late = pauseUntil(giveUpAtMs, { clock: ctx.clock, signal })
    .then(() => patience.abort(OVER));
  try {
    return await askClock(clock, fetcher, signal);
  } catch (error) {
    ctx.signal.throwIfAborted();
    // Nobody knows its name.
    if (error instanceof RunError) return undefined;
    throw error;
  } finally {
    patience.abort(OVER);
    await late;
  }
}

async function askClock(
  clock: Exclude<UtcClock, { readonly kind: "direct" }>,
  fetcher: Fetcher,
  signal: AbortSignal,
): Promise<number | undefined> {
  const collected = new ByteCollector();
  let date: string | null = null;
  const got = await fetcher.get(clock.url, {
    method: clock.kind === "head" ? "HEAD" : "GET",
    signal,
    head: (headers) => date = headers.get("date"),
    sink: (bytes) => {
      if (collected.length + bytes.length > MAX_CLOCK_BYTES) {
        throw new RunError("too-large", `more than ${MAX_CLOCK_BYTES} bytes`);
      }
      collected.push(bytes);
    },
  });
  if (!got.ok) return undefined;
  if (clock.kind === "get") {
    return readClock(new TextDecoder().decode(collected.bytes));
  }
  const told = readClock(date ?? "");
  return told === undefined ? undefined : told + DATE_ROUNDING_MS;
}
