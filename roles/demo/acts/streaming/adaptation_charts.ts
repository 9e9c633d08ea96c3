import {
  bufferLine,
  seconds,
  toMbits,
  traceSteps,
} from "../../../../lib/dash/qoe/play_lines.ts";
import { namedTrace } from "../../../../lib/model/trace_catalog.ts";
import type {
  LineChart,
  ReportSection,
  ShadedSpans,
} from "../../../../lib/report/report.ts";
import type { StreamingAct } from "../../scenario/streaming_act.ts";
import type { Adapting } from "./adaptation.ts";

/** The network is drawn up to so many times the highest rate: more would leave nothing of the ladder to be seen. */
const MOST_ABOVE = 2;

/** The slide's two charts, of fixed rates beside a rule, and of rules beside each other. */
export function adaptationCharts(
  act: StreamingAct,
  { lowest, highest, adaptive, rules }: {
    readonly lowest: Adapting;
    readonly highest: Adapting;
    readonly adaptive: Adapting;
    readonly rules: readonly Adapting[];
  },
): readonly ReportSection[] {
  const why = [lowest, adaptive, highest];
  const shaded = standstillOf(highest);
  return [
    {
      kind: "chart",
      heading: "Streaming: why adapt; quality chosen and bandwidth available",
      file: "adapt-quality",
      chart: qualityOf(act, why, shaded),
      note:
        `Each has the network "${act.trace}" for itself. A step is the rate of the segment that came then.`,
    },
    {
      kind: "chart",
      heading: "Streaming: why adapt; buffer",
      file: "adapt-buffer",
      chart: bufferOf(why, shaded),
      note: "Media ready to play; at 0 the picture stands still.",
    },
    {
      kind: "chart",
      heading: "Streaming: rules; quality chosen and bandwidth available",
      file: "rules-quality",
      chart: qualityOf(act, rules),
    },
    {
      kind: "chart",
      heading: "Streaming: rules; buffer",
      file: "rules-buffer",
      chart: bufferOf(rules),
    },
  ];
}

function qualityOf(
  act: StreamingAct,
  players: readonly Adapting[],
  shaded?: ShadedSpans,
): LineChart {
  const top = players[0]!.result.ladder.at(-1)!.bitsPerSecond;
  const lastMs = Math.max(
    ...players.map(({ result }) => result.segments.at(-1)?.atMs ?? 0),
  );
  return {
    kind: "line",
    xLabel: "time (s)",
    yLabel: "Mbit/s",
    ...shaded === undefined ? {} : { shaded },
    series: [
      ...players.map(({ what, result }) => ({
        name: what.name,
        shape: "step" as const,
        points: result.segments.map(({ atMs, bitsPerSecond }) =>
          [seconds(atMs), toMbits(bitsPerSecond)] as const
        ),
      })),
      {
        name: `the network: ${act.trace}`,
        shape: "step" as const,
        dashed: true,
        points: traceSteps(namedTrace(act.trace)!, lastMs, MOST_ABOVE * top),
      },
    ],
  };
}

function bufferOf(
  players: readonly Adapting[],
  shaded?: ShadedSpans,
): LineChart {
  return {
    kind: "line",
    xLabel: "time (s)",
    yLabel: "buffer (s)",
    ...shaded === undefined ? {} : { shaded },
    series: players.map(({ what, result }) => ({
      name: what.name,
      shape: "line" as const,
      points: bufferLine({
        downloads: result.segments.map((record) => ({
          ...{ atMs: record.atMs, record },
        })),
        ...{ stalls: result.stalls, seeks: [], summary: result },
      }),
    })),
  };
}

function standstillOf({ what, result }: Adapting): ShadedSpans {
  return {
    name: `${what.name} stands still`,
    spans: result.stalls.map(({ atMs, stallMs }) =>
      [seconds(atMs), seconds(atMs + stallMs)] as const
    ),
  };
}
