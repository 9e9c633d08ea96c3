import type { AbrProgress } from "../abr/rule.ts";

/** The rate at which a segment comes is not judged before it has flowed for so long, as in dash.js. */
const GRACE_MS = 500;
/** Where it stalls, or has not begun, either way: what has come is thrown away only if the other is there in this share of the time. */
const WORTHWHILE = 0.5;

/**
 * Whether to give a segment up that is on its way because waiting for it would stall: returns the lower rung to fetch
 * instead, or undefined to let it come. For rules that have no word in it themselves.
 *
 * The idea is that of dash.js's AbandonRequestsRule; where that one compares with 1.8 segment durations, this one asks
 * what matters: at the rate at which the bytes have come so far, will the rest be there before the buffer is dry? The
 * other rung is the highest that would be, after a round trip; if none would, the lowest, provided that it comes in half
 * the time of what is missing: at the start, when nothing is buffered, every segment is late.
 */
export function rungInstead(progress: AbrProgress): number | undefined {
  const { ladder, index, sizeBits, bits, latencyMs, bufferMs } = progress;
  const flowMs = progress.elapsedMs - latencyMs;
  if (index === 0 || bits <= 0 || flowMs < GRACE_MS) return undefined;
  const bitsPerMs = bits / flowMs;
  const leftBits = sizeBits - bits;
  if (leftBits / bitsPerMs <= bufferMs) return undefined;
  const sizeOf = (rung: number) => sizeBits * ladder[rung]! / ladder[index]!;
  for (let rung = index - 1; rung > 0; rung--) {
    if (latencyMs + sizeOf(rung) / bitsPerMs <= bufferMs) return rung;
  }
  const otherMs = latencyMs + sizeOf(0) / bitsPerMs;
  const isInTime = otherMs <= bufferMs;
  return isInTime || otherMs <= WORTHWHILE * leftBits / bitsPerMs
    ? 0
    : undefined;
}
