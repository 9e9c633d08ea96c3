import { join } from "@std/path";
import { equalBytes } from "../../lib/core/bytes.ts";
import { RunError } from "../../lib/core/errors.ts";
import { seededRng } from "../../lib/core/rng.ts";
import { formatBytes } from "../../lib/core/units.ts";
import {
  clientServerSeconds,
  type Distribution,
  peerToPeerSeconds,
} from "../../lib/model/distribution.ts";
import type { DistributionAct } from "./scenario.ts";
import type { Player, Stage } from "./stage.ts";

/** How much faster than its bound a run may seem: the limits' own tolerance. */
const TOLERANCE = 0.03;
/** A client that gets nothing for so long has failed. */
const FETCH_MS = 120_000;

/** A way to give the file to all clients, and when each had it, in seconds from the start. */
interface Outcome {
  readonly name: string;
  readonly boundSeconds: number;
  readonly seconds: readonly number[];
  /** How many of the clients' copies are the file, byte by byte. */
  readonly whole: number;
}

/** One file to N clients, twice at the same time: every copy from one server, and pieces from each other. */
export async function playDistribution(
  act: DistributionAct,
  stage: Stage,
): Promise<void> {
  stage.begin(
    "distribution",
    `File distribution: ${
      formatBytes(act.fileBytes)
    } to ${act.leeches} clients, from one server and in a swarm`,
  );
  const folder = join(stage.folder, "share");
  const file = contentOf(act.fileBytes, stage);
  await stage.ctx.files.writeAtomic(join(folder, FILE), file);
  const model: Distribution = {
    fileBytes: act.fileBytes,
    clients: act.leeches,
    serverBytesPerSecond: act.serverBytesPerSecond,
    slowestDownloadBytesPerSecond: Infinity,
    peerBytesPerSecond: act.peerBytesPerSecond,
  };
  const outcomes = await Promise.all([
    fromServer(act, { stage, folder, file, model }),
    inSwarm(act, { stage, folder, file, model }),
  ]);
  report(act, outcomes, stage);
}

const FILE = "lecture.bin";

interface Setting {
  readonly stage: Stage;
  readonly folder: string;
  readonly file: Uint8Array;
  readonly model: Distribution;
}

async function fromServer(
  act: DistributionAct,
  { stage, folder, file, model }: Setting,
): Promise<Outcome> {
  const server = stage.start("file-server", [
    ...["origin", "--host", stage.machine(), "--port", "0", "--root", folder],
    ...["--limit-rate", `${act.serverBytesPerSecond}B/s`],
  ]);
  const { host, port } = await server.until("role.listening");
  const url = `http://${host}:${port}/${FILE}`;
  const startedAtMs = stage.ctx.clock.nowMs();
  const clients = Array.from({ length: act.leeches }, async (_, at) => {
    const copy = await download(url, {
      stage,
      name: `http-client-${at + 1}`,
      fileBytes: file.length,
    });
    return {
      seconds: (stage.ctx.clock.nowMs() - startedAtMs) / 1000,
      whole: equalBytes(copy, file),
    };
  });
  const done = await Promise.all(clients);
  await stage.end(server);
  return {
    name: "client-server",
    boundSeconds: clientServerSeconds(model),
    seconds: done.map(({ seconds }) => seconds),
    whole: done.filter(({ whole }) => whole).length,
  };
}

/** Fetches the file as any HTTP client would, showing how far it is. */
async function download(
  url: string,
  options: {
    readonly stage: Stage;
    readonly name: string;
    readonly fileBytes: number;
  },
): Promise<Uint8Array> {
  const { stage, name, fileBytes } = options;
  const signal = AbortSignal.any([
    stage.ctx.signal,
    AbortSignal.timeout(FETCH_MS),
  ]);
  const response = await stage.ctx.net.fetch(url, { signal });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new RunError("fetch-failed", `${url} answered ${response.status}`);
  }
  const copy = new Uint8Array(fileBytes);
  let got = 0;
  for await (const bytes of response.body) {
    copy.set(bytes.subarray(0, fileBytes - got), got);
    got = Math.min(fileBytes, got + bytes.length);
    stage.progress(name, percent(got, fileBytes));
  }
  return copy.subarray(0, got);
}

async function inSwarm(
  act: DistributionAct,
  { stage, folder, file, model }: Setting,
): Promise<Outcome> {
  const { tracker, seed, torrent } = await openSwarm(act, { stage, folder });
  const startedAtMs = stage.ctx.clock.nowMs();
  const leeches = Array.from({ length: act.leeches }, (_, at) => {
    const name = `peer-${at + 1}`;
    return startPeer(name, {
      ...{ stage, torrent, folder: join(stage.folder, name) },
      uploadBytesPerSecond: act.peerBytesPerSecond,
    });
  });
  const seconds = await Promise.all(leeches.map(async (leech) => {
    await leech.until("torrent.completed");
    return (stage.ctx.clock.nowMs() - startedAtMs) / 1000;
  }));
  const copies = await Promise.all(
    leeches.map((leech) =>
      stage.ctx.files.read(join(stage.folder, leech.name, FILE), {
        maxBytes: file.length,
      })
    ),
  );
  await stage.end(...leeches, seed, tracker);
  return {
    name: "peer-to-peer",
    boundSeconds: peerToPeerSeconds(model),
    seconds,
    whole: copies.filter((copy) => equalBytes(copy, file)).length,
  };
}

