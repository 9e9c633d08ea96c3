import { assertEquals } from "@std/assert";
import { levelLine, traceSteps } from "../../../../lib/dash/qoe/play_lines.ts";

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

Deno.test("levelLine draws what was seen of a buffer that fills a chunk at a time, and where it was empty", () => {
  const at = (atMs: number, bufferMs: number) => ({
    ...{ atMs, record: { bufferMs, mediaMs: 4000 } },
  });
  assertEquals(
    levelLine({
      downloads: [at(1500, 1200), at(5500, 1100)],
      latencies: [at(1000, 900), at(2000, 800), at(5000, 600)],
      stalls: [{ atMs: 3000, stallMs: 500 }],
    }),
    [[1, 0.9], [1.5, 1.2], [2, 0.8], [3, 0], [3.5, 0], [5, 0.6], [5.5, 1.1]],
  );
});
