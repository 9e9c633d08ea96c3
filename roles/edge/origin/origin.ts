import { RunError } from "../../../lib/core/errors.ts";
import type { OriginFailure } from "../../../lib/http/cache/flights.ts";
import {
  endToEnd,
  type Fields,
  type FieldSource,
} from "../../../lib/http/fields.ts";
import { dateOf } from "../../../lib/http/cache/freshness.ts";
import { formatHttpDate } from "../../../lib/http/http_date.ts";
import {
  type HealthChange,
  OriginHealth,
} from "../../../lib/http/origin_health.ts";
import type { ReceivedHead } from "../../../lib/http/cache/stored_response.ts";
import { type Place, Turns } from "../../../lib/http/turns.ts";
import type {
  ClientRequest,
  ClientResponse,
} from "../../../lib/io/http1/client.ts";
import type { BodySource } from "../../../lib/io/http.ts";
import { RepeatLog } from "../../../lib/io/repeat_log.ts";
import { within } from "../../../lib/io/within.ts";
import type { RoleContext } from "../../../lib/role.ts";

/** Statuses by which a gateway says that the origin behind it failed: another origin may do better. */
export const GATEWAY_ERRORS: ReadonlySet<number> = new Set([502, 503, 504]);

/** What clients are told: where the origin is, and why it failed, is for our log. */
const WORDS = {
  502: "No origin could be reached",
  503: "The origins have too much to do",
  504: "The origin did not answer in time",
} as const;

/** A clock that is behind by less changes little, and on a LAN two are seldom closer. */
const LAG_MS = 5000;

/** Why a body is cancelled when nothing has come for too long: else it is that nobody wants it. */
export const FELL_SILENT = "fell-silent";

/** What goes to an origin. */
export interface UpstreamRequest {
  readonly method: string;
  /** Normalised: path and query. */
  readonly target: string;
  readonly fields: Fields;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
  /** Hears of interim answers (RFC 9110 §15.2). */
  readonly interim?: (status: number, fields: FieldSource) => void;
}

/** Why a request never came to an origin: there was no connection. */
const NEVER_HEARD: ReadonlySet<string> = new Set([
  "connect-failed",
  "connect-timeout",
]);

/** No answer came. */
export interface OriginRefusal {
  readonly failure: OriginFailure;
  /** Whether the origin may have received the request all the same, or a part of it. */
  readonly mayHaveHeard: boolean;
}

/** The body of an origin's answer. */
export interface UpstreamBody extends BodySource {
  /** See {@linkcode BodySource.leave}; may be called at any time, also while a piece is waited for: that rejects then. */
  leave(why?: typeof FELL_SILENT): void;
}

/** An origin's answer; the body is not read yet. */
export interface UpstreamResponse extends ReceivedHead {
  readonly fields: Fields;
  readonly body: UpstreamBody | null;
  /** From `Content-Length`; undefined when the origin did not say. */
  readonly bodyBytes: number | undefined;
  /** Which origin it was. */
  readonly origin: string;
  /** Whether the connection had served a request before. */
  readonly reused: boolean;
  /** The absolute URL that was asked for. */
  readonly url: string;
}

/** How an origin is treated. */
export interface OriginOptions {
  /** Longest wait for a connection, and then for an answer to begin. */
  readonly connectMs: number;
  readonly firstByteMs: number;
  /** Most requests at once to one origin, and most that wait for that. */
  readonly concurrency: number;
  readonly queueLength: number;
  /** Health checks decide whether it is asked. */
  readonly hasChecks: boolean;
  readonly client: {
    send(url: string, request: ClientRequest): Promise<ClientResponse>;
  };
}

/** What an origin needs of a role's context. */
export type OriginContext = Pick<RoleContext, "clock" | "signal" | "emit">;

/** One origin: how it does, and what is under way there. */
export class Origin {
  /** Its URL; a path in it is put before every target. */
  readonly base: string;
  readonly #health: OriginHealth;
  readonly #turns: Turns;
  readonly #ctx: OriginContext;
  readonly #troubles: RepeatLog;
  readonly #options: OriginOptions;
  #isLagTold = false;

