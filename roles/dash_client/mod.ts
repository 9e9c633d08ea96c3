import { mode, type Role } from "../../lib/role.ts";
import { downloadTitle } from "./download.ts";
import { EVENT_TYPES } from "./event_types.ts";
import { DOWNLOAD_FLAGS, PLAY_FLAGS, SIMULATE_FLAGS } from "./flags.ts";
import { playTitle } from "./play.ts";
import { simulate } from "./simulate/simulate.ts";

const operand = {
  placeholder: "URL.mpd",
  help: "The manifest, such as http://127.0.0.1:8080/manifest.mpd",
};

/** The client of the DASH slides: everything of a player but the picture. */
export const dashClient: Role = {
  name: "dash-client",
  summary: "Headless DASH player: measures, adapts, reports QoE",
  events: EVENT_TYPES,
  examples: [
    "rolecall dash-client http://127.0.0.1:8080/manifest.mpd",
    "rolecall dash-client http://127.0.0.1:8080/manifest.mpd --duration 60s --speed 10 --out report",
    "rolecall dash-client http://127.0.0.1:8080/manifest.mpd --abr bba0 --buffer 20s --start-buffer 5s",
    "rolecall dash-client http://127.0.0.1:8080/manifest.mpd --clients 5 --cooperate --duration 60s",
    "rolecall dash-client --abr all --trace lte --out report",
    "rolecall dash-client --simulate --abr bola-e --trace drive.json --json",
    "rolecall dash-client --simulate --live --segment 1s --live-delay 3s --trace lte",
    "rolecall dash-client http://video.kingcdn.example:8080/manifest.mpd --resolver 127.0.0.1:5300 --host 127.1.0.5",
    "rolecall dash-client http://127.0.0.1:8080/manifest.mpd --download-only --quality 720p --save title.mp4",
  ],
  modes: {
    play: mode({
      summary: "Plays a title without showing it",
      flags: PLAY_FLAGS,
      // Needed unless --abr is all.
      operand: { ...operand, optional: true },
      run: playTitle,
    }),
    simulate: mode({
      summary: "Plays a title in virtual time, to compare rules on a network",
      flags: SIMULATE_FLAGS,
      chosenBy: "simulate",
      operand: {
        placeholder: "URL.mpd|MOVIE.json",
        help:
          "A manifest, or a film as the simulator Sabre describes it; without it the built-in title",
        optional: true,
      },
      run: simulate,
    }),
    download: mode({
      summary: "Fetches a title in one rate and measures each segment",
      flags: DOWNLOAD_FLAGS,
      chosenBy: "downloadOnly",
      operand,
      run: downloadTitle,
    }),
  },
};
