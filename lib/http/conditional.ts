import {
  type EntityTag,
  parseEntityTag,
  parseEntityTags,
  sameStrongly,
  sameWeakly,
} from "./validators.ts";
import type { FieldLookup } from "./fields.ts";
import { parseHttpDate } from "./http_date.ts";

/** The representation a conditional request is about; asked only for what a condition needs. */
export interface Validators {
  /** Undefined when the representation has none. */
  readonly entityTag: EntityTag | undefined;
  /** Last modification in milliseconds since 1970; undefined when unknown. */
  readonly modifiedAtWallMs: number | undefined;
}

/** What to do with a conditional request. */
export type Precondition =
  /** Answer as if there was no condition; `useRange` is false when `If-Range` says that the client's part is of another version. */
  | { readonly kind: "perform"; readonly useRange: boolean }
  /** Answer 304: the client's copy is good. */
  | { readonly kind: "not-modified" }
  /** Answer 412. */
  | { readonly kind: "precondition-failed" };

/**
 * Evaluates the conditions of a request for a representation that exists, in the order of RFC 9110 section 13.2.2:
 * `If-Match` else `If-Unmodified-Since`, then `If-None-Match` else `If-Modified-Since`, then `If-Range`.
 *
 * Dates that cannot be read count as absent (sections 13.1.3, 13.1.4), in `If-Range` as no match (13.1.5).
 */
export function evaluateConditions(
  request: { readonly method: string; readonly headers: FieldLookup },
  current: Validators,
  nowWallMs: number,
): Precondition {
  const { method, headers } = request;
  const reading = method === "GET" || method === "HEAD";
  if (!stillWanted(headers, current, nowWallMs)) {
    return { kind: "precondition-failed" };
  }
  const ifNoneMatch = headers.get("if-none-match");
  if (ifNoneMatch !== null) {
    const tags = parseEntityTags(ifNoneMatch);
    const matches = tags === "*" ||
      (current.entityTag !== undefined &&
        tags.some((tag) => sameWeakly(tag, current.entityTag!)));
    if (matches) {
      return { kind: reading ? "not-modified" : "precondition-failed" };
    }
  } else if (reading) {
    const since = dateIn(headers, "if-modified-since", nowWallMs);
    if (since !== undefined) {
      const modified = wholeSeconds(current.modifiedAtWallMs);
      if (modified !== undefined && modified <= since) {
        return { kind: "not-modified" };
      }
    }
  }
  return {
    kind: "perform",
    useRange: method === "GET" && rangeApplies(headers, current, nowWallMs),
  };
}

/** `If-Match`, else `If-Unmodified-Since`. */
function stillWanted(
  headers: FieldLookup,
  current: Validators,
  nowWallMs: number,
): boolean {
  const ifMatch = headers.get("if-match");
  if (ifMatch !== null) {
    const tags = parseEntityTags(ifMatch);
    return tags === "*" ||
      (current.entityTag !== undefined &&
        tags.some((tag) => sameStrongly(tag, current.entityTag!)));
  }
  const since = dateIn(headers, "if-unmodified-since", nowWallMs);
  if (since === undefined) return true;
  const modified = wholeSeconds(current.modifiedAtWallMs);
  return modified === undefined || modified <= since;
}

/** `If-Range`: a strong tag that is the same, or exactly the date, old enough to be strong (section 8.8.2.2). */
function rangeApplies(
  headers: FieldLookup,
  current: Validators,
  nowWallMs: number,
): boolean {
  const ifRange = headers.get("if-range");
  if (ifRange === null) return true;
  const tag = parseEntityTag(ifRange);
  if (tag !== null) {
    return current.entityTag !== undefined &&
      sameStrongly(tag, current.entityTag);
  }
  const modified = wholeSeconds(current.modifiedAtWallMs);
  return modified !== undefined && modified + 1000 <= nowWallMs &&
    parseHttpDate(ifRange, nowWallMs) === modified;
}

function dateIn(
  headers: FieldLookup,
  name: string,
  nowWallMs: number,
): number | undefined {
  const value = headers.get(name);
  return value === null ? undefined : parseHttpDate(value, nowWallMs);
}

/** HTTP dates have no parts of a second, so they cannot be compared with. */
function wholeSeconds(wallMs: number | undefined): number | undefined {
  return wallMs === undefined ? undefined : Math.floor(wallMs / 1000) * 1000;
}
