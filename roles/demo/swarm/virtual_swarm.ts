import type { SwarmEvent } from "../../../lib/bittorrent/swarm/in_out.ts";
import type { RolecallEvent } from "../../../lib/events/mod.ts";
import { toHex } from "../../../lib/core/bytes.ts";
import {
  type Host,
  layoutOf,
  SwarmWorld,
} from "../../../lib/sim/swarm_world.ts";
import { introductions } from "../../../lib/sim/tracker.ts";
import type { Member, SwarmOutcome, SwarmPlan } from "./cast.ts";
import { Director, type DirectorInput } from "./director.ts";
import type { Pauses } from "./pauses.ts";

/** How many others a newcomer is told of. */
const INTRODUCTIONS = 40;

/** A large swarm has seconds of work before anyone has something to tell: after so many inputs it is asked whether a pause is due. */
const INPUTS_A_LOOK = 256;

/** How often a peer says how far it is, as those of processes do. */
const PROGRESS_MS = 1_000;

/** Plays a swarm in virtual time: the peers of processes, without the processes. Same seed, same outcome. */
export async function simulateSwarm(
  plan: SwarmPlan,
  seed: number,
  pauses: Pauses | null = null,
): Promise<SwarmOutcome> {
  return await new VirtualSwarm(plan, seed).play(pauses);
}

class VirtualSwarm {
  readonly #plan: SwarmPlan;
  readonly #world: SwarmWorld;
  readonly #hosts = new Map<string, Host>();
  readonly #director: Director;
  readonly #rng;
  readonly #heard: { readonly host: Host; readonly event: SwarmEvent }[] = [];
  #over = false;

  constructor(plan: SwarmPlan, seed: number) {
    this.#plan = plan;
    this.#world = new SwarmWorld(layoutOf(plan.fileBytes, plan.pieceBytes), {
      seed,
      blank: true,
      onEvent: (host, event) => this.#heard.push({ host, event }),
    });
    this.#rng = this.#world.rngOf(-1);
    this.#director = new Director(plan, 0);
  }

  async play(pauses: Pauses | null): Promise<SwarmOutcome> {
    const first = this.#plan.members.filter(({ joinsAtMs }) => joinsAtMs === 0);
    // As in the lab: the seed comes when the others are waiting for it.
    for (const isSeed of [false, true]) {
      for (const member of first.filter((each) => each.isSeed === isSeed)) {
        if (pauses?.due) await pauses.take();
        this.#enter(member);
      }
    }
    let reportsAtMs = PROGRESS_MS;
    while (!this.#over) {
      if (pauses?.due) await pauses.take();
      let asked = 0;
      let isPaused = false;
      this.#world.run(
        Math.min(this.#director.deadlineMs, reportsAtMs),
        () => {
          if (this.#heard.length > 0) return true;
          asked += 1;
          if (asked % INPUTS_A_LOOK === 0) isPaused = pauses?.due ?? false;
          return isPaused;
        },
      );
      if (isPaused) continue;
      if (this.#heard.length === 0) this.#direct({ kind: "timeout" });
      for (const { host, event } of this.#heard.splice(0)) {
        this.#observe(host, event);
      }
      if (this.#world.nowMs < reportsAtMs) continue;
      reportsAtMs += PROGRESS_MS;
      for (const host of [...this.#hosts.values()]) {
        if (host.alive) this.#observe(host, this.#progressOf(host));
      }
    }
    for (const [name, { peerId }] of this.#hosts) {
      this.#director.identify(toHex(peerId), name);
    }
    return this.#director.outcome;
  }

  #observe(host: Host, event: RolecallEvent): void {
    const { name } = host;
    this.#direct({ kind: "observed", name, event, atMs: this.#world.nowMs });
  }

  #progressOf({ swarm }: Host): RolecallEvent {
    const { status } = swarm;
    const rates = swarm.rates(this.#world.nowMs, 5);
    return {
      type: "peer.progressed",
      verifiedBytes: status.haveBytes,
      totalBytes: this.#plan.fileBytes,
      havePieces: status.havePieces,
      pieceCount: Math.ceil(this.#plan.fileBytes / this.#plan.pieceBytes),
      downloadedBytes: status.downloadedBytes,
      uploadedBytes: status.uploadedBytes,
      downloadBytesPerSecond: rates.down,
      uploadBytesPerSecond: rates.up,
      peers: status.peers,
    };
  }

  #direct(input: DirectorInput): void {
    for (const output of this.#director.handle(input, this.#world.nowMs)) {
      if (output.kind === "finish") this.#over = true;
      else if (output.kind === "join") this.#enter(output.member);
      else this.#world.remove(this.#hosts.get(output.member.name)!);
    }
  }

  #enter(member: Member): void {
    const { slots, chokeIntervalMs, optimisticIntervalMs } = this.#plan;
    const present = [...this.#hosts.values()].filter(({ alive }) => alive);
    const host = this.#world.add({
      name: member.name,
      seed: member.isSeed,
      uploadBytesPerSecond: member.uploadBytesPerSecond,
      unchokeSlots: slots,
      chokeIntervalMs,
      optimisticIntervalMs,
      freeRide: member.freeRide ?? false,
      picker: member.picker ?? "rarest",
      choker: member.choker ?? "tit-for-tat",
      ...member.plainSeed ? { superSeed: false } : {},
    });
    this.#hosts.set(member.name, host);
    this.#world.introduce(
      host,
      introductions(present, INTRODUCTIONS, this.#rng),
    );
  }
}
