import { InputError } from "../../../lib/core/errors.ts";
import { formatBitRate, formatMs } from "../../../lib/core/units.ts";
import { ABR_RULES, type AbrName } from "../../../lib/dash/abr/mod.ts";
import type { NetworkTrace } from "../../../lib/model/trace.ts";
import type { ReportSection } from "../../../lib/report/report.ts";
import { DEFAULT_CATCH_UP } from "../../../lib/dash/catch_up.ts";
import type { RoleResult } from "../../../lib/role.ts";
import type { AbrTitle } from "../../../lib/sim/abr_play.ts";
import { type LivePlayResult, playLive } from "../../../lib/sim/live_play.ts";
import { latencySection } from "../result/charts.ts";
import type { SimulateFlags } from "../flags.ts";
import {
  bufferChart,
  CHARTED,
  rateChart,
  seconds,
  segmentLogs,
  tableOf,
} from "./simulate_result.ts";

/** What is compared. */
interface Compared {
  readonly title: AbrTitle;
  readonly trace: NetworkTrace;
  readonly names: readonly AbrName[];
  /** The rung of the rule `fixed`. */
  readonly fixedIndex: number;
}

/** One rule's play. */
interface LiveRulePlay extends LivePlayResult {
  readonly name: string;
}

/** Plays of one live title over one network, the best QoE first. */
export interface LiveComparison {
  readonly title: AbrTitle;
  readonly trace: NetworkTrace;
  readonly targetMs: number;
  /** Of `--chunk`. */
  readonly chunkMs: number | undefined;
  readonly plays: readonly LiveRulePlay[];
}

/** Without `--live-delay`: so many segments, or chunks, as in real play. */
const DELAY_SEGMENTS = 3;

const COLUMNS = [
  "rule",
  "QoE",
  "average rate",
  "switches",
  "stalls",
  "start-up",
  "latency",
  "at most",
  "pace",
  "on top",
];

/** Plays a title live with each rule in virtual time. @throws {InputError} If the delay is less than a segment. */
export function compareLive(
  flags: Pick<
    SimulateFlags,
    | "chunk"
    | "liveDelay"
    | "catchUp"
    | "buffer"
    | "startBuffer"
    | "resumeBuffer"
    | "abandon"
  >,
  { title, trace, names, fixedIndex }: Compared,
): LiveComparison {
  const segmentMs = title.durationsMs[0]!;
  const { chunk: chunkMs } = flags;
  if (chunkMs !== undefined && (chunkMs <= 0 || chunkMs >= segmentMs)) {
    throw new InputError(
      `--chunk must be above 0 and shorter than a segment, ${
        formatMs(segmentMs)
      }`,
    );
  }
  const leastMs = chunkMs ?? segmentMs;
  const targetMs = flags.liveDelay ?? DELAY_SEGMENTS * leastMs;
  if (targetMs < leastMs) {
    throw new InputError(
      `--live-delay must be at least a ${
        chunkMs === undefined ? "segment" : "chunk"
      }, ${formatMs(leastMs)}: before its end there is nothing to play`,
    );
  }
  const { catchUp = DEFAULT_CATCH_UP } = flags;
  if (catchUp < 0 || catchUp >= 1) {
    throw new InputError(
      `--catch-up must be from 0 to below 1, got ${catchUp}`,
    );
  }
  const plays = names.map((name) => ({
    name,
    ...playLive(title, trace, ABR_RULES[name], {
      ...{ targetMs, chunkMs },
      maxChange: catchUp,
      bufferCapMs: flags.buffer,
      // Near the live edge there is no more to wait for than a segment.
      startMs: Math.min(flags.startBuffer, leastMs),
      resumeMs: Math.min(flags.resumeBuffer ?? flags.startBuffer, leastMs),
      ...{ fixedIndex, abandon: flags.abandon },
    }),
  })).sort((a, b) => b.qoe - a.qoe);
  return { title, trace, targetMs, chunkMs, plays };
}

/** Returns the result of a live simulation: table, JSON, report. */
export function showLive(comparison: LiveComparison): RoleResult {
  const { title, trace, targetMs, chunkMs, plays } = comparison;
  const rows = plays.map(rowOf);
  const mediaMs = title.durationsMs.reduce((sum, each) => sum + each, 0);
  const about = `${title.name} (${formatMs(mediaMs)}, segments of ${
    formatMs(title.durationsMs[0]!)
  }${
    chunkMs === undefined ? "" : ` in chunks of ${formatMs(chunkMs)}`
  }) live over ${trace.name}, to be ${
    formatMs(targetMs)
  } behind, in virtual time`;
  const note =
    "QoE is LoL's: rate less stalls, latency, changes and odd pace, 1 the highest rate with none of these; pace is how much faster or slower it played on average";
  return {
    text: `${about}\n\n${tableOf([COLUMNS, ...rows])}\n${note}\n`,
    json: {
      title: title.name,
      segmentCount: title.sizesBits.length,
      bitsPerSecond: title.ladder,
      trace: trace.name,
      targetLatencyMs: targetMs,
      rules: plays.map(({ segments, latencies: _latencies, ...told }) => ({
        ...told,
        ...(plays.length === 1 ? { segments } : {}),
      })),
    },
    report: {
      title: `dash-client: ${title.name} live over ${trace.name}`,
      sections: [
        {
          kind: "table",
          heading: "Rules, the best QoE first",
          columns: COLUMNS,
          rows,
          note: `${about}. ${note}.`,
        },
        rateChart(trace, plays),
        latencyChart(comparison),
        bufferChart(plays),
      ],
    },
    files: segmentLogs(title, plays),
  };
}

function rowOf(play: LiveRulePlay): string[] {
  return [
    play.name,
    play.qoe.toFixed(3),
    formatBitRate(play.averageBitsPerSecond),
    String(play.switchCount),
    play.stallCount === 0
      ? "none"
      : `${play.stallCount}, ${formatMs(play.stallMs)}`,
    formatMs(play.startupMs),
    formatMs(play.meanLatencyMs),
    formatMs(play.maxLatencyMs),
    `${(100 * play.paceChange).toFixed(1)} %`,
    `${(100 * play.topShare).toFixed(0)} %`,
  ];
}

function latencyChart({ plays, targetMs }: LiveComparison): ReportSection {
  const charted = plays.slice(0, CHARTED);
  const endMs = Math.max(
    ...charted.map(({ latencies }) => latencies.at(-1)?.atMs ?? 0),
  );
  return latencySection([
    ...charted.map(({ name, latencies }) => ({
      name,
      shape: "line" as const,
      points: latencies.map(({ atMs, record }) =>
        [seconds(atMs), seconds(record.latencyMs)] as const
      ),
    })),
    {
      name: "wanted",
      shape: "line" as const,
      dashed: true,
      points: [0, endMs].map((atMs) =>
        [seconds(atMs), seconds(targetMs)] as const
      ),
    },
  ]);
}
