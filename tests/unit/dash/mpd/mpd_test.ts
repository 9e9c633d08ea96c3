import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Mpd, parseMpd } from "../../../../lib/dash/mpd/mpd.ts";
import { MpdError } from "../../../../lib/dash/mpd/xml.ts";

const URL_OF_MPD = "http://video.example/title/manifest.mpd";

/** A static MPD of one minute around `inside`, on line 2 and after. */
function mpd(inside: string, attributes = ""): string {
  return `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" ${attributes} mediaPresentationDuration="PT1M">\n${inside}</MPD>`;
}

function parse(inside: string, attributes?: string): Mpd {
  return parseMpd(mpd(inside, attributes), URL_OF_MPD);
}

function oneRepresentation(segmentInfo: string, bandwidth = 1000) {
  return `<Period><AdaptationSet mimeType="video/mp4">\n<Representation id="r" bandwidth="${bandwidth}">\n${segmentInfo}</Representation></AdaptationSet></Period>`;
}

function representations(model: Mpd) {
  return model.periods[0]!.adaptationSets[0]!.representations;
}

function problemOf(inside: string): readonly [string, number] {
  const error = assertThrows(() => parse(inside), MpdError);
  return [error.code, error.line];
}

/** The manifest of the slide, with its attributes, in our own words. */
function slideMpd(): string {
  const rung = (id: number, height: number, rate: number) =>
    `<Representation id="${id}" mimeType="video/mp4" codecs="avc3.64001f" height="${height}" bandwidth="${rate}">
<SegmentList timescale="12288" duration="61440">
${
      Array.from(
        { length: 127 },
        (_, at) => `<SegmentURL media="video_${height}_${at + 1}.m4s"/>`,
      ).join("\n")
    }
</SegmentList>
</Representation>`;
  return `<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" minBufferTime="PT1.500S" type="static" mediaPresentationDuration="PT0H10M34.625S" profiles="urn:mpeg:dash:profile:full:2011">
<ProgramInformation><Title>A title</Title></ProgramInformation>
<Period duration="PT0H10M34.625S"><AdaptationSet segmentAlignment="true" bitstreamSwitching="true" maxHeight="720" par="16:9">
<SegmentList><Initialization sourceURL="manifest_set1_init.mp4"/></SegmentList>
${rung(2, 720, 1_981_800)}
${rung(1, 360, 600_000)}
</AdaptationSet></Period></MPD>`;
}

Deno.test("parseMpd reads the slide's manifest: 127 segments, one initialization for all rates", () => {
  const model = parseMpd(slideMpd(), URL_OF_MPD);
  assertEquals(model.title, "A title");
  assertEquals(model.durationMs, 634_625);
  assertEquals(model.minBufferMs, 1500);
  const [low, high] = representations(model);
  assertEquals([low?.id, low?.height, high?.id], ["1", 360, "2"]);
  assertEquals(high?.bitsPerSecond, 1_981_800);
  assertEquals(high?.codecs, "avc3.64001f");
  assertEquals(high?.initialization?.urls, [
    "http://video.example/title/manifest_set1_init.mp4",
  ]);
  assertEquals(high?.segments.length, 127);
  assertEquals(high?.segments[0], {
    urls: ["http://video.example/title/video_720_1.m4s"],
    range: undefined,
    number: 1,
    startMs: 0,
    durationMs: 5000,
  });
  assertEquals(high?.segments[126]?.startMs, 630_000);
  assertEquals(high?.segments[126]?.durationMs, 4625);
});

Deno.test("parseMpd applies BaseURLs at every level, alternatives in order", () => {
  const model = parseMpd(
    mpd(
      `<BaseURL>http://a.example/</BaseURL><BaseURL>http://b.example/x/</BaseURL>
<Period><BaseURL>p/</BaseURL><AdaptationSet><BaseURL>s/</BaseURL>
<Representation bandwidth="1"><BaseURL>r/</BaseURL><SegmentList duration="60"><SegmentURL media="1.m4s"/></SegmentList></Representation>
<Representation bandwidth="2"><BaseURL>http://c.example/</BaseURL><SegmentList duration="60"><SegmentURL media="2.m4s"/></SegmentList></Representation>
</AdaptationSet></Period>`,
    ),
    URL_OF_MPD,
  );
  assertEquals(representations(model).map((r) => r.segments[0]?.urls), [
    ["http://a.example/p/s/r/1.m4s", "http://b.example/x/p/s/r/1.m4s"],
    ["http://c.example/2.m4s"],
  ]);
});

