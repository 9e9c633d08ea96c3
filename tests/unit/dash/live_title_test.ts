import { assertEquals } from "@std/assert";
import { LiveTitle } from "../../../lib/dash/live_title.ts";
import { openMpd } from "../../../lib/dash/mpd/mpd.ts";

const START_MS = Date.UTC(2026, 10, 23, 12);
const URL_OF_MPD = "http://live.example/now/manifest.mpd";

function document(
  segments: string,
  attributes = 'minimumUpdatePeriod="PT10S"',
  type = "dynamic",
) {
  return openMpd(
    `<MPD type="${type}" availabilityStartTime="2026-11-23T12:00:00Z" timeShiftBufferDepth="PT20S" ${attributes}>
<Period id="1" start="PT0S"><AdaptationSet><Representation id="v" bandwidth="9">${segments}</Representation></AdaptationSet></Period></MPD>`,
    URL_OF_MPD,
  );
}

const NUMBERED = '<SegmentTemplate duration="5" media="$Number$"/>';

function timeline(...entries: readonly (readonly [number, number, number])[]) {
  return `<SegmentTemplate media="$Time$"><SegmentTimeline>${
    entries.map(([t, d, r]) => `<S t="${t}" d="${d}" r="${r}"/>`).join("")
  }</SegmentTimeline></SegmentTemplate>`;
}

/** Number and start in seconds of what there is `afterMs` after the start, and when to look again. */
function viewAt(title: LiveTitle, afterMs: number) {
  const view = title.positionsAt(START_MS + afterMs);
  return {
    list: view.tracks[0]!.positions.map((
      { number, startMs },
    ) => [number, startMs / 1000]),
    nextMs: view.nextAtWallMs - START_MS,
    ended: view.ended,
  };
}

Deno.test("LiveTitle counts segments through as they come and go", () => {
  const title = new LiveTitle(document(NUMBERED, ""), START_MS);
  // How long the first one is is not known yet: it is looked for twice a second.
  assertEquals(viewAt(title, 1000), { list: [], nextMs: 1500, ended: false });
  assertEquals(viewAt(title, 5000), {
    list: [[1, 0]],
    nextMs: 10_000,
    ended: false,
  });
  assertEquals(viewAt(title, 31_000).list, [[2, 10], [3, 15], [4, 20], [
    5,
    25,
  ]]);
  assertEquals(viewAt(title, 36_000).list, [[3, 15], [4, 20], [5, 25], [
    6,
    30,
  ]]);
});

Deno.test("LiveTitle sees segments as early as availabilityTimeOffset allows", () => {
  const early = NUMBERED.replace(
    "media",
    'availabilityTimeOffset="4" media',
  );
  const title = new LiveTitle(document(early, ""), START_MS);
  assertEquals(viewAt(title, 900).list, []);
  assertEquals(viewAt(title, 1000), {
    list: [[1, 0]],
    nextMs: 6000,
    ended: false,
  });
});

Deno.test("LiveTitle goes by the author's clock", () => {
  const title = new LiveTitle(document(NUMBERED, ""), START_MS);
  title.setOffset(7000);
  assertEquals(viewAt(title, 3000), {
    list: [[1, 0], [2, 5]],
    nextMs: 8000,
    ended: false,
  });
});

Deno.test("LiveTitle asks for the manifest after minimumUpdatePeriod, and when a timeline has no more", () => {
  const title = new LiveTitle(document(timeline([0, 5, 2])), START_MS + 15_000);
  const dueMs = (afterMs: number) => {
    viewAt(title, afterMs);
    return title.refreshAtWallMs(START_MS + afterMs) - START_MS;
  };
  // Three segments to 15 s; the fourth is there at 20 s.
  assertEquals(dueMs(15_000), 20_000);
  title.take(document(timeline([0, 5, 9])), START_MS + 20_000);
  // Now up to 50 s: the period counts.
  assertEquals(dueMs(20_000), 25_000);
  assertEquals(viewAt(title, 20_000).list.at(-1), [4, 15]);
  // The segment at 25 s is listed already: the period it is.
  assertEquals(dueMs(25_000), 30_000);
});

