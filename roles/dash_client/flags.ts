import {
  type Flag,
  flag,
  type FlagValues,
  onlyWith,
  ownAddressFlag,
} from "../../lib/cli/flags.ts";
import { parseDurationMs } from "../../lib/core/units.ts";
import { ABR_NAMES, type AbrName } from "../../lib/dash/abr/mod.ts";
import type { Seek } from "../../lib/dash/player/messages.ts";
import { TRACE_FLAGS } from "./network/trace_source.ts";

/** The rate of `--abr fixed`, and how long a server may be silent, unless told otherwise. */
export const DEFAULT_QUALITY = "highest";
/** See {@linkcode DEFAULT_QUALITY}. */
export const DEFAULT_TIMEOUT = "10s";
/** How long a player hopes that a server comes back, unless told otherwise. */
export const DEFAULT_GIVE_UP = "1min";

/** Where the title comes from and how much of it. */
export const SOURCE_FLAGS = {
  resolver: flag.hostPort({
    help: "DNS server that says where the manifest's host is",
  }),
  host: ownAddressFlag({
    help:
      "Address of this machine to ask --resolver from: what a redirector knows the client by; with --cooperate also the one at which peers find it",
  }),
  clientSubnet: flag.cidr({
    help: "Asks --resolver for a client of this network (EDNS Client Subnet)",
  }),
  duration: flag.duration({ help: "Media to play; without it all of it" }),
  quality: flag.text({
    default: DEFAULT_QUALITY,
    placeholder: "lowest|highest|720p|ID",
    help: "The rate of --abr fixed and of --download-only",
  }),
  timeout: flag.duration({
    default: DEFAULT_TIMEOUT,
    help: "Gives a request up when nothing has come for so long",
  }),
};

/** See {@linkcode SOURCE_FLAGS}. */
export type SourceFlags = FlagValues<typeof SOURCE_FLAGS>;

/** Names that rules had before there were more of their kind. */
const ABR_ALIASES: Readonly<Record<string, AbrName>> = {
  buffer: "bba0",
  bola: "bola-basic",
};

/** `--abr`: a rule, or all of them one after the other in virtual time. */
function abrFlag(fallback: AbrName | "all"): Flag<AbrName | "all"> {
  const choice = flag.choice([...ABR_NAMES, "all"], {
    default: fallback,
    help: `How the rate of the next segment is chosen: ${
      ABR_NAMES.join(", ")
    }; all compares them in virtual time, on --trace or else on lte`,
  });
  return {
    ...choice,
    placeholder: "RULE|all",
    parse: (text) =>
      choice.parse(
        Object.hasOwn(ABR_ALIASES, text) ? ABR_ALIASES[text]! : text,
      ),
  };
}

/** `--seek AT:TO[,AT:TO]`: leaps of a viewer. */
function seekFlag(): Flag<readonly Seek[]> {
  const text = flag.text({
    default: "",
    placeholder: "AT:TO,…",
    help:
      "Leaps to TO when AT is reached, both places in the title, such as 20s:2m",
  });
  const rule = "must be places in the title such as 20s:2m or 20s:2m,130s:0s";
  const placeOf = (part: string, whole: string): number => {
    try {
      return parseDurationMs(part);
    } catch (error) {
      throw new RangeError(`${rule}, got "${whole}"`, { cause: error });
    }
  };
  return {
    ...text,
    defaultText: undefined,
    absent: [],
    parse: (given) =>
      given.split(",").map((each) => {
        const [at, to, ...rest] = each.split(":");
        if (at === undefined || to === undefined || rest.length > 0) {
          throw new RangeError(`${rule}, got "${given}"`);
        }
        return { atMs: placeOf(at, given), toMs: placeOf(to, given) };
      }),
  };
}

