import { assertEquals, assertThrows } from "@std/assert";
import {
  availableAtWallMs,
  joinAtMs,
  liveEdgeMs,
  readClock,
  targetLatencyMs,
} from "../../../../lib/dash/mpd/live.ts";
import { openMpd, parseMpd } from "../../../../lib/dash/mpd/mpd.ts";
import { MpdError } from "../../../../lib/dash/mpd/xml.ts";

const URL_OF_MPD = "http://live.example/now/manifest.mpd";
const START_MS = Date.UTC(2026, 10, 23, 12);

function live(inside: string, attributes = 'timeShiftBufferDepth="PT20S"') {
  return openMpd(
    `<MPD type="dynamic" availabilityStartTime="2026-11-23T12:00:00Z" ${attributes}>${inside}</MPD>`,
    URL_OF_MPD,
  );
}

const NUMBERED =
  '<Period id="1" start="PT0S"><AdaptationSet><Representation id="v" bandwidth="9"><SegmentTemplate startNumber="7" duration="5" media="$Number$"/></Representation></AdaptationSet></Period>';

/** Number and start in seconds of what there is so many ms after the start. */
function listAt(
  document: ReturnType<typeof live>,
  afterMs: number,
  period = 0,
) {
  const { periods } = document.at(START_MS + afterMs);
  return periods[period]!.adaptationSets[0]!.representations[0]!.segments
    .map(({ number, startMs }) => [number, startMs / 1000]);
}

Deno.test("a live template lists what has ended and is in the time shift buffer", () => {
  const document = live(NUMBERED);
  assertEquals(listAt(document, -60_000), []);
  assertEquals(listAt(document, 4999), []);
  assertEquals(listAt(document, 5000), [[7, 0]]);
  assertEquals(listAt(document, 19_999), [[7, 0], [8, 5], [9, 10]]);
  // At 31 s the buffer goes back to 11 s: into the segment that starts at 10 s.
  assertEquals(listAt(document, 31_000), [[9, 10], [10, 15], [11, 20], [
    12,
    25,
  ]]);
});

Deno.test("a live title has its newest segment, however shallow its time shift buffer is", () => {
  const shallow = 'timeShiftBufferDepth="PT0S"';
  const timeline = NUMBERED.replace(
    'duration="5" media="$Number$"/>',
    'media="$Number$"><SegmentTimeline><S t="0" d="5" r="-1"/></SegmentTimeline></SegmentTemplate>',
  );
  for (const form of [NUMBERED, timeline]) {
    assertEquals(listAt(live(form, shallow), 25_000), [[11, 20]]);
    assertEquals(listAt(live(form, shallow), 29_000), [[11, 20]]);
  }
});

Deno.test("targetLatencyMs is not more than the time shift buffer keeps", () => {
  const target = (attributes: string, wantedMs?: number) => {
    const told = live(NUMBERED, attributes).at(START_MS).live!;
    return targetLatencyMs(told, 5000, wantedMs);
  };
  assertEquals(target('timeShiftBufferDepth="PT20S"', 18_000), 18_000);
  assertEquals(target('timeShiftBufferDepth="PT20S"', 60_000), 20_000);
  const late = 'suggestedPresentationDelay="PT30S"';
  assertEquals(target(`${late} timeShiftBufferDepth="PT20S"`), 20_000);
  assertEquals(target(late), 30_000);
  assertEquals(target('timeShiftBufferDepth="PT0S"'), 10_000);
});

Deno.test("a live template without a time shift depth lists the newest segments only", () => {
  const document = live(NUMBERED, "");
  const list = listAt(document, 40_000_000_000);
  assertEquals(list.length, 5000);
  assertEquals(list.at(-1), [8_000_006, 39_999_995]);
});

Deno.test("availabilityTimeOffset lets segments be had early", () => {
  const early = NUMBERED.replace(
    "duration=",
    'availabilityTimeOffset="4.5" duration=',
  );
  assertEquals(listAt(live(early), 499), []);
  assertEquals(listAt(live(early), 500), [[7, 0]]);
});

Deno.test("a live Period that has ended keeps its last, shorter segment", () => {
  const document = live(
    NUMBERED.replace('start="PT0S"', 'start="PT0S" duration="PT12S"') +
      NUMBERED.replace('id="1" start="PT0S"', 'id="2"'),
  );
  assertEquals(listAt(document, 17_000), [[7, 0], [8, 5], [9, 10]]);
  assertEquals(listAt(document, 17_000, 1), [[7, 0]]);
});

