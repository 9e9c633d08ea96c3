import { flag } from "../../lib/cli/flags.ts";
import { mode, type Role } from "../../lib/role.ts";
import { SERVER_FLAGS } from "./flags.ts";
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
    "state.failed",
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
      endless: true,
      summary:
        "Answer announces and scrapes over HTTP and UDP; the page at / shows the swarms",
      flags: SERVER_FLAGS,
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
