import { type Cidr, parseCidr } from "../../lib/core/address.ts";
import {
  engineFlag,
  flag,
  type FlagValues,
  onlyWith,
  serverFlags,
} from "../../lib/cli/flags.ts";
import { COURSE_FLAGS } from "./zones/course.ts";
import { WATCH_FLAGS } from "./watch/watch_flags.ts";
import { words, ZONE_FLAGS } from "./zones/zone_flags.ts";

function parseNetwork(text: string): Cidr {
  try {
    return parseCidr(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new RangeError(error.message, { cause: error });
  }
}

/** The flags of the server. */
export const SERVER_FLAGS = {
  ...serverFlags({ port: 5300 }),
  ...ZONE_FLAGS,
  ...WATCH_FLAGS,
  ...COURSE_FLAGS,
  maxConnections: flag.count({
    default: "1000",
    help:
      "When so many TCP connections are open and one more comes, closes the one that was idle the longest; the new one if none was for a second",
  }),
  idleTimeout: flag.duration({
    default: "10s",
    help: "Closes a TCP connection without a query for so long",
  }),
  allowTransfer: words(
    "CIDR",
    "Who may have whole zones over TCP (AXFR), such as 127.0.0.1/32; nobody unless given",
    parseNetwork,
  ),
  rateLimit: flag.count({
    default: "0",
    placeholder: "N",
    help:
      "Sends a network (/24, IPv6 /56) only so many equal answers a second over UDP; 0 is no limit. Who shows a cookie of ours is not limited",
  }),
  ...onlyWith("rateLimit", {
    rateLimitSlip: flag.count({
      default: "2",
      placeholder: "N",
      help:
        'Every so many answers beyond --rate-limit are sent as an empty "ask over TCP"; 0 sends none',
    }),
    rateLimitExempt: words(
      "CIDR",
      "Does not limit this network, such as 127.0.0.0/8",
      parseNetwork,
    ),
  }),
  engine: engineFlag("portable"),
};

/** The values of {@linkcode SERVER_FLAGS}. */
export type ServeFlags = FlagValues<typeof SERVER_FLAGS>;
