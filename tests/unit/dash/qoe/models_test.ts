import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  claeysQoe,
  duanmuQoe,
  type QoeFacts,
  yuQoe,
} from "../../../../lib/dash/qoe/models.ts";

/** Four segments of 4 s, one stall of 2 s after a second of start-up. */
const PLAY: QoeFacts = {
  rates: [1_000_000, 1_000_000, 3_000_000, 3_000_000],
  highestRate: 4_000_000,
  stallCount: 1,
  stallMs: 2000,
  startupMs: 1000,
  mediaMs: 16_000,
};

Deno.test("claeysQoe is the paper's sum, from 0 to 5.84", () => {
  // Mean 2, deviation of a sample sqrt(4 / 3) = 1.1547; often ln(1/4)/6 + 1 = 0.76895, long 2/15.
  assertAlmostEquals(
    claeysQoe(PLAY),
    Math.max(
      0,
      0.17 + 5.67 * 0.5 - 6.72 * 1.154_700_5 / 4 -
        4.95 * (0.875 * 0.768_951 + 0.125 * 2 / 15),
    ),
    1e-6,
  );
  const smooth = { ...PLAY, stallCount: 0, stallMs: 0 };
  assertAlmostEquals(claeysQoe(smooth), 3.005 - 1.939_897, 1e-6);
  const best = { ...smooth, rates: Array(4).fill(4_000_000) };
  assertAlmostEquals(claeysQoe(best), 5.84, 1e-9);
  assertAlmostEquals(
    claeysQoe({ ...best, rates: [4_000_000] }),
    5.84,
    1e-9,
  );
  // As often as there are segments, and for ever: all of 4.95.
  const worst = { ...best, stallCount: 4, stallMs: 200_000 };
  assertAlmostEquals(claeysQoe(worst), 0.89, 1e-9);
  assertEquals(
    claeysQoe({ ...worst, rates: [100_000, 100_000, 100_000, 100_000] }),
    0,
  );
});

Deno.test("duanmuQoe is the regression's sum", () => {
  // 2.3 for the second, 56.5 / 8 for the stall, 0.007 * 2000, 0.0007 * 2000 for the one change.
  assertAlmostEquals(
    duanmuQoe(PLAY),
    54 - 2.3 - 7.0625 + 14 + 1.4,
    1e-9,
  );
  assertAlmostEquals(
    duanmuQoe({ ...PLAY, rates: [2_000_000], startupMs: 0, stallMs: 0 }),
    68,
    1e-9,
  );
});

Deno.test("yuQoe is the mean rate less a third of the changes and 20 times starvation", () => {
  assertAlmostEquals(yuQoe(PLAY), 2 - 0.5 / 3 - 20 * 2 / 18, 1e-9);
  assertAlmostEquals(yuQoe({ ...PLAY, stallMs: 0 }), 2 - 0.5 / 3, 1e-9);
});
