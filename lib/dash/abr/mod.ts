import { bola } from "./bola.ts";
import { buffer } from "./buffer.ts";
import { fixed } from "./fixed.ts";
import type { AbrRule } from "./rule.ts";
import { throughput } from "./throughput.ts";

/** The adaptation rules by the name `--abr` knows them by. */
export const ABR_RULES = {
  throughput,
  buffer,
  bola,
  fixed,
} as const satisfies Readonly<Record<string, AbrRule>>;

/** The names of the rules. */
export type AbrName = keyof typeof ABR_RULES;

/** The names, in the order of {@linkcode ABR_RULES}; the first is the default. */
export const ABR_NAMES: readonly AbrName[] = Object.keys(
  ABR_RULES,
) as AbrName[];

export type { AbrDecision, AbrRule, AbrSession, AbrState } from "./rule.ts";
