import { assert, assertEquals } from "@std/assert";
import { bufferChart } from "../../../roles/dash_client/charts.ts";
import type { Played } from "../../../roles/dash_client/played.ts";

Deno.test("bufferChart is level while nothing plays: at the start, and until a stall is over", () => {
  const arrivals = [[400, 2000], [3000, 2000], [3500, 4000]] as const;
  const played = {
    downloads: arrivals.map(([atMs, bufferMs]) => ({
      ...{ atMs, record: { bufferMs, mediaMs: 2000 } },
    })),
    stalls: [{ atMs: 2800, stallMs: 1000 }],
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
