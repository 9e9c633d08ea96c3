import {
  counted,
  formatBitRate,
  formatMs,
} from "../../../../lib/core/units.ts";
import type { AbrPlayResult } from "../../../../lib/sim/abr_play.ts";
import type { StreamingAct } from "../../scenario/streaming_act.ts";
import type { Stage } from "../../stage/stage.ts";
import { adaptationCharts } from "./adaptation_charts.ts";
import { type Adapting, inVirtualTime } from "./adaptation.ts";

/** A rate is too high for a network, or a rule too bold, if the picture stands still for more than this part of the play. */
const STILL = 0.05;
/** What a network must take from who asks for the highest rate, in parts of the play, to be one to adapt to. */
const TOO_MUCH = 2 * STILL;

/** A player, and the same play in virtual time: what the network allows where no machine is slow. */
interface Compared extends Adapting {
  readonly virtual: AbrPlayResult;
}

/** Checks what the slides promise of adapting, and draws it. @returns What was measured of each player. */
export function reportAdaptation(
  act: StreamingAct,
  played: readonly Adapting[],
  stage: Stage,
): readonly Readonly<Record<string, unknown>>[] {
  const compared = played.map((one): Compared => ({
    ...one,
    virtual: inVirtualTime(act, one.what),
  }));
  const [lowest, highest, ...rules] = compared as [
    ...[Compared, Compared],
    ...Compared[],
  ];
  const adaptive = rules.find(({ what }) => what.name === "auto") ?? rules[0]!;
  if (highest.virtual.stallMs > TOO_MUCH * act.mediaMs) {
    checkWhy(act, { lowest, highest, adaptive }, stage);
    checkWorth([lowest, highest], rules, stage);
  } else {
    stage.say(
      "streaming",
      `in the first ${
        formatMs(act.mediaMs)
      } of "${act.trace}" even the highest rate hardly stalls: nothing to adapt to`,
    );
  }
  checkOptimum(rules, stage);
  stage.sections.push(
    ...adaptationCharts(act, { lowest, highest, adaptive, rules }),
    tableOf(act, compared),
  );
  return compared.map(figuresOf);
}

function figuresOf({ what, result, virtual }: Compared) {
  return {
    player: what.name,
    averageBitsPerSecond: Math.round(result.averageBitsPerSecond),
    switchCount: result.switchCount,
    stallCount: result.stallCount,
    stallMs: Math.round(result.stallMs),
    startupMs: Math.round(result.startupMs),
    highestLayerPercent: rounded(result.highestLayerPercent),
    lectureQoe: rounded(result.lectureQoe),
    score: rounded(result.score),
    percentOfOptimum: result.percentOfOptimum === undefined
      ? null
      : rounded(result.percentOfOptimum),
    virtualScore: rounded(virtual.score),
    virtualStallMs: Math.round(virtual.stallMs),
  };
}

/** Why a player adapts. Bounds hold on a slow machine: it makes every player wait, and the one with the highest rate most. */
function checkWhy(
  { mediaMs }: StreamingAct,
  { lowest, highest, adaptive }: {
    readonly lowest: Compared;
    readonly highest: Compared;
    readonly adaptive: Compared;
  },
  stage: Stage,
): void {
  const still = (ms: number) => Math.max(STILL * mediaMs, ms);
  stage.check(
    "fixed to the highest rate a player stalls",
    highest.result.stallMs > highest.virtual.stallMs / 2,
    `${stallsOf(highest)}; ${
      formatMs(highest.virtual.stallMs)
    } in virtual time`,
  );
  stage.check(
    "fixed to the lowest it does not, and looks poor",
    lowest.result.stallMs <= still(2 * lowest.virtual.stallMs) &&
      lowest.result.highestLayerPercent === 0,
    `${stallsOf(lowest)}; ${
      formatBitRate(lowest.result.averageBitsPerSecond)
    } from beginning to end`,
  );
  stage.check(
    `${adaptive.what.name} looks better than the one and stalls less than the other`,
    adaptive.result.averageBitsPerSecond >
        1.2 * lowest.result.averageBitsPerSecond &&
      adaptive.result.stallMs < highest.result.stallMs / 2,
    `${formatBitRate(adaptive.result.averageBitsPerSecond)} on average; ${
      stallsOf(adaptive)
    }`,
  );
}

/** The score has quality and stalls in one number. */
function checkWorth(
  fixed: readonly Compared[],
  rules: readonly Compared[],
  stage: Stage,
): void {
  const best = bestOf(rules);
  stage.check(
    "quality less stalls: the best rule is worth more than either fixed rate",
    fixed.every(({ result }) => result.score < best.result.score),
    [best, ...fixed].map(scored).join(", "),
  );
}

/**
 * A player that knew the network beforehand has been worked out by each player, afterwards. How near the best rule can
 * come is seen in virtual time: in a short play all begin low, and on a slow machine answers are late.
 */
function checkOptimum(rules: readonly Compared[], stage: Stage): void {
  const rated = rules.flatMap(({ what, result }) =>
    result.percentOfOptimum === undefined
      ? []
      : [{ name: what.name, percent: result.percentOfOptimum }]
  ).sort((a, b) => b.percent - a.percent);
  if (rated.length === 0) return;
  const best = bestOf(rules).result.score;
  const virtual = Math.max(...rules.map((one) => one.virtual.score));
  stage.check(
    "the best rule comes near to who had known the network, and none is better",
    best > virtual / 2 && rated[0]!.percent < 103,
    rated.map(({ name, percent }) => `${name} ${percent.toFixed(1)} %`)
      .join(", "),
  );
}

function tableOf(
  act: StreamingAct,
  played: readonly Compared[],
) {
  return {
    kind: "table" as const,
    heading: `Streaming: ${played.length} players, each on "${act.trace}"`,
    columns: [
      ...["player", "average rate", "switches", "stalls", "start-up"],
      ...["on top", "QoE", "score", "virtual", "optimum"],
    ],
    rows: played.map(({ what, result, virtual }) => [
      what.name,
      formatBitRate(result.averageBitsPerSecond),
      result.switchCount,
      result.stallCount === 0
        ? "none"
        : `${result.stallCount}, ${formatMs(result.stallMs)}`,
      formatMs(result.startupMs),
      `${result.highestLayerPercent.toFixed(0)} %`,
      rounded(result.lectureQoe),
      rounded(result.score),
      rounded(virtual.score),
      result.percentOfOptimum === undefined
        ? "–"
        : `${result.percentOfOptimum.toFixed(1)} %`,
    ]),
    note:
      "QoE is the lecture's: it counts the time on top, the highest layer, and no stalls. The score is the mean logarithm of the rate over the lowest, less five times the share of time stood still; virtual is what the same rule scores on the same network without sockets and clocks. The optimum is a player that knew the network beforehand and began, as rules do, in the lowest rate.",
  };
}

function bestOf(rules: readonly Compared[]): Compared {
  return rules.reduce((best, one) =>
    one.result.score > best.result.score ? one : best
  );
}

function scored({ what, result }: Compared): string {
  return `${what.name} ${result.score.toFixed(2)}`;
}

/** How often and how long the picture stood still. */
function stallsOf({ result }: Adapting): string {
  const { stallCount, stallMs } = result;
  return stallCount === 0
    ? "no stall"
    : `${counted(stallCount, "stall")}, ${formatMs(stallMs)}`;
}

function rounded(value: number): number {
  return Number(value.toFixed(2));
}
