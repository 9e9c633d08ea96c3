import { COMMON_FLAGS } from "./common.ts";
import type { Flag, Flags } from "./flags.ts";

/** What the parser needs of a mode; `Mode` of lib/role.ts has it. */
export interface ModeShape {
  readonly flags: Flags;
  readonly chosenBy?: string;
  readonly endless?: true | string;
  readonly operand?: {
    readonly placeholder: string;
    readonly optional?: boolean;
    readonly choices?: readonly string[];
  };
}

/** What the parser needs of a role. */
export interface RoleShape {
  readonly name: string;
  readonly modes: Readonly<Record<string, ModeShape>>;
}

/** `maxConnections` on the command line is `max-connections`. */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** All flags of a role by kebab name: those of its modes and the common ones. */
export function flagsOf(role: RoleShape): ReadonlyMap<string, Flag<unknown>> {
  const flags = new Map<string, Flag<unknown>>();
  for (const mode of Object.values(role.modes)) {
    for (const [key, flag] of Object.entries(mode.flags)) {
      flags.set(kebab(key), flag);
    }
  }
  for (const [key, flag] of Object.entries(COMMON_FLAGS)) {
    flags.set(key, flag as Flag<unknown>);
  }
  return flags;
}
