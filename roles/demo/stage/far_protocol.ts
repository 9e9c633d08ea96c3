/** What a demo and the machines that stand by for it say to each other, over HTTP. */

/** Stands in arguments for the folder of the machine. */
export const FOLDER = "{folder}";

/** What is to be started. */
export interface FarProgram {
  /** A role and its flags; paths begin with {@linkcode FOLDER}. */
  readonly args: readonly string[];
}

/** Roles that a demo has on its stage. */
const STAGE_ROLES: ReadonlySet<string> = new Set([
  ...["udp-echo", "tcp-echo", "tracker", "peer", "origin", "edge"],
  ...["dns-redirector", "dash-client"],
]);

/** Whether a machine that stands by starts this role. */
export function isStageRole(name: string): boolean {
  return STAGE_ROLES.has(name);
}