Deno.test("a live Period without a place in time yet is left out until it has one", () => {
  const early = NUMBERED.replace('id="1" start="PT0S"', 'id="2"');
  const idsAt = (document: ReturnType<typeof live>) =>
    document.at(START_MS + 17_000).periods.map(({ id, startMs }) => [
      id,
      startMs,
    ]);
  const document = live(NUMBERED + early);
  assertEquals(idsAt(document), [["1", 0]]);
  assertEquals(document.at(START_MS + 17_000).warnings[0]?.line, 1);
  const ended = NUMBERED.replace(
    'start="PT0S"',
    'start="PT0S" duration="PT12S"',
  );
  assertEquals(idsAt(live(ended + early)), [["1", 0], ["2", 12_000]]);
});

Deno.test('a live timeline with r="-1" ends at the live edge', () => {
  const timeline = (last: string) =>
    `<Period><AdaptationSet><Representation bandwidth="9"><SegmentTemplate timescale="10" presentationTimeOffset="100" media="$Time$"><SegmentTimeline><S t="100" d="40" r="1"/>${last}</SegmentTimeline></SegmentTemplate></Representation></AdaptationSet></Period>`;
  const open = live(timeline('<S d="60" r="-1"/>'));
  assertEquals(listAt(open, 8000), [[1, 0], [2, 4]]);
  assertEquals(listAt(open, 20_000), [[1, 0], [2, 4], [3, 8], [4, 14]]);
  assertEquals(listAt(open, 3_600_000).length, 3);
  // What is written there may go on; what has not ended yet is not there.
  assertEquals(listAt(live(timeline('<S d="60" r="3"/>')), 14_000), [
    [1, 0],
    [2, 4],
    [3, 8],
  ]);
});

Deno.test("parseMpd reads what a live manifest says of itself", () => {
  const { live: told, locations, durationMs } = live(
    `<Location>next.mpd</Location><ServiceDescription><Latency target="3000" min="2000"/><PlaybackRate min="0.96" max="1.04"/></ServiceDescription>${NUMBERED}<UTCTiming schemeIdUri="urn:mpeg:dash:utc:ntp:2014" value="ntp.example"/><UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="/time"/><UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-head:2014" value="http://t.example/ http://u.example/"/><UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="2026-11-23T12:00:00.25Z"/>`,
    'minimumUpdatePeriod="PT5S" suggestedPresentationDelay="PT10S" publishTime="2026-11-23T13:00:00+01:00"',
  ).at(START_MS + 20_000);
  assertEquals(locations, ["http://live.example/now/next.mpd"]);
  assertEquals(durationMs, 20_000);
  assertEquals(told, {
    startWallMs: START_MS,
    timeShiftMs: Infinity,
    updateMs: 5000,
    delayMs: 10_000,
    publishWallMs: START_MS,
    endWallMs: undefined,
    latency: { targetMs: 3000, minMs: 2000, maxMs: undefined },
    playbackRate: { min: 0.96, max: 1.04 },
    totalMs: undefined,
    clocks: [
      { kind: "get", url: "http://live.example/time" },
      { kind: "head", url: "http://t.example/" },
      { kind: "direct", wallMs: START_MS + 250 },
    ],
  });
});

Deno.test("liveEdgeMs, availableAtWallMs and joinAtMs follow the wall clock", () => {
  const told = live(NUMBERED, 'suggestedPresentationDelay="PT8S"').at(START_MS)
    .live!;
  assertEquals(liveEdgeMs(told, START_MS + 1234), 1234);
  assertEquals(availableAtWallMs(told, 5000), START_MS + 5000);
  const join = (afterMs: number, targetMs?: number) =>
    joinAtMs(told, {
      nowWallMs: START_MS + afterMs,
      segmentMs: 5000,
      targetMs,
    });
  assertEquals(join(60_000), 52_000);
  assertEquals(join(60_000, 3000), 57_000);
  assertEquals(join(2000), 0);
});

Deno.test("readClock takes the forms servers answer with, as UTC without a zone", () => {
  for (
    const text of [
      "2026-11-23T12:00:00Z\n",
      "2026-11-23T12:00:00",
      "2026-11-23T13:00:00.000+01:00",
      "Mon, 23 Nov 2026 12:00:00 GMT",
    ]
  ) assertEquals(readClock(text), START_MS);
  assertEquals(readClock("<html>"), undefined);
});

Deno.test("parseMpd refuses live manifests without a start, or when it is not told the time", () => {
  const codeOf = (read: () => unknown) => assertThrows(read, MpdError).code;
  assertEquals(
    codeOf(() => openMpd('<MPD type="dynamic"/>', URL_OF_MPD).at(0)),
    "missing",
  );
  assertEquals(
    codeOf(() => parseMpd('<MPD type="dynamic"/>', URL_OF_MPD)),
    "unsupported",
  );
  assertEquals(
    codeOf(() =>
      openMpd(
        '<MPD type="dynamic" availabilityStartTime="yesterday"/>',
        URL_OF_MPD,
      ).at(0)
    ),
    "bad-value",
  );
});
