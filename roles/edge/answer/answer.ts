import type { EdgeCacheStatus } from "../../../lib/events/edge.ts";
import type { CacheStatus } from "../../../lib/http/cache/cache_status.ts";
import { GrowingBody } from "../../../lib/http/cache/growing_body.ts";
import { currentAgeMs } from "../../../lib/http/cache/reuse.ts";
import type { StoredResponse } from "../../../lib/http/cache/stored_response.ts";
import {
  evaluateConditions,
  type Validators,
} from "../../../lib/http/conditional.ts";
import { Fields } from "../../../lib/http/fields.ts";
import { parseHttpDate } from "../../../lib/http/http_date.ts";
import { byterangesBody } from "../../../lib/http/multipart.ts";
import {
  type ByteRange,
  contentRange,
  decideRange,
  rangeLength,
  unsatisfiedRange,
} from "../../../lib/http/range.ts";
import { parseEntityTag } from "../../../lib/http/validators.ts";
import type { HttpResponse } from "../../../lib/io/http.ts";
import type { Exchange } from "./exchange.ts";

/** Up to here a body that is all there is handed over in one piece; larger ones go as the client reads them, so that stalled clients do not hold copies. */
export const ONE_PIECE_BYTES = 2 ** 20;

/**
 * What a 304 leaves out: the metadata of bytes that are not sent (RFC 9110 §15.4.5). All else goes with it, such as what a
 * browser wants to see before it shows an answer to a page of another origin.
 */
const OF_THE_BYTES: ReadonlySet<string> = new Set([
  "content-digest",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-md5",
  "content-range",
  "content-type",
  "digest",
  "repr-digest",
]);

/** How an answer from the cache came about. */
export interface Story {
  readonly cacheStatus: EdgeCacheStatus;
  /** For the `Cache-Status` field; `ttl` is added here. */
  readonly status: CacheStatus;
  /** What of an origin's answer is for this client alone. */
  readonly own?: Iterable<readonly [string, string]>;
  readonly nowMs: number;
  readonly wallMs: number;
}

/** Answers from a stored response, which may still be growing: whole, a range of it, 304 or 416 (RFC 9111 §4). */
export function answerFrom(
  stored: StoredResponse,
  exchange: Exchange,
  story: Story,
): HttpResponse {
  const fields = fieldsFrom(stored, exchange, {
    ...story,
    ageMs: currentAgeMs(stored, story.nowMs),
  });
  const { headers, method } = exchange.request;
  const precondition = stored.status === 200
    ? evaluateConditions(
      { method, headers },
      new StoredValidators(stored, story.wallMs),
      story.wallMs,
    )
    : { kind: "perform" as const, useRange: false };
  if (precondition.kind === "not-modified") {
    const kept = new Fields(
      [...fields].filter(([name]) => !OF_THE_BYTES.has(name)),
    );
    return exchange.bytes(
      { status: 304, fields: kept },
      null,
      story.cacheStatus,
    );
  }
  const sizeBytes = stored.body.lengthBytes;
  if (
    precondition.kind === "perform" && precondition.useRange &&
    sizeBytes !== undefined
  ) {
    const range = decideRange(headers.get("range"), sizeBytes);
    if (range.kind === "unsatisfiable") {
      fields.delete("content-length");
      fields.set("content-range", unsatisfiedRange(sizeBytes));
      return exchange.bytes({ status: 416, fields }, null, story.cacheStatus);
    }
    if (range.kind === "parts") {
      const [range0, ...others] = range.parts;
      return others.length === 0
        ? part(stored, exchange, { fields, range: range0!, ...story })
        : severalParts(stored, exchange, {
          fields,
          parts: range.parts,
          ...story,
        });
    }
  }
  return whole(stored, exchange, { fields, cacheStatus: story.cacheStatus });
}

/** The fields of an answer from `stored`, signed; those that say what part of it is sent are not there yet. */
export function fieldsFrom(
  stored: StoredResponse,
  exchange: Exchange,
  story: Pick<Story, "cacheStatus" | "status" | "own"> & {
    readonly ageMs: number;
  },
): Fields {
  const { ageMs } = story;
  const fields = new Fields(stored.fields);
  for (const [name, value] of story.own ?? []) fields.append(name, value);
  // What was fetched for this very request has no age of its own.
  const isOwn = story.cacheStatus === "miss";
  if (Number.isFinite(ageMs) && !(isOwn && ageMs < 1000)) {
    fields.set("age", String(Math.floor(ageMs / 1000)));
  }
  exchange.sign(fields, { ...story.status, ttlMs: stored.lifetimeMs - ageMs });
  return fields;
}

