import { parseCidr } from "../../lib/core/address.ts";
import { type Flag, flag, type FlagValues } from "../../lib/cli/flags.ts";
import { ABR_NAMES } from "../../lib/dash/abr/mod.ts";

/** Where the title comes from and how much of it. */
export const SOURCE_FLAGS = {
  resolver: flag.hostPort({
    help: "DNS server that says where the manifest's host is",
  }),
  host: {
    ...flag.text({
      default: "",
      placeholder: "ADDR",
      help:
        "Address of this machine to ask --resolver from: what a redirector knows the client by",
    }),
    defaultText: undefined,
    absent: "",
  } as Flag<string>,
  clientSubnet: {
    ...flag.text({
      placeholder: "CIDR",
      help: "Asks --resolver for a client of this network (EDNS Client Subnet)",
    }),
    absent: undefined,
    parse: parseCidr,
  },
  duration: flag.duration({ help: "Media to play; without it all of it" }),
  quality: flag.text({
    default: "highest",
    placeholder: "lowest|highest|720p|ID",
    help: "The rate of --abr fixed and of --download-only",
  }),
  timeout: flag.duration({
    default: "10s",
    help: "Gives a request up when nothing has come for so long",
  }),
};

/** See {@linkcode SOURCE_FLAGS}. */
export type SourceFlags = FlagValues<typeof SOURCE_FLAGS>;

/** How to play. */
export const PLAY_FLAGS = {
  ...SOURCE_FLAGS,
  abr: flag.choice(ABR_NAMES, {
    default: "throughput",
    help: "How the rate of the next segment is chosen",
  }),
  buffer: flag.duration({
    default: "30s",
    help: "Most media held ready; no segment is requested that would not fit",
  }),
  startBuffer: flag.duration({
    default: "5s",
    help: "Media needed to start playing, and to go on after a stall",
  }),
  speed: flag.number({
    default: "1",
    help:
      "Plays so many times as fast; start-up, buffer and stalls are in the player's time, downloads in real time",
  }),
};

/** See {@linkcode PLAY_FLAGS}. */
export type PlayFlags = FlagValues<typeof PLAY_FLAGS>;

/** How to fetch without playing. */
export const DOWNLOAD_FLAGS = {
  downloadOnly: flag.toggle({
    help: "Fetches one rate from end to end, as fast as it goes, unplayed",
  }),
  ...SOURCE_FLAGS,
  save: flag.path({
    placeholder: "FILE.mp4",
    help: "Keeps what is fetched, as one file a player can open",
  }),
};

/** See {@linkcode DOWNLOAD_FLAGS}. */
export type DownloadFlags = FlagValues<typeof DOWNLOAD_FLAGS>;
