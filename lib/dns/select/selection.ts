import type { PrefixTable } from "../../core/prefix_table.ts";
import type { Rng } from "../../core/rng.ts";
import type { Edge, EdgeGroup, GroupMemory } from "./edge.ts";

/** The edges near the clients of a network. */
export interface Site {
  /** The nearest first; the next group counts only when all before it are down. */
  readonly ranks: readonly EdgeGroup[];
}

/** A network and its site. */
export interface SiteNetwork {
  readonly site: Site;
  /** Says why a client of this network gets them. */
  readonly reason: string;
}

/** What a choice depends on. */
export interface SelectionRequest {
  /** Those to choose from, at least one. */
  readonly edges: readonly Edge[];
  readonly memory: Readonly<GroupMemory>;
  /** The client's address as far as it is known. */
  readonly client: Uint8Array;
  /** How many bits of it are known. */
  readonly clientLength: number;
  readonly nameHash: number;
  /** See {@linkcode EdgeBook.loadPerAnswer}. */
  readonly loadPerAnswer: number;
  readonly rng: Rng;
}

/** Where {@linkcode narrowBySite} looks. */
export interface SiteRequest {
  /** All edges that serve the name and have an address of the wanted kind. */
  readonly group: EdgeGroup;
  readonly sites: PrefixTable<SiteNetwork>;
  readonly client: Uint8Array;
  readonly clientLength: number;
}

/** Fewer edges to choose from. */
export interface Narrowed {
  /** At least one. */
  readonly edges: readonly Edge[];
  readonly reason: string;
}

/** The edges of a site. */
export interface NarrowedBySite extends Narrowed {
  readonly memory: GroupMemory;
  /** See {@linkcode Picked.scopeLength}. */
  readonly scopeLength: number;
}

/** One edge. */
export interface Picked {
  /** Where it is among the edges of the request. */
  readonly index: number;
  /** For how many bits of the client's address the answer holds (RFC 7871 §7.2.1); 0 is everybody. */
  readonly scopeLength: number;
  /** For the log and the class. */
  readonly reason: string;
}

/** One way to choose one edge. */
export type Picker = (request: SelectionRequest) => Picked;

/** One way to leave edges out. */
export type Filter = (request: SelectionRequest) => Narrowed;
