import { assertEquals } from "@std/assert";
import { rungInstead } from "../../../../lib/dash/player/abandon.ts";
import type { AbrProgress } from "../../../../lib/dash/abr/rule.ts";

const KIBIT = 8 * 1024;

/** A segment of 600 KiB in the highest of three rates, of which so much came, at 100 KiB/s after 100 ms. */
function progress(
  arrivedKiB: number,
  change: Partial<AbrProgress> = {},
): AbrProgress {
  return {
    ...{ ladder: [100_000, 300_000, 1_000_000], index: 2 },
    ...{ sizeBits: 600 * KIBIT, bits: arrivedKiB * KIBIT, latencyMs: 100 },
    ...{ elapsedMs: 100 + 10 * arrivedKiB, bufferMs: 0 },
    ...change,
  } as AbrProgress;
}

const CASES: readonly (readonly [string, AbrProgress, number | undefined])[] = [
  ["comes in time", progress(200, { bufferMs: 4000 }), undefined],
  // 3.9 s are left and 4 needed; the rate below needs 1.9.
  ["would be late", progress(200, { bufferMs: 3900 }), 1],
  [
    "would be late, and the rate below too",
    progress(200, { bufferMs: 1800 }),
    0,
  ],
  ["is late whatever is done, and far from there", progress(200), 0],
  // 104 KiB are missing, the lowest rate has 60.
  ["is late, and nearly there", progress(496), undefined],
  [
    "would be late, nearly there, but the lowest is in time",
    progress(496, { bufferMs: 800 }),
    0,
  ],
  ["has the lowest rate", progress(100, { index: 0 }), undefined],
  ["has just begun", progress(40), undefined],
  ["has not begun to come", progress(0, { elapsedMs: 9000 }), undefined],
];

for (const [name, given, expected] of CASES) {
  Deno.test(`rungInstead of a segment that ${name} is ${expected}`, () =>
    assertEquals(rungInstead(given), expected));
}