/** Said or not, we can answer with parts of it; some ask for them, or pass them on, only where that is said: nginx among them. */
export function offerRanges(fields: Fields, stored: StoredResponse): void {
  const isKnown = stored.status === 200 &&
    stored.body.lengthBytes !== undefined;
  if (isKnown && !fields.has("accept-ranges")) {
    fields.append("accept-ranges", "bytes");
  }
}

function whole(
  stored: StoredResponse,
  exchange: Exchange,
  options: { readonly fields: Fields; readonly cacheStatus: EdgeCacheStatus },
): HttpResponse {
  const { fields, cacheStatus } = options;
  const { body, status } = stored;
  const hasBody = status !== 204 && status !== 205;
  fields.delete("content-length");
  if (body.lengthBytes !== undefined && hasBody) {
    fields.set("content-length", String(body.lengthBytes));
  }
  offerRanges(fields, stored);
  const head = { status, fields };
  if (!hasBody || exchange.request.method === "HEAD") {
    return exchange.bytes(head, null, cacheStatus);
  }
  if (body.isWhole && body.bytes.length <= ONE_PIECE_BYTES) {
    return exchange.bytes(head, body.bytes, cacheStatus);
  }
  return exchange.stream(head, body.reader(), cacheStatus);
}

function part(
  stored: StoredResponse,
  exchange: Exchange,
  options: {
    readonly fields: Fields;
    readonly range: ByteRange;
    readonly cacheStatus: EdgeCacheStatus;
  },
): HttpResponse {
  const { fields, range, cacheStatus } = options;
  const { body } = stored;
  fields.set("content-range", contentRange(range, body.lengthBytes!));
  fields.set("content-length", String(rangeLength(range)));
  const head = { status: 206, fields };
  const end = range.lastByte + 1;
  if (body.isWhole && rangeLength(range) <= ONE_PIECE_BYTES) {
    const bytes = body.bytes.subarray(range.firstByte, end);
    return exchange.bytes(head, bytes, cacheStatus);
  }
  return exchange.stream(
    head,
    body.reader(range.firstByte, end),
    cacheStatus,
  );
}

/** Several ranges at once, as multipart/byteranges (RFC 9110 §14.6). */
function severalParts(
  stored: StoredResponse,
  exchange: Exchange,
  options: {
    readonly fields: Fields;
    readonly parts: readonly ByteRange[];
    readonly cacheStatus: EdgeCacheStatus;
    readonly nowMs: number;
  },
): HttpResponse {
  const { fields, parts, cacheStatus, nowMs } = options;
  const plan = byterangesBody(parts, {
    boundary: `rolecall${Math.floor(nowMs * 1000).toString(36)}`,
    mediaType: fields.get("content-type") ?? "application/octet-stream",
    sizeBytes: stored.body.lengthBytes!,
  });
  fields.set("content-type", plan.contentType);
  fields.set("content-length", String(plan.lengthBytes));
  const readers = plan.pieces.map((piece) =>
    piece instanceof Uint8Array
      ? GrowingBody.of(piece).reader()
      : stored.body.reader(piece.firstByte, piece.lastByte + 1)
  );
  let at = 0;
  return exchange.stream({ status: 206, fields }, {
    async next(maxBytes) {
      for (; at < readers.length; at++) {
        const bytes = await readers[at]!.next(maxBytes);
        if (bytes !== null) return bytes;
      }
      return null;
    },
    leave: () => readers.forEach((reader) => reader.leave()),
  }, cacheStatus);
}

/** Read only when a condition asks: most requests have none. A class, because an object with accessors of its own takes 0.4 µs to make. */
class StoredValidators implements Validators {
  readonly #fields: Fields;
  readonly #wallMs: number;

  constructor({ fields }: StoredResponse, wallMs: number) {
    this.#fields = fields;
    this.#wallMs = wallMs;
  }

  get entityTag() {
    const etag = this.#fields.get("etag");
    return (etag === null ? null : parseEntityTag(etag)) ?? undefined;
  }

  /** Without Last-Modified, the date of the response stands for it (RFC 9111 §4.3.2). */
  get modifiedAtWallMs() {
    const modified = this.#fields.get("last-modified") ??
      this.#fields.get("date");
    return modified === null
      ? undefined
      : parseHttpDate(modified, this.#wallMs);
  }
}
