import {
  clientServerSeconds,
  peerToPeerSeconds,
} from "../../../../lib/model/distribution.ts";
import { BLOCK_BYTES } from "../../../../lib/bittorrent/wire/messages.ts";
import { formatBytes, formatMs } from "../../../../lib/core/units.ts";
import { serveInTurn } from "../../../../lib/sim/file_server.ts";
import {
  type Host,
  layoutOf,
  SwarmWorld,
} from "../../../../lib/sim/swarm_world.ts";
import {
  evenIntroductions,
  introductions,
} from "../../../../lib/sim/tracker.ts";
import { Pauses } from "../../swarm/pauses.ts";
import type { DistributionAct } from "../../scenario/scenario.ts";
import type { Stage } from "../../stage/stage.ts";
import { modelOf } from "./distribution.ts";
import { type Measured, reportDistribution } from "./distribution_report.ts";

const DELAY_MS = 1;
/** So long a block may take on its way, by the clock that the peers' timers (10 s, 30 s, 60 s) go by: as long as in the scenario's own numbers. */
const MAX_BLOCK_SECONDS = 1;
/** A class does not start all at once, and who comes first finds slots free that those who come last do not. */
const STARTS_MS = 1_000;
/** But within this part of the time in which one peer could send the file: the start is not to be all there is. */
const STARTS_SHARE = 1 / 32;
/** Inputs between two looks at the world outside: progress, Ctrl-C. */
const SLICE = 20_000;

/** So many pieces times the root of the clients take seconds to simulate: the fewer the clients, the finer the file can be cut. */
const PIECES_OF_ALL = 2_000;
/** Introductions times the root of the clients, in the same way. */
const INTRODUCTIONS_OF_ALL = 200;
/** As many know the seed, which came first, as it takes connections: the tracker of a real swarm names it to more. */
const SEED_CONNECTIONS = 80;
/** With so many, the last piece's time is next to nothing: N = 10 comes to 1.01 of its bound, where 32 make it 1.3 and more. */
const MAX_PIECES = 512;

