import { evaluateConditions } from "../../../lib/http/conditional.ts";
import { formatHttpDate } from "../../../lib/http/http_date.ts";
import { byterangesBody } from "../../../lib/http/multipart.ts";
import {
  type ByteRange,
  contentRange,
  decideRange,
  rangeLength,
  unsatisfiedRange,
} from "../../../lib/http/range.ts";
import {
  type EntityTag,
  formatEntityTag,
} from "../../../lib/http/validators.ts";
import type { HttpRequest } from "../../../lib/io/http.ts";
import type { Resource } from "../site/site.ts";

/** Headers a page from elsewhere may read (Fetch standard, CORS): what DASH players measure and check. */
const EXPOSED =
  "Accept-Ranges, Age, Cache-Status, Content-Length, Content-Range, Date, ETag, Last-Modified, Server-Timing, Via";

/** What will be sent. */
export interface Plan {
  readonly status: number;
  readonly headers: Headers;
  /** A line of text for people, or parts of the resource between literal bytes; none for 204 and 304. */
  readonly body:
    | { readonly kind: "none" }
    | { readonly kind: "line"; readonly text: string }
    | {
      readonly kind: "resource";
      readonly pieces: readonly (Uint8Array<ArrayBuffer> | ByteRange)[];
      readonly lengthBytes: number;
    };
}

/** A plan that holds for anyone: players run on pages from elsewhere, so every answer may be read by every page. */
function plan(status: number, body: Plan["body"]): Plan {
  return {
    status,
    body,
    headers: new Headers({
      "access-control-allow-origin": "*",
      "access-control-expose-headers": EXPOSED,
      "cross-origin-resource-policy": "cross-origin",
      "timing-allow-origin": "*",
      "x-content-type-options": "nosniff",
    }),
  };
}

/** A short answer for people: errors and redirects. Errors are not to be cached: the next try may do better. */
export function planLine(
  status: number,
  text: string,
  fields: Readonly<Record<string, string>> = {},
): Plan {
  const answer = plan(status, { kind: "line", text: `${text}\n` });
  answer.headers.set("content-type", "text/plain; charset=utf-8");
  answer.headers.set("cache-control", "no-store");
  for (const [name, value] of Object.entries(fields)) {
    answer.headers.set(name, value);
  }
  return answer;
}

/** Answers OPTIONS, and with it the question browsers ask before an unusual request (CORS preflight). */
export function planOptions(allow: string): Plan {
  const answer = plan(204, { kind: "none" });
  answer.headers.set("allow", allow);
  answer.headers.set("access-control-allow-methods", allow);
  answer.headers.set(
    "access-control-allow-headers",
    "Range, If-Match, If-Modified-Since, If-None-Match, If-Range, If-Unmodified-Since, Cache-Control, CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status",
  );
  answer.headers.set("access-control-max-age", "86400");
  return answer;
}

/** What {@linkcode planResource} needs beside request and resource. */
export interface PlanOptions {
  readonly nowWallMs: number;
  readonly maxAgeMs: number;
  /** Separates the parts of a multipart answer. */
  readonly boundary: string;
  /** Of the content coding that was chosen. Undefined where none was: the answer is the same for everybody. */
  readonly vary?: string | undefined;
}

/** Answers GET and HEAD for a resource: conditions first, then ranges (RFC 9110 §13.2, §14). */
export function planResource(
  request: Pick<HttpRequest, "method" | "headers">,
  resource: Resource,
  options: PlanOptions,
): Plan {
  const { nowWallMs } = options;
  const maxAgeMs = Math.min(
    resource.maxAgeMs ?? Infinity,
    options.maxAgeMs,
  );
  const { entityTag, sizeBytes } = resource;
  // A date in the future, from a file or a clock that is wrong, must not be sent (RFC 9110 §8.8.2.1).
  const modifiedAtWallMs = resource.modifiedAtWallMs === undefined
    ? undefined
    : Math.min(resource.modifiedAtWallMs, nowWallMs);
  const { contentEncoding } = resource;
  const current = { entityTag, modifiedAtWallMs, contentEncoding };
  const condition = evaluateConditions(request, current, nowWallMs);
  if (condition.kind === "precondition-failed") {
    return planLine(412, "Precondition failed: this is another version");
  }
  if (condition.kind === "not-modified") {
    return describe(plan(304, { kind: "none" }), current, {
      ...options,
      maxAgeMs,
    });
  }
  const range = decideRange(
    condition.useRange ? request.headers.get("range") : null,
    sizeBytes,
  );
  switch (range.kind) {
    case "unsatisfiable":
      return planLine(
        416,
        `Range not satisfiable: the length is ${sizeBytes} B`,
        {
          "content-range": unsatisfiedRange(sizeBytes),
          "accept-ranges": "bytes",
        },
      );
    case "whole":
      return describe(whole(resource), current, { ...options, maxAgeMs });
    case "parts": {
      const { parts } = range;
      const answer = parts.length === 1
        ? onePart(parts[0]!, resource)
        : severalParts(parts, resource, options.boundary);
      return describe(answer, current, { ...options, maxAgeMs });
    }
  }
}

/** Adds what caches need: validators, and how long the answer is fresh. */
function describe(
  answer: Plan,
  current: {
    readonly entityTag: EntityTag;
    readonly modifiedAtWallMs: number | undefined;
    readonly contentEncoding: string | undefined;
  },
  { maxAgeMs, vary }: PlanOptions,
): Plan {
  const { headers } = answer;
  const { entityTag, modifiedAtWallMs, contentEncoding } = current;
  if (vary !== undefined) headers.set("vary", vary);
  if (contentEncoding !== undefined && answer.status !== 304) {
    headers.set("content-encoding", contentEncoding);
  }
  headers.set("accept-ranges", "bytes");
  headers.set("etag", formatEntityTag(entityTag));
  if (modifiedAtWallMs !== undefined) {
    headers.set("last-modified", formatHttpDate(modifiedAtWallMs));
  }
  // no-transform: a body that something compresses on its way has neither this length nor this entity tag.
  headers.set(
    "cache-control",
    maxAgeMs === 0
      ? "no-store"
      : `public, max-age=${Math.floor(maxAgeMs / 1000)}, no-transform`,
  );
  return answer;
}

function whole({ mediaType, sizeBytes }: Resource): Plan {
  const answer = plan(200, {
    kind: "resource",
    pieces: [{ firstByte: 0, lastByte: sizeBytes - 1 }],
    lengthBytes: sizeBytes,
  });
  answer.headers.set("content-type", mediaType);
  return answer;
}

function onePart(part: ByteRange, { mediaType, sizeBytes }: Resource): Plan {
  const answer = plan(206, {
    kind: "resource",
    pieces: [part],
    lengthBytes: rangeLength(part),
  });
  answer.headers.set("content-type", mediaType);
  answer.headers.set("content-range", contentRange(part, sizeBytes));
  return answer;
}

function severalParts(
  parts: readonly ByteRange[],
  resource: Resource,
  boundary: string,
): Plan {
  const { contentType, pieces, lengthBytes } = byterangesBody(parts, {
    boundary,
    mediaType: resource.mediaType,
    sizeBytes: resource.sizeBytes,
  });
  const answer = plan(206, { kind: "resource", pieces, lengthBytes });
  answer.headers.set("content-type", contentType);
  return answer;
}
