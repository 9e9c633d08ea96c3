import { flag, serverFlags } from "../../lib/cli/flags.ts";
import { mode, type Role } from "../../lib/role.ts";
import { createTorrent } from "./making/create.ts";
import { dhtOnlyMode } from "./dht_only.ts";
import { EVENT_TYPES } from "./event_types.ts";
import { CREATE_FLAGS, SHARE_FLAGS } from "./flags.ts";
import { inspectTorrent } from "./inspect.ts";
import { shareTorrent } from "./share.ts";

/** The slides' BitTorrent peer. */
export const peer: Role = {
  name: "peer",
  summary: "BitTorrent peer: makes, seeds and downloads torrents",
  events: EVENT_TYPES,
  examples: [
    "rolecall peer --create movie.mp4 --announce http://10.0.0.1:6969/announce -o movie.torrent",
    "rolecall peer movie.torrent --dir lab --seed-for 1h",
    "rolecall peer movie.torrent --dir downloads --exit-when-complete --json",
    "rolecall peer movie.torrent --port 0 --peer 10.0.0.7:6881 --upload-limit 2MiB/s",
    "rolecall peer movie.torrent --dir downloads --dht-node 10.0.0.1:6881",
    "rolecall peer --dht-only",
    "rolecall peer 'magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&x.pe=10.0.0.7:6881'",
    "rolecall peer --inspect movie.torrent",
  ],
  modes: {
    share: mode({
      summary:
        "Downloads what is missing of a torrent and serves what is there; with everything there, seeds",
      operand: {
        placeholder: "FILE.torrent|MAGNET",
        help: "The torrent to download or to seed, or a magnet link to it",
      },
      flags: { ...serverFlags({ port: 6881 }), ...SHARE_FLAGS },
      run: shareTorrent,
    }),
    dhtOnly: dhtOnlyMode,
    create: mode({
      summary: "Makes a .torrent of a file or a folder",
      chosenBy: "create",
      flags: {
        create: flag.path({ help: "The file or folder to make a torrent of" }),
        ...CREATE_FLAGS,
      },
      run: createTorrent,
    }),
    inspect: mode({
      summary: "Prints what a .torrent says",
      chosenBy: "inspect",
      flags: {
        inspect: flag.path({ placeholder: "FILE", help: "The torrent" }),
      },
      run: inspectTorrent,
    }),
  },
};
