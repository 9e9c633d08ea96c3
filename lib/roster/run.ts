/** What a roster entry is made of. */
import type { RolecallEvent } from "../events/mod.ts";
import type { Clock } from "../io/clock.ts";
import type { Address, Net } from "../io/net.ts";

/** Who runs, and in what. */
export interface RosterRun {
  readonly role: string;
  readonly name: string;
  readonly version: string;
  readonly clock: Clock;
  readonly net: Net;
  readonly emit: (event: RolecallEvent) => void;
}

/** A socket a role listens on. */
export interface RosterSocket extends Address {
  readonly transport: "udp" | "tcp" | "http";
}
