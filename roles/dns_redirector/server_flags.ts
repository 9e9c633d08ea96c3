import { flag, type FlagValues, serverFlags } from "../../lib/cli/flags.ts";
import { ZONE_FLAGS } from "./zone_flags.ts";

/** The flags of the server. */
export const SERVER_FLAGS = {
  ...serverFlags({ port: 5300 }),
  ...ZONE_FLAGS,
  maxConnections: flag.count({
    default: "1000",
    help: "Closes at once whoever comes over TCP when so many are open",
  }),
  idleTimeout: flag.duration({
    default: "10s",
    help: "Closes a TCP connection without a query for so long",
  }),
  engine: flag.choice(["portable", "batch"], {
    default: "portable",
    help:
      "How UDP is answered: one datagram at a time, or (Linux, run with --allow-ffi) up to 64 with one system call",
  }),
};

/** The values of {@linkcode SERVER_FLAGS}. */
export type ServeFlags = FlagValues<typeof SERVER_FLAGS>;
