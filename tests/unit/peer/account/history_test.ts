import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { ReportSection } from "../../../../lib/report/report.ts";
import { shareCharts } from "../../../../roles/peer/account/charts.ts";
import {
  History,
  type Moment,
} from "../../../../roles/peer/account/history.ts";

const MIB = 2 ** 20;

function moment(seconds: number, change: Partial<Moment> = {}): Moment {
  return {
    ...{ atMs: seconds * 1000, downloadedBytes: 0, uploadedBytes: 0 },
    ...{ haveBytes: 0, ...change },
  };
}

/** The charts by their file, each with its lines or bars. */
function chartsOf(sections: readonly ReportSection[]) {
  return Object.fromEntries(
    sections.flatMap((section) =>
      section.kind === "chart" ? [[section.file, section.chart]] : []
    ),
  );
}

Deno.test("History keeps the first and the last of however many moments, evenly spaced between", () => {
  const history = new History();
  for (let second = 0; second < 10_007; second++) history.add(moment(second));
  const times = history.moments.map(({ atMs }) => atMs / 1000);
  assertLessOrEqual(times.length, 1001);
  assert(times.length > 400);
  assertEquals([times[0], times.at(-1)], [0, 10_006]);
  const gaps = times.slice(0, -2).map((at, index) => times[index + 1]! - at);
  assertEquals([...new Set(gaps)], [16]);
});

Deno.test("shareCharts draws mean rates between moments, and a piece that was wrong as no rate", () => {
  const charts = chartsOf(shareCharts([
    moment(0),
    moment(2, { downloadedBytes: 4 * MIB, haveBytes: 4 * MIB }),
    moment(3, { downloadedBytes: 3 * MIB, haveBytes: 3 * MIB }),
    moment(3),
  ], { totalBytes: 8 * MIB, peers: [] }));
  assertEquals(Object.keys(charts), ["rates", "verified"]);
  const [rates, verified] = [charts["rates"], charts["verified"]];
  assert(rates?.kind === "line" && verified?.kind === "line");
  // Nothing was sent: there is no line for it.
  assertEquals(rates.series.map(({ name, points }) => [name, points]), [
    ["received", [[2, 2], [3, 0]]],
  ]);
  assertEquals(verified.series[0]?.points[1], [2, 50]);
});

Deno.test("shareCharts shows what each peer gave beside what it took, and of a seed what they took", () => {
  const peer = (gave: number, took: number) => ({
    ...{ remote: "10.0.0.1:1", client: "x" },
    ...{ downloadedBytes: gave * MIB, uploadedBytes: took * MIB },
  });
  const bars = (...peers: readonly ReturnType<typeof peer>[]) => {
    const chart = chartsOf(shareCharts([], { totalBytes: 1, peers }))["peers"];
    return chart?.kind === "bar"
      ? chart.bars.map(({ value, mark }) => [value, mark?.value])
      : [];
  };
  assertEquals(bars(peer(3, 1), peer(0, 2), peer(0, 0)), [[3, 1], [0, 2]]);
  assertEquals(bars(peer(0, 2)), [[2, undefined]]);
  assertEquals(bars(peer(0, 0)), []);
});
