import { flag, HTTP_FLAGS, serverFlags } from "../../lib/cli/flags.ts";
import { mode, type Role } from "../../lib/role.ts";
import { CODECS } from "./ingest/ffmpeg.ts";
import { SHAPE_FLAGS, TITLE_FLAGS } from "./flags.ts";
import { ingestMovie } from "./ingest/ingest.ts";
import { serveOrigin } from "./serve.ts";

/** The origin of a video site. */
export const origin: Role = {
  name: "origin",
  summary: "Video origin: a folder, or a built-in test-card title, over HTTP",
  events: [
    "engine.rejected",
    "origin.answered",
    "origin.summarized",
    "segment.generated",
    "torrent.created",
    "ingest.progressed",
    "ingest.completed",
  ],
  examples: [
    "rolecall origin",
    "rolecall origin --port 8080 --title Lecture --limit-rate 2MiB/s",
    "rolecall origin --root videos --max-age 1h",
    "rolecall origin --ladder 360p@300k,1080p --segment 2s --duration 2h --vbr 0.3 --audio",
    "rolecall origin --live --segment 2s",
    "rolecall origin --ingest film.mp4 --ladder 360p@400k,720p@2500k --audio --root film",
  ],
  modes: {
    server: mode({
      endless: true,
      summary:
        "Serve a folder, or without --root a test card in three rates at /manifest.mpd",
      flags: {
        ...serverFlags({ port: 8080 }),
        root: flag.path({
          placeholder: "DIR",
          help: "Folder to serve; without it the built-in title is served",
        }),
        ...TITLE_FLAGS,
        limitRate: flag.byteRate({
          help: "Most data per second of all answers together",
        }),
        ...HTTP_FLAGS,
        maxAge: flag.duration({
          default: "10min",
          help: "How long caches may keep an answer (Cache-Control: max-age)",
        }),
      },
      run: serveOrigin,
    }),
    ingest: mode({
      summary: "Make a title of a movie, with ffmpeg, for --root to serve",
      chosenBy: "ingest",
      flags: {
        ingest: flag.path({
          placeholder: "MOVIE",
          help: "The movie, in any form ffmpeg reads",
        }),
        root: flag.path({
          placeholder: "DIR",
          help:
            "Folder to write to; without it one named after the movie. Goes on with what an ingest that was stopped left there",
        }),
        ...SHAPE_FLAGS,
        codec: flag.choice(CODECS, {
          default: "h264",
          help: "How pictures are encoded",
        }),
        hls: flag.toggle({
          help: "HLS playlists of the same segments as well",
        }),
      },
      run: (flags, ctx) =>
        ingestMovie({ ...flags, ingest: flags.ingest! }, ctx),
    }),
  },
};
