import { messageOf, RunError } from "../../lib/core/errors.ts";
import type { ByteRange } from "../../lib/dash/mpd.ts";
import { type Address, formatAddress } from "../../lib/io/net.ts";
import type { RoleContext } from "../../lib/role.ts";
import type { Names } from "./names.ts";

/** A resource that came, measured. Its bytes went to the sink, if there was one; they are never kept here. */
export interface Fetched {
  readonly ok: true;
  /** Where it was in the end, after redirects. */
  readonly url: string;
  readonly bytes: number;
  readonly ttfbMs: number;
  readonly downloadMs: number;
  readonly server: string;
  readonly cacheStatus: string;
  readonly ageSeconds: number;
}

/** Why a resource did not come. */
export interface NotFetched {
  readonly ok: false;
  readonly status: number | undefined;
  readonly problem: string;
}

/** Most redirects followed. */
const MAX_REDIRECTS = 5;
/** Largest resource taken: a minute in 8K has less. A server may send one that never ends. */
const MAX_BYTES = 512 * 2 ** 20;
/** A server that sends a byte now and then never keeps us waiting for the next one, and never ends: so many timeouts are the most for a whole resource. */
const MAX_TIMEOUTS = 30;

/** Fetches over HTTP and measures; connections are kept alive by the HTTP client. */
export class Fetcher {
  readonly #ctx: RoleContext;
  readonly #names: Names;
  readonly #timeoutMs: number;

  /** Creates a fetcher that gives up after `timeoutMs` without a byte, and after 30 times as long without the last one. */
  constructor(ctx: RoleContext, names: Names, timeoutMs: number) {
    this.#ctx = ctx;
    this.#names = names;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Fetches one resource, or a byte range of it. Looking the name up is not part of what is measured.
   *
   * @throws the reason of the role's signal, if that aborts; {@linkcode RunError} if the name cannot be resolved.
   */
  async get(
    url: string,
    { range, sink }: {
      readonly range?: ByteRange | undefined;
      readonly sink?: (bytes: Uint8Array) => Promise<void> | void;
    } = {},
  ): Promise<Fetched | NotFetched> {
    let target = new URL(url);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const connectTo = await this.#names.locate(target);
      const got = await this.#once(target, { range, connectTo, sink });
      if (!("location" in got)) return got;
      const next = URL.parse(got.location, target.href);
      if (next === null || !/^https?:$/.test(next.protocol)) {
        return failed("it redirects to what is no http: or https: URL");
      }
      target = next;
    }
    return failed(`it redirects more than ${MAX_REDIRECTS} times`);
  }

  async #once(url: URL, { range, connectTo, sink }: {
    readonly range: ByteRange | undefined;
    readonly connectTo: Address | undefined;
    readonly sink: ((bytes: Uint8Array) => Promise<void> | void) | undefined;
  }): Promise<Fetched | NotFetched | { readonly location: string }> {
    const { clock, net, signal } = this.#ctx;
    const stalled = new AbortController();
    const startedAtMs = clock.nowMs();
    try {
      const response = await net.fetch(url.href, {
        headers: range === undefined
          ? {}
          : { range: `bytes=${range.first}-${range.last ?? ""}` },
        signal: AbortSignal.any([signal, stalled.signal]),
        timeoutMs: this.#timeoutMs,
        ...(connectTo === undefined ? {} : { connectTo }),
      });
      const ttfbMs = clock.nowMs() - startedAtMs;
      const { status, headers } = response;
      const location = headers.get("location");
      if (status !== (range === undefined ? 200 : 206)) {
        await response.body?.cancel();
        if (status >= 300 && status < 400 && location !== null) {
          return { location };
        }
        const problem = status === 200
          ? "the server does not know byte ranges"
          : `the server answered ${status}`;
        return failed(problem, status);
      }
      const bytes = await this.#read(response, stalled, sink);
      return {
        ok: true,
        url: url.href,
        bytes,
        ttfbMs,
        downloadMs: clock.nowMs() - startedAtMs,
        server: connectTo === undefined ? url.host : formatAddress(connectTo),
        cacheStatus: headers.get("cache-status") ?? "",
        ageSeconds: Number(headers.get("age") ?? 0) || 0,
      };
    } catch (error) {
      signal.throwIfAborted();
      const cause = stalled.signal.aborted ? stalled.signal.reason : error;
      if (cause instanceof RunError) this.#names.distrust(url);
      return failed(
        cause instanceof RunError
          ? cause.message
          : `the connection broke: ${messageOf(cause)}`,
      );
    }
  }

  /** Reads a body to its end; aborts `stalled` when nothing comes for too long. */
  async #read(
    response: Response,
    stalled: AbortController,
    sink: ((bytes: Uint8Array) => Promise<void> | void) | undefined,
  ): Promise<number> {
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
          return stalled.abort(new RunError("stalled", text));
        }
        if (nowMs >= endAtMs) {
          const text = `it did not end within ${limitMs} ms`;
          return stalled.abort(new RunError("too-slow", text));
        }
        await clock.sleepUntil(Math.min(idleAtMs, endAtMs), done.signal)
          .catch(() => {});
      }
    };
    const watching = watch();
    try {
      for await (const chunk of response.body ?? []) {
        bytes += chunk.length;
        if (bytes > MAX_BYTES) {
          throw new RunError("too-large", `more than ${MAX_BYTES} bytes`);
        }
        lastAtMs = clock.nowMs();
        await sink?.(chunk);
      }
    } finally {
      done.abort();
      await watching;
    }
    return bytes;
  }
}

function failed(problem: string, status?: number): NotFetched {
  return { ok: false, status, problem };
}
