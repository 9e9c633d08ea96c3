import { toHex, utf8 } from "../../../lib/core/bytes.ts";
import { sha1 } from "../../../lib/io/hash.ts";
import { wholeFile } from "../../../lib/media/title/title.ts";
import type { Rung, TitlePlan } from "../../../lib/media/title/title_plan.ts";
import type { Content, Resource } from "./site.ts";

/**
 * A rate of the built-in title as one file. It is not there either: a part of it that is asked for is made of the
 * segments it lies in, whose places are known beforehand since each has a size that follows from the plan.
 */
export function wholeResource(
  plan: TitlePlan,
  rung: Rung | "audio",
  about: Pick<Resource, "mediaType" | "modifiedAtWallMs"> & {
    /** Makes a segment, numbered from 1. */
    segment(number: number): Uint8Array;
  },
): Resource {
  const { head, segmentBytes } = wholeFile(plan, rung);
  /** Where each part begins, the head being part 0, and after them where the file ends. */
  const starts = [0, head.length];
  for (const bytes of segmentBytes) starts.push(starts.at(-1)! + bytes);
  // The bytes are a function of these.
  const name = JSON.stringify([plan, rung]);
  let made = { number: 0, bytes: head as Uint8Array };
  const partOf = (number: number) => {
    if (number === 0) return head;
    if (made.number !== number) {
      made = { number, bytes: about.segment(number) };
    }
    return made.bytes;
  };
  const content: Content = {
    read(offset, length) {
      const bytes = new Uint8Array(length);
      let part = partAt(starts, offset);
      for (let at = 0; at < length; part++) {
        const from = offset + at - starts[part]!;
        const piece = partOf(part).subarray(from, from + length - at);
        bytes.set(piece, at);
        at += piece.length;
      }
      return Promise.resolve(bytes);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return {
    mediaType: about.mediaType,
    modifiedAtWallMs: about.modifiedAtWallMs,
    sizeBytes: starts.at(-1)!,
    entityTag: {
      weak: false,
      opaque: toHex(sha1(utf8(name)).subarray(0, 10)),
    },
    open: () => Promise.resolve(content),
  };
}

/** The part that has byte `offset`: the last that begins at or before it. */
function partAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 2;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
