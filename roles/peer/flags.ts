import type { ChokerName } from "../../lib/bittorrent/swarm/choking/choker.ts";
import { flag, type HostPort } from "../../lib/cli/flags.ts";
import type { PickerName } from "../../lib/bittorrent/swarm/pieces/picker.ts";
import type { DiscoveryFlags } from "../../lib/peer/discovery.ts";
import { DHT_NODE_FLAG, DISCOVERY_FLAGS } from "./discovery_flags.ts";

/** The flags of the mode that shares a torrent. */
export interface ShareFlags extends DiscoveryFlags {
  readonly host: string;
  readonly port: number;
  readonly dir: string;
  readonly peer: readonly HostPort[];
  readonly uploadLimit: number | undefined;
  readonly downloadLimit: number | undefined;
  readonly peerUploadLimit: number | undefined;
  readonly peerDownloadLimit: number | undefined;
  readonly unchokeSlots: number;
  readonly chokeInterval: number;
  readonly optimisticInterval: number;
  readonly picker: PickerName;
  readonly choker: ChokerName;
  readonly superSeed: "auto" | "on" | "off";
  readonly maxConnections: number;
  readonly seedFor: number | undefined;
  readonly exitWhenComplete: boolean;
  readonly leaveWhenComplete: boolean;
  readonly check: boolean;
  readonly freeRide: boolean;
  readonly giveUpAfter: number;
  readonly saveTorrent: string | undefined;
  readonly operand: string;
}

/** Whom to serve and with how much. They may stand beside `--free-ride`: who compares changes that flag alone. */
const SERVING_FLAGS = {
  uploadLimit: flag.byteRate({
    help: "Sends at most so much",
  }),
  peerUploadLimit: flag.byteRate({
    help: "Sends each peer at most so much, beside --upload-limit for all",
  }),
  unchokeSlots: flag.count({
    default: "4",
    help: "Peers served at a time because they give most; one more by lot",
  }),
  choker: flag.choice(["tit-for-tat", "round-robin", "none"], {
    default: "tit-for-tat",
    help:
      "Whom to serve: those who give most, each in turn, or everyone at once",
  }),
  chokeInterval: flag.duration({
    default: "10s",
    help: "How often it is decided anew who is served",
  }),
  optimisticInterval: flag.duration({
    default: "30s",
    help: "How often the one served by lot is drawn",
  }),
  superSeed: flag.choice(["auto", "on", "off"], {
    default: "auto",
    help:
      "Whether a seed hands each piece out once before it sends any twice (BEP 16); auto: if its upload is limited",
  }),
};

/** The flags of the mode that shares a torrent, beside `--host` and `--port`. */
export const SHARE_FLAGS = {
  dir: flag.path({
    default: ".",
    help: "Folder in which the torrent's file or folder lies or is made",
  }),
  peer: flag.list(flag.hostPort({
    help: "A peer to connect to, beside those that are found",
  })),
  ...DISCOVERY_FLAGS,
  downloadLimit: flag.byteRate({ help: "Asks for at most so much" }),
  peerDownloadLimit: flag.byteRate({
    help: "Asks each peer for at most so much, beside --download-limit for all",
  }),
  ...SERVING_FLAGS,
  freeRide: flag.toggle({ help: "Serves nobody, to see what that costs" }),
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
    help: "Ends as soon as everything is there, or after --seed-for",
  }),
  leaveWhenComplete: flag.toggle({
    help:
      "The same by the lecture's name: the selfish peer, beside the altruistic one that stays",
  }),
  saveTorrent: flag.path({
    placeholder: "FILE.torrent",
    help: "Where to write the torrent that a magnet link leads to",
  }),
  check: flag.toggle({
    help:
      "Hashes everything in --dir at start, also what the last run's record (a hidden .resume file there) says is right",
  }),
  giveUpAfter: flag.duration({
    default: "30s",
    help:
      "A download that in this time reached nobody, neither tracker nor DHT node nor peer, fails; 0 tries for ever",
  }),
};

/** The flags of the mode that makes a torrent, beside `--create`. */
export const CREATE_FLAGS = {
  announce: flag.list(flag.text({
    placeholder: "URL[,URL]",
    help:
      "A tracker to write into it, http:, https: or udp:; each is a tier of its own, trackers with commas between them share one",
  })),
  webSeed: flag.list(flag.text({
    placeholder: "URL",
    help:
      "An HTTP server that has the file, or with a slash at the end the folder it or the torrent's folder lies in",
  })),
  dhtNode: DHT_NODE_FLAG,
  output: flag.path({
    short: "o",
    placeholder: "FILE.torrent",
    help: "Where to write it; default: the name with .torrent, here",
  }),
  pieceLength: flag.size({
    default: "256KiB",
    help: "Bytes in a piece, a power of two",
  }),
  format: flag.choice(["v1", "v2", "hybrid"], {
    default: "v1",
    help: "BitTorrent of BEP 3 with SHA-1, of BEP 52 with SHA-256, or both",
  }),
  align: flag.toggle({
    help:
      "Each file begins at a piece, the gaps filled up (BEP 47), in v1 as well: of a title's segments for dash-client --cooperate",
  }),
  private: flag.toggle({
    help: "Peers are to be had from the trackers only (BEP 27)",
  }),
  source: flag.text({
    help: "Where it is published; makes the info-hash another one there",
  }),
  comment: flag.text({ help: "A remark, for people" }),
  hidden: flag.toggle({
    help: "Puts in what is hidden, names with a dot in front, as well",
  }),
  links: flag.choice(["skip", "follow", "keep"], {
    default: "skip",
    help:
      "Symbolic links: left out, what they point to put in, or kept as links (BEP 47)",
  }),
};
