import type { Rng } from "../../core/rng.ts";
import type { EdgeGroup } from "../select/edge.ts";
import { noteSelection, type Selection, steer } from "../select/steer.ts";
import type { Redirect, RedirectFamily } from "./redirects.ts";

/** A choice among edges. */
export interface Choice extends Selection {
  /** All edges of the name, the candidates among them. */
  readonly group: EdgeGroup;
  readonly redirect: Redirect;
  /** The client's address as far as it was known; valid until the next query. */
  readonly client: Uint8Array;
  readonly clientLength: number;
  /** The address is from EDNS Client Subnet, not from the packet. */
  readonly fromOption: boolean;
}

/** Chooses one of the edges of a family for a client, and notes it: the next turn is another's. */
export function choose(
  redirect: Redirect,
  { group, sites }: RedirectFamily,
  { client, clientLength, fromOption, nameHash, rng }: {
    readonly client: Uint8Array;
    readonly clientLength: number;
    readonly fromOption: boolean;
    readonly nameHash: number;
    readonly rng: Rng;
  },
): Choice {
  const selection = steer(redirect.steering, {
    group,
    sites,
    client,
    clientLength,
    nameHash,
    loadPerAnswer: redirect.book.loadPerAnswer,
    rng,
  });
  noteSelection(selection);
  // Field by field: copying an object into another takes several times as long
  return {
    edge: selection.edge,
    candidates: selection.candidates,
    memory: selection.memory,
    scopeLength: selection.scopeLength,
    reasons: selection.reasons,
    group,
    redirect,
    client,
    clientLength,
    fromOption,
  };
}
