import { Directives } from "./cache_control.ts";
import { endToEnd, type Fields, type FieldSource } from "./fields.ts";
import { freshnessLifetime, initialAgeMs } from "./freshness.ts";
import type { GrowingBody } from "./growing_body.ts";
import type { StoredTimes } from "./reuse.ts";
import { fieldsNotToStore } from "./storability.ts";
import { variantKey, varyNames } from "./vary.ts";

/** A request as it would go to the origin. */
export interface CacheRequest {
  /** Case-sensitive. */
  readonly method: string;
  /** The normalised target: what makes two requests ask for the same resource. */
  readonly key: string;
  /** As they go to the origin; those `Vary` names are read from here. */
  readonly fields: FieldSource;
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

/** A response the cache holds; its body may still be growing. */
export interface StoredResponse extends StoredTimes {
  /** Of the request. */
  readonly key: string;
  /** What tells it from other variants of the same resource. */
  readonly variant: string;
  /** The origin's. */
  readonly status: number;
  /** End-to-end fields, without `Age`. */
  readonly fields: Fields;
  /** Shared with the refreshed forms of this response. */
  readonly body: GrowingBody;
}

/** Makes the stored form of a response: end-to-end fields only, without those the origin forbids to keep (RFC 9111 §3.1). */
export function toStore(
  request: CacheRequest,
  head: ReceivedHead,
  body: GrowingBody,
): StoredResponse {
  const fields = endToEnd(head.fields);
  const directives = new Directives(fields.get("cache-control"));
  for (const name of fieldsNotToStore(directives)) fields.delete(name);
  const age = fields.get("age");
  fields.delete("age");
  return {
    key: request.key,
    variant: variantKey(varyNames(fields.get("vary")) ?? [], request.fields),
    status: head.status,
    fields,
    directives,
    body,
    lifetimeMs: freshnessLifetime({ ...head, fields, directives }).lifetimeMs,
    initialAgeMs: initialAgeMs({ ...head, fields, age }),
    responseAtMs: head.responseAtMs,
  };
}

/** Fields that belong to the stored bytes: a 304 does not change them (RFC 9111 §3.2). */
const BODY_FIELDS: ReadonlySet<string> = new Set([
  "content-encoding",
  "content-length",
  "content-md5",
  "content-range",
  "etag",
]);

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
  const bodyBytes = stored.body.lengthBytes ?? stored.body.filledBytes;
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

/** The fields that turn a request into the question whether `stored` is still good (RFC 9111 §4.3.1); empty when it has no validators. */
export function conditionsFor(stored: StoredResponse): [string, string][] {
  const conditions: [string, string][] = [];
  const etag = stored.fields.get("etag");
  const modified = stored.fields.get("last-modified");
  if (etag !== null) conditions.push(["if-none-match", etag]);
  if (modified !== null) conditions.push(["if-modified-since", modified]);
  return conditions;
}
