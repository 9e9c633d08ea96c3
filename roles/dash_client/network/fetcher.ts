import { formatHostPort } from "../../../lib/core/address.ts";
import { messageOf, RunError } from "../../../lib/core/errors.ts";
import { readRetryAfter } from "../../../lib/dash/attempts.ts";
import { Chunks } from "../../../lib/dash/chunks.ts";
import type { ByteRange } from "../../../lib/dash/mpd/mpd.ts";
import type { Delivery } from "../../../lib/dash/player/messages.ts";
import { LinkedAbort } from "../../../lib/io/linked_abort.ts";
import type { Address } from "../../../lib/io/net.ts";
import { pauseUntil } from "../../../lib/io/pause.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { CmcdRequest } from "./cmcd.ts";
import type { Link, Passage } from "./link.ts";
import type { Names } from "./names.ts";

/**
 * A resource that came, measured. Its bytes went to the sink, if there was one; they are never kept here. Over a link
 * with a trace the times are the link's own: what a timer or the sink was late is not the network's.
 */
export interface Fetched extends Delivery {
  readonly ok: true;
  /** Where it was in the end, after redirects. */
  readonly url: string;
}

/** Why a resource did not come. */
export interface NotFetched {
  readonly ok: false;
  readonly status: number | undefined;
  readonly problem: string;
  /** What the server asked to wait before the next request (Retry-After). */
  readonly retryAfterMs?: number | undefined;
  /** Set when the caller gave it up. */
  readonly abandoned?: boolean;
}

/** How to fetch. */
export interface FetchOptions {
  readonly range?: ByteRange | undefined;
  /** Takes the bytes as they come; over a link with a trace at least every 50 ms of the player's time. */
  readonly sink?: ((bytes: Uint8Array) => Promise<void> | void) | undefined;
  /** Gives this one request up. */
  readonly signal?: AbortSignal | undefined;
  /** What the player says of itself, if it was told to. */
  readonly cmcd?: ((url: URL) => CmcdRequest) | undefined;
  /** GET unless said otherwise. */
  readonly method?: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  /** Hears the head of the answer, whatever its status. */
  readonly head?: (headers: Headers) => void;
}

/** Most redirects followed. */
const MAX_REDIRECTS = 5;
/** Largest resource taken: a minute in 8K has less. A server may send one that never ends. */
const MAX_BYTES = 512 * 2 ** 20;
/** A server that sends a byte now and then never keeps us waiting for the next one, and never ends: so many timeouts are the most for a whole resource. */
const MAX_TIMEOUTS = 30;
/** An answer whose head is there. */
interface Answer {
  readonly url: URL;
  readonly response: Response;
  readonly startedAtMs: number;
  /** Aborts when it is over, for whatever reason; also to end it when nothing comes any more. */
  readonly ending: AbortController;
  readonly passage: Passage | undefined;
}

/** Fetches over HTTP and measures; connections are kept alive by the HTTP client. */
export class Fetcher {
  readonly #ctx: RoleContext;
  readonly #names: Names;
  readonly #timeoutMs: number;
  readonly #link: Link | undefined;

  /**
   * Creates a fetcher that gives up after `timeoutMs` without a byte, and after 30 times as long without the last one.
   *
   * @param options.link What all answers pass; without one they come as the network has them.
   */
  constructor(ctx: RoleContext, names: Names, options: {
    readonly timeoutMs: number;
    readonly link?: Link | undefined;
  }) {
    this.#ctx = ctx;
    this.#names = names;
    this.#timeoutMs = options.timeoutMs;
    this.#link = options.link;
  }

