import {
  bufferLine,
  levelLine,
  seconds,
  toMbits,
  traceSteps,
} from "../../../lib/dash/qoe/play_lines.ts";
import type {
  LineChart,
  ReportSection,
  ShadedSpans,
} from "../../../lib/report/report.ts";
import type { Played } from "./played.ts";

/** Throughput far above the ladder would leave nothing of it to be seen: it is drawn at this many times its top. */
const MOST_ABOVE = 2;

/** When the picture stood still: at the start, in stalls, and after seeks. */
function stallsOf({ stalls, seeks, summary }: Played): ShadedSpans {
  return {
    name: "no picture",
    spans: [
      [0, seconds(summary.startupMs)],
      ...stalls.map(({ atMs, stallMs }) =>
        [seconds(atMs), seconds(atMs + stallMs)] as const
      ),
      ...seeks.filter(({ seekMs }) => seekMs > 0).map(({ atMs, seekMs }) =>
        [seconds(atMs - seekMs), seconds(atMs)] as const
      ),
    ],
  };
}

/** The slide's picture: the quality chosen, against the bandwidth there was. */
export function rateChart(played: Played): ReportSection {
  const { downloads, speed, ladder, trace } = played;
  const top = ladder.at(-1)?.bitsPerSecond ?? Infinity;
  const most = MOST_ABOVE * top;
  const clipped = downloads.some(({ record }) =>
    record.throughputBitsPerSecond / speed > most
  );
  const notes = [
    speed === 1
      ? "Each step is the rate of the segment that came then; each point how fast it came."
      : `Throughput is divided by ${speed}, the speed of playing: what the player could use.`,
    ...(clipped
      ? [
        `Points at ${
          toMbits(most)
        } Mbit/s are higher: the network was more than ${MOST_ABOVE} times as fast as the highest rate.`,
      ]
      : []),
  ];
  return {
    kind: "chart",
    heading: "Quality chosen and bandwidth available",
    file: "bit_rate",
    note: notes.join(" "),
    chart: {
      kind: "line",
      xLabel: "time (s)",
      yLabel: "Mbit/s",
      shaded: stallsOf(played),
      series: [
        {
          name: "rate chosen",
          shape: "step",
          points: downloads.map(({ atMs, record }) =>
            [seconds(atMs), toMbits(record.bitsPerSecond)] as const
          ),
        },
        {
          name: "throughput",
          shape: "points",
          points: downloads.map(({ atMs, record }) => {
            const bits = record.throughputBitsPerSecond / speed;
            return [seconds(atMs), toMbits(Math.min(most, bits))] as const;
          }),
        },
        ...(trace === undefined ? [] : [{
          name: trace.name,
          shape: "step" as const,
          dashed: true,
          points: traceSteps(trace, downloads.at(-1)?.atMs ?? 0, most),
        }]),
      ],
    },
  };
}

/** The buffer as a sawtooth: up by a segment at each arrival, down with the clock in between. */
export function bufferChart(played: Played): ReportSection {
  const { bufferCapMs, targetLatencyMs, summary, complete, seeks } = played;
  const points = played.inChunks ? levelLine(played) : bufferLine(played);
  const seekingMs = seeks.reduce((sum, { seekMs }) => sum + seekMs, 0);
  const endMs = summary.startupMs + summary.stallMs + seekingMs +
    summary.playedMs;
  if (complete) points.push([seconds(endMs), 0]);
  // Behind a live edge there is never more than what lies before it.
  const byEdge = (targetLatencyMs ?? Infinity) < bufferCapMs;
  const most = seconds(byEdge ? targetLatencyMs! : bufferCapMs);
  return {
    kind: "chart",
    heading: "Buffer",
    file: "buffer",
    note: "Media ready to play; at 0 the picture stands still.",
    chart: {
      kind: "line",
      xLabel: "time (s)",
      yLabel: "buffer (s)",
      shaded: stallsOf(played),
      series: [
        { name: "buffer", shape: "line", points },
        {
          name: byEdge ? "wanted latency" : "cap",
          shape: "line",
          dashed: true,
          points: [[0, most], [seconds(endMs), most]],
        },
      ],
    },
  };
}

/** How far behind the live edge it played. */
export function latencyChart(
  { latencies, targetLatencyMs }: Played,
): ReportSection {
  const points = latencies.map(({ atMs, record }) =>
    [seconds(atMs), seconds(record.latencyMs)] as const
  );
  const target = seconds(targetLatencyMs ?? 0);
  const ends = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
  return latencySection([
    { name: "latency", shape: "line", points },
    {
      name: "wanted",
      shape: "line",
      dashed: true,
      points: ends.map((at) => [at, target] as const),
    },
  ]);
}

/** The chart of how far behind the live edge the picture was. */
export function latencySection(series: LineChart["series"]): ReportSection {
  return {
    kind: "chart",
    heading: "Latency",
    file: "latency",
    note: "How far behind the live edge the picture was.",
    chart: {
      kind: "line",
      xLabel: "time (s)",
      yLabel: "behind the live edge (s)",
      fromZero: true,
      series,
    },
  };
}
