import type { PrefixTable } from "../../core/prefix_table.ts";
import type { Rng } from "../../core/rng.ts";
import { narrowBySite } from "./by_subnet.ts";
import type { Edge, EdgeGroup, GroupMemory } from "./edge.ts";
import type { Steering } from "./mod.ts";
import type { SiteNetwork } from "./selection.ts";

/** Who asks for what. */
export interface SteeringRequest {
  /** All edges that serve the name and have an address of the wanted kind. */
  readonly group: EdgeGroup;
  readonly sites: PrefixTable<SiteNetwork>;
  /** The client's address as far as it is known. */
  readonly client: Uint8Array;
  /** How many bits of it are known. */
  readonly clientLength: number;
  readonly nameHash: number;
  /** See {@linkcode EdgeBook.loadPerAnswer}. */
  readonly loadPerAnswer: number;
  readonly rng: Rng;
}

/** What was chosen. */
export interface Selection {
  readonly edge: Edge;
  /** All that could have been chosen: those that are up, or all if none is. */
  readonly candidates: readonly Edge[];
  /** What remembers the choice: the group or the site it was made from. */
  readonly memory: GroupMemory;
  /** For how many bits of the client's address the answer holds (RFC 7871 §7.2.1); 0 is everybody. */
  readonly scopeLength: number;
  /** For the log and the class: one of each policy that had something to choose. */
  readonly reasons: readonly string[];
}

/**
 * Chooses an edge: among those that are up (all, if none is, as an answer that may work is better than none), each
 * policy of `steering` among what the one before it left. Changes nothing; see {@linkcode noteSelection}.
 */
export function steer(steering: Steering, request: SteeringRequest): Selection {
  const { group, client, clientLength, nameHash, loadPerAnswer, rng } = request;
  const live = group.live;
  const candidates = live.length === 0 ? group.edges : live;
  let edges = candidates;
  let memory: GroupMemory = group;
  let scopeLength = 0;
  let reasons = live.length === 0 ? ["all edges are down, so as if up"] : [];
  if (steering.bySite) {
    const near = narrowBySite(request);
    edges = near.edges;
    memory = near.memory;
    scopeLength = near.scopeLength;
    // Most often the only one; what is pushed to an empty array gets room for 16 more
    reasons = live.length === 0 ? [...reasons, near.reason] : [near.reason];
  }
  const about = {
    memory,
    client,
    clientLength,
    nameHash,
    loadPerAnswer,
    rng,
  };
  for (const filter of steering.filters) {
    if (edges.length === 1) break;
    const narrowed = filter({ edges, ...about });
    edges = narrowed.edges;
    reasons.push(narrowed.reason);
  }
  // What is left to choose needs no reason of its own
  if (edges.length > 1 || reasons.length === 0) {
    const picked = steering.picker({ edges, ...about });
    scopeLength = Math.max(scopeLength, picked.scopeLength);
    reasons.push(picked.reason);
    edges = [edges[picked.index]!];
  }
  const [edge] = edges;
  return { edge: edge!, candidates, memory, scopeLength, reasons };
}

/** Notes that a choice is answered: the next turn is another's, and the edge will be busier. */
export function noteSelection({ edge, memory }: Selection): void {
  memory.turn += 1;
  memory.held = edge;
  edge.state.answersSince += 1;
}
