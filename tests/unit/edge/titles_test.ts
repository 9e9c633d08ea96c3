import { assertEquals } from "@std/assert";
import { Titles } from "../../../roles/edge/titles.ts";

const START = Date.UTC(2026, 10, 26, 12);

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
