/** What a tracker knows, as it is saved: in parts, between which it may go on answering. */
import type { StoredSwarm } from "./messages.ts";
import type { PeerView } from "./peer_record.ts";
import type { PeerStore } from "./peer_store.ts";
import { entryOf, type SwarmList } from "./swarm_list.ts";

/** Most peers in a part: about half a millisecond, in which nobody is answered. */
const PART_PEERS = 2000;

/** Returns what is known of a record. @param used A view that is not needed any more. */
type ViewOf = (store: PeerStore, record: number, used?: PeerView) => PeerView;

/**
 * All that is known, a large swarm in several parts. Use up the peers of one part before the next announce; between two
 * parts there may be any: who was there all the time is in it, who was moved by another's leaving perhaps twice.
 */
export function* storedSwarms(
  swarms: SwarmList,
  stores: readonly PeerStore[],
  { view }: { readonly view: ViewOf },
): Generator<StoredSwarm> {
  for (const swarm of swarms.values()) {
    const { slot } = swarm;
    const { infoHash, completed } = entryOf(swarm);
    if (swarm.peers === 0) {
      yield { infoHash, completed, peerCount: 0, peers: [] };
    }
    let isFirst = true;
    for (const store of stores) {
      if (swarms.at(slot) !== swarm) break;
      // From the end: who takes the place of one that has left comes from there.
      let until = store.count(slot);
      while (until > 0) {
        const from = Math.max(0, until - PART_PEERS);
        yield {
          infoHash,
          completed: isFirst ? completed : 0,
          peerCount: until - from,
          peers: peersOf(store, slot, { from, until, view }),
        };
        isFirst = false;
        // Its number may be another's by now.
        if (swarms.at(slot) !== swarm) break;
        until = Math.min(from, store.count(slot));
      }
    }
  }
}

function* peersOf(
  store: PeerStore,
  slot: number,
  { from, until, view }: {
    readonly from: number;
    readonly until: number;
    readonly view: ViewOf;
  },
): Generator<PeerView> {
  let used: PeerView | undefined;
  for (let at = from; at < until; at++) {
    used = view(store, store.at(slot, at), used);
    yield used;
  }
}
