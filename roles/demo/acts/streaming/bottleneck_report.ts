import { formatBitRate, formatMs } from "../../../../lib/core/units.ts";
import { seconds, toMbits } from "../../../../lib/dash/qoe/play_lines.ts";
import { jainIndex } from "../../../../lib/model/fairness.ts";
import type {
  LineChart,
  ReportSection,
} from "../../../../lib/report/report.ts";
import type { StreamingAct } from "../../scenario/streaming_act.ts";
import type { Stage } from "../../stage/stage.ts";
import type { SharedPlay, SharingPlayer } from "./bottleneck.ts";

/** How much a bottleneck may give beyond its rate, over a while: what it had saved up when all began. */
const BEYOND = 1.15;
/** Least of Jain's index that is called fair. */
const FAIR = 0.8;
/** What happens in less than this says nothing of a rate. */
const SHORT_MS = 1000;

/** Of one player, while all played and after the first one had left. */
interface Shares {
  readonly player: SharingPlayer;
  /** What came, in bits per second. */
  readonly before: number;
  readonly after: number;
  /** The mean rate it chose. */
  readonly choseBefore: number;
  readonly choseAfter: number;
}

/** Checks how the bottleneck was shared, and draws it. @returns What was measured. */
export function reportBottleneck(
  act: StreamingAct,
  play: SharedPlay,
  stage: Stage,
): Readonly<Record<string, unknown>> {
  const { players, allAtMs, leftAtMs, doneAtMs } = play;
  // Nobody hears of the segment that was under way when its player left: until the one before it, all is known.
  const known = Math.min(leftAtMs, players[0]!.segments.at(-1)?.atMs ?? 0);
  const shares = players.map((player): Shares => ({
    player,
    before: bitsBetween(player, allAtMs, known),
    after: bitsBetween(player, leftAtMs, doneAtMs),
    choseBefore: chosenBetween(player, allAtMs, leftAtMs),
    choseAfter: chosenBetween(player, leftAtMs, Infinity),
  }));
  const jain = jainIndex(shares.map(({ before }) => before));
  checkShares(act, shares, { jain, stage });
  if (doneAtMs > leftAtMs + SHORT_MS) checkAfter(act, shares, stage);
  stage.sections.push(...chartsOf(act, play), tableOf(act, shares, jain));
  return {
    bitsPerSecond: 8 * act.shared.bytesPerSecond,
    jainIndex: Number(jain.toFixed(3)),
    leftAtMs: Math.round(leftAtMs),
    shares: shares.map(({ player, before, after, ...chose }) => ({
      player: player.name,
      bitsPerSecondBefore: Math.round(before),
      bitsPerSecondAfter: Math.round(after),
      choseBefore: Math.round(chose.choseBefore),
      choseAfter: Math.round(chose.choseAfter),
    })),
  };
}

function checkShares(
  { shared }: StreamingAct,
  shares: readonly Shares[],
  { jain, stage }: { readonly jain: number; readonly stage: Stage },
): void {
  const limit = 8 * shared.bytesPerSecond;
  const all = sum(shares.map(({ before }) => before));
  const each = shares.map(({ before }) => before).sort((a, b) => a - b);
  stage.check(
    "together the players get no more than the bottleneck has",
    all > 0 && all < BEYOND * limit,
    `${formatBitRate(all)} of ${formatBitRate(limit)}`,
  );
  stage.check(
    "and each its share of it",
    jain >= FAIR,
    `${formatBitRate(each[0]!)} to ${
      formatBitRate(each.at(-1)!)
    }: Jain's index ${jain.toFixed(3)}`,
  );
}

/** Where the link is not what is scarce, nobody gains. */
function checkAfter(
  { shared }: StreamingAct,
  [, ...stayed]: readonly Shares[],
  stage: Stage,
): void {
  const before = sum(stayed.map((share) => share.before));
  const after = sum(stayed.map((share) => share.after));
  const figures = `${formatBitRate(before / stayed.length)} each before, ${
    formatBitRate(after / stayed.length)
  } after; they chose ${formatBitRate(mean(stayed, "choseBefore"))} and then ${
    formatBitRate(mean(stayed, "choseAfter"))
  }`;
  const used = before * shared.players / stayed.length;
  if (used < 8 * shared.bytesPerSecond / 2) {
    stage.say("streaming", `the bottleneck was none: ${figures}`);
    return;
  }
  // Of three one leaves: half as much again for the others. A quarter of the gain is enough to see it.
  stage.check(
    "when one leaves, the others have more",
    after > before * (1 + 0.25 / stayed.length),
    figures,
  );
}

