import type { AbrProgress } from "./abr/rule.ts";

/** The rate at which a segment comes is not judged before it has flowed for so long, as in dash.js. */
const GRACE_MS = 500;

/**
 * Whether to give a segment up that is on its way because waiting for it would stall: returns the lower rung to fetch
 * instead, or undefined to let it come. For rules that have no word in it themselves.
 *
 * The idea is that of dash.js's AbandonRequestsRule; where that one compares with 1.8 segment durations, this one asks
 * what matters: at the rate at which the bytes have come so far, will the rest be there before the buffer is dry? The
 * other rung is the highest that would be, after a round trip; if none would, the lowest, provided that it is less
 * than what is missing.
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
  return sizeOf(0) + latencyMs * bitsPerMs < leftBits ? 0 : undefined;
}
