import type { PrefixTable } from "../../core/prefix_table.ts";
import type { Rng } from "../../core/rng.ts";

/** An edge that may be chosen. */
export interface Edge {
  readonly name: string;
  /** The address the answer will carry, 4 or 16 bytes. */
  readonly address: Uint8Array<ArrayBuffer>;
  /** The same as text. */
  readonly host: string;
  /** 0 or more. */
  readonly weight: number;
  /** Any 32-bit number that is this edge's own, for {@linkcode selectRendezvous}. */
  readonly hash: number;
}

/** Edges that take turns. */
export interface EdgeGroup {
  /** At least one. */
  readonly edges: readonly Edge[];
  /** How often one of them was chosen before; the caller counts. */
  turn: number;
}

/** The edges of a site, found by the client's network. */
export interface SiteGroup extends EdgeGroup {
  readonly site: string;
  /** Says why a client of this network gets them. */
  readonly reason: string;
}

/** What a choice depends on. */
export interface SelectionRequest {
  /** All edges that serve the name and have an address of the wanted kind. */
  readonly group: EdgeGroup;
  readonly sites: PrefixTable<SiteGroup>;
  /** The client's address as far as it is known. */
  readonly client: Uint8Array;
  /** How many bits of it are known. */
  readonly clientLength: number;
  readonly nameHash: number;
  readonly rng: Rng;
}

/** What was chosen. */
export interface Selection {
  readonly edge: Edge;
  /** Whose turn counter moves on: the group the edge was chosen from. */
  readonly from: EdgeGroup;
  /** For how many bits of the client's address the answer holds (RFC 7871 §7.2.1); 0 is everybody. */
  readonly scopeLength: number;
  /** For the log and the class. */
  readonly reason: string;
}

/** One way to choose. */
export type Policy = (request: SelectionRequest) => Selection;
