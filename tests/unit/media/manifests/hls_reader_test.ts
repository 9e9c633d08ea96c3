import { assertEquals, assertThrows } from "@std/assert";
import { readPlaylistUris } from "../../../../lib/media/manifests/hls_reader.ts";

Deno.test("readPlaylistUris tells renditions from segments (RFC 8216 §4.3.4, §4.3.2)", () => {
  assertEquals(
    readPlaylistUris(
      `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x,URI=",URI="sound.m3u8"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="c",NAME="c",INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"
low.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO="a"
# a comment

high.m3u8?x=1
`.replaceAll("\n", "\r\n"),
    ),
    {
      playlists: ["sound.m3u8", "low.m3u8", "high.m3u8?x=1"],
      ...{ media: [], segments: [] },
    },
  );
  assertEquals(
    readPlaylistUris(`#EXTM3U
#EXT-X-MAP:URI="init.mp4"
#EXTINF:4,
1.m4s
#EXT-X-BYTERANGE:10@0
#EXTINF:4,
one.m4s
#EXTINF:4,
one.m4s
#EXT-X-ENDLIST`),
    {
      playlists: [],
      media: ["init.mp4", "1.m4s", "one.m4s"],
      segments: ["1.m4s", "one.m4s"],
    },
  );
  assertThrows(() => readPlaylistUris("<html>"), SyntaxError);
});
