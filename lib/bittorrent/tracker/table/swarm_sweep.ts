import { bytesOfKey } from "../../bencode.ts";
import type { BothFamilies } from "./both_families.ts";
import { EXPIRY_TICKS, type PeerStore } from "./peer_store.ts";
import type { Swarm, SwarmList } from "./swarm_list.ts";

/** A swarm that lost peers to a sweep. */
export interface SweptSwarm {
  readonly infoHash: Uint8Array;
  readonly peers: number;
}

/** Where {@linkcode SwarmSweep} looks, and what it does with whom it finds. */
export interface SweepOptions {
  readonly swarms: SwarmList;
  readonly peers: BothFamilies;
  /** Removes a peer: the last of its swarm then has its position. */
  readonly remove: (swarm: Swarm, store: PeerStore, record: number) => void;
}

/** Looks through all swarms for peers that have been silent for too long, a few at a time. */
export class SwarmSweep {
  readonly #options: SweepOptions;
  /** The swarm that is next. */
  #slot = 0;
  /** The position in it that is next, counting down; those of IPv6 come after those of IPv4. */
  #position = Infinity;

  /** Creates a sweep that begins with the first swarm. */
  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /** Looks at about `limit` peers and swarms, at each at most once; returns who lost peers. */
  sweep(tick: number, limit: number): SweptSwarm[] {
    const { swarms } = this.#options;
    const swept: SweptSwarm[] = [];
    let looked = 0;
    for (let turn = 0; turn < swarms.slots && looked < limit; turn++) {
      if (this.#slot >= swarms.slots) this.#slot = 0;
      const swarm = swarms.at(this.#slot);
      looked += 1;
      if (swarm !== undefined) {
        const before = swarm.peers;
        looked += this.#sweepSwarm(swarm, tick, limit - looked);
        const peers = before - swarm.peers;
        if (peers > 0) swept.push({ infoHash: bytesOfKey(swarm.key), peers });
        if (this.#position >= 0) break;
      }
      this.#slot += 1;
      this.#position = Infinity;
    }
    return swept;
  }

  /** Looks at up to `limit` peers of a swarm, from the last position down; returns at how many. */
  #sweepSwarm(swarm: Swarm, tick: number, limit: number): number {
    const { peers: { ipv4, ipv6 }, remove } = this.#options;
    const { slot } = swarm;
    const ofIpv4 = ipv4.count(slot);
    let at = Math.min(this.#position, swarm.peers - 1);
    let looked = 0;
    for (; at >= 0 && looked < limit; at--, looked++) {
      const isIpv6 = at >= ofIpv4;
      const store = isIpv6 ? ipv6 : ipv4;
      const record = store.at(slot, isIpv6 ? at - ofIpv4 : at);
      if (store.silence(record, tick) >= EXPIRY_TICKS) {
        remove(swarm, store, record);
      }
    }
    this.#position = at;
    return looked;
  }
}