Deno.test("parseMpd reads byte ranges of one file", () => {
  const [only] = representations(parse(oneRepresentation(
    `<BaseURL>all.mp4</BaseURL><SegmentList timescale="10" duration="300">
<Initialization range="0-861"/><SegmentURL mediaRange="862-1000"/><SegmentURL mediaRange="1001-"/></SegmentList>`,
  )));
  const urls = ["http://video.example/title/all.mp4"];
  assertEquals(only?.initialization, { urls, range: { first: 0, last: 861 } });
  assertEquals(only?.segments.map((segment) => segment.range), [
    { first: 862, last: 1000 },
    { first: 1001, last: undefined },
  ]);
  assertEquals(only?.segments[1]?.urls, urls);
});

Deno.test("parseMpd counts SegmentTemplate@duration to the end of the Period", () => {
  const [only] = representations(parse(oneRepresentation(
    '<SegmentTemplate timescale="90000" duration="630000" startNumber="0" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number%03d$-$Time$.m4s"/>',
  )));
  assertEquals(only?.initialization?.urls, [
    "http://video.example/title/r/init.mp4",
  ]);
  assertEquals(only?.segments.length, 9);
  assertEquals(only?.segments.at(-1), {
    urls: ["http://video.example/title/r/008-5040000.m4s"],
    range: undefined,
    number: 8,
    startMs: 56_000,
    durationMs: 4000,
  });
});

Deno.test("parseMpd makes no segment of a rounded remainder", () => {
  const count = (duration: string) =>
    representations(parseMpd(
      `<MPD mediaPresentationDuration="${duration}">${
        oneRepresentation('<SegmentTemplate duration="5" media="$Number$"/>')
      }</MPD>`,
      URL_OF_MPD,
    ))[0]?.segments.length;
  assertEquals(count("PT10S"), 2);
  assertEquals(count("PT10.0009S"), 2);
  assertEquals(count("PT10.002S"), 3);
  assertEquals(count("PT0.0001S"), 1);
});

Deno.test("parseMpd expands a SegmentTimeline with repeats, gaps and an open end", () => {
  const [only] = representations(parse(oneRepresentation(
    `<SegmentTemplate timescale="1000" startNumber="5" presentationTimeOffset="1000" media="$Number$_$Time$">
<SegmentTimeline><S t="1000" d="5000" r="1"/><S d="2000"/><S t="20000" d="10000" r="-1"/></SegmentTimeline></SegmentTemplate>`,
  )));
  assertEquals(
    only?.segments.map(({ urls, startMs, durationMs }) => [
      urls[0]?.slice("http://video.example/title/".length),
      startMs,
      durationMs,
    ]),
    [
      ["5_1000", 0, 5000],
      ["6_6000", 5000, 5000],
      ["7_11000", 10_000, 2000],
      ["8_20000", 19_000, 10_000],
      ["9_30000", 29_000, 10_000],
      ["10_40000", 39_000, 10_000],
      ["11_50000", 49_000, 10_000],
      ["12_60000", 59_000, 10_000],
    ],
  );
});

Deno.test('parseMpd ends r="-1" at the next S', () => {
  const [only] = representations(parse(oneRepresentation(
    '<SegmentTemplate media="$Time$"><SegmentTimeline><S t="0" d="4" r="-1"/><S t="12" d="6"/></SegmentTimeline></SegmentTemplate>',
  )));
  assertEquals(only?.segments.map((segment) => segment.startMs / 1000), [
    0,
    4,
    8,
    12,
  ]);
});

