import { mode, type Role } from "../../lib/role.ts";
import { downloadTitle } from "./download.ts";
import { DOWNLOAD_FLAGS, PLAY_FLAGS } from "./flags.ts";
import { playTitle } from "./play.ts";

const operand = {
  placeholder: "URL.mpd",
  help: "The manifest, such as http://127.0.0.1:8080/manifest.mpd",
};

/** The client of the DASH slides: everything of a player but the picture. */
export const dashClient: Role = {
  name: "dash-client",
  summary: "Headless DASH player: measures, adapts, reports QoE",
  events: [
    "name.resolved",
    "name.missed",
    "manifest.loaded",
    "segment.downloaded",
    "segment.missed",
    "playout.started",
    "playout.stalled",
    "playout.resumed",
    "playout.ended",
  ],
  examples: [
    "rolecall dash-client http://127.0.0.1:8080/manifest.mpd",
    "rolecall dash-client http://127.0.0.1:8080/manifest.mpd --duration 60s --speed 10 --out report",
    "rolecall dash-client http://127.0.0.1:8080/manifest.mpd --abr buffer --buffer 20s --start-buffer 5s",
    "rolecall dash-client http://video.kingcdn.example:8080/manifest.mpd --resolver 127.0.0.1:5300 --host 127.1.0.5",
    "rolecall dash-client http://127.0.0.1:8080/manifest.mpd --download-only --quality 720p --save title.mp4",
  ],
  modes: {
    play: mode({
      summary: "Plays a title without showing it",
      flags: PLAY_FLAGS,
      operand,
      run: playTitle,
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
