import { counted, formatBytes, formatMs } from "../../../lib/core/units.ts";
import type { ReportSection } from "../../../lib/report/report.ts";
import type {
  Leaving,
  Member,
  MemberOutcome,
  SwarmOutcome,
} from "../swarm/cast.ts";
import { nameOf, planOf, type PlaySwarm } from "../swarm/play_swarm.ts";
import type { ChurnAct } from "../scenario/scenario.ts";
import type { Stage } from "../stage/stage.ts";
import { thinned } from "./availability.ts";

/** Peers come and go, the seed leaves when the first copy is out: does everyone who stays get the file? */
export async function playChurn(
  act: ChurnAct,
  stage: Stage,
  play: PlaySwarm,
): Promise<void> {
  stage.part(
    `${counted(act.leeches, "peer")}, one every ${
      formatMs(act.everyMs)
    }; each seeds ${formatMs(act.seedForMs)} and leaves`,
  );
  const outcome = await play(
    planOf(act, castOf(act, stage), endOf(act)),
    "churn",
  );
  report(act, outcome, stage);
}

/** Half of the peers are there at first; the others come one by one; some, by lot, leave with half the file. */
function castOf(act: ChurnAct, { ctx }: Stage): readonly Member[] {
  const first = Math.ceil(act.leeches / 2);
  const leeches = Array.from({ length: act.leeches }, (_, at): Member => {
    const leaves: Leaving = ctx.rng() < act.quits
      ? { kind: "share", share: 0.5 }
      : { kind: "complete", afterMs: act.seedForMs };
    return {
      ...{ name: nameOf(at), isSeed: false, leaves },
      joinsAtMs: Math.max(0, at - first + 1) * act.everyMs,
      uploadBytesPerSecond: act.peerBytesPerSecond,
    };
  });
  return [{
    ...{ name: "seed", isSeed: true, joinsAtMs: 0 },
    leaves: { kind: "first-copy" },
    uploadBytesPerSecond: act.serverBytesPerSecond,
  }, ...leeches];
}

function endOf(act: ChurnAct): number {
  return 60_000 + act.leeches * act.everyMs +
    6000 * act.fileBytes / act.peerBytesPerSecond +
    6000 * act.fileBytes / act.serverBytesPerSecond;
}

function report(act: ChurnAct, outcome: SwarmOutcome, stage: Stage): void {
  const { members, availability, firstCopyAtMs } = outcome;
  const seed = members.find(({ member }) => member.isSeed)!;
  const leeches = members.filter(({ member }) => !member.isSeed);
  const stayed = leeches.filter(({ member }) => member.leaves.kind !== "share");
  const complete = stayed.filter(({ completedAtMs }) => completedAtMs !== null);
  stage.check(
    "the seed leaves when the first copy is out",
    seed.leftAtMs !== null && firstCopyAtMs !== null,
    firstCopyAtMs === null
      ? "it never was"
      : `after ${(firstCopyAtMs / 1000).toFixed(1)} s; F/u_s is ${
        (act.fileBytes / act.serverBytesPerSecond).toFixed(1)
      } s`,
  );
  const quitters = leeches.length - stayed.length;
  stage.check(
    "every peer that does not give up gets the file",
    complete.length === stayed.length,
    `${complete.length} of ${stayed.length}${
      quitters === 0 ? "" : `; ${quitters} left with half of it`
    }`,
  );
  const after = complete.filter(({ completedAtMs }) =>
    seed.leftAtMs !== null && completedAtMs! > seed.leftAtMs
  );
  stage.check(
    "most of them finish without the seed",
    2 * after.length >= complete.length && after.length > 0,
    `${after.length} of ${complete.length} after it had left`,
  );
  const scarce = availability.filter(({ atMs }) =>
    seed.leftAtMs !== null && atMs > seed.leftAtMs
  ).reduce((least, { min }) => Math.min(least, min), Infinity);
  stage.figures.push({
    act: "churn",
    firstCopySeconds: firstCopyAtMs === null ? null : firstCopyAtMs / 1000,
    complete: complete.length,
    stayed: stayed.length,
    quitters,
    fewestCopiesAfterSeed: Number.isFinite(scarce) ? scarce : null,
    end: outcome.end,
    endedSeconds: outcome.endedAtMs / 1000,
  });
  stage.sections.push(copiesChart(act, outcome), comingsAndGoings(members));
}

function copiesChart(act: ChurnAct, outcome: SwarmOutcome): ReportSection {
  const points = thinned(outcome.availability);
  const line = (value: "min" | "mean" | "members") =>
    points.map((point) => [point.atMs / 1000, point[value]] as const);
  const left = outcome.members.find(({ member }) => member.isSeed)?.leftAtMs;
  return {
    kind: "chart",
    heading: "Churn: peers and copies over time",
    file: "churn",
    chart: {
      kind: "line",
      xLabel: "seconds",
      yLabel: "peers present, copies among them",
      series: [
        { name: "peers", shape: "step", points: line("members") },
        { name: "copies on average", shape: "step", points: line("mean") },
        { name: "copies of the rarest", shape: "step", points: line("min") },
      ],
    },
    note: `The seed (${formatBytes(act.serverBytesPerSecond)}/s) left ${
      left == null ? "never" : `after ${(left / 1000).toFixed(1)} s`
    }; ${formatBytes(act.fileBytes)}, peers with ${
      formatBytes(act.peerBytesPerSecond)
    }/s.`,
  };
}

function comingsAndGoings(members: readonly MemberOutcome[]): ReportSection {
  const seconds = (ms: number | null) =>
    ms === null ? "–" : (ms / 1000).toFixed(1);
  return {
    kind: "table",
    heading: "Churn: comings and goings",
    columns: ["peer", "came (s)", "complete (s)", "left (s)", "had at the end"],
    rows: members.map((one) => [
      one.member.name,
      seconds(one.joinedAtMs),
      one.member.isSeed ? "from the start" : seconds(one.completedAtMs),
      seconds(one.leftAtMs),
      `${(100 * one.share).toFixed(0)} %`,
    ]),
  };
}
