import { flag, neverWith, serverFlags } from "../../lib/cli/flags.ts";
import { mode, type Role } from "../../lib/role.ts";
import { lookAround } from "./look_around.ts";

/** The roles that a roster can have. */
const ANNOUNCED = [
  ...["udp-echo", "tcp-echo", "tracker", "peer", "origin", "edge"],
  ...["dns-redirector", "dash-client", "demo", "dashboard"],
];

/** Who is out there: the roles that answer on this link, found by multicast DNS. */
export const roster: Role = {
  name: "roster",
  summary: "Who is out there: every role on this LAN answers",
  events: ["instance.found", "instance.lost"],
  examples: [
    "rolecall roster",
    "rolecall roster --only edge --json",
    "rolecall roster --watch",
    "rolecall roster --host 192.168.1.7 --wait 5s",
  ],
  modes: {
    look: mode({
      endless: "watch",
      summary:
        "Asks once and prints the roles that answer within --wait; with --watch, tells who comes and goes",
      flags: {
        host: {
          ...serverFlags({ port: 0 }).host,
          help:
            "Looks on the interface with this IPv4 address; without it on all",
        },
        ...neverWith(["watch"], {
          wait: flag.duration({
            default: "2s",
            help: "How long to wait for answers",
          }),
        }),
        only: flag.choice(ANNOUNCED, {
          placeholder: "ROLE",
          help: "Only roles of this kind, such as edge",
        }),
        watch: flag.toggle({
          help: "Goes on until Ctrl-C and tells of each that comes and goes",
        }),
      },
      run: lookAround,
    }),
  },
};
