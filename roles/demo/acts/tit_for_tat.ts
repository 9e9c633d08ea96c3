import type { ChokerName } from "../../../lib/bittorrent/swarm/choking/choker.ts";
import { counted, formatBytes, formatMs } from "../../../lib/core/units.ts";
import type { ReportSection } from "../../../lib/report/report.ts";
import type { Member, SwarmOutcome } from "../swarm/cast.ts";
import { nameOf, planOf, type PlaySwarm } from "../swarm/play_swarm.ts";
import type { TitForTatAct } from "../scenario/scenario.ts";
import type { Stage } from "../stage/stage.ts";
import { roundsOf, servicesOf } from "./choke_matrix.ts";
import { findStory, type Story } from "./story.ts";

/** Heat maps in the report; more rounds are joined. */
const MOST_PANELS = 9;
/** The swarm may take so many times what it takes a server alone to give out one copy for each. */
const PATIENCE = 6;

/** One swarm, played with one choker. */
interface Played {
  readonly choker: ChokerName;
  readonly outcome: SwarmOutcome;
  /** When the mean giver, and the mean free rider had the file; NaN if there is none. */
  readonly givers: number;
  readonly freeRiders: number;
}

/** Who serves whom, with tit-for-tat and without. */
export async function playTitForTat(
  act: TitForTatAct,
  stage: Stage,
  play: PlaySwarm,
): Promise<void> {
  const played: Played[] = [];
  for (const choker of act.chokers) {
    stage.part(`${choker}: ${givingAndNot(act)}`);
    const outcome = await play({
      ...planOf(act, castOf(act, choker), endOf(act)),
      slots: act.slots,
      chokeIntervalMs: act.chokeIntervalMs,
      optimisticIntervalMs: act.optimisticIntervalMs,
    }, choker);
    const one = {
      ...{ choker, outcome },
      givers: meanSeconds(outcome, false),
      freeRiders: meanSeconds(outcome, true),
    };
    played.push(one);
    stage.say(
      choker,
      `those who give had the file after ${one.givers.toFixed(1)} s on average${
        act.freeRiders === 0
          ? ""
          : `, free riders after ${one.freeRiders.toFixed(1)} s`
      }`,
    );
  }
  report(act, played, stage);
}

function givingAndNot({ leeches, freeRiders }: TitForTatAct): string {
  const give = counted(leeches, "peer gives", "peers give");
  return freeRiders === 0 ? give : `${give}, ${freeRiders} only take`;
}

function castOf(act: TitForTatAct, choker: ChokerName): readonly Member[] {
  const stays = { joinsAtMs: 0, leaves: { kind: "never" }, choker } as const;
  const uploadBytesPerSecond = act.peerBytesPerSecond;
  return [
    {
      ...{ name: "seed", isSeed: true, ...stays },
      uploadBytesPerSecond: act.serverBytesPerSecond,
    },
    ...Array.from({ length: act.leeches }, (_, at) => ({
      ...{ name: nameOf(at), isSeed: false, ...stays, uploadBytesPerSecond },
    })),
    ...Array.from({ length: act.freeRiders }, (_, at) => ({
      ...{ name: `free-rider-${at + 1}`, isSeed: false, freeRide: true },
      ...{ ...stays, uploadBytesPerSecond },
    })),
  ];
}

function endOf(act: TitForTatAct): number {
  const copies = act.leeches + act.freeRiders;
  const allBytesPerSecond = act.serverBytesPerSecond +
    act.leeches * act.peerBytesPerSecond;
  return 30_000 +
    1000 * PATIENCE * act.fileBytes * Math.max(
        copies / allBytesPerSecond,
        1 / act.serverBytesPerSecond,
      );
}

/** Who did not get it counts with the end. */
function meanSeconds(outcome: SwarmOutcome, freeRiders: boolean): number {
  const seconds = outcome.members.filter(({ member }) =>
    !member.isSeed && (member.freeRide ?? false) === freeRiders
  ).map(({ completedAtMs }) => (completedAtMs ?? outcome.endedAtMs) / 1000);
  return seconds.reduce((a, b) => a + b, 0) / seconds.length;
}

function report(
  act: TitForTatAct,
  played: readonly Played[],
  stage: Stage,
): void {
  for (const { choker, outcome } of played) {
    const leeches = outcome.members.filter(({ member }) => !member.isSeed);
    const done = leeches.filter(({ completedAtMs }) => completedAtMs !== null);
    stage.check(
      `${choker}: everyone gets the file`,
      done.length === leeches.length,
      `${done.length} of ${leeches.length}, the last after ${
        (outcome.endedAtMs / 1000).toFixed(1)
      } s`,
    );
  }
  const stories = played.map(({ outcome }) => storyIn(outcome));
  checkIncentive(act, played, stage);
  const tit = played.findIndex(({ choker }) => choker === "tit-for-tat");
  if (tit !== -1) {
    const story = stories[tit]!;
    stage.say(
      "Alice and Bob",
      story === null
        ? "there are no two peers of whom the slide's story is true in this run; try another --seed or a larger --file"
        : `the slide's story is true of ${story.alice} and ${story.bob}`,
    );
    if (story !== null) stage.sections.push(told(story));
  }
  stage.figures.push({
    act: "tit-for-tat",
    played: played.map(({ choker, outcome, givers, freeRiders }, at) => ({
      choker,
      giversMeanSeconds: rounded(givers),
      freeRidersMeanSeconds: act.freeRiders === 0 ? null : rounded(freeRiders),
      lastSeconds: rounded(outcome.endedAtMs / 1000),
      story: stories[at],
    })),
  });
  stage.sections.push(
    completion(act, played),
    ...played.map((one) => matrix(act, one)),
    eachOne(played),
  );
}