Deno.test("LiveTitle never asks for a manifest that does not change, nor more than twice a second", () => {
  const still = new LiveTitle(document(NUMBERED, ""), START_MS);
  assertEquals(still.refreshAtWallMs(START_MS), Infinity);
  const eager = new LiveTitle(
    document(NUMBERED, 'minimumUpdatePeriod="PT0S"'),
    START_MS + 12_000,
  );
  assertEquals(
    eager.refreshAtWallMs(START_MS + 12_000),
    START_MS + 15_000,
  );
});

Deno.test("LiveTitle keeps the numbers of segments through refreshes that drop, add and round", () => {
  const title = new LiveTitle(document(timeline([0, 5, 3])), START_MS);
  assertEquals(viewAt(title, 20_000).list, [[1, 0], [2, 5], [3, 10], [4, 15]]);
  title.take(
    document(
      '<SegmentTemplate media="$Time$" timescale="1000"><SegmentTimeline><S t="10010" d="4990"/><S d="5000" r="1"/></SegmentTimeline></SegmentTemplate>',
    ),
    START_MS + 25_000,
  );
  assertEquals(viewAt(title, 25_000).list, [[3, 10.01], [4, 15], [5, 20]]);
  // A hole: the number goes on, the place in time jumps.
  title.take(document(timeline([20, 5, 0], [30, 5, 0])), START_MS + 35_000);
  assertEquals(viewAt(title, 35_000).list, [[5, 20], [6, 30]]);
});

Deno.test("LiveTitle knows segments again that a manifest which lags behind had left out", () => {
  const title = new LiveTitle(document(timeline([0, 5, 3])), START_MS);
  const all = [[1, 0], [2, 5], [3, 10], [4, 15]];
  assertEquals(viewAt(title, 20_000).list, all);
  title.take(document(timeline([0, 5, 1])), START_MS + 21_000);
  assertEquals(viewAt(title, 21_000).list, [[1, 0], [2, 5]]);
  title.take(document(timeline([0, 5, 4])), START_MS + 25_000);
  assertEquals(viewAt(title, 25_000).list, [...all.slice(1), [5, 20]]);
});

Deno.test("LiveTitle ends when the manifest becomes static, with all that it lists", () => {
  const title = new LiveTitle(document(timeline([0, 5, 3])), START_MS);
  assertEquals(viewAt(title, 20_000).ended, false);
  title.take(
    document(
      timeline([0, 5, 6]),
      'mediaPresentationDuration="PT35S"',
      "static",
    ),
    START_MS + 21_000,
  );
  const { list, ended, nextMs } = viewAt(title, 21_000);
  assertEquals([list.at(-1), ended, nextMs], [[7, 30], true, Infinity]);
});

Deno.test("LiveTitle ends when all of a presentation of known length is there", () => {
  const title = new LiveTitle(
    document(NUMBERED, 'mediaPresentationDuration="PT12S"'),
    START_MS,
  );
  assertEquals(viewAt(title, 10_000).ended, false);
  const { list, ended } = viewAt(title, 15_000);
  assertEquals([list, ended], [[[1, 0], [2, 5], [3, 10]], true]);
});

Deno.test("LiveTitle is over when its time is, though nothing of it is left", () => {
  const title = new LiveTitle(
    document(NUMBERED, 'mediaPresentationDuration="PT12S"'),
    START_MS + 100_000,
  );
  const { list, ended, nextMs } = viewAt(title, 100_000);
  assertEquals([list, ended, nextMs], [[], true, Infinity]);
});

Deno.test("LiveTitle is over after availabilityEndTime, without the segment that was not done", () => {
  const title = new LiveTitle(
    document(NUMBERED, 'availabilityEndTime="2026-11-23T12:00:12Z"'),
    START_MS,
  );
  assertEquals(viewAt(title, 12_000).ended, false);
  const { list, ended } = viewAt(title, 17_000);
  assertEquals([list, ended], [[[1, 0], [2, 5]], true]);
});

