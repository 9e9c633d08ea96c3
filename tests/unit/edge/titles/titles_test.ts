import { assertEquals } from "@std/assert";
import { Titles } from "../../../../roles/edge/titles/titles.ts";

const START = Date.UTC(2026, 10, 26, 12);

Deno.test("Titles learns of a playlist what comes after each segment, and believes a manifest that knows more rates", () => {
  const titles = new Titles({
    targetOf: (url) =>
      url.startsWith("http://o.test/")
        ? url.slice("http://o.test".length)
        : undefined,
    urlOf: (target) => `http://o.test${target}`,
  }, { wallMs: () => START });
  const lines = [
    ...["#EXTM3U", '#EXT-X-MAP:URI="i.mp4"', "#EXTINF:4,", "1.m4s"],
    ...["#EXTINF:4,", "/t/2.m4s?x", "#EXTINF:4,", "http://b.test/3.m4s"],
  ];
  const { targets, segments } = titles.learn("/t/a.m3u8", lines.join("\r\n"));
  assertEquals(targets, ["/t/1.m4s", "/t/2.m4s?x"]);
  assertEquals(segments.get("/t/1.m4s")?.next, "/t/2.m4s?x");
  assertEquals(segments.get("/t/2.m4s?x")?.next, undefined);
  assertEquals(titles.find("/t/1.m4s")?.rungs.length, 1);
  titles.learn(
    "/t/a.mpd",
    `<MPD mediaPresentationDuration="PT4S"><Period><AdaptationSet mimeType="video/mp4">
<Representation id="1" bandwidth="1"><SegmentList duration="4"><SegmentURL media="1.m4s"/></SegmentList></Representation>
<Representation id="2" bandwidth="2"><SegmentList duration="4"><SegmentURL media="9.m4s"/></SegmentList></Representation>
</AdaptationSet></Period></MPD>`,
  );
  assertEquals(titles.find("/t/1.m4s")?.rungs.length, 2);
});

Deno.test("Titles learns of a live manifest what is there now", () => {
  const titles = new Titles({
    targetOf: (url) => url.replace("http://o.test", ""),
    urlOf: (target) => `http://o.test${target}`,
  }, { wallMs: () => START + 61_000 });
  const { targets, segments } = titles.learn(
    "/live/now.mpd",
    `<MPD type="dynamic" availabilityStartTime="2026-11-26T12:00:00Z" timeShiftBufferDepth="PT12S">
<Period start="PT0S"><AdaptationSet mimeType="video/mp4">
<SegmentTemplate media="$Number$.m4s" initialization="i.mp4" duration="4" startNumber="1"/>
<Representation id="v" bandwidth="1000"/></AdaptationSet></Period></MPD>`,
  );
  assertEquals(targets, [
    "/live/i.mp4",
    ...[13, 14, 15].map((number) => `/live/${number}.m4s`),
  ]);
  assertEquals(segments.get("/live/14.m4s")?.next, "/live/15.m4s");
  assertEquals(segments.get("/live/15.m4s")?.next, undefined);
});