  /** Takes the origin's URL. */
  constructor(
    url: string,
    options: OriginOptions,
    ctx: OriginContext,
  ) {
    this.base = baseOf(url);
    this.#health = new OriginHealth(options);
    this.#turns = new Turns({
      most: options.concurrency,
      queueLength: options.queueLength,
    });
    this.#ctx = ctx;
    this.#troubles = new RepeatLog(ctx);
    this.#options = options;
  }

  /** How it does. */
  stats(): {
    readonly origin: string;
    readonly up: boolean;
    readonly active: number;
    readonly waiting: number;
  } {
    return {
      origin: this.base,
      up: !this.#health.isSuspended,
      active: this.#turns.taken,
      waiting: this.#turns.waiting,
    };
  }

  /** Whether it failed so lately that others come first. */
  isDoubtful(): boolean {
    return this.#health.isDoubtful(this.#ctx.clock.nowMs());
  }

  /** Whether a request may go there now; see {@linkcode OriginHealth.mayAsk}. */
  mayAsk(): boolean {
    return this.#health.mayAsk(this.#ctx.clock.nowMs());
  }

  /** Waits for a turn; false when too many wait already, or it took too long. */
  async admitted(signal: AbortSignal): Promise<boolean> {
    const turns = this.#turns;
    if (turns.tryTake()) return true;
    const place = turns.queue();
    if (place !== undefined && await this.#hasTurn(place, signal)) return true;
    this.#health.abandoned();
    this.#troubles.tell("refused", {
      type: "upstream.refused",
      origin: this.base,
      active: turns.taken,
      waiting: turns.waiting,
    });
    return false;
  }

  /** Waits in the queue; false when it took too long. */
  async #hasTurn(
    place: Place,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { clock } = this.#ctx;
    const limitMs = this.#options.firstByteMs;
    try {
      await within(place.admitted, { clock, limitMs, signal });
      return true;
    } catch (error) {
      place.leave();
      if (error instanceof RunError) return false;
      this.#health.abandoned();
      throw error;
    }
  }

  /** Asks; the request has a turn. */
  async ask(
    request: UpstreamRequest,
  ): Promise<UpstreamResponse | OriginRefusal> {
    const health = this.#health;
    const { clock } = this.#ctx;
    try {
      const response = await this.#send(request);
      this.#note(
        GATEWAY_ERRORS.has(response.status)
          ? health.declined(clock.nowMs())
          : health.succeeded(clock.nowMs()),
      );
      return response;
    } catch (error) {
      this.#turns.give();
      if (!(error instanceof RunError)) {
        health.abandoned();
        throw error;
      }
      this.tell(error.code, error.message);
      this.#note(health.failed(clock.nowMs()));
      return {
        failure: failureOf(error.code.endsWith("-timeout") ? 504 : 502),
        mayHaveHeard: !NEVER_HEARD.has(error.code),
      };
    }
  }

  async #send(
    request: UpstreamRequest,
  ): Promise<UpstreamResponse> {
    const { clock } = this.#ctx;
    const { client, connectMs, firstByteMs } = this.#options;
    const requestAtMs = clock.nowMs();
    const url = this.base + request.target;
    const response = await client.send(url, {
      method: request.method,
      headers: request.fields,
      ...(request.body === undefined ? {} : { body: request.body }),
      signal: request.signal,
      connectMs,
      firstByteMs,
      ...(request.interim === undefined ? {} : { interim: request.interim }),
    });
    const responseWallMs = clock.wallMs();
    const fields = endToEnd(response.headers);
    // RFC 9110 §6.6.1: who receives a response without Date notes when that was.
    if (!fields.has("date")) fields.set("date", formatHttpDate(responseWallMs));
    else if (!this.#isLagTold) this.#noteLag(fields, responseWallMs);
    const length = response.headers.get("content-length");
    return {
      status: response.status,
      fields,
      body: this.#accounted(response.body),
      bodyBytes: response.body === null
        ? 0
        : length !== null && /^[0-9]{1,15}$/.test(length)
        ? Number(length)
        : undefined,
      origin: this.base,
      reused: response.reused === true,
      url,
      requestAtMs,
      responseAtMs: clock.nowMs(),
      responseWallMs,
    };
  }

  /** A clock that is behind makes all stale from the start, and who looks at the cache alone would never know why. */
  #noteLag(fields: Fields, responseWallMs: number): void {
    const lagMs = responseWallMs - dateOf(fields, responseWallMs);
    if (lagMs < LAG_MS || fields.has("age")) return;
    this.#isLagTold = true;
    this.#ctx.emit({ type: "upstream.lagged", origin: this.base, lagMs });
  }

  /** The body, at whose end the turn is given back; one that breaks off speaks against the origin. */
  #accounted(body: BodySource | null): UpstreamBody | null {
    if (body === null) {
      this.#turns.give();
      return null;
    }
    let isOver = false;
    const over = (broken?: { readonly code: string; readonly why: string }) => {
      if (isOver) return;
      isOver = true;
      this.#turns.give();
      if (broken === undefined) return;
      this.tell(broken.code, broken.why);
      this.#note(this.#health.failed(this.#ctx.clock.nowMs()));
    };
    return {
      async next(maxBytes) {
        try {
          const piece = await body.next(maxBytes);
          if (piece === null) over();
          return piece;
        } catch (error) {
          over({ code: "body-cut-short", why: "Its answer broke off" });
          throw error;
        }
      },
      leave(why) {
        over(
          why === FELL_SILENT
            ? { code: "body-too-slow", why: "Its answer did not go on" }
            : undefined,
        );
        body.leave();
      },
    };
  }

  /** Asks for its health. */
  async check(
    target: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, connectMs, firstByteMs } = this.#options;
    const { clock } = this.#ctx;
    const startedAtMs = clock.nowMs();
    let status = 0;
    try {
      const response = await client.send(this.base + target, {
        method: "GET",
        headers: [["user-agent", "rolecall-health-check"]],
        signal,
        connectMs,
        firstByteMs,
      });
      status = response.status;
      response.body?.leave();
    } catch (error) {
      if (!(error instanceof RunError)) return;
    }
    const isHealthy = status >= 200 && status < 400;
    const nowMs = clock.nowMs();
    this.#ctx.emit({
      type: "upstream.checked",
      origin: this.base,
      healthy: isHealthy,
      status,
      durationMs: nowMs - startedAtMs,
    });
    this.#note(this.#health.checked(isHealthy, nowMs));
  }

  /** Says why it failed. */
  tell(code: string, message: string): void {
    this.#troubles.tell(code, {
      type: "upstream.failed",
      origin: this.base,
      code,
      message,
    });
  }

  #note(change: HealthChange | undefined): void {
    if (change === undefined) return;
    this.#ctx.emit(
      change.kind === "suspended"
        ? {
          type: "upstream.suspended",
          origin: this.base,
          ...(change.pauseMs === Infinity ? {} : { pauseMs: change.pauseMs }),
        }
        : {
          type: "upstream.restored",
          origin: this.base,
          suspendedMs: change.suspendedMs,
        },
    );
  }
}

/** An origin's URL as every URL is written that is compared with it: host in lower case, no port that goes without saying, no slash at the end. */
export function baseOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/+$/, "");
}

/** Which failure clients are told of. */
export function failureOf(status: keyof typeof WORDS): OriginFailure {
  return { kind: "unreachable", status, message: WORDS[status] };
}