Deno.test('parseMpd ends r="-1" with the segment in which the Period ends, whatever the timescale', () => {
  const count = (periodSeconds: number, timescale: number) =>
    representations(parseMpd(
      `<MPD mediaPresentationDuration="PT${periodSeconds}S">${
        oneRepresentation(
          `<SegmentTemplate media="$Time$" timescale="${timescale}"><SegmentTimeline><S d="${
            2 * timescale
          }" r="-1"/></SegmentTimeline></SegmentTemplate>`,
        )
      }</MPD>`,
      URL_OF_MPD,
    ))[0]?.segments.length;
  for (const timescale of [1, 1000, 90_000]) {
    assertEquals([20, 21, 22].map((each) => count(each, timescale)), [
      ...[10, 11, 11],
    ]);
  }
});

Deno.test("parseMpd keeps 64-bit times exact", () => {
  const [only] = representations(parse(oneRepresentation(
    `<SegmentTemplate timescale="10000000" presentationTimeOffset="17639999999999999" media="$Time$">
<SegmentTimeline><S t="17639999999999999" d="20000000" r="1"/></SegmentTimeline></SegmentTemplate>`,
  )));
  assertEquals(only?.segments.map((segment) => segment.urls[0]), [
    "http://video.example/title/17639999999999999",
    "http://video.example/title/17640000019999999",
  ]);
  assertEquals(only?.segments[1]?.startMs, 2000);
});

Deno.test("parseMpd inherits segment attributes and children from the levels above", () => {
  const model = parse(
    `<Period><SegmentTemplate timescale="2" startNumber="3"/>
<AdaptationSet mimeType="video/mp4" codecs="avc1" width="640" height="360"><SegmentTemplate duration="60" media="$Bandwidth$_$Number$"/>
<Representation id="a" bandwidth="10"/>
<Representation id="b" bandwidth="5" height="180"><SegmentTemplate startNumber="8"/></Representation>
</AdaptationSet></Period>`,
  );
  const [b, a] = representations(model);
  assertEquals([a?.height, a?.width, a?.codecs], [360, 640, "avc1"]);
  assertEquals(b?.height, 180);
  const last = (r: typeof a) => r?.segments.at(-1)?.urls[0]?.split("/").at(-1);
  assertEquals([last(a), last(b)], ["10_4", "5_9"]);
});

Deno.test("parseMpd lines Periods up by start, duration and order", () => {
  const period = (attributes: string) =>
    oneRepresentation('<SegmentTemplate duration="10" media="$Number$"/>')
      .replace("<Period", `<Period ${attributes}`);
  const model = parse(
    period('duration="PT20S"') + period("") + period('start="PT50S"'),
  );
  assertEquals(
    model.periods.map((p) => [
      p.startMs,
      p.durationMs,
      p.adaptationSets[0]?.representations[0]?.segments.length,
    ]),
    [[0, 20_000, 2], [20_000, 30_000, 3], [50_000, 10_000, 1]],
  );
});

Deno.test("parseMpd lets a static Period without times begin where the segments before it end", () => {
  const period = oneRepresentation(
    '<SegmentTemplate media="$Time$"><SegmentTimeline><S t="0" d="4" r="1"/></SegmentTimeline></SegmentTemplate>',
  );
  const text = `<MPD>${period}${period}${period}</MPD>`;
  const { periods, durationMs } = parseMpd(text, URL_OF_MPD);
  assertEquals(periods.map(({ startMs }) => startMs), [0, 8000, 16_000]);
  assertEquals(durationMs, 24_000);
});

Deno.test("parseMpd passes over what it does not know", () => {
  const model = parse(
    `<Metrics/><Period><EventStream><Event>x</Event></EventStream>
<AdaptationSet xlink:href="urn:mpeg:dash:resolve-to-zero:2013"/><AdaptationSet contentType="video">
<SupplementalProperty/><ContentProtection schemeIdUri="x"><pssh>a</pssh></ContentProtection>
<Representation bandwidth="7" id="layer" dependencyId="base"/>
<Representation bandwidth="7" id="base" future="1"><SegmentList duration="60"><SegmentURL media="a"/></SegmentList></Representation></AdaptationSet></Period>`,
  );
  assertEquals(representations(model).map((r) => r.id), ["base"]);
});

const BAD: readonly [string, string, string, number][] = [
  ["no Period", "", "missing", 1],
  ["no AdaptationSet", "<Period/>", "missing", 2],
  ["a bad bandwidth", oneRepresentation("", -5), "bad-value", 3],
  ["no segments", oneRepresentation(""), "missing", 3],
  [
    "an index range that is none",
    oneRepresentation('<SegmentBase indexRange="5"/>'),
    "bad-value",
    4,
  ],
  [
    "a template without media",
    oneRepresentation('<SegmentTemplate duration="5"/>'),
    "missing",
    4,
  ],
  [
    "an unknown identifier",
    oneRepresentation('\n<SegmentTemplate duration="5" media="$Nummer$"/>'),
    "bad-value",
    5,
  ],
  [
    "timescale 0",
    oneRepresentation(
      '<SegmentTemplate timescale="0" duration="5" media="a"/>',
    ),
    "bad-value",
    4,
  ],
  [
    "duration 0",
    oneRepresentation('<SegmentTemplate duration="0" media="a"/>'),
    "bad-value",
    4,
  ],
  [
    "S@d 0",
    oneRepresentation(
      '<SegmentTemplate media="a"><SegmentTimeline>\n<S d="0"/></SegmentTimeline></SegmentTemplate>',
    ),
    "bad-value",
    5,
  ],
  [
    "a segment bomb",
    oneRepresentation(
      '<SegmentTemplate media="a"><SegmentTimeline>\n<S d="1" r="99999999999"/></SegmentTimeline></SegmentTemplate>',
    ),
    "too-large",
    5,
  ],
  [
    "segments of a microsecond",
    oneRepresentation(
      '<SegmentTemplate timescale="1000000" duration="1" media="a"/>',
    ),
    "too-large",
    4,
  ],
  [
    "numbers that run backwards",
    oneRepresentation(
      '<SegmentTemplate duration="5" startNumber="9" endNumber="3" media="a"/>',
    ),
    "bad-value",
    4,
  ],
  [
    "too many segments on too many hosts",
    oneRepresentation(
      '<BaseURL>a/</BaseURL><BaseURL>b/</BaseURL><SegmentTemplate endNumber="100001" duration="5" media="a"/>',
    ),
    "too-large",
    4,
  ],
  [
    "a local file",
    oneRepresentation(
      '<SegmentList duration="5"><SegmentURL media="file:///etc/passwd"/></SegmentList>',
    ),
    "bad-value",
    4,
  ],
  [
    "a bad range",
    oneRepresentation(
      '<SegmentList duration="5">\n<SegmentURL mediaRange="9-3"/></SegmentList>',
    ),
    "bad-value",
    5,
  ],
  [
    "a bad Period duration",
    '\n<Period duration="ten minutes"/>',
    "bad-value",
    3,
  ],
  [
    "a Period elsewhere",
    '<Period xlink:href="http://b.example/"/>',
    "missing",
    2,
  ],
];

for (const [what, inside, code, line] of BAD) {
  Deno.test(`parseMpd names code and line of ${what}`, () => {
    assertEquals(problemOf(inside), [code, line]);
  });
}

Deno.test("parseMpd refuses live manifests and other documents", () => {
  const codeOf = (text: string) =>
    assertThrows(() => parseMpd(text, URL_OF_MPD), MpdError).code;
  assertEquals(codeOf('<MPD type="dynamic"/>'), "unsupported");
  assertEquals(codeOf("<html><body/></html>"), "not-an-mpd");
});

Deno.test("parseMpd throws nothing but MpdError when bytes of a manifest are damaged", () => {
  const good = mpd(oneRepresentation(
    '<SegmentTemplate timescale="2" media="$Number%02d$"><SegmentTimeline><S t="1" d="30" r="2"/></SegmentTimeline></SegmentTemplate>',
  ));
  let refused = 0;
  for (let at = 0; at < good.length; at++) {
    for (const piece of ["", "-", "9", "$", '"']) {
      try {
        parseMpd(good.slice(0, at) + piece + good.slice(at + 1), URL_OF_MPD);
      } catch (error) {
        if (!(error instanceof MpdError)) throw error;
        refused += 1;
      }
    }
  }
  assert(refused > 100);
});
