import { assertEquals } from "@std/assert";
import { type Mpd, parseMpd } from "../../../../lib/dash/mpd/mpd.ts";

/** A static MPD of one minute around `inside`, on line 2 and after. */
function parse(inside: string): Mpd {
  return parseMpd(
    `<MPD type="static" mediaPresentationDuration="PT1M">\n${inside}</MPD>`,
    "http://video.example/title/manifest.mpd",
  );
}

function representations(model: Mpd) {
  return model.periods[0]!.adaptationSets[0]!.representations;
}

Deno.test("parseMpd takes a file without segment information for one segment, when a BaseURL names it", () => {
  const [only] = representations(parse(
    "<Period><AdaptationSet><Representation bandwidth='9'><BaseURL>subtitles.vtt</BaseURL></Representation></AdaptationSet></Period>",
  ));
  assertEquals(only?.segments, [{
    urls: ["http://video.example/title/subtitles.vtt"],
    range: undefined,
    number: 1,
    startMs: 0,
    durationMs: 60_000,
  }]);
});

Deno.test("parseMpd names the service location of each place, and sorts places by DVB's priority", () => {
  const [only] = representations(parse(
    `<BaseURL serviceLocation="far" dvb:priority="2">http://far.example/</BaseURL><BaseURL serviceLocation="near">http://near.example/</BaseURL>` +
      '<Period><AdaptationSet><Representation bandwidth="9"><BaseURL>v/</BaseURL><SegmentTemplate duration="60" media="1"/></Representation></AdaptationSet></Period>',
  ));
  assertEquals(only?.bases, [
    {
      url: "http://near.example/v/",
      serviceLocation: "near",
      priority: 1,
      weight: undefined,
    },
    {
      url: "http://far.example/v/",
      serviceLocation: "far",
      priority: 2,
      weight: undefined,
    },
  ]);
  assertEquals(only?.segments[0]?.urls, [
    "http://near.example/v/1",
    "http://far.example/v/1",
  ]);
});

Deno.test("parseMpd leaves out what it cannot use and says so, as long as something is left", () => {
  const good =
    '<AdaptationSet id="7" mimeType="audio/mp4" lang="de"><Role value="main"/><Representation bandwidth="1" id="a"><SegmentTemplate duration="60" media="a"/></Representation></AdaptationSet>';
  const model = parse(
    `<Period><AdaptationSet mimeType="application/ttml+xml">\n<Representation bandwidth="1" id="t"/></AdaptationSet>
${good}</Period>
<Period start="PT1M" xlink:href="http://ads.example/"/>`,
  );
  assertEquals(model.warnings.map(({ line }) => line), [3, 5, 5]);
  const [set] = model.periods[0]!.adaptationSets;
  assertEquals([set?.id, set?.contentType, set?.language, set?.roles], [
    "7",
    "audio",
    "de",
    ["main"],
  ]);
  assertEquals(model.periods.length, 1);
});

Deno.test("parseMpd takes an initialization template that names a segment as it is written, and says so once", () => {
  const model = parse(
    `<Period><AdaptationSet>
<SegmentTemplate duration="60" media="$Number$" initialization="$RepresentationID$-$Number%03d$-$Time$"/>
<Representation id="a" bandwidth="1"/><Representation id="b" bandwidth="2"/></AdaptationSet></Period>`,
  );
  assertEquals(
    representations(model).map(({ initialization }) => initialization?.urls),
    ["a", "b"].map((id) => [
      `http://video.example/title/${id}-$Number%03d$-$Time$`,
    ]),
  );
  assertEquals(model.warnings.map(({ line }) => line), [3]);
});
