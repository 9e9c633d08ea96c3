import {
  flag,
  type FlagValues,
  neverWith,
  onlyWith,
  ownAddressFlag,
} from "../../../lib/cli/flags.ts";
import { ROOT_FLAGS } from "../recursive/recursive_flags.ts";
import { typeFlag } from "../zones/zone_flags.ts";

/** The flags of the small dig. */
export const LOOKUP_FLAGS = {
  query: flag.text({ placeholder: "NAME", help: "The name to look up" }),
  at: flag.hostPort({
    default: "127.0.0.1:5300",
    help: "The server to ask",
  }),
  type: typeFlag,
  subnet: flag.cidr({
    help: "Asks for the clients of this network (EDNS Client Subnet)",
  }),
  tcp: flag.toggle({ help: "Asks over TCP" }),
  trace: flag.toggle({
    help:
      "Walks from the root to the answer as a resolver does and draws the steps; starts at --root-hint, or else at --at",
  }),
  ...onlyWith("trace", ROOT_FLAGS),
  host: ownAddressFlag({
    help: "Address to ask from; without it the system's choice",
  }),
  ...neverWith(["trace"], {
    timeout: flag.duration({
      default: "1s",
      help: "Wait for the first answer; each further try waits twice that",
    }),
    attempts: flag.count({
      default: "3",
      help: "Gives up after so many queries without an answer",
    }),
  }),
};

/** The values of {@linkcode LOOKUP_FLAGS}. */
export type LookupFlags = FlagValues<typeof LOOKUP_FLAGS> & {
  readonly operand: string;
};
