import { join } from "@std/path";
import { counted } from "../../../lib/core/units.ts";
import type { EventRecord } from "../../../lib/events/mod.ts";
import { drive } from "../../../lib/io/drive.ts";
import { Inbox } from "../../../lib/io/inbox.ts";
import { type LectureFile, percent } from "../stage/lecture_file.ts";
import type { Player, Stage } from "../stage/stage.ts";
import type { Member, SwarmOutcome, SwarmPlan } from "./cast.ts";
import { Director, type DirectorInput } from "./director.ts";

/** What reaches the director from outside. */
type Cue = Exclude<DirectorInput, { readonly kind: "timeout" }>;

/** A swarm while it is played. */
interface Staging {
  readonly plan: SwarmPlan;
  readonly stage: Stage;
  /** Told apart from other swarms of the scenario. */
  readonly label: string;
  readonly torrent: string;
  readonly folder: string;
  readonly players: Map<string, Player>;
  readonly tracker: Player;
  /** Hears every event of the members; set when the director is there. */
  observe(member: Member, event: EventRecord): void;
}

/**
 * Plays a swarm by processes of this program: a tracker, and a `peer` for each member, on loopback addresses of their own.
 *
 * Those who are there from the beginning are started first and wait; the time begins when the seed has checked its file
 * and is about to announce itself, so that the start of processes does not count.
 *
 * @returns What came of it, and the folder in which a member's copy lies.
 */
export async function playSwarm(
  plan: SwarmPlan,
  file: LectureFile,
  { stage, label }: { readonly stage: Stage; readonly label: string },
): Promise<{
  readonly outcome: SwarmOutcome;
  readonly folderOf: (member: Member) => string;
}> {
  const tracker = stage.start(`${label}-tracker`, [
    ...["tracker", "--host", stage.machine(), "--port", "0"],
  ]);
  const staging: Staging = {
    ...{ plan, stage, label, tracker, folder: file.folder },
    torrent: await makeTorrent(plan, file, { stage, label, tracker }),
    players: new Map(),
    observe: () => {},
  };
  const inputs = new Inbox<Cue>();
  const early: [Member, EventRecord][] = [];
  staging.observe = (member, event) => early.push([member, event]);
  const beganAtWallMs = await openingScene(staging);
  staging.observe = (member, event) => {
    const atMs = Math.max(0, Date.parse(event.time) - beganAtWallMs);
    inputs.push({ kind: "observed", name: member.name, event, atMs });
  };
  for (const [member, event] of early) staging.observe(member, event);
  const { clock } = stage.ctx;
  const director = new Director(
    plan,
    clock.nowMs() - (clock.wallMs() - beganAtWallMs),
  );
  await direct(director, inputs, staging);
  for (const [peerId, name] of whoIsWho(staging)) {
    director.identify(peerId, name);
  }
  await stage.end(...staging.players.values(), tracker);
  return {
    outcome: director.outcome,
    folderOf: (member) => folderOf(staging, member),
  };
}

async function makeTorrent(
  plan: SwarmPlan,
  file: LectureFile,
  { stage, label, tracker }: {
    readonly stage: Stage;
    readonly label: string;
    readonly tracker: Player;
  },
): Promise<string> {
  const { host, port } = await tracker.until(
    "role.listening",
    (event) => event.transport !== "udp",
  );
  const torrent = join(stage.folder, `${label}.torrent`);
  const maker = stage.start(`${label}-maker`, [
    ...["peer", "--create", join(file.folder, file.name), "-o", torrent],
    ...["--piece-length", `${plan.pieceBytes}`],
    ...["--announce", `http://${host}:${port}/announce`, "--json"],
  ]);
  await stage.result(maker);
  return torrent;
}

/** Starts those who are there at the beginning: the seeds last, when everyone waits for them. Returns when the seeds were ready, in wall time. */
async function openingScene(staging: Staging): Promise<number> {
  const first = staging.plan.members.filter(({ joinsAtMs }) => joinsAtMs === 0);
  const waiting = first.filter(({ isSeed }) => !isSeed)
    .map((member) => enter(member, staging));
  await Promise.all(waiting.map(async (player) => {
    const { host, port } = await player.until("role.listening");
    await staging.tracker.until(
      "tracker.announced",
      (event) => event.host === host && event.port === port,
    );
  }));
  const seeds = first.filter(({ isSeed }) => isSeed)
    .map((member) => enter(member, staging));
  const checked = await Promise.all(
    seeds.map((player) => player.until("torrent.checked")),
  );
  return Math.max(...checked.map(({ time }) => Date.parse(time)));
}

/** Performs what the director says, until it says that it is over. */
async function direct(
  director: Director,
  inputs: Inbox<Cue>,
  staging: Staging,
): Promise<void> {
  const { clock, signal } = staging.stage.ctx;
  const leaving: Promise<void>[] = [];
  await drive(director, inputs, (output) => {
    switch (output.kind) {
      case "finish":
        return inputs.close();
      case "join":
        return void enter(output.member, staging);
      case "leave":
        leaving.push(
          staging.stage.end(staging.players.get(output.member.name)!),
        );
    }
  }, { clock, signal });
  signal.throwIfAborted();
  await Promise.all(leaving);
}

/** Starts somebody's peer. */
function enter(member: Member, staging: Staging): Player {
  const { plan, stage, label } = staging;
  const { name } = member;
  const player = stage.start(`${label}-${name}`, [
    ...["peer", staging.torrent, "--dir", folderOf(staging, member)],
    ...["--host", stage.machine(), "--port", "0", "--give-up-after", "0"],
    ...member.picker === undefined ? [] : ["--picker", member.picker],
    ...servingFlags(plan, member),
  ]);
  player.role.subscribe((event) => {
    if (event.type === "peer.progressed") {
      const done = percent(event.verifiedBytes, event.totalBytes);
      stage.progress(name, `${done}, ${counted(event.peers, "peer")}`);
    }
    staging.observe(member, event);
  });
  staging.players.set(name, player);
  return player;
}

/** Whom somebody's peer serves, and with how much. */
function servingFlags(
  { slots, chokeIntervalMs, optimisticIntervalMs }: SwarmPlan,
  { freeRide, uploadBytesPerSecond, choker, plainSeed }: Member,
): string[] {
  if (freeRide) return ["--free-ride"];
  const takesTurns = choker === "round-robin" || choker === "none";
  return [
    ...["--upload-limit", `${uploadBytesPerSecond}B/s`],
    ...["--choke-interval", `${chokeIntervalMs}ms`],
    ...choker === undefined ? [] : ["--choker", choker],
    ...choker === "none" ? [] : ["--unchoke-slots", `${slots}`],
    ...takesTurns ? [] : ["--optimistic-interval", `${optimisticIntervalMs}ms`],
    ...plainSeed ? ["--super-seed", "off"] : [],
  ];
}

/** Where somebody's copy is: the seed has the file itself. */
function folderOf({ stage, label, folder }: Staging, member: Member): string {
  return member.isSeed ? folder : join(stage.folder, label, member.name);
}

/** Names by peer id: the tracker knows ids by address, and each member has an address of its own. */
function whoIsWho(
  { players, tracker }: Staging,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [name, player] of players) {
    const [listening] = player.all("role.listening");
    for (const { host, port, peerId } of tracker.all("tracker.announced")) {
      if (host === listening?.host && port === listening.port) {
        names.set(peerId, name);
      }
    }
  }
  return names;
}
