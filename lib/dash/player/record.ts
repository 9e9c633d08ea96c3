import type { Position } from "../title.ts";
import type { Attempt } from "./attempt.ts";
import type { PlayerInput, SegmentRecord } from "./messages.ts";

/** What is told of a segment that came: what it is, what was measured, and how the buffer was. */
export function recordOf(
  input: Extract<PlayerInput, { kind: "fetched" }>,
  { media, position, attempt, segmentCount, mediaMs, ...buffer }:
    & Pick<
      SegmentRecord,
      "media" | "segmentCount" | "mediaMs" | "bufferMs" | "stallMs"
    >
    & { readonly position: Position; readonly attempt: Attempt },
): SegmentRecord {
  const { kind: _kind, fetchId: _id, cdnBytes: _cdn, ...measured } = input;
  const { number: segmentNumber, choices } = position;
  const { representationId, height, bitsPerSecond } = choices[attempt.index]!;
  const bits = input.bytes * 8000;
  const flowMs = input.downloadMs - (input.idleMs ?? 0);
  return {
    ...{ media, segmentNumber, segmentCount },
    ...{ representationId, height, bitsPerSecond },
    ...{ layer: attempt.index + 1, layerCount: choices.length, mediaMs },
    ...measured,
    throughputBitsPerSecond: bits / Math.max(flowMs, 0.1),
    ...buffer,
    reason: attempt.fallback
      ? "the rung above could not be had"
      : attempt.reason,
  };
}