/** The experiment in virtual time, up to 10,000 peers: the machines of `rolecall peer`, without sockets and disks. */
export async function simulateDistribution(
  act: DistributionAct,
  stage: Stage,
): Promise<void> {
  const { leeches } = act.simulated;
  stage.begin(
    "distribution",
    `File distribution in virtual time: to ${leeches.join(", ")} ${
      leeches.at(-1) === 1 ? "client" : "clients"
    }`,
  );
  const seed = Math.floor(stage.ctx.rng() * 2 ** 32);
  const measured: Measured[] = [];
  for (const clients of leeches) {
    measured.push(await measure(act, clients, { stage, seed }));
  }
  const pieces = leeches.map((clients) => piecesOf(act, clients));
  const told = leeches.map((clients) => introductionsOf(act, clients));
  const least = scaledDown(act, Math.min(...pieces));
  const haste = Math.max(
    ...pieces.map((count) => hasteOf(scaledDown(act, count))),
  );
  reportDistribution(act, measured, {
    stage,
    blockSeconds: BLOCK_BYTES / least.serverBytesPerSecond,
    note:
      `In virtual time, with the same peers' code: file and rates shrunk together, so that every bound is that of F = ${
        formatBytes(act.fileBytes)
      }, u_s = ${formatBytes(act.serverBytesPerSecond)}/s and u_i = ${
        formatBytes(act.peerBytesPerSecond)
      }/s; ${
        [...new Set(pieces)].join(", ")
      } pieces of one block, the clients start within ${
        formatMs(startsMsOf(act))
      }, each is told of ${
        [...new Set(told)].join(", ")
      } others by lot, and as many of it. The fewer the pieces, the further a swarm is from its bound: with N = 1000, 32 cost 0.04 more than 64.${
        haste === 1
          ? ""
          : ` A block takes so long that the swarm ran up to ${
            Math.round(haste).toLocaleString("en")
          } times as fast, by the peers' timers of 10 and 30 s; the times here are those of F.`
      }`,
  });
}

async function measure(
  act: DistributionAct,
  clients: number,
  { stage, seed }: { readonly stage: Stage; readonly seed: number },
): Promise<Measured> {
  const small = scaledDown(act, piecesOf(act, clients));
  const model = modelOf(small, clients);
  const beganAtMs = stage.ctx.clock.nowMs();
  const swarm = await swarmSeconds(small, clients, { stage, seed });
  const last = Math.max(...swarm.seconds);
  stage.say(
    `N = ${clients}`,
    `swarm ${last.toFixed(1)} s, ratio to its bound ${
      (last / peerToPeerSeconds(model)).toFixed(2)
    }; simulated in ${formatMs(stage.ctx.clock.nowMs() - beganAtMs)}, ${
      swarm.inputs.toLocaleString("en")
    } inputs to machines`,
  );
  return {
    clients,
    server: {
      boundSeconds: clientServerSeconds(model),
      seconds: [...serveInTurn({
        ...{ fileBytes: small.fileBytes, clients, delayMs: DELAY_MS },
        bytesPerSecond: small.serverBytesPerSecond,
        chunkBytes: BLOCK_BYTES,
      })].map((ms) => ms / 1000),
      whole: null,
    },
    swarm: {
      boundSeconds: peerToPeerSeconds(model),
      seconds: swarm.seconds,
      whole: null,
    },
  };
}

/** How many pieces the file is cut into for N clients: no more than it has blocks. */
function piecesOf(act: DistributionAct, clients: number): number {
  const blocks = Math.ceil(act.fileBytes / BLOCK_BYTES);
  const most = Math.min(MAX_PIECES, blocks, PIECES_OF_ALL / Math.sqrt(clients));
  return Math.max(act.simulated.pieces, Math.floor(most));
}

/** How many others each of N clients is told of, and by how many it is known; a tracker tells of 50. */
function introductionsOf(act: DistributionAct, clients: number): number {
  const most = Math.min(clients, INTRODUCTIONS_OF_ALL / Math.sqrt(clients));
  return Math.max(act.simulated.introductions, Math.floor(most));
}

/** File and rates by the same factor smaller, so that the file is a few blocks and every time stays what it is. */
function scaledDown(act: DistributionAct, pieces: number): DistributionAct {
  const fileBytes = pieces * BLOCK_BYTES;
  const factor = fileBytes / act.fileBytes;
  return {
    ...act,
    fileBytes,
    pieceBytes: BLOCK_BYTES,
    serverBytesPerSecond: act.serverBytesPerSecond * factor,
    peerBytesPerSecond: act.peerBytesPerSecond * factor,
  };
}

/** How many times as fast the swarm shall run, so that no timer ends what is only slow: real blocks are far smaller than a part of F. */
function hasteOf(
  { serverBytesPerSecond, peerBytesPerSecond }: DistributionAct,
): number {
  const slower = Math.min(serverBytesPerSecond, peerBytesPerSecond);
  return Math.max(1, BLOCK_BYTES / slower / MAX_BLOCK_SECONDS);
}

/** Within how long the clients start. */
function startsMsOf(
  { fileBytes, peerBytesPerSecond }: DistributionAct,
): number {
  const fileMs = 1000 * fileBytes / peerBytesPerSecond;
  return Math.min(STARTS_MS, STARTS_SHARE * fileMs);
}

/** Runs one swarm; lets go now and then, so that the terminal lives. */
async function swarmSeconds(
  slow: DistributionAct,
  clients: number,
  { stage, seed }: { readonly stage: Stage; readonly seed: number },
): Promise<{ readonly seconds: readonly number[]; readonly inputs: number }> {
  const pauses = new Pauses(stage.ctx);
  const haste = hasteOf(slow);
  const act = {
    ...slow,
    serverBytesPerSecond: haste * slow.serverBytesPerSecond,
    peerBytesPerSecond: haste * slow.peerBytesPerSecond,
  };
  let completed = 0;
  const world = new SwarmWorld(layoutOf(act.fileBytes, act.pieceBytes), {
    ...{ seed, blank: true, delayMs: DELAY_MS, linkBytesPerSecond: Infinity },
    onEvent: () => {},
    onCompleted: () => completed += 1,
  });
  const startsMs = startsMsOf(slow) / haste;
  const leeches = await gather(world, act, { clients, pauses, startsMs });
  const boundSeconds = peerToPeerSeconds(modelOf(act, clients));
  const endsAtMs = 60_000 + 10_000 * boundSeconds;
  while (completed < clients && world.nowMs < endsAtMs) {
    const until = world.inputs + SLICE;
    world.run(endsAtMs, () => completed === clients || world.inputs >= until);
    stage.progress(
      `N = ${clients}`,
      `${
        (haste * world.nowMs / 1000).toFixed(1)
      } virtual seconds, ${completed} of ${clients} have the file`,
    );
    if (pauses.due) await pauses.take();
  }
  return {
    seconds: leeches.map(({ completedAtMs }) => haste * completedAtMs / 1000),
    inputs: world.inputs,
  };
}

/** A seed and its leeches, who come within a second and are told of those who are there already: see {@linkcode evenIntroductions}. */
async function gather(
  world: SwarmWorld,
  act: DistributionAct,
  { clients, pauses, startsMs }: {
    readonly clients: number;
    readonly pauses: Pauses;
    readonly startsMs: number;
  },
): Promise<readonly Host[]> {
  const rng = world.rngOf(-1);
  const source = world.add({
    ...{ seed: true, uploadBytesPerSecond: act.serverBytesPerSecond },
  });
  const places = Array.from({ length: clients }, (_, at) => at);
  const known = places.map((): number[] => []);
  const told = evenIntroductions(places, introductionsOf(act, clients), rng);
  for (const [at, others] of told.entries()) {
    for (const other of others) {
      known[Math.max(at, other)]!.push(Math.min(at, other));
    }
  }
  const knowSource = new Set(introductions(places, SEED_CONNECTIONS, rng));
  const leeches: Host[] = [];
  for (const at of places) {
    if (pauses.due) await pauses.take();
    world.run(startsMs * at / clients);
    const leech = world.add({ uploadBytesPerSecond: act.peerBytesPerSecond });
    const first = knowSource.has(at) ? [source] : [];
    world.introduce(leech, [
      ...first,
      ...known[at]!.map((other) => leeches[other]!),
    ]);
    leeches.push(leech);
  }
  return leeches;
}
