import { assertEquals } from "@std/assert";
import { traceSteps } from "../../../../lib/dash/qoe/play_lines.ts";

Deno.test("traceSteps begins anew at the end of the trace, and stops where it is told to", () => {
  const period = { durationMs: 1000, latencyMs: 0 };
  const trace = {
    name: "t",
    periods: [
      { ...period, bitsPerSecond: 1_000_000 },
      { ...period, bitsPerSecond: 9_000_000 },
    ],
  };
  assertEquals(traceSteps(trace, 2500, 5_000_000), [[0, 1], [1, 5], [2, 1]]);
  assertEquals(traceSteps(trace, 0, 5_000_000), []);
});
