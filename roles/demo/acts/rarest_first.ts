import type { PickerName } from "../../../lib/bittorrent/swarm/pieces/picker.ts";
import { counted, formatBytes } from "../../../lib/core/units.ts";
import type { ReportSection } from "../../../lib/report/report.ts";
import type { Member, SwarmOutcome } from "../swarm/cast.ts";
import { nameOf, planOf, type PlaySwarm } from "../swarm/play_swarm.ts";
import type { RarestFirstAct } from "../scenario/scenario.ts";
import type { Stage } from "../stage/stage.ts";
import { availabilityChart } from "./availability.ts";

/** One swarm, played with one picker. */
interface Played {
  readonly picker: PickerName;
  readonly outcome: SwarmOutcome;
  /** How many leeches have the file. */
  readonly complete: number;
  /** Pieces that nobody has at the end, as a share. */
  readonly lost: number;
}

/** A seed that leaves early: with which order of asking is its file still there? */
export async function playRarestFirst(
  act: RarestFirstAct,
  stage: Stage,
  play: PlaySwarm,
): Promise<void> {
  const played: Played[] = [];
  for (const picker of act.pickers) {
    stage.part(
      `${picker}: the seed leaves when it has sent ${
        counted(act.seedCopies, "copy", "copies")
      }`,
    );
    const outcome = await play(
      planOf(act, castOf(act, picker), endOf(act)),
      picker,
    );
    const leeches = outcome.members.filter(({ member }) => !member.isSeed);
    const one = {
      ...{ picker, outcome },
      complete: leeches.filter(({ completedAtMs }) =>
        completedAtMs !== null
      ).length,
      lost: 1 - Math.max(...leeches.map(({ share }) => share)),
    };
    played.push(one);
    stage.say(picker, summary(act, one));
  }
  report(act, played, stage);
}

function castOf(act: RarestFirstAct, picker: PickerName): readonly Member[] {
  return [
    {
      ...{ name: "seed", isSeed: true, joinsAtMs: 0, plainSeed: true, picker },
      leaves: { kind: "sent", bytes: act.seedCopies * act.fileBytes },
      uploadBytesPerSecond: act.serverBytesPerSecond,
    },
    ...Array.from({ length: act.leeches }, (_, at): Member => ({
      ...{ name: nameOf(at), isSeed: false, joinsAtMs: 0, picker },
      leaves: { kind: "never" },
      uploadBytesPerSecond: act.peerBytesPerSecond,
    })),
  ];
}

/** Time enough for those who stay to pass on everything several times. */
function endOf(act: RarestFirstAct): number {
  return 60_000 +
    3000 * act.seedCopies * act.fileBytes / act.serverBytesPerSecond +
    5000 * act.fileBytes / act.peerBytesPerSecond;
}

function summary(
  act: RarestFirstAct,
  { complete, lost, outcome }: Played,
): string {
  const first = outcome.firstCopyAtMs;
  return `${complete} of ${act.leeches} have the file${
    complete === act.leeches
      ? ` after ${(outcome.endedAtMs / 1000).toFixed(1)} s`
      : `, ${(100 * lost).toFixed(0)} % of it is lost`
  }; ${
    first === null
      ? "the seed's pieces never were all out"
      : `every piece was out after ${(first / 1000).toFixed(1)} s`
  }`;
}

function report(
  act: RarestFirstAct,
  played: readonly Played[],
  stage: Stage,
): void {
  const rarest = played.find(({ picker }) => picker === "rarest");
  if (rarest !== undefined) {
    stage.check(
      "rarest first: everyone gets the file although the seed leaves",
      rarest.complete === act.leeches,
      summary(act, rarest),
    );
    for (const other of played) {
      if (other === rarest) continue;
      stage.check(
        `${other.picker}: the file is in greater danger`,
        isWorse(other, rarest),
        summary(act, other),
      );
    }
  }
  stage.figures.push({
    act: "rarest-first",
    played: played.map(({ picker, outcome, complete, lost }) => ({
      ...{ picker, complete, leeches: act.leeches },
      lostShare: Number(lost.toFixed(4)),
      firstCopySeconds: outcome.firstCopyAtMs === null
        ? null
        : outcome.firstCopyAtMs / 1000,
      endedSeconds: outcome.endedAtMs / 1000,
    })),
  });
  stage.sections.push(...sectionsOf(act, played));
}

function sectionsOf(
  act: RarestFirstAct,
  played: readonly Played[],
): readonly ReportSection[] {
  const numbers = `${counted(act.leeches, "peer")} with ${
    formatBytes(act.peerBytesPerSecond)
  }/s each; a seed with ${
    formatBytes(act.serverBytesPerSecond)
  }/s that leaves when it has sent ${
    counted(act.seedCopies, "copy", "copies")
  } of the ${formatBytes(act.fileBytes)}.`;
  const swarms = played.map(({ picker, outcome }) => ({
    name: picker,
    outcome,
  }));
  return [
    availabilityChart(swarms, {
      heading: "Rarest first: copies of the rarest piece",
      file: "rarest-first-min",
      value: "min",
      note: `0: what is missing is at nobody any more. ${numbers}`,
    }),
    availabilityChart(swarms, {
      heading: "Rarest first: copies of a piece on average",
      file: "rarest-first-mean",
      value: "mean",
      note:
        "Rarest and random spread about as many bytes and differ in which; with sequential all have the same pieces and nothing to give each other.",
    }),
    {
      kind: "table",
      heading: "Rarest first: what became of the file",
      columns: [
        ...["picker", "have the file", "lost", "every piece out after (s)"],
        "last complete after (s)",
      ],
      rows: played.map(({ picker, complete, lost, outcome }) => [
        ...[picker, `${complete} of ${act.leeches}`],
        `${(100 * lost).toFixed(1)} %`,
        outcome.firstCopyAtMs === null
          ? "never"
          : (outcome.firstCopyAtMs / 1000).toFixed(1),
        complete < act.leeches
          ? "never"
          : (outcome.endedAtMs / 1000).toFixed(1),
      ]),
    },
  ];
}

/** Fewer get it, or more of it is lost; or, if all get it, the first copy was out later. */
function isWorse(other: Played, rarest: Played): boolean {
  if (other.complete !== rarest.complete) {
    return other.complete < rarest.complete;
  }
  if (other.lost !== rarest.lost) return other.lost > rarest.lost;
  return (other.outcome.firstCopyAtMs ?? Infinity) >
    (rarest.outcome.firstCopyAtMs ?? Infinity);
}
