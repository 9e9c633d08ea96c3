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

/** Fetches over HTTP and measures; connections are kept alive by the HTTP client. */
export class Fetcher {
  readonly #ctx: RoleContext;
  readonly #names: Names;
  readonly #timeoutMs: number;

  /** Creates a fetcher that gives up after `timeoutMs` without a byte. */
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
      target = new URL(got.location, target);
      if (!/^https?:$/.test(target.protocol)) break;
    }
    return {
      ok: false,
      status: undefined,
      problem: `more than ${MAX_REDIRECTS} redirects, or one away from HTTP`,
    };
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
        return { ok: false, status, problem };
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
      const problem = stalled.signal.aborted
        ? `nothing came for ${this.#timeoutMs} ms`
        : error instanceof RunError
        ? error.message
        : `the connection broke: ${messageOf(error)}`;
      if (error instanceof RunError || stalled.signal.aborted) {
        this.#names.distrust(url);
      }
      return { ok: false, status: undefined, problem };
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
    const done = new AbortController();
    const watch = async () => {
      while (!done.signal.aborted) {
        const untilMs = lastAtMs + this.#timeoutMs;
        if (clock.nowMs() >= untilMs) return stalled.abort();
        await clock.sleepUntil(untilMs, done.signal).catch(() => {});
      }
    };
    const watching = watch();
    try {
      for await (const chunk of response.body ?? []) {
        bytes += chunk.length;
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
