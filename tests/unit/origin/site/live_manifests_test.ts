/** Which manifests of other packagers change all the time. */
import { assertEquals } from "@std/assert";
import { utf8 } from "../../../../lib/core/bytes.ts";
import { mediaTypeOf } from "../../../../lib/http/media_types.ts";
import {
  isLiveManifest,
  LiveManifests,
} from "../../../../roles/origin/site/live_manifests.ts";
import { memoryResource } from "../../../../roles/origin/site/site.ts";

const MPD = mediaTypeOf("a.mpd");
const HLS = mediaTypeOf("a.m3u8");
const PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n1.ts\n";

const CASES: readonly (readonly [type: string, text: string, live: boolean])[] =
  [
    [MPD, '<?xml version="1.0"?>\n<MPD a="b"\n\ttype="dynamic" c="d">', true],
    [MPD, "<mpd:MPD xmlns:mpd='urn:mpeg:dash' type = 'dynamic'>", true],
    [MPD, '<MPD type="static"><Period type="dynamic">', false],
    [MPD, '<!-- <MPD type="dynamic"> --><MPD profiles="x">', false],
    [MPD, '<MPD subtype="dynamic">', false],
    // It is being written.
    [MPD, "", true],
    [MPD, '<MPD type="static"', true],
    [HLS, "", true],
    [HLS, PLAYLIST, true],
    [HLS, PLAYLIST.replaceAll("\n", "\r\n"), true],
    [HLS, `${PLAYLIST}#EXT-X-ENDLIST`, false],
    [HLS, `${PLAYLIST}#EXT-X-ENDLIST\r\n`, false],
    // An event grows until it ends.
    [HLS, `#EXT-X-PLAYLIST-TYPE:EVENT\n${PLAYLIST}`, true],
    [HLS, `#EXT-X-PLAYLIST-TYPE:VOD\n${PLAYLIST}`, false],
    [HLS, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n", false],
    [mediaTypeOf("a.txt"), PLAYLIST, false],
  ];

Deno.test("isLiveManifest knows dynamic MPDs, and playlists that do not end", () => {
  for (const [type, text, live] of CASES) {
    assertEquals(isLiveManifest(type, text), live, text);
  }
});

Deno.test("LiveManifests looks into a file once for each version of it, and finds an end behind a long list", async () => {
  let opened = 0;
  const resourceOf = (opaque: string, text: string) => {
    const resource = memoryResource(utf8(text), {
      mediaType: HLS,
      entityTag: { weak: false, opaque },
      modifiedAtWallMs: 0,
    });
    const open = () => (opened += 1, resource.open());
    return { ...resource, open };
  };
  const manifests = new LiveManifests();
  const long = PLAYLIST + "#EXTINF:4,\n1.ts\n".repeat(20_000);
  const live = resourceOf("1", long);
  for (let n = 0; n < 2; n++) {
    assertEquals(await manifests.has("/a.m3u8", live), true);
  }
  assertEquals(opened, 1);
  const over = resourceOf("2", `${long}#EXT-X-ENDLIST\n`);
  assertEquals(await manifests.has("/a.m3u8", over), false);
  assertEquals(opened, 2);
});
