import { BLOCK_BYTES } from "../../../../lib/bittorrent/wire/messages.ts";
import { equalBytes } from "../../../../lib/core/bytes.ts";
import { formatBytes, formatMs } from "../../../../lib/core/units.ts";
import {
  clientServerSeconds,
  type Distribution,
  peerToPeerSeconds,
} from "../../../../lib/model/distribution.ts";
import type { SwarmPlan } from "../../swarm/cast.ts";
import {
  type LectureFile,
  writeLectureFile,
} from "../../stage/lecture_file.ts";
import type { DistributionAct } from "../../scenario/scenario.ts";
import type { Stage } from "../../stage/stage.ts";
import { playSwarm } from "../../swarm/staged_swarm.ts";
import { type Measured, reportDistribution } from "./distribution_report.ts";
import { fetchFromServer } from "./http_clients.ts";

/** Starts of processes, for each N. */
const STARTING_MS = 4_000;

/** One file to N clients, for each N twice at the same time: every copy from one server, and pieces from each other. */
export async function playDistribution(
  act: DistributionAct,
  stage: Stage,
): Promise<void> {
  const expectedMs = act.leeches.reduce(
    (sum, clients) =>
      sum + STARTING_MS + 1000 * Math.max(
          clientServerSeconds(modelOf(act, clients)),
          1.3 * peerToPeerSeconds(modelOf(act, clients)),
        ),
    0,
  );
  stage.begin(
    "distribution",
    `File distribution: ${formatBytes(act.fileBytes)} to ${
      act.leeches.join(", ")
    } ${
      act.leeches.at(-1) === 1 ? "client" : "clients"
    }, from one server and in a swarm; takes about ${formatMs(expectedMs)}`,
  );
  const file = await writeLectureFile(act.fileBytes, stage);
  const measured: Measured[] = [];
  for (const clients of act.leeches) {
    const [server, swarm] = await Promise.all([
      fromServer(act, clients, { stage, file }),
      inSwarm(act, clients, { stage, file }),
    ]);
    measured.push({ clients, server, swarm });
    const { boundSeconds } = swarm;
    stage.say(
      `N = ${clients}`,
      `server ${last(server).toFixed(1)} s (bound ${
        server.boundSeconds.toFixed(1)
      } s), swarm ${last(swarm).toFixed(1)} s (bound ${
        boundSeconds.toFixed(1)
      } s, ratio ${(last(swarm) / boundSeconds).toFixed(2)})`,
    );
  }
  reportDistribution(act, measured, {
    stage,
    blockSeconds: BLOCK_BYTES / act.serverBytesPerSecond,
    note: `F = ${formatBytes(act.fileBytes)} in pieces of ${
      formatBytes(act.pieceBytes)
    }, u_s = ${formatBytes(act.serverBytesPerSecond)}/s, u_i = ${
      formatBytes(act.peerBytesPerSecond)
    }/s, downloads without a limit. For each N both ran at the same time on ${
      stage.isFar ? "the machines of the lab" : "this machine"
    }; the clients were there before the file was.`,
  });
}

/** The lecture's model of the act with `clients` clients. */
export function modelOf(
  act: Pick<
    DistributionAct,
    "fileBytes" | "serverBytesPerSecond" | "peerBytesPerSecond"
  >,
  clients: number,
): Distribution {
  return {
    fileBytes: act.fileBytes,
    clients,
    serverBytesPerSecond: act.serverBytesPerSecond,
    slowestDownloadBytesPerSecond: Infinity,
    peerBytesPerSecond: act.peerBytesPerSecond,
  };
}

function last({ seconds }: { readonly seconds: readonly number[] }): number {
  return Math.max(...seconds);
}

interface Setting {
  readonly stage: Stage;
  readonly file: LectureFile;
}

async function fromServer(
  act: DistributionAct,
  clients: number,
  { stage, file }: Setting,
): Promise<Measured["server"]> {
  const boundSeconds = clientServerSeconds(modelOf(act, clients));
  const copies = await fetchFromServer({
    ...{ folder: file.folder, fileName: file.name, file: file.bytes, clients },
    serverBytesPerSecond: act.serverBytesPerSecond,
    timeoutMs: 60_000 + 3000 * boundSeconds,
  }, stage);
  return { ...copies, boundSeconds };
}

async function inSwarm(
  act: DistributionAct,
  clients: number,
  { stage, file }: Setting,
): Promise<Measured["swarm"]> {
  const boundSeconds = peerToPeerSeconds(modelOf(act, clients));
  const plan = distributionPlan(act, clients, 60_000 + 10_000 * boundSeconds);
  const { outcome, folderOf } = await playSwarm(plan, file, {
    ...{ stage, label: `swarm-${clients}` },
  });
  const leeches = outcome.members.filter(({ member }) => !member.isSeed);
  const copies = await Promise.all(
    leeches.map(({ member }) =>
      stage.ctx.files.read(`${folderOf(member)}/${file.name}`, {
        maxBytes: file.bytes.length,
      })
    ),
  );
  return {
    boundSeconds,
    seconds: leeches.map(({ completedAtMs }) =>
      (completedAtMs ?? Infinity) / 1000
    ),
    whole: copies.filter((copy) => equalBytes(copy, file.bytes)).length,
  };
}

/** A seed and N leeches that all stay. */
function distributionPlan(
  act: DistributionAct,
  clients: number,
  endsAtMs: number,
): SwarmPlan {
  const stays = { joinsAtMs: 0, leaves: { kind: "never" } } as const;
  return {
    fileBytes: act.fileBytes,
    pieceBytes: act.pieceBytes,
    members: [
      {
        ...{ name: "seed", isSeed: true, ...stays },
        uploadBytesPerSecond: act.serverBytesPerSecond,
      },
      ...Array.from({ length: clients }, (_, at) => ({
        ...{ name: `peer-${at + 1}`, isSeed: false, ...stays },
        uploadBytesPerSecond: act.peerBytesPerSecond,
      })),
    ],
    ...{ slots: 4, chokeIntervalMs: 10_000, optimisticIntervalMs: 30_000 },
    endsAtMs,
  };
}
