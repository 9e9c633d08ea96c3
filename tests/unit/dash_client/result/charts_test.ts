import { assert, assertEquals } from "@std/assert";
import { bufferChart } from "../../../../roles/dash_client/result/charts.ts";
import type { Played } from "../../../../roles/dash_client/result/played.ts";

Deno.test("bufferChart is level while nothing plays: at the start, and until a stall is over", () => {
  const arrivals = [[400, 2000], [3000, 2000], [3500, 4000]] as const;
  const played = {
    downloads: arrivals.map(([atMs, bufferMs]) => ({
      ...{ atMs, record: { bufferMs, mediaMs: 2000 } },
    })),
    ...{ stalls: [{ atMs: 2800, stallMs: 1000 }], seeks: [] },
    ...{ bufferCapMs: 30_000, complete: true },
    summary: { startupMs: 800, stallMs: 1000, playedMs: 6000 },
  } as unknown as Played;
  const section = bufferChart(played);
  assert(section.kind === "chart" && section.chart.kind === "line");
  assertEquals(section.chart.series[0]!.points, [
    [0, 0],
    [0.4, 0],
    [0.4, 2],
    [0.8, 2],
    [2.8, 0],
    [3, 0],
    [3, 2],
    [3.5, 2],
    [3.5, 4],
    [3.8, 4],
    [7.8, 0],
  ]);
});

Deno.test("bufferChart falls at a seek, is empty in a stall for want of sound, and ends where play ended", () => {
  const arrivals = [[1000, 4000], [1500, 7500], [4000, 4000], [4500, 8000]];
  const played = {
    downloads: arrivals.map(([atMs, bufferMs]) => ({
      ...{ atMs, record: { bufferMs, mediaMs: 4000 } },
    })),
    stalls: [{ atMs: 5000, stallMs: 500 }],
    // At 2 s to a place that is there, at 3 s to one that is not.
    seeks: [
      { atMs: 2000, fromMs: 1000, toMs: 2000, seekMs: 0 },
      { atMs: 4000, fromMs: 3000, toMs: 90_000, seekMs: 1000 },
    ],
    ...{ bufferCapMs: 30_000, targetLatencyMs: 12_000, complete: true },
    summary: { startupMs: 1000, stallMs: 500, playedMs: 10_000 },
  } as unknown as Played;
  const section = bufferChart(played);
  assert(section.kind === "chart" && section.chart.kind === "line");
  const [buffer, most] = section.chart.series;
  assertEquals(buffer!.points, [
    [0, 0],
    [1, 0],
    [1, 4],
    [1.5, 3.5],
    [1.5, 7.5],
    [2, 7],
    [2, 6],
    [3, 5],
    [3, 0],
    [4, 0],
    [4, 4],
    [4.5, 4],
    [4.5, 8],
    [5, 0],
    [5.5, 0],
    [5.5, 7.5],
    [12.5, 0],
  ]);
  assertEquals([most!.name, most!.points[0]], ["wanted latency", [0, 12]]);
  assertEquals(section.chart.shaded?.spans, [[0, 1], [5, 5.5], [3, 4]]);
});
