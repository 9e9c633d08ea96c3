import { assertEquals } from "@std/assert";
import { mediaTypeOf } from "../../../lib/http/media_types.ts";

Deno.test("mediaTypeOf goes by the extension, in any case", () => {
  const cases = [
    ["manifest.mpd", "application/dash+xml"],
    ["a/b/video_720_1.m4s", "video/iso.segment"],
    ["init.MP4", "video/mp4"],
    ["live.m3u8", "application/vnd.apple.mpegurl"],
    ["a.ts", "video/mp2t"],
    ["index.html", "text/html; charset=utf-8"],
    ["movie.torrent", "application/x-bittorrent"],
    ["README", "application/octet-stream"],
    ["a.mp4/README", "application/octet-stream"],
    ["a.toString", "application/octet-stream"],
    ["a.constructor", "application/octet-stream"],
    ["", "application/octet-stream"],
  ] as const;
  for (const [path, type] of cases) assertEquals(mediaTypeOf(path), type, path);
});
