import { parseXsDuration } from "./duration.ts";
import { MpdError, type XmlElement } from "./xml.ts";

/** First and last byte of a part of a resource, both included, as in an HTTP Range field. */
export interface ByteRange {
  readonly first: number;
  /** Undefined: to the end. */
  readonly last: number | undefined;
}

function bad(element: XmlElement, name: string, must: string): MpdError {
  return new MpdError(
    "bad-value",
    element.line,
    `${element.name}@${name} must be ${must}, got "${
      (element.attributes.get(name) ?? "").slice(0, 60)
    }"`,
  );
}

/** Returns the attribute as a whole number from 0 to 2^53 - 1; undefined when it is not there. */
export function wholeNumber(
  element: XmlElement,
  name: string,
): number | undefined {
  const text = element.attributes.get(name)?.trim();
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) throw bad(element, name, "a whole number");
  return value;
}

/** Returns the attribute as a whole number of up to 64 bits, with a sign when `signed`. */
export function bigNumber(
  element: XmlElement,
  name: string,
  { signed = false }: { readonly signed?: boolean } = {},
): bigint | undefined {
  const text = element.attributes.get(name)?.trim();
  if (text === undefined) return undefined;
  if (!(signed ? /^-?\d{1,19}$/ : /^\d{1,20}$/).test(text)) {
    throw bad(element, name, "a whole number of up to 64 bits");
  }
  return BigInt(text);
}

/** Returns the attribute, an `xs:duration`, in milliseconds; undefined when it is not there. */
export function durationMs(
  element: XmlElement,
  name: string,
): number | undefined {
  const text = element.attributes.get(name);
  if (text === undefined) return undefined;
  try {
    return parseXsDuration(text);
  } catch {
    throw bad(element, name, "a duration such as PT1M5.5S");
  }
}

/** Returns the attribute, an `xs:dateTime`, in milliseconds since 1970; UTC when it names no zone. */
export function wallMs(
  element: XmlElement,
  name: string,
): number | undefined {
  const text = element.attributes.get(name)?.trim();
  if (text === undefined) return undefined;
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?$/
    .exec(text);
  // Date.parse knows three digits for sure.
  const at = Date.parse(
    `${match?.[1]}${(match?.[2] ?? "").slice(0, 4)}${match?.[3] ?? "Z"}`,
  );
  if (match === null || Number.isNaN(at)) {
    throw bad(element, name, "a date such as 2026-11-23T12:00:00Z");
  }
  return at;
}

/** Returns the attribute, a decimal number from 0 such as `1.5`; Infinity for `INF`. */
export function seconds(
  element: XmlElement,
  name: string,
): number | undefined {
  const text = element.attributes.get(name)?.trim();
  if (text === undefined) return undefined;
  if (text === "INF") return Infinity;
  if (!/^\+?(\d{1,12}(\.\d*)?|\.\d+)(e[+-]?\d)?$/i.test(text)) {
    throw bad(element, name, "a number from 0");
  }
  return Number(text);
}

/** Returns the attribute, such as `0-862` or `500-`, as a byte range; undefined when it is not there. */
export function byteRange(
  element: XmlElement,
  name: string,
): ByteRange | undefined {
  const text = element.attributes.get(name);
  if (text === undefined) return undefined;
  const match = /^(\d{1,15})-(\d{1,15})?$/.exec(text.trim());
  const first = Number(match?.[1]);
  const last = match?.[2] === undefined ? undefined : Number(match[2]);
  if (match === null || (last !== undefined && last < first)) {
    throw bad(element, name, "a byte range such as 0-862");
  }
  return { first, last };
}

/** Longest URL, and longest reference to one, in characters: servers take 8,000 at most (RFC 9110 §4.1 asks for that many), and a manifest may make 200,000 URLs of one base. */
const MAX_URL_CHARACTERS = 4096;

/** Resolves a URL reference found in `element`; only http:, https:, and data: (RFC 2397) are let through, a manifest may not name local files. */
export function resolveUrl(
  element: XmlElement,
  reference: string,
  base: string,
): string {
  let url: URL | undefined;
  if (reference.length > MAX_URL_CHARACTERS) throw tooLong(element);
  try {
    url = new URL(reference, base);
  } catch { /* said below */ }
  if (url === undefined || !/^(https?|data):$/.test(url.protocol)) {
    throw new MpdError(
      "bad-value",
      element.line,
      `${element.name} must name http:, https: or data: URLs, got "${
        reference.slice(0, 60)
      }"`,
    );
  }
  if (url.href.length > MAX_URL_CHARACTERS) throw tooLong(element);
  return url.href;
}

function tooLong(element: XmlElement): MpdError {
  return new MpdError(
    "too-large",
    element.line,
    `${element.name} must name URLs of at most ${MAX_URL_CHARACTERS} characters`,
  );
}
