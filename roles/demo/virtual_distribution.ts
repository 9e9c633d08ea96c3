import {
  clientServerSeconds,
  peerToPeerSeconds,
} from "../../lib/model/distribution.ts";
import { BLOCK_BYTES } from "../../lib/bittorrent/wire/messages.ts";
import { formatBytes, formatMs } from "../../lib/core/units.ts";
import { serveInTurn } from "../../lib/sim/file_server.ts";
import { type Host, layoutOf, SwarmWorld } from "../../lib/sim/swarm_world.ts";
import { introductions } from "../../lib/sim/tracker.ts";
import { modelOf } from "./distribution.ts";
import { type Measured, reportDistribution } from "./distribution_report.ts";
import { Pauses } from "./pauses.ts";
import type { DistributionAct } from "./scenario.ts";
import type { Stage } from "./stage.ts";

const DELAY_MS = 1;
/** Inputs between two looks at the world outside: progress, Ctrl-C. */
const SLICE = 20_000;

/** The experiment in virtual time, up to 10,000 peers: the machines of `rolecall peer`, without sockets and disks. */
export async function simulateDistribution(
  act: DistributionAct,
  stage: Stage,
): Promise<void> {
  const { leeches, pieces, introductions } = act.simulated;
  const small = scaledDown(act);
  stage.begin(
    "distribution",
    `File distribution in virtual time: ${pieces} pieces to ${
      leeches.join(", ")
    } clients`,
  );
  const seed = Math.floor(stage.ctx.rng() * 2 ** 32);
  const measured: Measured[] = [];
  for (const clients of leeches) {
    const model = modelOf(small, clients);
    const beganAtMs = stage.ctx.clock.nowMs();
    const swarm = await swarmSeconds(small, clients, { stage, seed });
    measured.push({
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
    });
    const last = Math.max(...swarm.seconds);
    stage.say(
      `N = ${clients}`,
      `swarm ${last.toFixed(1)} s, ratio to its bound ${
        (last / peerToPeerSeconds(model)).toFixed(2)
      }; simulated in ${formatMs(stage.ctx.clock.nowMs() - beganAtMs)}, ${
        swarm.inputs.toLocaleString("en")
      } inputs to machines`,
    );
  }
  reportDistribution(act, measured, {
    stage,
    blockSeconds: BLOCK_BYTES / small.serverBytesPerSecond,
    note:
      `In virtual time, with the same peers' code: file and rates shrunk together, so that every bound is that of F = ${
        formatBytes(act.fileBytes)
      }, u_s = ${formatBytes(act.serverBytesPerSecond)}/s and u_i = ${
        formatBytes(act.peerBytesPerSecond)
      }/s; ${pieces} pieces of one block, each newcomer told of ${introductions} others by lot.`,
  });
}

/** File and rates by the same factor smaller, so that the file is a few blocks and every time stays what it is. */
function scaledDown(act: DistributionAct): DistributionAct {
  const fileBytes = act.simulated.pieces * BLOCK_BYTES;
  const factor = fileBytes / act.fileBytes;
  return {
    ...act,
    fileBytes,
    pieceBytes: BLOCK_BYTES,
    serverBytesPerSecond: act.serverBytesPerSecond * factor,
    peerBytesPerSecond: act.peerBytesPerSecond * factor,
  };
}

/** Runs one swarm; lets go now and then, so that the terminal lives. */
async function swarmSeconds(
  act: DistributionAct,
  clients: number,
  { stage, seed }: { readonly stage: Stage; readonly seed: number },
): Promise<{ readonly seconds: readonly number[]; readonly inputs: number }> {
  const pauses = new Pauses(stage.ctx);
  let completed = 0;
  const world = new SwarmWorld(layoutOf(act.fileBytes, act.pieceBytes), {
    ...{ seed, blank: true, delayMs: DELAY_MS, linkBytesPerSecond: Infinity },
    onEvent: () => {},
    onCompleted: () => completed += 1,
  });
  const leeches = await gather(world, act, { clients, pauses });
  const boundSeconds = peerToPeerSeconds(modelOf(act, clients));
  const endsAtMs = 60_000 + 10_000 * boundSeconds;
  while (completed < clients && world.nowMs < endsAtMs) {
    const until = world.inputs + SLICE;
    world.run(endsAtMs, () => completed === clients || world.inputs >= until);
    stage.progress(
      `N = ${clients}`,
      `${
        (world.nowMs / 1000).toFixed(1)
      } virtual seconds, ${completed} of ${clients} have the file`,
    );
    if (pauses.due) await pauses.take();
  }
  return {
    seconds: leeches.map(({ completedAtMs }) => completedAtMs / 1000),
    inputs: world.inputs,
  };
}

/** A seed and its leeches, each told of some who came before it. */
async function gather(
  world: SwarmWorld,
  act: DistributionAct,
  { clients, pauses }: { readonly clients: number; readonly pauses: Pauses },
): Promise<readonly Host[]> {
  const rng = world.rngOf(-1);
  const all: Host[] = [
    world.add({ seed: true, uploadBytesPerSecond: act.serverBytesPerSecond }),
  ];
  for (let at = 0; at < clients; at++) {
    if (pauses.due) await pauses.take();
    const host = world.add({ uploadBytesPerSecond: act.peerBytesPerSecond });
    world.introduce(
      host,
      introductions(all, act.simulated.introductions, rng),
    );
    all.push(host);
  }
  return all.slice(1);
}