/** A tracker, a torrent of the file, and the one peer that has it. */
async function openSwarm(
  act: DistributionAct,
  { stage, folder }: Pick<Setting, "stage" | "folder">,
): Promise<{ tracker: Player; seed: Player; torrent: string }> {
  const tracker = stage.start("tracker", [
    ...["tracker", "--host", stage.machine(), "--port", "0"],
  ]);
  const { host, port } = await tracker.until(
    "role.listening",
    (event) => event.transport !== "udp",
  );
  const torrent = join(stage.folder, "lecture.torrent");
  const maker = stage.start("torrent-maker", [
    ...["peer", "--create", join(folder, FILE), "-o", torrent],
    ...["--announce", `http://${host}:${port}/announce`, "--json"],
  ]);
  await stage.result(maker);
  const seed = startPeer("seed", {
    ...{ stage, torrent, folder },
    uploadBytesPerSecond: act.serverBytesPerSecond,
  });
  await seed.until("role.listening");
  await tracker.until("tracker.announced");
  return { tracker, seed, torrent };
}

function startPeer(name: string, options: {
  readonly stage: Stage;
  readonly torrent: string;
  readonly folder: string;
  readonly uploadBytesPerSecond: number;
}): Player {
  const { stage } = options;
  const peer = stage.start(name, [
    ...["peer", options.torrent, "--dir", options.folder],
    ...["--host", stage.machine(), "--port", "0"],
    ...["--upload-limit", `${options.uploadBytesPerSecond}B/s`],
  ]);
  peer.role.subscribe((event) => {
    if (event.type === "peer.progressed") {
      stage.progress(
        name,
        `${
          percent(event.verifiedBytes, event.totalBytes)
        }, ${event.peers} peers`,
      );
    }
  });
  return peer;
}

function report(
  act: DistributionAct,
  outcomes: readonly Outcome[],
  stage: Stage,
): void {
  const last = (outcome: Outcome) => Math.max(...outcome.seconds);
  for (const outcome of outcomes) {
    stage.check(
      `${outcome.name}: every copy is the file, byte by byte`,
      outcome.whole === act.leeches,
      `${outcome.whole} of ${act.leeches} copies`,
    );
    stage.check(
      `${outcome.name}: no faster than the lecture's bound`,
      last(outcome) >= outcome.boundSeconds * (1 - TOLERANCE),
      `${last(outcome).toFixed(1)} s, bound ${
        outcome.boundSeconds.toFixed(1)
      } s, ratio ${(last(outcome) / outcome.boundSeconds).toFixed(2)}`,
    );
  }
  const [server, swarm] = outcomes as readonly [Outcome, Outcome];
  stage.check(
    "the swarm is done before the server",
    last(swarm) < last(server),
    `${last(swarm).toFixed(1)} s and ${last(server).toFixed(1)} s`,
  );
  stage.sections.push({
    kind: "chart",
    heading: "File distribution: when the last client had the file",
    file: "distribution",
    chart: {
      kind: "bar",
      xLabel: "seconds",
      bars: outcomes.map((outcome) => ({
        name: outcome.name,
        value: last(outcome),
        mark: { name: "lecture's bound", value: outcome.boundSeconds },
      })),
    },
    note: `F = ${formatBytes(act.fileBytes)}, N = ${act.leeches}, u_s = ${
      formatBytes(act.serverBytesPerSecond)
    }/s, u_i = ${
      formatBytes(act.peerBytesPerSecond)
    }/s; both ran at the same time, and process starts count.`,
  }, {
    kind: "table",
    heading: "File distribution: completion times",
    columns: ["way", "client", "seconds"],
    rows: outcomes.flatMap((outcome) =>
      outcome.seconds.map((seconds, at) => [
        outcome.name,
        at + 1,
        Number(seconds.toFixed(2)),
      ])
    ),
  });
}

/** Bytes that no two pieces share, the same for the same seed of the run. */
function contentOf(sizeBytes: number, stage: Stage): Uint8Array {
  const rng = seededRng(Math.floor(stage.ctx.rng() * 2 ** 32));
  const words = new Uint32Array(Math.ceil(sizeBytes / 4));
  for (let at = 0; at < words.length; at++) words[at] = rng() * 2 ** 32;
  return new Uint8Array(words.buffer, 0, sizeBytes);
}

function percent(part: number, whole: number): string {
  return `${(100 * part / whole).toFixed(0).padStart(3)} % of ${
    formatBytes(whole)
  }`;
}
