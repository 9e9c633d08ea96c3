import type { Rng } from "../../../core/rng.ts";
import { COMPACT_BYTES } from "../../peer_endpoint.ts";
import { NO_PEERS, PeerDraw } from "./peer_draw.ts";
import type { SwarmAnswer, TableAnnounce } from "./messages.ts";
import { NO_RECORD, PeerStore } from "./peer_store.ts";

/** Who asks for peers, and where to draw them. */
export interface Asking {
  readonly request: TableAnnounce;
  /** The swarm's number in the stores. */
  readonly swarm: number;
  /** The asker's record, in the store of its address's family. */
  readonly asker: number;
  readonly tick: number;
}

/** The peers of all swarms, of both address families: a store for each, and who draws from it. */
export class BothFamilies {
  readonly ipv4: PeerStore;
  readonly ipv6: PeerStore;
  readonly #draws: { readonly ipv4: PeerDraw; readonly ipv6: PeerDraw };
  readonly #maxPeers: number;

  /** Creates empty stores. @param options.maxPeers Most peers in one answer, and how many an asker gets that does not say. */
  constructor(options: { readonly rng: Rng; readonly maxPeers: number }) {
    this.#maxPeers = options.maxPeers;
    this.ipv4 = new PeerStore(COMPACT_BYTES.ipv4, options.rng);
    this.ipv6 = new PeerStore(COMPACT_BYTES.ipv6, options.rng);
    this.#draws = {
      ipv4: new PeerDraw(this.ipv4, options),
      ipv6: new PeerDraw(this.ipv6, options),
    };
  }

  /** How many peers there are. */
  get size(): number {
    return this.ipv4.size + this.ipv6.size;
  }

  /** The store of a peer whose address and port are `compact`. */
  storeOf(compact: Uint8Array): PeerStore {
    return compact.length === COMPACT_BYTES.ipv4 ? this.ipv4 : this.ipv6;
  }

  /** Draws the peers that an asker is told of: those of its own address's family first. The next draw writes over their bytes. */
  draw(
    { request, swarm, asker, tick }: Asking,
  ): Pick<SwarmAnswer, "ipv4" | "ipv6"> {
    const { peerId, families, numWant, withIds = false } = request;
    const own = request.address.length === 16 ? "ipv6" : "ipv4";
    const other = own === "ipv4" ? "ipv6" : "ipv4";
    const wanted = Math.min(numWant ?? this.#maxPeers, this.#maxPeers);
    const draw = { swarm, wanted, asker, peerId, withIds, tick };
    const ofOwn = families === other ? NO_PEERS : this.#draws[own].draw(draw);
    const ofOther = families === own ? NO_PEERS : this.#draws[other].draw({
      ...draw,
      wanted: wanted - ofOwn.count,
      asker: NO_RECORD,
    });
    return own === "ipv4"
      ? { ipv4: ofOwn, ipv6: ofOther }
      : { ipv4: ofOther, ipv6: ofOwn };
  }
}
