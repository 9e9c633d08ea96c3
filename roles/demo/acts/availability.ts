import type { ReportSection } from "../../../lib/report/report.ts";
import type { AvailabilityPoint, SwarmOutcome } from "../swarm/cast.ts";

/** Points of a line in a chart; more would be a file nobody can open. */
const MOST_POINTS = 240;

/** Draws how many copies there were over time, a line for each swarm. */
export function availabilityChart(
  swarms: readonly { readonly name: string; readonly outcome: SwarmOutcome }[],
  options: {
    readonly heading: string;
    readonly file: string;
    readonly value: "min" | "mean";
    readonly note: string;
  },
): ReportSection {
  const { heading, file, value, note } = options;
  return {
    kind: "chart",
    ...{ heading, file, note },
    chart: {
      kind: "line",
      xLabel: "seconds",
      yLabel: "copies among those present",
      series: swarms.map(({ name, outcome }) => ({
        ...{ name, shape: "step" },
        points: thinned(outcome.availability).map((point) =>
          [point.atMs / 1000, point[value]] as const
        ),
      })),
    },
  };
}

/** The last point of each of many equal stretches of time, and the very last. */
export function thinned(
  points: readonly AvailabilityPoint[],
): readonly AvailabilityPoint[] {
  const endMs = points.at(-1)?.atMs ?? 0;
  const stepMs = endMs / MOST_POINTS;
  return points.filter((point, at) => {
    const next = points[at + 1];
    return at === 0 || next === undefined ||
      Math.floor(next.atMs / stepMs) > Math.floor(point.atMs / stepMs);
  });
}
