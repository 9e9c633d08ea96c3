import { flag, serverFlags } from "../../lib/cli/flags.ts";
import { mode, type Role } from "../../lib/role.ts";
import { queryTracker } from "./query.ts";
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
    "state.restored",
    "state.saved",
    "state.rejected",
    "allowlist.reloaded",
    "allowlist.rejected",
    "engine.rejected",
  ],
  examples: [
    "rolecall tracker",
    "rolecall tracker --interval 30s --state swarms",
    "rolecall tracker --udp-port 6970 --allow torrents.txt",
    "rolecall tracker --query http://10.0.0.1:6969/announce",
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
            "Serve only the torrents in FILE (an info-hash in hexadecimal and a name each line), as it changes",
        }),
        engine: flag.choice(["portable", "batch"], {
          default: "portable",
          help:
            "How UDP is answered: one datagram at a time, or (Linux, run with --allow-ffi) up to 64 with one system call",
        }),
        state: flag.path({
          placeholder: "FILE",
          help: "Keep the swarms in FILE over a restart",
        }),
      },
      run: serveTracker,
    }),
    query: mode({
      summary: "Ask a tracker how many seeders and leechers its swarms have",
      chosenBy: "query",
      flags: {
        query: flag.text({
          placeholder: "URL",
          help: "Announce URL of the tracker, http:// or udp://",
        }),
        infoHash: flag.list(
          flag.text({
            placeholder: "HEX",
            help: "Torrent to ask for; over HTTP without one, all",
          }),
        ),
        timeout: flag.duration({
          default: "10s",
          help: "How long to wait for an answer",
        }),
      },
      run: queryTracker,
    }),
  },
};
