import {
  engineFlag,
  flag,
  onlyWith,
  serverFlags,
} from "../../lib/cli/flags.ts";

/** What the tracker can be told. */
export const SERVER_FLAGS = {
  ...serverFlags({ port: 6969 }),
  udpPort: flag.port({
    help: "UDP port; the same number as --port unless given",
  }),
  interval: flag.duration({
    default: "2min",
    help: "How often peers shall announce",
  }),
  forgetAfter: flag.duration({
    help:
      "Forget a peer that is silent so long; without it twice --interval, but no sooner than 11min: libtorrent and rtorrent announce every 5min, however short it is",
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
  engine: engineFlag("auto"),
  state: flag.path({
    placeholder: "FILE",
    help: "Keep the swarms in FILE over a restart",
  }),
  ...onlyWith("state", {
    stateInterval: flag.duration({
      default: "5min",
      help: "How often they are saved, beside at the end; 0 at the end only",
    }),
  }),
};
