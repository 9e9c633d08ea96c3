/** The ways to choose an edge, by the name `--policy` has for them. All are pure functions that say why. */
import { selectBySubnet } from "./by_subnet.ts";
import { selectRendezvous } from "./rendezvous.ts";
import { selectRoundRobin } from "./round_robin.ts";
import type { Policy } from "./selection.ts";
import { selectWeighted } from "./weighted.ts";

/** All policies. */
export const POLICIES = {
  "round-robin": selectRoundRobin,
  "weighted": selectWeighted,
  "geo": selectBySubnet,
  "hash": selectRendezvous,
} as const satisfies Readonly<Record<string, Policy>>;

/** What `--policy` takes. */
export type PolicyName = keyof typeof POLICIES;

/** Their names, in the order help lists them. */
export const POLICY_NAMES: readonly PolicyName[] = [
  "round-robin",
  "weighted",
  "geo",
  "hash",
];
