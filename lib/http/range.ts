/**
 * Byte ranges: RFC 9110 section 14.
 *
 * A `Range` field is a wish. One that cannot be read, or asks in another unit, is ignored and the whole
 * representation is sent (section 14.2); one that can be read but lies past the end is answered 416.
 */

/** A part of a representation; both ends count. */
export interface ByteRange {
  readonly firstByte: number;
  readonly lastByte: number;
}

/** What to send for a `Range` field. */
export type RangeDecision =
  | { readonly kind: "whole" }
  | { readonly kind: "unsatisfiable" }
  | { readonly kind: "parts"; readonly parts: readonly ByteRange[] };

/** More parts than this in one request and the whole is sent: each costs a header, and section 14.2 warns of such floods. */
export const MAX_RANGES = 16;

/** One range as asked, without an end perhaps (Infinity), or so many bytes at the end. */
type RangeSpec =
  | ByteRange
  | { readonly suffixBytes: number };

const WHOLE: RangeDecision = { kind: "whole" };

/**
 * Decides what a `Range` field means for a representation of `sizeBytes`.
 *
 * Parts keep the order they were asked in, unless some overlap or touch: then they are merged and sorted, as
 * section 15.3.7.2 allows.
 *
 * @param value The field's value, or null when there is none.
 *
 * @example The first kilobyte, the last hundred bytes
 * ```ts
 * import { decideRange } from "./range.ts";
 *
 * decideRange("bytes=0-1023", 5000); // parts: 0 to 1023
 * decideRange("bytes=-100", 5000); // parts: 4900 to 4999
 * ```
 */
export function decideRange(
  value: string | null,
  sizeBytes: number,
): RangeDecision {
  const specs = value === null ? null : parseRange(value);
  if (specs === null || specs.length > MAX_RANGES) return WHOLE;
  const parts: ByteRange[] = [];
  for (const spec of specs) {
    if ("suffixBytes" in spec) {
      const { suffixBytes } = spec;
      // An empty representation is all of its last n bytes, but no Content-Range can say so.
      if (sizeBytes === 0 && suffixBytes > 0) return WHOLE;
      if (suffixBytes > 0) {
        const firstByte = Math.max(0, sizeBytes - suffixBytes);
        parts.push({ firstByte, lastByte: sizeBytes - 1 });
      }
    } else if (spec.firstByte < sizeBytes) {
      const lastByte = Math.min(spec.lastByte, sizeBytes - 1);
      parts.push({ firstByte: spec.firstByte, lastByte });
    }
  }
  if (parts.length === 0) return { kind: "unsatisfiable" };
  return { kind: "parts", parts: withoutOverlaps(parts) };
}

/** Reads `bytes=0-99, -5`; null when it is no valid byte range set. */
function parseRange(value: string): RangeSpec[] | null {
  const set = /^bytes=(.*)$/i.exec(value.trim())?.[1];
  if (set === undefined) return null;
  const specs: RangeSpec[] = [];
  for (const element of set.split(",")) {
    const text = element.trim();
    // A recipient takes empty list elements (section 5.6.1.2).
    if (text === "") continue;
    const match = /^([0-9]*)-([0-9]*)$/.exec(text);
    if (match === null || text === "-") return null;
    if (match[1] === "") {
      specs.push({ suffixBytes: Number(match[2]) });
      continue;
    }
    const firstByte = Number(match[1]);
    const lastByte = match[2] === "" ? Infinity : Number(match[2]);
    if (lastByte < firstByte) return null;
    specs.push({ firstByte, lastByte });
  }
  return specs.length === 0 ? null : specs;
}

function withoutOverlaps(parts: readonly ByteRange[]): readonly ByteRange[] {
  const sorted = [...parts].sort((a, b) => a.firstByte - b.firstByte);
  const merged: ByteRange[] = [];
  for (const part of sorted) {
    const previous = merged.at(-1);
    if (previous !== undefined && part.firstByte <= previous.lastByte + 1) {
      merged[merged.length - 1] = {
        firstByte: previous.firstByte,
        lastByte: Math.max(previous.lastByte, part.lastByte),
      };
    } else {
      merged.push(part);
    }
  }
  return merged.length === parts.length ? parts : merged;
}

/** How many bytes a part has. */
export function rangeLength(part: ByteRange): number {
  return part.lastByte - part.firstByte + 1;
}

/** The `Content-Range` of a 206 with one part: `bytes 0-99/5000`. */
export function contentRange(part: ByteRange, sizeBytes: number): string {
  return `bytes ${part.firstByte}-${part.lastByte}/${sizeBytes}`;
}

/** The `Content-Range` of a 416: `bytes *` and the size. */
export function unsatisfiedRange(sizeBytes: number): string {
  return `bytes */${sizeBytes}`;
}

/** Reads the `Content-Range` of a 206 with one part; null when it has no size, another unit, or is none (RFC 9110 §14.4). */
export function parseContentRange(
  value: string | null,
): { readonly range: ByteRange; readonly sizeBytes: number } | null {
  const match = /^bytes ([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15})$/i
    .exec(value?.trim() ?? "");
  if (match === null) return null;
  const firstByte = Number(match[1]);
  const lastByte = Number(match[2]);
  const sizeBytes = Number(match[3]);
  if (firstByte > lastByte || lastByte >= sizeBytes) return null;
  return { range: { firstByte, lastByte }, sizeBytes };
}
