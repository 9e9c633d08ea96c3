import { type FieldSource, splitList } from "../fields.ts";
import { Directives } from "./cache_control.ts";
import { isHeuristicallyCacheable } from "./freshness.ts";
import { varyNames } from "./vary.ts";

/** Final statuses whose caching rules we know, for `must-understand` (RFC 9111 §5.2.2.3). */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  200,
  203,
  204,
  206,
  300,
  301,
  302,
  303,
  307,
  308,
  400,
  401,
  403,
  404,
  405,
  406,
  409,
  410,
  411,
  413,
  414,
  415,
  421,
  422,
  429,
  451,
  500,
  501,
  502,
  503,
  504,
]);

/** What {@linkcode mayStore} looks at. */
export interface Exchange {
  readonly method: string;
  readonly requestFields: FieldSource;
  readonly requestDirectives: Directives;
  readonly status: number;
  readonly fields: FieldSource;
  readonly directives: Directives;
}

/** Whether a response may be stored, and the rule that says so. */
export interface Storability {
  readonly store: boolean;
  /** Such as `no-store`, `private`, `no-freshness`; `ok` when it may. */
  readonly reason: string;
}

/** Decides whether a shared cache may store a response, rule by rule in the order of RFC 9111 §3. Pure. */
export function mayStore(exchange: Exchange): Storability {
  const { directives, fields, status } = exchange;
  const no = (reason: string): Storability => ({ store: false, reason });
  if (exchange.method !== "GET") return no("method");
  if (status < 200 || status === 304) return no("status");
  const understands = directives.has("must-understand");
  if (understands && !UNDERSTOOD.has(status)) return no("must-understand");
  // RFC 9111 §5.2.2.3: a cache that understands the status ignores the no-store beside must-understand.
  if (directives.has("no-store") && !understands) return no("no-store");
  if (exchange.requestDirectives.has("no-store")) return no("request-no-store");
  if (
    directives.bare("private") ||
    (directives.has("private") && directives.fieldNames("private").length === 0)
  ) {
    return no("private");
  }
  // RFC 9111 §3.5
  const sharesAuthorized = directives.has("public") ||
    directives.has("s-maxage") || directives.has("must-revalidate");
  if (
    exchange.requestFields.get("authorization") !== null && !sharesAuthorized
  ) {
    return no("authorization");
  }
  if (varyNames(fields.get("vary")) === null) return no("vary-any");
  const mayBeKept = directives.has("public") || isExplicit(exchange) ||
    isHeuristicallyCacheable(status);
  if (!mayBeKept) return no("no-freshness");
  return { store: true, reason: "ok" };
}

/** Whether the response says itself how long it is fresh. */
function isExplicit(
  { directives, fields }: Pick<Exchange, "directives" | "fields">,
): boolean {
  return directives.has("max-age") || directives.has("s-maxage") ||
    (!directives.isTargeted && fields.get("expires") !== null);
}

/**
 * Whether the answer to a POST may answer later GETs of the same URL: it says that it is the representation to be
 * found there, and for how long (RFC 9110 §9.3.3).
 *
 * @param exchange.url The absolute URL the POST was sent to.
 */
export function answersGet(
  exchange: {
    readonly url: string;
    readonly status: number;
    readonly fields: FieldSource;
  },
): boolean {
  const { url, status, fields } = exchange;
  const location = fields.get("content-location");
  if (status !== 200 || location === null) return false;
  const directives = Directives.ofResponse(fields);
  return isExplicit({ directives, fields }) &&
    URL.parse(location, url)?.href === new URL(url).href;
}

/** Fields that may not be kept with a stored response: those `no-cache="…"` and `private="…"` name (RFC 9111 §5.2.2.4, §5.2.2.7). */
export function fieldsNotToStore(directives: Directives): readonly string[] {
  return [
    ...directives.fieldNames("no-cache"),
    ...directives.fieldNames("private"),
  ];
}

/** The lines of a response that may not be kept with it, but are for the client whose request it answers. */
export function linesForOne(
  fields: FieldSource,
  directives: Directives,
): readonly (readonly [string, string])[] {
  const names = fieldsNotToStore(directives);
  return names.length === 0
    ? []
    : [...fields].filter(([name]) => names.includes(name));
}

/** Whether the method promises not to change anything (RFC 9110 §9.2.1): such requests may be sent to another origin again. */
export function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS" ||
    method === "TRACE";
}

/**
 * What a response to an unsafe request makes invalid (RFC 9111 §4.4): its own target, and `Location` and
 * `Content-Location` when they have the same origin.
 *
 * @param url The absolute URL the request was sent to.
 * @returns Absolute URLs; empty when the method is safe or the response is an error.
 */
export function invalidatedUrls(
  exchange: {
    readonly method: string;
    readonly url: string;
    readonly status: number;
    readonly fields: FieldSource;
  },
): readonly string[] {
  const { method, url, status, fields } = exchange;
  if (isSafe(method) || status < 200 || status >= 400) return [];
  const base = new URL(url);
  const urls = [base.href];
  for (const name of ["location", "content-location"]) {
    const value = splitList(fields.get(name)).join(",");
    if (value === "") continue;
    try {
      const named = new URL(value, base);
      if (named.origin === base.origin) urls.push(named.href);
    } catch { /* not a URL: it names nothing we could hold */ }
  }
  return urls;
}
