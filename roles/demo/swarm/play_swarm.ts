import { equalBytes } from "../../../lib/core/bytes.ts";
import { type LectureFile, writeLectureFile } from "../stage/lecture_file.ts";
import type { SwarmNumbers } from "../scenario/scenario.ts";
import type { Stage } from "../stage/stage.ts";
import type { Member, SwarmOutcome, SwarmPlan } from "./cast.ts";
import { Pauses } from "./pauses.ts";
import { playSwarm } from "./staged_swarm.ts";
import { simulateSwarm } from "./virtual_swarm.ts";

/** Plays a plan: by processes or in virtual time. `label` tells it from the other swarms of its act. */
export type PlaySwarm = (
  plan: SwarmPlan,
  label: string,
) => Promise<SwarmOutcome>;

/** Returns how the swarms of an act are played. Every copy that a process ends with is compared with the file. */
export async function swarmPlayer(
  act: SwarmNumbers,
  stage: Stage,
  simulate: boolean,
): Promise<PlaySwarm> {
  if (simulate) {
    const seed = Math.floor(stage.ctx.rng() * 2 ** 31);
    return (plan) => simulateSwarm(plan, seed, new Pauses(stage.ctx));
  }
  const file = await writeLectureFile(act.fileBytes, stage);
  return async (plan, label) => {
    const { outcome, folderOf } = await playSwarm(plan, file, { stage, label });
    await checkCopies(outcome, folderOf, { stage, file, label });
    return outcome;
  };
}

async function checkCopies(
  outcome: SwarmOutcome,
  folderOf: (member: Member) => string,
  { stage, file, label }: {
    readonly stage: Stage;
    readonly file: LectureFile;
    readonly label: string;
  },
): Promise<void> {
  const complete = outcome.members.filter(({ member, completedAtMs }) =>
    !member.isSeed && completedAtMs !== null
  );
  let whole = 0;
  for (const { member } of complete) {
    const copy = await stage.ctx.files.read(
      `${folderOf(member)}/${file.name}`,
      { maxBytes: file.bytes.length },
    );
    if (equalBytes(copy, file.bytes)) whole += 1;
  }
  stage.check(
    `${label}: every complete copy is the file, byte by byte`,
    whole === complete.length,
    `${whole} of ${complete.length} copies`,
  );
}

/** The numbers of an act that every plan takes over, with the slides' choking unless the act says otherwise. */
export function planOf(
  act: SwarmNumbers,
  members: readonly Member[],
  endsAtMs: number,
): SwarmPlan {
  return {
    ...{ fileBytes: act.fileBytes, pieceBytes: act.pieceBytes },
    ...{ slots: 4, chokeIntervalMs: 10_000, optimisticIntervalMs: 30_000 },
    ...{ members, endsAtMs },
  };
}

/** People, in the order in which they come on; more than there are names get numbers. */
export function nameOf(index: number): string {
  const round = Math.floor(index / NAMES.length);
  const name = NAMES[index % NAMES.length]!;
  return round === 0 ? name : `${name}-${round + 1}`;
}

const NAMES = [
  ...["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"],
  ...["ivan", "judy", "kim", "leo", "mia", "nick", "olga", "peggy"],
  ...["quentin", "rupert", "sybil", "trent", "ursula", "victor", "wendy"],
] as const;