function tableOf(
  { shared }: StreamingAct,
  shares: readonly Shares[],
  jain: number,
): ReportSection {
  const all = sum(shares.map(({ before }) => before));
  return {
    kind: "table",
    heading: `Streaming: ${shares.length} players behind ${
      formatBitRate(8 * shared.bytesPerSecond)
    }`,
    columns: [
      ...["player", "got", "share", "chose", "got after", "chose after"],
      ...["switches", "stalled", "start-up"],
    ],
    rows: shares.map(({ player, ...share }, at) => [
      player.name,
      formatBitRate(share.before),
      `${(100 * share.before / Math.max(1, all)).toFixed(0)} %`,
      formatBitRate(share.choseBefore),
      at === 0 ? "left" : formatBitRate(share.after),
      at === 0 ? "left" : formatBitRate(share.choseAfter),
      switchesOf(player),
      stalledOf(player),
      formatMs(player.startupMs),
    ]),
    note: `Jain's index while all played: ${
      jain.toFixed(3)
    }; 1 when all have the same, 1/${shares.length} when one has everything. “After” is when ${
      shares[0]!.player.name
    } had left.`,
  };
}

function chartsOf(
  act: StreamingAct,
  { players, leftAtMs, doneAtMs }: SharedPlay,
): readonly ReportSection[] {
  const rate = 8 * act.shared.bytesPerSecond;
  const chart = (
    yLabel: string,
    series: LineChart["series"],
  ): LineChart => ({ kind: "line", xLabel: "time (s)", yLabel, series });
  return [
    {
      kind: "chart",
      heading: "Streaming: one bottleneck; quality chosen and a fair share",
      file: "bottleneck-quality",
      chart: chart("Mbit/s", [
        ...players.map(({ name, segments }) => ({
          name,
          shape: "step" as const,
          points: segments.map(({ atMs, record }) =>
            [seconds(atMs), toMbits(record.bitsPerSecond)] as const
          ),
        })),
        {
          name: "a fair share",
          shape: "step",
          dashed: true,
          points: [
            [0, toMbits(rate / players.length)],
            [seconds(leftAtMs), toMbits(rate / (players.length - 1))],
            [seconds(doneAtMs), toMbits(rate / (players.length - 1))],
          ],
        },
      ]),
      note: `${players[0]!.name} leaves after ${
        formatMs(leftAtMs)
      }; from then on there is one less to share with.`,
    },
    {
      kind: "chart",
      heading: "Streaming: one bottleneck; buffer",
      file: "bottleneck-buffer",
      chart: chart(
        "buffer (s)",
        players.map(({ name, segments }) => ({
          name,
          shape: "line",
          points: segments.flatMap(({ atMs, record }) => [
            [seconds(atMs), seconds(record.bufferMs - record.mediaMs)] as const,
            [seconds(atMs), seconds(record.bufferMs)] as const,
          ]),
        })),
      ),
      note:
        "Two points for each segment: just before and just after its last byte.",
    },
  ];
}

/** Bits a second that came to a player in a while; a segment's come evenly from its request to its last byte. */
function bitsBetween(
  { segments }: SharingPlayer,
  fromMs: number,
  toMs: number,
): number {
  let bits = 0;
  for (const { atMs, record } of segments) {
    const tookMs = Math.max(1, record.downloadMs);
    const inMs = Math.min(atMs, toMs) - Math.max(atMs - tookMs, fromMs);
    bits += 8 * record.bytes * Math.max(0, inMs) / tookMs;
  }
  return 1000 * bits / Math.max(1, toMs - fromMs);
}

/** The mean rate of the segments that came in a while; 0 if none did. */
function chosenBetween(
  { segments }: SharingPlayer,
  fromMs: number,
  toMs: number,
): number {
  let bits = 0;
  let ms = 0;
  for (const { atMs, record } of segments) {
    if (atMs <= fromMs || atMs > toMs) continue;
    bits += record.bitsPerSecond * record.mediaMs;
    ms += record.mediaMs;
  }
  return ms === 0 ? 0 : bits / ms;
}

function switchesOf({ segments }: SharingPlayer): number {
  return segments.filter(({ record }, at) =>
    at > 0 && segments[at - 1]!.record.bitsPerSecond !== record.bitsPerSecond
  ).length;
}

function stalledOf({ segments }: SharingPlayer): string {
  const ms = sum(segments.map(({ record }) => record.stallMs));
  return ms === 0 ? "no" : formatMs(ms);
}

function sum(values: readonly number[]): number {
  return values.reduce((all, each) => all + each, 0);
}

function mean(
  shares: readonly Shares[],
  which: "choseBefore" | "choseAfter",
): number {
  return sum(shares.map((share) => share[which])) / shares.length;
}