/** Free riders finish later; and it is tit-for-tat that makes them. */
function checkIncentive(
  act: TitForTatAct,
  played: readonly Played[],
  stage: Stage,
): void {
  const tit = played.find(({ choker }) => choker === "tit-for-tat");
  if (act.freeRiders === 0 || tit === undefined) return;
  const cost = ({ givers, freeRiders }: Played) => freeRiders / givers;
  stage.check(
    "with tit-for-tat free riders finish later than those who give",
    cost(tit) > 1,
    `after ${tit.freeRiders.toFixed(1)} s and ${tit.givers.toFixed(1)} s: ${
      cost(tit).toFixed(2)
    } times as late`,
  );
  for (const other of played) {
    if (other === tit) continue;
    stage.check(
      `with ${other.choker} in its place free riding costs less`,
      cost(other) < cost(tit),
      `${cost(other).toFixed(2)} times as late instead of ${
        cost(tit).toFixed(2)
      }; those who give finish after ${other.givers.toFixed(1)} s instead of ${
        tit.givers.toFixed(1)
      } s`,
    );
  }
}

function storyIn(outcome: SwarmOutcome): Story | null {
  const actors = outcome.members.filter(({ member }) =>
    !member.isSeed && !member.freeRide
  ).map(({ member }) => member.name);
  return findStory(servicesOf(outcome), new Set(actors));
}

function told(story: Story): ReportSection {
  const { alice, bob, kept, reason } = story;
  const at = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return {
    kind: "table",
    heading: "Tit-for-tat: Alice and Bob, as it happened",
    columns: ["after", "on the slide", "in this run"],
    rows: [
      [
        at(story.unchokedAtMs),
        "(1) Alice “optimistically unchokes” Bob",
        `${alice} draws ${bob} by lot; ${bob} does not serve ${alice} at that time`,
      ],
      [
        at(story.reciprocatedAtMs),
        "(2) Alice becomes one of Bob's top providers; Bob reciprocates",
        `${bob} unchokes ${alice}: ${reason}`,
      ],
      kept === null
        ? [
          "–",
          "(3) Bob becomes one of Alice's top providers",
          "not seen: no draw came before the file was there",
        ]
        : [
          at(kept.atMs),
          "(3) Bob becomes one of Alice's top providers",
          `the lot falls on ${kept.drawn}, and ${alice} goes on serving ${bob}`,
        ],
    ],
    note:
      "Read off the events peer.unchoked and peer.choked: the first two peers of whom it is true.",
  };
}

function completion(
  act: TitForTatAct,
  played: readonly Played[],
): ReportSection {
  return {
    kind: "chart",
    heading: "Tit-for-tat: when peers had the file, on average",
    file: "tit-for-tat-completion",
    chart: {
      kind: "bar",
      xLabel: "seconds",
      bars: played.flatMap(({ choker, givers, freeRiders }) => [
        { name: `${choker}: who gives`, value: rounded(givers) },
        ...act.freeRiders === 0
          ? []
          : [{ name: `${choker}: free riders`, value: rounded(freeRiders) }],
      ]),
    },
    note: `${givingAndNot(act)}; who gives has ${
      formatBytes(act.peerBytesPerSecond)
    }/s, a seed ${formatBytes(act.serverBytesPerSecond)}/s, ${
      formatBytes(act.fileBytes)
    }, ${counted(act.slots, "slot")} and one by lot, a round every ${
      formatMs(act.chokeIntervalMs)
    }, a draw every ${formatMs(act.optimisticIntervalMs)}.`,
  };
}

function matrix(act: TitForTatAct, { choker, outcome }: Played): ReportSection {
  const names = outcome.members.map(({ member }) => member.name);
  const joined = Math.ceil(
    outcome.endedAtMs / act.chokeIntervalMs / MOST_PANELS,
  );
  const rounds = roundsOf(servicesOf(outcome), {
    names,
    roundMs: joined * act.chokeIntervalMs,
    endMs: outcome.endedAtMs,
  });
  return {
    kind: "chart",
    heading: `Tit-for-tat: who serves whom with ${choker}`,
    file: `tit-for-tat-${choker}`,
    chart: {
      kind: "heat",
      ...{ rowLabel: "who serves", columnLabel: "whom" },
      ...{ rows: names, columns: names },
      scale: { name: "Share of the round", max: 100, unit: " %" },
      panels: rounds.map(({ fromMs, toMs, shares }) => ({
        title: `${Math.round(fromMs / 1000)} to ${
          (toMs / 1000).toFixed(toMs === outcome.endedAtMs ? 1 : 0)
        } s`,
        cells: shares.map((row) => row.map((share) => 100 * share)),
      })),
    },
    note: joined === 1
      ? "A panel for each round."
      : `A panel for every ${joined} rounds.`,
  };
}

function eachOne(played: readonly Played[]): ReportSection {
  const first = played[0]!.outcome.members.filter(({ member }) =>
    !member.isSeed
  );
  return {
    kind: "table",
    heading: "Tit-for-tat: when each peer had the file",
    columns: ["peer", ...played.map(({ choker }) => `${choker} (s)`)],
    rows: first.map(({ member }) => [
      member.name,
      ...played.map(({ outcome }) => {
        const one = outcome.members.find((other) =>
          other.member.name === member.name
        );
        return one?.completedAtMs == null
          ? "never"
          : rounded(one.completedAtMs / 1000);
      }),
    ]),
  };
}

function rounded(value: number): number {
  return Number(value.toFixed(2));
}
