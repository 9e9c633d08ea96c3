import { endToEnd, Fields, type FieldSource } from "../fields.ts";
import { parseContentRange } from "../range.ts";
import { parseHttpDate } from "../http_date.ts";
import { parseEntityTag, sameWeakly } from "../validators.ts";
import { Directives, requestDirectives } from "./cache_control.ts";
import { freshnessLifetime, initialAgeMs } from "./freshness.ts";
import type { GrowingBody } from "./growing_body.ts";
import { SparseBody } from "./sparse_body.ts";
import type { StoredBody } from "./stored_body.ts";
import type { StoredTimes } from "./reuse.ts";
import { fieldsNotToStore, mayStore, type Storability } from "./storability.ts";
import { languageVariant, variantKey, varyNames } from "./vary.ts";

/** A request as it would go to the origin. */
export interface CacheRequest {
  /** Case-sensitive. */
  readonly method: string;
  /** The normalised target: what makes two requests ask for the same resource. */
  readonly key: string;
  /** As they go to the origin; those `Vary` names are read from here. */
  readonly fields: FieldSource;
  /** Of a fetch: how many orders to forget the cache had when it began. */
  readonly begun?: number;
}

/** A response's head with the times its age is made from. */
export interface ReceivedHead {
  /** A final one. */
  readonly status: number;
  /** As received, `Date` supplied where the origin gave none. */
  readonly fields: FieldSource;
  /** When its request was sent, on the monotonic clock. */
  readonly requestAtMs: number;
  /** When the head arrived, on the monotonic clock. */
  readonly responseAtMs: number;
  /** When the head arrived, on the wall clock. */
  readonly responseWallMs: number;
}

/** A response the cache holds; its body may still be growing, or have gaps. */
export interface StoredResponse extends StoredTimes {
  /** Of the request. */
  readonly key: string;
  /** What tells it from other variants of the same resource. */
  readonly variant: string;
  /** The variant of a request for its language alone, where that is what varies. */
  readonly languageVariant: string | undefined;
  /** The origin's; 200 also where only parts of such a response are held. */
  readonly status: number;
  /** End-to-end fields, without `Age`. */
  readonly fields: Fields;
  /** When the head arrived, on the wall clock: what a copy on a disk is dated by. */
  readonly responseWallMs: number;
  /** Shared with the refreshed forms of this response. */
  readonly body: StoredBody;
}

/** A stored response whose body is being filled, by whoever stored it. */
export interface FillingResponse extends StoredResponse {
  readonly body: GrowingBody;
}

/** Makes the stored form of a response: end-to-end fields only, without those the origin forbids to keep (RFC 9111 §3.1). */
export function toStore<B extends StoredBody>(
  request: CacheRequest,
  head: ReceivedHead,
  body: B,
): StoredResponse & { readonly body: B } {
  const fields = endToEnd(head.fields);
  const directives = Directives.ofResponse(fields);
  for (const name of fieldsNotToStore(directives)) fields.delete(name);
  const age = fields.get("age");
  fields.delete("age");
  const names = varyNames(fields.get("vary")) ?? [];
  return {
    key: request.key,
    variant: variantKey(names, request.fields),
    languageVariant: languageVariant(
      names,
      request.fields,
      singleLanguage(fields),
    ),
    status: head.status,
    fields,
    directives,
    body,
    lifetimeMs: freshnessLifetime({ ...head, fields, directives }).lifetimeMs,
    initialAgeMs: initialAgeMs({ ...head, fields, age }),
    responseAtMs: head.responseAtMs,
    responseWallMs: head.responseWallMs,
  };
}

/** The language the representation is in, if it is one: it then answers whoever likes that one best. */
function singleLanguage(fields: Fields): string | undefined {
  const language = fields.get("content-language")?.trim().toLowerCase();
  return language !== undefined && /^[a-z0-9-]+$/.test(language)
    ? language
    : undefined;
}

/** Fields that belong to the stored bytes: a 304 does not change them (RFC 9111 §3.2). */
const BODY_FIELDS: ReadonlySet<string> = new Set([
  "content-encoding",
  "content-length",
  "content-md5",
  "content-range",
  "etag",
]);

/**
 * Whether a response is a 304 about `stored`: one with another entity tag is about a version that we do not have (RFC 9111 §4.3.4).
 * Weak and strong tags are taken for each other where they are alike, for servers that compress say one of each.
 */
export function confirms(head: ReceivedHead, stored: StoredResponse): boolean {
  const [theirs, ours] = [head, stored].map(({ fields }) =>
    parseEntityTag(fields.get("etag") ?? "")
  );
  return head.status === 304 &&
    (theirs === null || ours === null || sameWeakly(theirs!, ours!));
}

/** Returns `stored` as a 304 has refreshed it: new fields and times, the same body (RFC 9111 §4.3.4). */
export function refreshed(
  stored: StoredResponse,
  request: CacheRequest,
  head: ReceivedHead,
): StoredResponse {
  const fields = endToEnd(stored.fields);
  const updated = new Set<string>();
  for (const [name, value] of endToEnd(head.fields)) {
    if (BODY_FIELDS.has(name)) continue;
    if (!updated.has(name)) fields.delete(name);
    updated.add(name);
    fields.append(name, value);
  }
  const whole = { ...head, status: stored.status, fields };
  return toStore(request, whole, stored.body);
}

