import { mode, type Role } from "../../lib/role.ts";
import { RECURSIVE_FLAGS, serveRecursive } from "./recursive/recursive.ts";
import { runLookup } from "./lookup/lookup.ts";
import { LOOKUP_FLAGS } from "./lookup/lookup_flags.ts";
import { serveDns } from "./serve.ts";
import { WATCH_EVENTS } from "./watch/watch_flags.ts";
import { SERVER_FLAGS } from "./server_flags.ts";

/** The CDN's name server: the answer depends on who asks. */
export const dnsRedirector: Role = {
  name: "dns-redirector",
  summary: "Authoritative DNS that sends each client to its edge",
  events: [
    "zone.loaded",
    "zone.transferred",
    "zones.rejected",
    "engine.rejected",
    "query.answered",
    "query.limited",
    "edge.selected",
    ...WATCH_EVENTS,
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
    "rolecall dns-redirector --domain video.kingcdn.example --edge 127.0.0.3 --edge 127.0.0.4 --policy load --health-check tcp",
    "rolecall dns-redirector --domain video.cs.cmu.edu --servers servers.txt --lsa topology.lsa --course cmu --course-log dns.log",
    "rolecall dns-redirector --recursive --host 127.0.1.53 --root-hint a.root=127.0.1.1:5353",
    "rolecall dns-redirector --query video.netcinema.example --at 127.0.0.1:5300 --subnet 127.2.0.0/24",
    "rolecall dns-redirector --query video.netcinema.example AAAA --at 127.0.1.1:5353 --trace",
  ],
  modes: {
    server: mode({
      endless: true,
      summary: "Answers for its zones over UDP and TCP",
      flags: SERVER_FLAGS,
      run: serveDns,
    }),
    recursive: mode({
      endless: true,
      summary: "Resolves names for local clients, from the root on",
      chosenBy: "recursive",
      flags: RECURSIVE_FLAGS,
      run: serveRecursive,
    }),
    lookup: mode({
      summary: "Asks a name server, as a small dig, and prints what it says",
      chosenBy: "query",
      flags: LOOKUP_FLAGS,
      operand: {
        placeholder: "TYPE",
        help: "The record type to look up, as --type says it",
        optional: true,
        choices: ["A", "AAAA", "CNAME", "MX", "NS", "SOA", "TXT"],
      },
      run: runLookup,
    }),
  },
};
