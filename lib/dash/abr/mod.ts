import { auto } from "./auto.ts";
import { bba0 } from "./bba0.ts";
import { bba2 } from "./bba2.ts";
import { bolaE, bolaEO } from "./bola_e.ts";
import { bolaBasic, bolaO, bolaU } from "./bola.ts";
import { dynamic, dynamicO } from "./dynamic.ts";
import { elastic } from "./elastic.ts";
import { festive } from "./festive.ts";
import { fixed } from "./fixed.ts";
import { l2aLl } from "./l2a_ll.ts";
import { lolPlus } from "./lol_plus.ts";
import { panda } from "./panda.ts";
import { robustMpc } from "./robust_mpc.ts";
import type { AbrRule } from "./rule.ts";
import { throughput } from "./throughput.ts";
import { throughputEwma } from "./throughput_ewma.ts";

/** The adaptation rules by the name `--abr` knows them by. */
export const ABR_RULES = {
  auto,
  throughput,
  "throughput-ewma": throughputEwma,
  bba0,
  bba2,
  "bola-basic": bolaBasic,
  "bola-o": bolaO,
  "bola-u": bolaU,
  "bola-e": bolaE,
  "bola-e-o": bolaEO,
  dynamic,
  "dynamic-o": dynamicO,
  elastic,
  festive,
  panda,
  "l2a-ll": l2aLl,
  "lol-plus": lolPlus,
  "robust-mpc": robustMpc,
  fixed,
} as const satisfies Readonly<Record<string, AbrRule>>;

/** The names of the rules. */
export type AbrName = keyof typeof ABR_RULES;

/** The names, in the order of {@linkcode ABR_RULES}; the first is the default. */
export const ABR_NAMES: readonly AbrName[] = Object.keys(
  ABR_RULES,
) as AbrName[];

export type { AbrDecision, AbrRule, AbrSession, AbrState } from "./rule.ts";
