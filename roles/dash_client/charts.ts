import { type NetworkTrace, traceDurationMs } from "../../lib/model/trace.ts";
import type {
  LineChart,
  ReportSection,
  ShadedSpans,
} from "../../lib/report/report.ts";
import type { Played } from "./played.ts";

type Points = LineChart["series"][number]["points"];

/** Throughput far above the ladder would leave nothing of it to be seen: it is drawn at this many times its top. */
const MOST_ABOVE = 2;

function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}

function toMbits(bits: number): number {
  return Math.round(bits / 1000) / 1000;
}

/** When the picture stood still: at the start, and in stalls. */
function stallsOf({ stalls, summary }: Played): ShadedSpans {
  return {
    name: "no picture",
    spans: [
      [0, seconds(summary.startupMs)],
      ...stalls.map(({ atMs, stallMs }) =>
        [seconds(atMs), seconds(atMs + stallMs)] as const
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

/** What a trace gave until `untilMs`, from its start again at its end. */
export function traceSteps(
  trace: NetworkTrace,
  untilMs: number,
  most: number,
): Points {
  const points: [number, number][] = [];
  if (traceDurationMs(trace) <= 0) return points;
  let atMs = 0;
  while (atMs < untilMs) {
    for (const { durationMs, bitsPerSecond } of trace.periods) {
      if (atMs >= untilMs) break;
      points.push([seconds(atMs), toMbits(Math.min(most, bitsPerSecond))]);
      atMs += durationMs;
    }
  }
  return points;
}

/** The buffer as a sawtooth: up by a segment at each arrival, down with the clock in between. */
export function bufferChart(played: Played): ReportSection {
  const { downloads, stalls, bufferCapMs, summary, complete } = played;
  const points: [number, number][] = [[0, 0]];
  for (const { atMs, record } of downloads) {
    const before = Math.max(0, record.bufferMs - record.mediaMs);
    points.push([seconds(atMs), seconds(before)]);
    points.push([seconds(atMs), seconds(record.bufferMs)]);
  }
  for (const { atMs } of stalls) points.push([seconds(atMs), 0]);
  // Nothing leaves it until playing begins, or goes on.
  const still = [
    { atMs: 0, stallMs: summary.startupMs },
    ...stalls.filter(({ stallMs }) => stallMs > 0),
  ];
  for (const { atMs: fromMs, stallMs } of still) {
    const toMs = fromMs + stallMs;
    const last = downloads.findLast(({ atMs }) => atMs <= toMs);
    if (last === undefined || last.atMs < fromMs) continue;
    points.push([seconds(toMs), seconds(last.record.bufferMs)]);
  }
  const endMs = summary.startupMs + summary.stallMs + summary.playedMs;
  if (complete) points.push([seconds(endMs), 0]);
  // A stable sort: the two points of one arrival keep their order.
  points.sort(([a], [b]) => a - b);
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
          name: "cap",
          shape: "line",
          dashed: true,
          points: [[0, seconds(bufferCapMs)], [
            seconds(endMs),
            seconds(bufferCapMs),
          ]],
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
      series,
    },
  };
}