  /**
   * Fetches one resource, or a byte range of it. Looking the name up is not part of what is measured.
   *
   * @throws the reason of the role's signal, if that aborts; {@linkcode RunError} if the name cannot be resolved.
   */
  async get(
    url: string,
    options: FetchOptions = {},
  ): Promise<Fetched | NotFetched> {
    let target = new URL(url);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      if (target.protocol === "data:") return this.#inline(target, options);
      const connectTo = await this.#names.locate(target);
      const got = await this.#once(target, { ...options, connectTo });
      if (!("location" in got)) return got;
      const next = URL.parse(got.location, target.href);
      if (next === null || !/^https?:$/.test(next.protocol)) {
        return failed("it redirects to what is no http: or https: URL");
      }
      target = next;
    }
    return failed(`it redirects more than ${MAX_REDIRECTS} times`);
  }

  /** What stands in the URL itself (RFC 2397): nobody is asked, so that nothing of it is the network's. */
  async #inline(
    { href }: URL,
    { range, sink }: FetchOptions,
  ): Promise<Fetched | NotFetched> {
    let all: Uint8Array;
    try {
      all = await (await this.#ctx.net.fetch(href)).bytes();
    } catch {
      return failed("what stands in its data: URL cannot be read");
    }
    const bytes = range === undefined
      ? all
      : all.subarray(range.first, (range.last ?? Infinity) + 1);
    await sink?.(bytes);
    const times = { ttfbMs: 0, downloadMs: 0, ageSeconds: 0 };
    return {
      ...{ ok: true, url: href, bytes: bytes.length, ...times },
      ...{ server: "data:", cacheStatus: "" },
    };
  }

  async #once(
    url: URL,
    options: FetchOptions & { readonly connectTo: Address | undefined },
  ): Promise<Fetched | NotFetched | { readonly location: string }> {
    const { range, connectTo } = options;
    const { clock, net, signal } = this.#ctx;
    const startedAtMs = clock.nowMs();
    using passage = this.#link?.request();
    using ending = new LinkedAbort(signal, options.signal);
    try {
      const told = options.cmcd?.(url);
      const response = await net.fetch(told?.url ?? url.href, {
        method: options.method ?? "GET",
        headers: {
          ...options.headers,
          ...told?.headers,
          ...(range === undefined
            ? {}
            : { range: `bytes=${range.first}-${range.last ?? ""}` }),
        },
        signal: ending.signal,
        timeoutMs: this.#timeoutMs,
        ...(connectTo === undefined ? {} : { connectTo }),
      });
      const answer = { url, response, startedAtMs, ending, passage };
      return await this.#take(answer, options);
    } catch (error) {
      signal.throwIfAborted();
      if (options.signal?.aborted) {
        return { ...failed("given up"), abandoned: true };
      }
      const cause = ending.signal.aborted ? ending.signal.reason : error;
      if (cause instanceof RunError) this.#names.distrust(url);
      return failed(
        cause instanceof RunError
          ? cause.message
          : `the connection broke: ${messageOf(cause)}`,
      );
    }
  }

  /** Takes an answer whose head is there. */
  async #take(
    { url, response, startedAtMs, ...reading }: Answer,
    options: FetchOptions & { readonly connectTo: Address | undefined },
  ): Promise<Fetched | NotFetched | { readonly location: string }> {
    const { clock } = this.#ctx;
    const { range, connectTo, sink, head } = options;
    const { passage, ending } = reading;
    const answeredAtMs = passage?.answeredAtMs() ?? clock.nowMs();
    const { status, headers } = response;
    head?.(headers);
    const location = headers.get("location");
    if (status !== (range === undefined ? 200 : 206)) {
      await response.body?.cancel();
      if (passage !== undefined) {
        await clock.sleepUntil(answeredAtMs, ending.signal);
      }
      if (status >= 300 && status < 400 && location !== null) {
        return { location };
      }
      const problem = status === 200
        ? "the server does not know byte ranges"
        : `the server answered ${status}`;
      return {
        ...failed(problem, status),
        retryAfterMs: readRetryAfter(
          headers.get("retry-after"),
          clock.wallMs(),
        ),
      };
    }
    const expected = expectedBytes(headers, range);
    if (typeof expected === "string") {
      await response.body?.cancel();
      return failed(expected, status);
    }
    const gaps = new Chunks();
    const bytes = await this.#read(response, { ...reading, sink, gaps });
    if (options.method !== "HEAD" && bytes !== (expected ?? bytes)) {
      return failed(`${bytes} bytes came of ${expected}`);
    }
    const endedAtMs = passage?.throughAtMs ?? clock.nowMs();
    return {
      ok: true,
      url: url.href,
      bytes,
      ttfbMs: answeredAtMs - startedAtMs,
      downloadMs: Math.max(endedAtMs, answeredAtMs) - startedAtMs,
      ...gaps.idleMs > 0 ? { idleMs: gaps.idleMs } : {},
      server: connectTo === undefined ? url.host : formatHostPort(connectTo),
      cacheStatus: headers.get("cache-status") ?? "",
      ageSeconds: Number(headers.get("age") ?? 0) || 0,
    };
  }

  /** Reads a body to its end; aborts `ending` when nothing comes for too long. */
  async #read(
    { body }: Response,
    { ending, passage, sink, gaps }:
      & Pick<Answer, "ending" | "passage">
      & Pick<FetchOptions, "sink">
      & { readonly gaps: Chunks },
  ): Promise<number> {
    if (body === null) return 0;
    const { clock } = this.#ctx;
    let bytes = 0;
    let lastAtMs = clock.nowMs();
    const limitMs = MAX_TIMEOUTS * this.#timeoutMs;
    const endAtMs = lastAtMs + limitMs;
    const done = new AbortController();
    const watch = async () => {
      while (!done.signal.aborted) {
        const idleAtMs = lastAtMs + this.#timeoutMs;
        const nowMs = clock.nowMs();
        if (nowMs >= idleAtMs) {
          const text = `nothing came for ${this.#timeoutMs} ms`;
          return ending.abort(new RunError("stalled", text));
        }
        if (nowMs >= endAtMs) {
          const text = `it did not end within ${limitMs} ms`;
          return ending.abort(new RunError("too-slow", text));
        }
        await pauseUntil(Math.min(idleAtMs, endAtMs), {
          clock,
          signal: done.signal,
        });
      }
    };
    const watching = watch();
    try {
      const chunks = passage?.pace(body, ending.signal) ?? body;
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > MAX_BYTES) {
          throw new RunError("too-large", `more than ${MAX_BYTES} bytes`);
        }
        lastAtMs = clock.nowMs();
        // Over a link with a trace time passes only where it had nothing to pass on.
        gaps.push(chunk, passage?.idleMs ?? lastAtMs);
        await sink?.(chunk);
      }
    } finally {
      done.abort();
      await watching;
    }
    return bytes;
  }
}

/**
 * How many bytes an answer of status 200 or 206 is to have; undefined when it does not say, text when it is not what was
 * asked for (RFC 9110 §15.3.7: a server may send another part than the one it was asked for).
 */
function expectedBytes(
  headers: Headers,
  range: ByteRange | undefined,
): number | string | undefined {
  const coded = headers.has("content-encoding");
  const length = headers.get("content-length");
  const told = length === null || coded ? undefined : Number(length);
  if (range === undefined) return told;
  const text = headers.get("content-range") ?? "";
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(text);
  if (match === null) return "a part came without Content-Range";
  const first = Number(match[1]);
  const last = Number(match[2]);
  const isEnd = match[3] !== "*" && last === Number(match[3]) - 1;
  const isAsked = first === range.first &&
    (last === (range.last ?? last) || (last < range.last! && isEnd));
  return isAsked ? last - first + 1 : `another part came: ${text}`;
}

function failed(problem: string, status?: number): NotFetched {
  return { ok: false, status, problem };
}
