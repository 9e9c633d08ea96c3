import { flag } from "../../lib/cli/flags.ts";

/** The flags of the mode that shares a torrent, beside `--host` and `--port`. */
export const SHARE_FLAGS = {
  dir: flag.path({
    default: ".",
    help: "Folder in which the torrent's file or folder lies or is made",
  }),
  peer: flag.list(flag.hostPort({
    help: "A peer to connect to, beside those the tracker names",
  })),
  uploadLimit: flag.byteRate({
    help:
      "Sends at most so much; a seed with a limit hands each piece out once before it sends any twice",
  }),
  downloadLimit: flag.byteRate({ help: "Asks for at most so much" }),
  unchokeSlots: flag.count({
    default: "4",
    help: "Peers served at a time because they give most; one more by lot",
  }),
  chokeInterval: flag.duration({
    default: "10s",
    help: "How often it is decided anew who is served",
  }),
  optimisticInterval: flag.duration({
    default: "30s",
    help: "How often the one served by lot is drawn",
  }),
  picker: flag.choice(["rarest", "random", "sequential"], {
    default: "rarest",
    help: "Which piece to ask for next",
  }),
  maxConnections: flag.count({
    default: "80",
    help: "Connections at most; more are refused",
  }),
  seedFor: flag.duration({
    help: "Ends so long after everything is there",
  }),
  exitWhenComplete: flag.toggle({
    help: "Ends as soon as everything is there",
  }),
  freeRide: flag.toggle({ help: "Serves nobody, to see what that costs" }),
  check: flag.toggle({
    help:
      "Hashes everything in --dir at start, also what the last run's record (a hidden .resume file there) says is right",
  }),
  giveUpAfter: flag.duration({
    default: "30s",
    help:
      "A download that in this time reached no tracker and no peer fails; 0 tries for ever",
  }),
};