/** How to play. */
export const PLAY_FLAGS = {
  ...SOURCE_FLAGS,
  abr: abrFlag("auto"),
  ...TRACE_FLAGS,
  buffer: flag.duration({
    default: "30s",
    help: "Most media held ready; no segment is requested that would not fit",
  }),
  startBuffer: flag.duration({
    default: "0s",
    help:
      "Media needed to start playing; 0s is the first segment, whatever it holds, and half of one if the title is live",
  }),
  resumeBuffer: flag.duration({
    help:
      "Media needed to go on after a stall; 0s is one segment (default: as --start-buffer)",
  }),
  cmcd: flag.choice(["query", "header"], {
    help:
      "Tells the CDN how the player does (Common Media Client Data), in the URL or in headers",
  }),
  tracks: flag.choice(["all", "video", "audio"], {
    default: "all",
    help: "What to play: picture and sound together, or one of them",
  }),
  startAt: flag.duration({ help: "Where in the title to begin" }),
  seek: seekFlag(),
  abandon: flag.toggle({
    help:
      "Gives a segment up that would come too late, and fetches it in a lower rate",
  }),
  liveDelay: flag.duration({
    help:
      "How far behind the live edge to play; without it what the manifest asks for, or three segments",
  }),
  catchUp: flag.number({
    help:
      "Live: how much faster or slower it may play to stay that far behind, 0 never; without it what the manifest allows, or 0.05",
  }),
  giveUpAfter: flag.duration({
    default: DEFAULT_GIVE_UP,
    help:
      "Ends when servers fail wherever a segment is asked for, for so long; until then it stalls and asks again; 0 tries for ever",
  }),
  clients: flag.count({
    default: "1",
    help: "So many players at once, each with a buffer of its own",
  }),
  ...onlyWith("clients", {
    stagger: flag.duration({
      default: "1s",
      help: "Between the starts of two of them",
    }),
  }),
  cooperate: flag.toggle({
    help:
      "Players share what they play over BitTorrent, and ask the CDN for what peers do not have in time",
  }),
  ...onlyWith("cooperate", {
    torrent: flag.text({
      placeholder: "URL|FILE",
      help:
        "The title's torrent, to --cooperate; without it what lies beside the manifest, as manifest.torrent; a live title has none",
    }),
    peer: flag.list(flag.hostPort({
      help: "Another player to --cooperate with, beside those found",
    })),
    uploadLimit: flag.byteRate({
      help: "Most data per second that a player gives others",
    }),
  }),
  speed: flag.number({
    default: "1",
    help:
      "Plays so many times as fast; start-up, buffer and stalls are in the player's time, downloads in real time",
  }),
};

/** See {@linkcode PLAY_FLAGS}. */
export type PlayFlags = FlagValues<typeof PLAY_FLAGS>;

/** How to play in virtual time. */
export const SIMULATE_FLAGS = {
  simulate: flag.toggle({
    help:
      "Plays in virtual time: the title's sizes, the trace's network, no request; without URL the built-in title",
  }),
  ...SOURCE_FLAGS,
  abr: abrFlag("all"),
  ...TRACE_FLAGS,
  buffer: PLAY_FLAGS.buffer,
  startBuffer: PLAY_FLAGS.startBuffer,
  resumeBuffer: PLAY_FLAGS.resumeBuffer,
  abandon: PLAY_FLAGS.abandon,
  live: flag.toggle({
    help:
      "As if the title were being made while it is played: no segment can be had before its end",
  }),
  ...onlyWith("live", {
    chunk: flag.duration({
      help:
        "Low latency: segments come in chunks of this length while they are made",
    }),
  }),
  liveDelay: PLAY_FLAGS.liveDelay,
  catchUp: PLAY_FLAGS.catchUp,
  segment: flag.duration({
    help: "Length of the built-in title's segments; without it 5s",
  }),
};

/** See {@linkcode SIMULATE_FLAGS}. */
export type SimulateFlags = FlagValues<typeof SIMULATE_FLAGS>;

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
