import { RunError } from "../../lib/core/errors.ts";
import type { OriginFailure } from "../../lib/http/flights.ts";
import { endToEnd, type Fields } from "../../lib/http/fields.ts";
import { formatHttpDate } from "../../lib/http/http_date.ts";
import { isSafe } from "../../lib/http/storability.ts";
import type { ReceivedHead } from "../../lib/http/stored_response.ts";
import type { RoleContext } from "../../lib/role.ts";

/** How long an origin that failed is asked last. */
const AVOID_MS = 5_000;
/** Statuses by which a gateway says that the origin behind it failed: another origin may do better. */
const GATEWAY_ERRORS: ReadonlySet<number> = new Set([502, 503, 504]);

/** What clients are told: where the origin is, and why it failed, is for our log. */
const WORDS = {
  502: "No origin could be reached",
  504: "The origin did not answer in time",
} as const;

/** What goes to an origin. */
export interface UpstreamRequest {
  readonly method: string;
  /** Normalised: path and query. */
  readonly target: string;
  readonly fields: Fields;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
}

/** An origin's answer; the body is not read yet. */
export interface UpstreamResponse extends ReceivedHead {
  readonly fields: Fields;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  /** From `Content-Length`; undefined when the origin did not say. */
  readonly bodyBytes: number | undefined;
  /** Which origin it was. */
  readonly origin: string;
  /** The absolute URL that was asked for. */
  readonly url: string;
}

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

interface Origin {
  readonly base: string;
  failedAtMs: number;
}

/** The configured origins, in order of preference. Nothing else is ever asked. */
export class Upstream {
  readonly #origins: readonly Origin[];
  readonly #ctx: RoleContext;
  readonly #timeoutMs: number;

  /** Takes the origins' URLs; a path in one is put before every target. */
  constructor(
    ctx: RoleContext,
    options: {
      readonly origins: readonly string[];
      readonly timeoutMs: number;
    },
  ) {
    this.#ctx = ctx;
    this.#timeoutMs = options.timeoutMs;
    this.#origins = options.origins.map((url) => ({
      base: url.replace(/[?#].*$/, "").replace(/\/+$/, ""),
      failedAtMs: -Infinity,
    }));
  }

  /** The URL a target has at the origin of first choice: against it `Location` is resolved. */
  urlOf(target: string): string {
    return this.#origins[0]!.base + target;
  }

  /** The target a URL at any of the origins has here; undefined when it is elsewhere. */
  targetOf(url: string): string | undefined {
    const origin = this.#origins.find(({ base }) => url.startsWith(`${base}/`));
    return origin === undefined ? undefined : url.slice(origin.base.length);
  }

  /**
   * Sends a request; a safe one that fails goes to the next origin (RFC 9110 §9.2.2), an unsafe one is
   * sent once: nobody knows how far it got.
   *
   * @throws {UpstreamError} If no origin answered.
   */
  async fetch(request: UpstreamRequest): Promise<UpstreamResponse> {
    const order = this.#inOrder();
    let failure: OriginFailure | undefined;
    for (const [index, origin] of order.entries()) {
      const isLast = index === order.length - 1;
      try {
        const response = await this.#ask(origin, request);
        const retry = GATEWAY_ERRORS.has(response.status) && !isLast &&
          isSafe(request.method);
        if (!retry) return response;
        this.#failed(
          origin,
          `status-${response.status}`,
          `It answered with status ${response.status}, the next one is asked`,
        );
        await response.body?.cancel();
      } catch (error) {
        if (!(error instanceof RunError)) throw error;
        this.#failed(origin, error.code, error.message);
        const status = error.code === "fetch-timeout" ? 504 : 502;
        failure ??= { kind: "unreachable", status, message: WORDS[status] };
        if (!isSafe(request.method)) break;
      }
    }
    throw new UpstreamError(
      failure ?? { kind: "unreachable", status: 502, message: WORDS[502] },
    );
  }

  async #ask(
    origin: Origin,
    request: UpstreamRequest,
  ): Promise<UpstreamResponse> {
    const { clock, net } = this.#ctx;
    const requestAtMs = clock.nowMs();
    const url = origin.base + request.target;
    const response = await net.fetch(url, {
      method: request.method,
      headers: [...request.fields],
      ...(request.body === undefined ? {} : { body: request.body }),
      signal: request.signal,
      timeoutMs: this.#timeoutMs,
    });
    const responseWallMs = clock.wallMs();
    const fields = endToEnd(response.headers);
    // RFC 9110 §6.6.1: who receives a response without Date notes when that was.
    if (!fields.has("date")) fields.set("date", formatHttpDate(responseWallMs));
    const length = response.headers.get("content-length");
    return {
      status: response.status,
      fields,
      body: response.body as ReadableStream<Uint8Array<ArrayBuffer>> | null,
      bodyBytes: response.body === null
        ? 0
        : length !== null && /^[0-9]{1,15}$/.test(length)
        ? Number(length)
        : undefined,
      origin: origin.base,
      url,
      requestAtMs,
      responseAtMs: clock.nowMs(),
      responseWallMs,
    };
  }

  /** Those that did not fail lately first. */
  #inOrder(): readonly Origin[] {
    const since = this.#ctx.clock.nowMs() - AVOID_MS;
    return [
      ...this.#origins.filter(({ failedAtMs }) => failedAtMs < since),
      ...this.#origins.filter(({ failedAtMs }) => failedAtMs >= since),
    ];
  }

  #failed(origin: Origin, code: string, message: string): void {
    origin.failedAtMs = this.#ctx.clock.nowMs();
    this.#ctx.emit({
      type: "upstream.failed",
      origin: origin.base,
      code,
      message,
    });
  }
}
