import { assertEquals, assertThrows } from "@std/assert";
import { parseMpd } from "../../../../lib/dash/mpd/mpd.ts";
import { MpdError } from "../../../../lib/dash/mpd/xml.ts";
import { planTitle } from "../../../../lib/dash/title.ts";

// Manifests of a few kilobytes, or within the limit of 16 MiB, that would take gigabytes or minutes.

const URL_OF_MPD = "http://video.example/manifest.mpd";

function mpd(inside: string): string {
  return `<MPD type="static" mediaPresentationDuration="PT10S">${inside}</MPD>`;
}

function withRepresentation(segmentInfo: string, id = "a"): string {
  return `<Period><AdaptationSet contentType="video">
    <Representation id="${id}" bandwidth="1000">${segmentInfo}</Representation>
  </AdaptationSet></Period>`;
}

const MANY =
  '<SegmentTemplate timescale="1000" media="$Number$"><SegmentTimeline><S d="1" r="199990"/></SegmentTimeline></SegmentTemplate>';

const TOO_LARGE: readonly [string, string][] = [
  [
    "many segments below a long BaseURL",
    `<BaseURL>http://b.example/${"b".repeat(4000)}/</BaseURL>${
      withRepresentation(MANY)
    }`,
  ],
  [
    "a BaseURL of a megabyte",
    `<BaseURL>http://b.example/${"b".repeat(2 ** 20)}/</BaseURL>${
      withRepresentation(MANY)
    }`,
  ],
  [
    "BaseURLs that grow from level to level",
    `<BaseURL>http://b.example/${"b".repeat(4000)}/</BaseURL>
     <Period><BaseURL>${"c".repeat(4000)}/</BaseURL></Period>`,
  ],
  [
    "more segments than there are atoms",
    withRepresentation(
      MANY.replace("199990", "9999999999999999999"),
    ),
  ],
  [
    "a timescale that makes segments of no length",
    withRepresentation(
      '<SegmentTemplate timescale="9007199254740991" duration="1" media="x"/>',
    ),
  ],
];

for (const [what, inside] of TOO_LARGE) {
  Deno.test(`parseMpd refuses ${what}`, () => {
    const error = assertThrows(
      () => parseMpd(mpd(inside), URL_OF_MPD),
      MpdError,
    );
    assertEquals(error.code, "too-large");
  });
}

Deno.test("parseMpd refuses a template that fills in a long identifier many times", () => {
  const media = "$RepresentationID$".repeat(200);
  const template = `<SegmentTemplate duration="5" media="${media}"/>`;
  const text = mpd(withRepresentation(template, "i".repeat(1_000_000)));
  const error = assertThrows(() => parseMpd(text, URL_OF_MPD), MpdError);
  assertEquals(error.code, "bad-value");
});

Deno.test("parseMpd and planTitle take 150,000 Representations in one set", () => {
  const count = 150_000; // More than a call may have arguments, and squared more than anyone would wait for.
  const text = mpd(`<Period><AdaptationSet contentType="video">
    <SegmentList duration="10"><SegmentURL media="s"/></SegmentList>
    ${'<Representation bandwidth="1000"/>'.repeat(count)}
  </AdaptationSet></Period>`);
  const positions = planTitle(parseMpd(text, URL_OF_MPD));
  assertEquals(positions.length, 1);
  assertEquals(positions[0]!.choices.length, count);
});

Deno.test("parseMpd takes the first of 300,000 BaseURLs", () => {
  const bases = "<BaseURL>http://b.example/</BaseURL>".repeat(300_000);
  const text = mpd(
    bases +
      withRepresentation('<SegmentTemplate duration="10" media="s"/>'),
  );
  const [period] = parseMpd(text, URL_OF_MPD).periods;
  const [set] = period!.adaptationSets;
  assertEquals(set!.representations[0]!.segments[0]!.urls, [
    "http://b.example/s",
  ]);
});
