import { assert, assertEquals } from "@std/assert";
import { rateChart } from "../../../../roles/dash_client/simulate/simulate_result.ts";

Deno.test("rateChart ends with what it shows, however long a rule that it does not show took", () => {
  const trace = {
    name: "even",
    periods: [{ durationMs: 1000, bitsPerSecond: 1e6, latencyMs: 0 }],
  };
  const plays = [10_000, 10_000, 10_000, 500_000].map((arrivedAtMs, at) => ({
    name: `rule ${at}`,
    segments: [{ requestedAtMs: 0, arrivedAtMs, bitsPerSecond: 1e6 }],
  })) as unknown as Parameters<typeof rateChart>[1];
  const section = rateChart(trace, plays);
  assert(section.kind === "chart" && section.chart.kind === "line");
  const { series } = section.chart;
  assertEquals(series.map(({ name }) => name), [
    ...["rule 0", "rule 1", "rule 2", "even"],
  ]);
  assertEquals(series.at(-1)!.points.at(-1)![0], 9);
});
