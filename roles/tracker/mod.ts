import { flag, serverFlags } from "../../lib/cli/flags.ts";
import { mode, type Role } from "../../lib/role.ts";
import { serveTracker } from "./serve.ts";

/** The BitTorrent tracker. */
export const tracker: Role = {
  name: "tracker",
  summary: "BitTorrent tracker: who is in which swarm",
  events: [
    "tracker.announced",
    "tracker.scraped",
    "tracker.refused",
    "tracker.expired",
    "tracker.summarized",
  ],
  examples: [
    "rolecall tracker",
    "rolecall tracker --port 6969 --interval 30s",
    "rolecall tracker --udp-port 6970 --allow torrents.txt",
  ],
  modes: {
    server: mode({
      summary:
        "Answer announces and scrapes over HTTP and UDP; the page at / shows the swarms",
      flags: {
        ...serverFlags({ port: 6969 }),
        udpPort: flag.port({
          help: "UDP port; the same number as --port unless given",
        }),
        interval: flag.duration({
          default: "2min",
          help:
            "How often peers shall announce; one that is silent for twice as long is forgotten",
        }),
        maxPeers: flag.count({
          default: "50",
          help: "Most peers in one answer",
        }),
        allow: flag.path({
          placeholder: "FILE",
          help:
            "Serve only the torrents in FILE: one info-hash (40 hexadecimal digits) a line, then a name if you like",
        }),
      },
      run: serveTracker,
    }),
  },
};
