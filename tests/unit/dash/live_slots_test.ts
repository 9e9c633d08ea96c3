import { assertEquals } from "@std/assert";
import { liveSlotOf, ROOM_PIECES } from "../../../lib/dash/live_slots.ts";
import { openMpd } from "../../../lib/dash/mpd/mpd.ts";

const HOUR_MS = 3_600_000;

/** A live title of `segmentMs`, looked at after an hour and a half, as one who came a minute later sees it. */
function slotsOf(segmentMs: number, nowMs = 1.5 * HOUR_MS + 1000) {
  const mpd = openMpd(
    `<MPD type="dynamic" availabilityStartTime="1970-01-01T00:00:00Z" timeShiftBufferDepth="PT1M"><Period start="PT0S">
      <AdaptationSet contentType="video"><SegmentTemplate media="v$RepresentationID$_$Number$" duration="${segmentMs}" timescale="1000"/>
        <Representation id="a" bandwidth="1"/><Representation id="b" bandwidth="2"/></AdaptationSet>
      <AdaptationSet contentType="audio"><SegmentTemplate media="s_$Number$" duration="${segmentMs}" timescale="1000"/>
        <Representation id="s" bandwidth="1"/></AdaptationSet></Period></MPD>`,
    "http://cdn/live.mpd",
  ).at(nowMs);
  return (name: string) =>
    liveSlotOf(mpd, { urls: [`http://cdn/${name}`], range: undefined });
}

Deno.test("liveSlotOf gives each segment of each Representation a piece of its own, in a room for half an hour", () => {
  const at = slotsOf(2000);
  // The newest: from 5398 s to 5400 s.
  assertEquals(at("va_2700"), { room: 2, pieceIndex: 1798 * 2 * 32 });
  assertEquals(at("vb_2700"), { room: 2, pieceIndex: 1798 * 2 * 32 + 1 });
  assertEquals(at("s_2700"), { room: 2, pieceIndex: 1798 * 2 * 32 + 2 });
  assertEquals(slotsOf(2000, 1.5 * HOUR_MS + 2000)("va_2701"), {
    ...{ room: 3, pieceIndex: 0 },
  });
  const seen = new Set<number>();
  for (let number = 10_741; number <= 10_800; number++) {
    seen.add(slotsOf(500)(`va_${number}`)!.pieceIndex);
  }
  assertEquals([seen.size, Math.max(...seen) < ROOM_PIECES], [60, true]);
});

Deno.test("liveSlotOf is the same for one who looks later, and leaves out what cannot be shared", () => {
  const later = slotsOf(2000, 1.5 * HOUR_MS + 40_000);
  assertEquals(later("va_2700"), slotsOf(2000)("va_2700"));
  assertEquals(later("va_1"), undefined);
  // Two of these would be one piece.
  assertEquals(slotsOf(400)("va_13500"), undefined);
  const range = { first: 0, last: 9 };
  const mpd = { periods: [] };
  assertEquals(liveSlotOf(mpd, { urls: ["http://cdn/x"], range }), undefined);
});
