import type { CacheStatus } from "../../../lib/http/cache/cache_status.ts";
import { formatCacheStatus } from "../../../lib/http/cache/cache_status.ts";
import {
  endToEnd,
  Fields,
  type FieldSource,
} from "../../../lib/http/fields.ts";
import type { CacheRequest } from "../../../lib/http/cache/stored_response.ts";
import type { EdgeCacheStatus } from "../../../lib/events/edge.ts";
import type {
  BodySource,
  HttpRequest,
  HttpResponse,
} from "../../../lib/io/http.ts";
import type { Clock } from "../../../lib/io/clock.ts";
import type { AnswerLog } from "../account/answer_log.ts";
import { FieldsOnDemand, forwardedFields } from "../requests/forwarded.ts";

/** What we answer ourselves from the full copy, and so do not send on with a fetch for the cache. */
const OWN_FIELDS: readonly string[] = [
  "range",
  "if-range",
  "if-none-match",
  "if-modified-since",
];

/** A request as it goes to an origin; its fields are for whoever has it. */
export type FillRequest = CacheRequest & { readonly fields: Fields };

/** What of an edge an exchange needs. */
export interface ExchangeParts {
  readonly ctx: { readonly clock: Clock };
  /** Where answers are told. */
  readonly log: AnswerLog;
  /** Our name in `Via` and `Cache-Status`: a token. */
  readonly pseudonym: string;
  /** What clients speak with us. */
  readonly scheme: "http" | "https";
  /** Tells us from every other node in a `Via` that comes back: a request that has been here goes in circles. */
  readonly mark: string;
}

const NOTHING_WANTED = { range: null, ifRange: null };

/** One request being answered, and the account of it. */
export class Exchange {
  readonly request: HttpRequest;
  /** What is asked for: the normalised target. */
  readonly key: string;
  /** The request as lookups see it: for the whole, without the client's own conditions. */
  readonly asked: CacheRequest;
  /** What of the representation the client wants. */
  readonly wanted: {
    readonly range: string | null;
    readonly ifRange: string | null;
  };
  /** When it began, on the monotonic clock. */
  readonly startedAtMs: number;
  readonly #parts: ExchangeParts;
  #forward: FillRequest | undefined;
  #answered = false;

  /** Begins the account of a request for `key`. */
  constructor(parts: ExchangeParts, request: HttpRequest, key: string) {
    this.#parts = parts;
    this.request = request;
    this.key = key;
    this.startedAtMs = parts.ctx.clock.nowMs();
    const { method, headers } = request;
    this.asked = { method, key, fields: new FieldsOnDemand(headers, this) };
    // Range is defined for GET alone (RFC 9110 §14.2).
    this.wanted = method === "GET"
      ? { range: headers.get("range"), ifRange: headers.get("if-range") }
      : NOTHING_WANTED;
  }

  /** The request as it goes to the origin: normalised target, end-to-end fields. */
  get forward(): FillRequest {
    const { method } = this.request;
    return this.#forward ??= {
      method,
      key: this.key,
      fields: forwardedFields(this.request, this.#parts),
    };
  }

  /** Whether it is a GET for all of the representation, whatever the client has of it. */
  get wantsWhole(): boolean {
    const { method, headers } = this.request;
    return method === "GET" && this.wanted.range === null &&
      headers.get("if-none-match") === null &&
      headers.get("if-modified-since") === null;
  }

  /** The request as a fetch for the cache: for the whole, without the client's own conditions. A new copy. */
  forFill(): FillRequest {
    const fields = new Fields(this.forward.fields);
    for (const name of OWN_FIELDS) fields.delete(name);
    return { ...this.forward, fields };
  }

  /** Passes an interim answer of the origin on (RFC 9110 §15.2). */
  inform(status: number, fields: FieldSource): void {
    this.request.inform?.(status, endToEnd(fields));
  }

  /** Adds `Via` and `Cache-Status` to the fields of an answer. */
  sign(fields: Fields, status: CacheStatus): void {
    addMember(fields, "via", `1.1 ${this.#parts.pseudonym}`);
    addMember(
      fields,
      "cache-status",
      formatCacheStatus(this.#parts.pseudonym, { ...status, key: this.key }),
    );
  }

  /** Answers with these bytes, or without a body. */
  bytes(
    head: { readonly status: number; readonly fields: FieldSource },
    body: Uint8Array<ArrayBuffer> | null,
    cacheStatus: EdgeCacheStatus,
  ): HttpResponse {
    const sent = this.request.method === "HEAD" ? 0 : body?.length ?? 0;
    this.#account(head.status, cacheStatus, { bytes: sent, complete: true });
    return response(head, body);
  }

  /** Answers with a body that comes piece by piece; `next` gives null at its end, `leave` hears when the client left before. */
  stream(
    head: { readonly status: number; readonly fields: Fields },
    source: BodySource,
    cacheStatus: EdgeCacheStatus,
  ): HttpResponse {
    let bytes = 0;
    const end = (complete: boolean) =>
      this.#account(head.status, cacheStatus, { bytes, complete });
    return response(head, {
      async next(maxBytes) {
        try {
          const piece = await source.next(maxBytes);
          if (piece === null) end(true);
          else bytes += piece.length;
          return piece;
        } catch (error) {
          end(false);
          source.leave();
          throw error;
        }
      },
      leave() {
        end(false);
        source.leave();
      },
    });
  }

  /** Answers with one line of text made here. */
  plain(
    status: number,
    text: string,
    cacheStatus: CacheStatus = {},
  ): HttpResponse {
    const body = new TextEncoder().encode(`${text}\n`) as Uint8Array<
      ArrayBuffer
    >;
    const headers = new Fields([
      ["content-type", "text/plain; charset=utf-8"],
      ["cache-control", "no-store"],
      ["cache-status", formatCacheStatus(this.#parts.pseudonym, cacheStatus)],
    ]);
    const told = status < 400 ? "own" : "error";
    this.#account(status, told, { bytes: body.length, complete: true });
    return { status, headers, body };
  }

  #account(
    status: number,
    cacheStatus: EdgeCacheStatus,
    rest: { readonly bytes: number; readonly complete: boolean },
  ): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#parts.log.add({
      method: this.request.method,
      path: this.key,
      status,
      cacheStatus,
      ...rest,
      durationMs: this.#parts.ctx.clock.nowMs() - this.startedAtMs,
    }, this.request);
  }
}

function response(
  head: { readonly status: number; readonly fields: FieldSource },
  body: HttpResponse["body"],
): HttpResponse {
  return { status: head.status, headers: head.fields, body };
}

/** Puts a member at the end of a list field, on the same line. */
function addMember(fields: Fields, name: string, member: string): void {
  const before = fields.get(name);
  fields.set(name, before === null ? member : `${before}, ${member}`);
}