Deno.test("LiveTitle that may be updated is over when a manifest fetched after the end has not put it off", () => {
  const until = (seconds: number) =>
    document(
      NUMBERED,
      `mediaPresentationDuration="PT${seconds}S" minimumUpdatePeriod="PT10S"`,
    );
  const title = new LiveTitle(until(10), START_MS + 9000);
  assertEquals(viewAt(title, 15_000).ended, false);
  title.take(until(20), START_MS + 15_000);
  assertEquals(viewAt(title, 21_000).ended, false);
  title.take(undefined, START_MS + 21_000);
  const { list, ended } = viewAt(title, 21_000);
  assertEquals([list.length, ended], [4, true]);
});

Deno.test("LiveTitle tells of what all encodings have, and has them in step", () => {
  const listing = (...spans: readonly (readonly [number, number])[]) => {
    const text =
      `<MPD type="dynamic" availabilityStartTime="2026-11-23T12:00:00Z" minimumUpdatePeriod="PT5S"><Period id="1" start="PT0S"><AdaptationSet contentType="video">${
        spans.map(([from, to], rate) =>
          `<Representation id="${rate}" bandwidth="${rate + 1}">${
            timeline([from, 5, (to - from) / 5 - 1])
          }</Representation>`
        ).join("")
      }</AdaptationSet></Period></MPD>`;
    const title = new LiveTitle(openMpd(text, URL_OF_MPD), START_MS);
    const { tracks } = title.positionsAt(START_MS + 100_000);
    return tracks[0]!.positions.map(({ startMs, choices }) => [
      startMs / 1000,
      choices.map(({ segment, representationId }) =>
        `${representationId}:${segment.startMs / 1000}`
      ).join(" "),
    ]);
  };
  const both = [[45, "0:45 1:45"], [50, "0:50 1:50"]];
  assertEquals(listing([45, 55], [45, 55]), both);
  // The first has one more, and has dropped one more.
  assertEquals(listing([45, 60], [40, 55]), both);
  assertEquals(listing([40, 55], [45, 60]), both);
  // One that is new comes in when the others have dropped what was before it.
  assertEquals(listing([0, 20], [15, 20]), [
    [10, "0:10"],
    [15, "0:15"],
  ]);
  // One that has stopped.
  assertEquals(listing([45, 65], [45, 50]), [
    [45, "0:45 1:45"],
    [50, "0:50"],
  ]);
});

Deno.test("LiveTitle joins behind the live edge as far as is wanted, or as the manifest wants", () => {
  const title = new LiveTitle(
    document(NUMBERED, 'suggestedPresentationDelay="PT8S"'),
    START_MS,
  );
  // 40 s: listed are 20 to 35 s.
  const nowWallMs = START_MS + 40_000;
  assertEquals(title.joinMs(nowWallMs), 32_000);
  assertEquals(title.joinMs(nowWallMs, 12_000), 28_000);
  assertEquals(title.joinMs(nowWallMs, 90_000), 20_000);
  assertEquals(title.joinMs(START_MS + 4000), undefined);
});

Deno.test("LiveTitle joins not so near the live edge that nothing follows, behind a gap, and in what a late manifest lists", () => {
  const title = new LiveTitle(document(NUMBERED, ""), START_MS);
  // 43 s: the newest ends at 40 s, and what comes after it can be had in 2 s.
  assertEquals(title.joinMs(START_MS + 43_000, 1000), 38_000);
  const early = NUMBERED.replace("media", 'availabilityTimeOffset="4" media');
  const low = new LiveTitle(document(early, ""), START_MS);
  assertEquals(low.joinMs(START_MS + 43_000, 1000), 42_000);
  const gaps = timeline([0, 5, 4], [32, 5, 9]);
  const gap = new LiveTitle(document(gaps, ""), START_MS);
  assertEquals(gap.joinMs(START_MS + 40_000, 12_000), 32_000);
  const late = new LiveTitle(document(timeline([0, 5, 5])), START_MS);
  assertEquals(late.joinMs(START_MS + 40_000, 6000), 25_000);
});
