/** The ways to choose an edge, by the names `--policy` has for them, and how they are combined. */
import { narrowByLoad } from "./by_load.ts";
import { pickNearest } from "./by_latency.ts";
import { pickRendezvous } from "./rendezvous.ts";
import { pickInTurn } from "./round_robin.ts";
import type { Filter, Picker } from "./selection.ts";
import { pickByWeight } from "./weighted.ts";

/** Policies that leave edges out, after `geo`, which looks at where the client is. */
const FILTERS = { "load": narrowByLoad } as const satisfies Readonly<
  Record<string, Filter>
>;

/** Policies that choose one edge. */
const PICKERS = {
  "round-robin": pickInTurn,
  "weighted": pickByWeight,
  "latency": pickNearest,
  "hash": pickRendezvous,
} as const satisfies Readonly<Record<string, Picker>>;

/** One policy by itself. */
export type PolicyName = "geo" | keyof typeof FILTERS | keyof typeof PICKERS;

/** Their names, in the order help lists them. */
export const POLICY_NAMES: readonly PolicyName[] = [
  "round-robin",
  "weighted",
  "geo",
  "load",
  "latency",
  "hash",
];

/** One or several policies, each among the edges that the one before it left. */
export interface Steering {
  /** As `--policy` has it: `geo,load`. */
  readonly name: string;
  readonly bySite: boolean;
  readonly filters: readonly Filter[];
  /** In turn, if none was named. */
  readonly picker: Picker;
  readonly parts: readonly PolicyName[];
}

const RULE = `must be ${
  POLICY_NAMES.join(", ")
}, or a combination such as geo,load: geo first, then load, then one of the others`;

/**
 * Reads `geo`, `geo,load`, `geo,load,hash`: `geo` may only be the first, then `load`, and last one that chooses.
 *
 * @throws {RangeError} If `text` is none of these.
 */
export function parseSteering(text: string): Steering {
  const parts: PolicyName[] = [];
  for (const word of text.split(",")) {
    const part = POLICY_NAMES.find((name) => name === word.trim());
    const last = parts.at(-1);
    if (part === undefined || (last !== undefined && !mayFollow(last, part))) {
      throw new RangeError(`${RULE}, got "${text}"`);
    }
    parts.push(part);
  }
  const picker = parts.find((part) => part in PICKERS) ?? "round-robin";
  return {
    name: parts.join(","),
    parts,
    bySite: parts[0] === "geo",
    filters: parts.includes("load") ? [FILTERS.load] : [],
    picker: PICKERS[picker as keyof typeof PICKERS],
  };
}

function mayFollow(last: PolicyName, next: PolicyName): boolean {
  return next !== "geo" &&
    (last === "geo" || (last === "load" && next !== "load"));
}

/** What a name has of which nothing else is said. */
export const IN_TURN: Steering = parseSteering("round-robin");