/** What an entry costs: its body as far as known, its fields, and about what the maps around it take. */
export function costOf(stored: StoredResponse): number {
  const { body } = stored;
  const bodyBytes = body instanceof SparseBody
    ? body.filledBytes
    : body.lengthBytes ?? body.filledBytes;
  return bodyBytes + stored.fields.sizeBytes() +
    2 * (stored.key.length + stored.variant.length) + 512;
}

/** Whether keeping it can ever help: it is fresh for a while, or can be revalidated, or used stale. */
export function isUseful(stored: StoredResponse): boolean {
  return stored.lifetimeMs > stored.initialAgeMs ||
    conditionsFor(stored).length > 0 ||
    stored.directives.has("stale-while-revalidate") ||
    stored.directives.has("stale-if-error");
}

/** Whether a shared cache may store the answer to a request (RFC 9111 §3); also what a stored one has become by a 304. */
export function storabilityOf(
  { method, fields: requestFields }: CacheRequest,
  { status, fields }: Pick<ReceivedHead, "status" | "fields">,
): Storability {
  return mayStore({
    method,
    requestFields,
    requestDirectives: requestDirectives(requestFields),
    status,
    fields,
    directives: Directives.ofResponse(fields),
  });
}

/** The fields that turn a request into the question whether `stored` is still good (RFC 9111 §4.3.1); empty when it has no validators. */
export function conditionsFor(stored: StoredResponse): [string, string][] {
  const conditions: [string, string][] = [];
  const etag = stored.fields.get("etag");
  const modified = stored.fields.get("last-modified");
  if (etag !== null) conditions.push(["if-none-match", etag]);
  if (modified !== null) conditions.push(["if-modified-since", modified]);
  return conditions;
}

/** Whether the 206 in `head` has parts of the very representation `stored` holds: the same strong validator (RFC 9111 §3.4, RFC 9110 §8.8.1). */
export function isSameRepresentation(
  stored: StoredResponse,
  head: ReceivedHead,
): boolean {
  const mine = strongValidator(stored.fields, head.responseWallMs);
  return mine !== undefined &&
    mine === strongValidator(head.fields, head.responseWallMs);
}

/** Whether `head` is that of a 206 with all of `stored` from `firstByte` on, and of the same representation. */
export function isRestOf(
  stored: StoredResponse,
  head: ReceivedHead,
  firstByte: number,
): boolean {
  const place = parseContentRange(head.fields.get("content-range"));
  const { lengthBytes } = stored.body;
  return head.status === 206 && place !== null && lengthBytes !== undefined &&
    place.sizeBytes === lengthBytes &&
    place.range.firstByte === firstByte &&
    place.range.lastByte === lengthBytes - 1 &&
    isSameRepresentation(stored, head);
}

/** The fields that ask for `stored` from `firstByte` on, or for whatever there is instead (RFC 9110 §13.1.5); undefined when it has no strong validator. */
export function restConditions(
  stored: StoredResponse,
  firstByte: number,
): [string, string][] | undefined {
  const validator = strongValidator(stored.fields, stored.responseWallMs);
  return validator === undefined
    ? undefined
    : [["range", `bytes=${firstByte}-`], ["if-range", validator]];
}

/** A strong tag; else a date of last modification that is a minute older than the response, and so cannot hide a second change (RFC 9110 §8.8.2.2). */
export function strongValidator(
  fields: FieldSource,
  wallMs: number,
): string | undefined {
  const etag = fields.get("etag");
  if (etag !== null) {
    return parseEntityTag(etag)?.weak === false ? etag : undefined;
  }
  const modified = fields.get("last-modified");
  const modifiedMs = parseHttpDate(modified ?? "", wallMs);
  const dateMs = parseHttpDate(fields.get("date") ?? "", wallMs);
  const isStrong = modifiedMs !== undefined && dateMs !== undefined &&
    modifiedMs + 60_000 <= dateMs;
  return isStrong ? modified! : undefined;
}

/** What a flight brought, for a request that waited for it: not for one that selects another variant (RFC 9111 §4.1). */
export function broughtFor(
  request: CacheRequest,
  brought: StoredResponse | undefined,
): StoredResponse | undefined {
  if (brought === undefined || brought.body.state === "failed") {
    return undefined;
  }
  const names = varyNames(brought.fields.get("vary")) ?? [];
  const isSame = brought.key === request.key &&
    brought.variant === variantKey(names, request.fields);
  return isSame ? brought : undefined;
}

/** The head of a 206 as that of the whole it is a part of. */
export function asWhole(head: ReceivedHead): ReceivedHead {
  const fields = new Fields(head.fields);
  fields.delete("content-range");
  fields.delete("content-length");
  return { ...head, status: 200, fields };
}
