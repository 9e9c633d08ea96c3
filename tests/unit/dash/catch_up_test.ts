import { assertAlmostEquals, assertEquals } from "@std/assert";
import { catchUpLimits, catchUpRate } from "../../../lib/dash/catch_up.ts";

const AT = { targetMs: 2000, maxChange: 0.5 };

Deno.test("catchUpRate is in proportion to how far off the target it plays, and slower when the buffer is nearly dry", () => {
  for (
    const [latencyMs, bufferMs, rate] of [
      [2000, 1000, 1],
      [2040, 1000, 1],
      [3000, 1000, 1.3],
      [9000, 1000, 1.5],
      [1500, 1000, 0.85],
      [0, 1000, 0.5],
      [9000, 250, 0.75],
      [9000, 0, 0.5],
    ] as const
  ) {
    assertAlmostEquals(catchUpRate(AT, { latencyMs, bufferMs }), rate, 1e-12);
  }
});

Deno.test("catchUpRate along LoL+'s sigmoid", () => {
  for (
    const [latencyMs, bufferMs, rate] of [
      [2000, 1000, 1],
      [2040, 1000, 1],
      // 1 + 0.5 (2 / (1 + e^-5) - 1)
      [3000, 1000, 1.4933],
      // 1 + 0.5 (2 / (1 + e) - 1)
      [1800, 1000, 0.7689],
      [9000, 1000, 1.5],
      // 1 - 0.5 (2 / (1 + e^-2.5) - 1)
      [9000, 0, 0.5759],
      [9000, 499.999, 1],
    ] as const
  ) {
    const options = { ...AT, shape: "sigmoid" } as const;
    const got = catchUpRate(options, { latencyMs, bufferMs });
    assertAlmostEquals(got, rate, 1e-4);
  }
});

Deno.test("catchUpRate takes half of a short target for enough of a buffer", () => {
  for (const shape of ["proportional", "sigmoid"] as const) {
    const short = { ...AT, targetMs: 600, shape };
    assertEquals(catchUpRate(short, { latencyMs: 600, bufferMs: 300 }), 1);
    const lacking = catchUpRate(short, { latencyMs: 600, bufferMs: 150 });
    assertEquals(lacking < 0.9, true, String(lacking));
  }
});

Deno.test("catchUpRate keeps the pace of the clock when it may not change it", () => {
  for (const shape of ["proportional", "sigmoid"] as const) {
    const never = { ...AT, maxChange: 0, shape };
    assertEquals(catchUpRate(never, { latencyMs: 9000, bufferMs: 0 }), 1);
  }
});

Deno.test("catchUpLimits are the user's, else the author's, else 5 %", () => {
  const author = { playbackRate: { min: 0.9, max: 1.04 } };
  const ratesOf = (wanted?: number) => {
    const options = { targetMs: 2000, ...catchUpLimits(author, wanted) };
    return [0, 9000].map((latencyMs) =>
      catchUpRate(options, { latencyMs, bufferMs: 1000 })
    );
  };
  assertEquals(ratesOf(), [0.9, 1.04]);
  assertEquals(ratesOf(0.2), [0.8, 1.2]);
  assertEquals(catchUpLimits({ playbackRate: undefined }).maxChange, 0.05);
  // An author that allows nothing is obeyed; one that allows anything is not.
  const wild = { playbackRate: { min: 0, max: 9 } };
  assertEquals(catchUpLimits(wild), { maxChange: 0.5, maxSlower: 0.5 });
  const never = { playbackRate: { min: 1, max: 1 } };
  assertEquals(catchUpLimits(never), { maxChange: 0, maxSlower: 0 });
});
