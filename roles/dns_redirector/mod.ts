import { parseCidr } from "../../lib/core/address.ts";
import { flag, serverFlags } from "../../lib/cli/flags.ts";
import { mode, type Role } from "../../lib/role.ts";
import { RECURSIVE_FLAGS, serveRecursive } from "./recursive.ts";
import { runLookup } from "./lookup.ts";
import { serveDns } from "./serve.ts";
import { SERVER_FLAGS } from "./server_flags.ts";
import { parseType } from "./zone_flags.ts";

/** The CDN's name server: the answer depends on who asks. */
export const dnsRedirector: Role = {
  name: "dns-redirector",
  summary: "Authoritative DNS that sends each client to its edge",
  events: [
    "zone.loaded",
    "zones.rejected",
    "engine.rejected",
    "query.answered",
    "edge.selected",
    "queries.counted",
    "resolver.disconnected",
    "lookup.finished",
    "recursion.started",
    "recursion.asked",
    "recursion.replied",
    "recursion.ignored",
    "recursion.finished",
    "recursion.refused",
    "recursions.counted",
  ],
  examples: [
    "rolecall dns-redirector --domain video.kingcdn.example --edge 127.0.0.3 --edge 127.0.0.4 --policy geo --site 127.1.0.0/16=127.0.0.3 --site 127.2.0.0/16=127.0.0.4",
    "rolecall dns-redirector --cname video.netcinema.example=video.kingcdn.example --domain video.kingcdn.example --edge 127.0.0.3",
    "rolecall dns-redirector --zone kingcdn.zone --policy hash --ttl 5s",
    "rolecall dns-redirector --query video.netcinema.example --at 127.0.0.1:5300 --subnet 127.2.0.0/24",
  ],
  modes: {
    server: mode({
      summary: "Answers for its zones over UDP and TCP",
      flags: SERVER_FLAGS,
      run: serveDns,
    }),
    recursive: mode({
      summary: "Resolves names for local clients, from the root on",
      chosenBy: "recursive",
      flags: RECURSIVE_FLAGS,
      run: serveRecursive,
    }),
    lookup: mode({
      summary: "Asks a name server, as a small dig, and prints what it says",
      chosenBy: "query",
      flags: {
        query: flag.text({ placeholder: "NAME", help: "The name to look up" }),
        at: flag.hostPort({
          default: "127.0.0.1:5300",
          help: "The server to ask",
        }),
        type: parseType,
        subnet: {
          ...flag.text({
            placeholder: "CIDR",
            help: "Asks for the clients of this network (EDNS Client Subnet)",
          }),
          absent: undefined,
          parse: parseCidr,
        },
        tcp: flag.toggle({ help: "Asks over TCP" }),
        host: {
          ...serverFlags({ port: 0 }).host,
          help: "Address to ask from; without it the system's choice",
        },
        timeout: flag.duration({
          default: "1s",
          help: "Wait for the first answer; each further try waits twice that",
        }),
        attempts: flag.count({
          default: "3",
          help: "Gives up after so many queries without an answer",
        }),
      },
      run: runLookup,
    }),
  },
};
