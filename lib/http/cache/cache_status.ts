import { splitList } from "../fields.ts";

/** Why a request went to the origin: the words of RFC 9211 §2.2. */
export type ForwardReason =
  | "bypass"
  | "method"
  | "uri-miss"
  | "vary-miss"
  | "request"
  | "stale"
  | "partial";

/** What a cache says of how it handled a request (RFC 9211). Parameters that are undefined are left out. */
export interface CacheStatus {
  /** Answered without asking the origin. */
  readonly hit?: boolean;
  /** Why the request went forward; not together with `hit`. */
  readonly forward?: ForwardReason | undefined;
  /** What the origin answered, where that is not the status of this response. */
  readonly forwardStatus?: number | undefined;
  /** Whether the response was stored. */
  readonly stored?: boolean | undefined;
  /** Whether the request waited for one already under way. */
  readonly collapsed?: boolean | undefined;
  /** How much longer it is fresh; negative when stale. */
  readonly ttlMs?: number | undefined;
  /** The cache key. */
  readonly key?: string | undefined;
  /** Anything else worth knowing, as a token. */
  readonly detail?: string | undefined;
}

/** Writes one member of `Cache-Status`: `edge-1; hit; ttl=30; key="/a"`. `cache` must be a token. */
export function formatCacheStatus(cache: string, status: CacheStatus): string {
  let text = cache;
  if (status.hit === true) text += "; hit";
  if (status.forward !== undefined) text += `; fwd=${status.forward}`;
  if (status.forwardStatus !== undefined) {
    text += `; fwd-status=${status.forwardStatus}`;
  }
  if (status.stored === true) text += "; stored";
  if (status.collapsed === true) text += "; collapsed";
  if (status.ttlMs !== undefined && Number.isFinite(status.ttlMs)) {
    text += `; ttl=${Math.floor(status.ttlMs / 1000)}`;
  }
  if (status.key !== undefined) text += `; key=${sfString(status.key)}`;
  if (status.detail !== undefined) text += `; detail=${status.detail}`;
  return text;
}

/** Whether the nearest cache had the answer: the last member, for each on the way adds its own at the end (RFC 9211 §2). */
export function isNearestHit(value: string | null): boolean {
  const nearest = splitList(value).at(-1) ?? "";
  // A key may have the word in it.
  return /;\s*hit\s*(?:;|$)/.test(nearest.replace(/"(?:[^"\\]|\\.)*"/g, ""));
}

/** A string of RFC 8941 §3.3.3: printable ASCII in quotes; other characters are percent-encoded, as in a URL. */
function sfString(text: string): string {
  if (!/[^\x20-\x7e]|["\\]/.test(text)) return `"${text}"`;
  const ascii = text.replace(
    /[^\x20-\x7e]+/g,
    (other) => encodeURIComponent(other.toWellFormed()),
  );
  return `"${ascii.replace(/[\\"]/g, "\\$&")}"`;
}

/** Makes a token of any name, for `Via` and `Cache-Status`: what may not stand in one becomes `-`. */
export function tokenOf(name: string): string {
  const token = name.replace(/[^0-9A-Za-z.\-_]+/g, "-").slice(0, 64);
  return /^[A-Za-z*]/.test(token) ? token : `x${token}`;
}
