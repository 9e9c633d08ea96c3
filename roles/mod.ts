import type { RoleEntry } from "../lib/role.ts";

/** Every role, in the order `--help` lists them. The only registry; a role's code is imported when it is chosen. */
export const ROLES: readonly RoleEntry[] = [];
