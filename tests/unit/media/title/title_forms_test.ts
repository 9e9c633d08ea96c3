import { assert, assertEquals, assertThrows } from "@std/assert";
import { lecturePlan } from "../../../../lib/media/title/title_plan.ts";
import { concat, equalBytes } from "../../../../lib/core/bytes.ts";
import { openMpd } from "../../../../lib/dash/mpd/mpd.ts";
import { IndexReading } from "../../../../lib/dash/mpd/sidx.ts";
import {
  writeMaster,
  writePlaylist,
} from "../../../../lib/media/manifests/hls_writer.ts";
import {
  type Fragment,
  FragmentReader,
} from "../../../../lib/media/mp4/fragments.ts";
import { parseLadder, stepNames } from "../../../../lib/media/ladder.ts";
import { writeMpd } from "../../../../lib/media/manifests/mpd_writer.ts";
import {
  ADDRESSINGS,
  trueBandwidth,
} from "../../../../lib/media/manifests/published.ts";
import { SegmentMaker } from "../../../../lib/media/title/segment_maker.ts";
import {
  soundBytes,
  soundInit,
  soundSegment,
  titleFile,
  titleInit,
  wholeFile,
} from "../../../../lib/media/title/title.ts";
import { publishTitle } from "../../../../lib/media/title/title_published.ts";
import { wholeResource } from "../../../../roles/origin/site/whole_file.ts";

const URL_OF_MPD = "http://origin.example/manifest.mpd";

function nameOf(url: string | undefined): string {
  return (url ?? "").slice("http://origin.example/".length);
}

for (const addressing of ADDRESSINGS) {
  Deno.test(`the manifest with --addressing ${addressing} names what the title has`, () => {
    const plan = lecturePlan({
      addressing,
      audio: true,
      durationMs: 21_000,
      ladder: parseLadder("360p@300k,360p@600k,1080p"),
    });
    const mpd = openMpd(writeMpd(publishTitle(plan, 0)), URL_OF_MPD).at(0);
    assertEquals(mpd.durationMs, 21_000);
    const [video, audio] = mpd.periods[0]!.adaptationSets;
    assertEquals(
      [video?.contentType, audio?.contentType],
      ["video", "audio"],
    );
    for (const each of [...video!.representations, ...audio!.representations]) {
      const reading = new IndexReading(each);
      if (addressing === "base") {
        const file = titleFile(plan, nameOf(reading.next?.urls[0]));
        assert(file?.kind === "whole");
        const { first, last } = reading.next!.range!;
        const { head } = wholeFile(plan, file.rung);
        reading.take(head.subarray(first, last! + 1));
      }
      const { segments, initialization } = reading.representation;
      assertEquals(
        segments.map(({ startMs, durationMs }) => [startMs, durationMs]),
        [[0, 5000], [5000, 5000], [10_000, 5000], [15_000, 5000], [
          20_000,
          1000,
        ]],
      );
      for (const [at, segment] of segments.entries()) {
        const file = titleFile(plan, nameOf(segment.urls[0]));
        if (addressing === "base") {
          assertEquals(file?.kind, "whole");
        } else {
          assert(file?.kind === "segment");
          assertEquals(file.number, at + 1);
        }
      }
      const init = titleFile(plan, nameOf(initialization?.urls[0]));
      assertEquals(init?.kind, addressing === "base" ? "whole" : "init");
    }
  });
}

Deno.test("a rate as one file is its head and its segments, whatever part is asked for", async () => {
  const plan = lecturePlan({
    addressing: "base",
    durationMs: 2500,
    segmentMs: 1000,
    variation: 0.3,
  });
  const rung = plan.rungs[0]!;
  const maker = new SegmentMaker(plan, rung);
  const whole = concat(
    wholeFile(plan, rung).head,
    ...[1, 2, 3].map((number) => maker.make(number)),
  );
  const resource = wholeResource(plan, rung, {
    mediaType: "video/mp4",
    modifiedAtWallMs: 0,
    segment: (number) => maker.make(number),
  });
  assertEquals(resource.sizeBytes, whole.length);
  await using content = await resource.open();
  for (
    const [from, length] of [
      [0, whole.length],
      [0, 1],
      [whole.length - 1, 1],
      [700, 60_000],
      [55_000, 3],
    ] as const
  ) {
    assert(
      equalBytes(
        await content.read(from, length),
        whole.subarray(from, from + length),
      ),
      `${from} ${length}`,
    );
  }
});

Deno.test("a segment in chunks has the pictures and the size of one in one piece, and each chunk its share of it", () => {
  const shape = { segmentMs: 2000, durationMs: 21_000 };
  const whole = lecturePlan(shape);
  const chunked = lecturePlan({ ...shape, chunkMs: 500 });
  for (const number of [3, 11]) {
    for (const [at, rung] of whole.rungs.entries()) {
      const one = new SegmentMaker(whole, rung).make(number);
      const { bytes, sizeBytes, chunkEnds = [] } = new SegmentMaker(
        chunked,
        chunked.rungs[at]!,
      ).makePadded(number);
      assertEquals([bytes.length, sizeBytes], [one.length, one.length]);
      const read = (segment: Uint8Array) => {
        const parts = new FragmentReader().push(
          concat(titleInit(whole), segment),
        );
        return parts.flatMap((part) => part.kind === "fragment" ? [part] : []);
      };
      const [all] = read(one);
      const chunks = read(bytes);
      assertEquals(chunks.length, number === 3 ? 4 : 2);
      const samplesOf = ({ bytes, headBytes, sampleBytes }: Fragment) =>
        bytes.slice(headBytes + 8).subarray(
          0,
          sampleBytes.reduce((sum, each) => sum + each, 0),
        );
      assertEquals(concat(...chunks.map(samplesOf)), samplesOf(all!));
      // All but `styp`: dash.js measures from a moof to the end of its mdat, and took what stood elsewhere for nothing.
      const inChunks = chunks.reduce((sum, each) => sum + each.bytes.length, 0);
      assertEquals(inChunks, sizeBytes - 24);
      let ticks = all!.startTicks;
      for (const { startTicks, durationTicks } of chunks) {
        assertEquals(startTicks, ticks);
        ticks += durationTicks;
      }
      assertEquals(ticks, all!.startTicks + all!.durationTicks);
      const ends = chunkEnds.map((end) => end / sizeBytes * chunks.length);
      for (const [at, end] of ends.entries()) {
        assert(Math.abs(end - at - 1) < 0.5, String(ends));
      }
    }
  }
});

Deno.test("sound segments have the size that the plan says, whatever numbers are in them", () => {
  const plan = lecturePlan({ audio: true, durationMs: 24 * 3_600_000 });
  for (const number of [1, 2, 9, 100, 17_280]) {
    assertEquals(
      soundSegment(plan, number).sizeBytes,
      soundBytes(plan, number),
    );
  }
  assert(soundInit(plan).length > 500);
});

Deno.test("segments of uneven length have an S each in a list, as dash.js counts them, and runs of them elsewhere", () => {
  const written = (addressing: "list" | "time") => {
    const plan = lecturePlan({ addressing, durationMs: 20_000 });
    const title = publishTitle(plan, 0);
    const sets = title.sets.map((set) => ({
      ...set,
      segmentTicks: [90, 90, 90, 80],
      nominalTicks: 88,
    }));
    return writeMpd({ ...title, sets }).match(/<S .*\/>/g);
  };
  const each = [
    '<S t="0" d="90"/>',
    ...['<S d="90"/>', '<S d="90"/>', '<S d="80"/>'],
  ];
  const runs = ['<S t="0" d="90" r="2"/>', '<S d="80"/>'];
  assertEquals(written("list"), [...each, ...each, ...each]);
  assertEquals(written("time"), [...runs, ...runs, ...runs]);
});

Deno.test("playlists list the segments of the manifest, by name or by range", () => {
  const plan = lecturePlan({ audio: true, durationMs: 11_000 });
  const title = publishTitle(plan, 0);
  const master = writeMaster(title);
  assertEquals(master.match(/^video_(360|480|720).m3u8$/gm)?.length, 3);
  assert(master.includes('URI="audio.m3u8"'));
  assert(master.includes("RESOLUTION=854x480,FRAME-RATE=24.000"));
  const [video] = title.sets;
  const lines = writePlaylist(title, video!, video!.renditions[0]!).split("\n");
  assertEquals(lines.filter((line) => !line.startsWith("#")), [
    "video_360_1.m4s",
    "video_360_2.m4s",
    "video_360_3.m4s",
    "",
  ]);
  assertEquals(lines.filter((line) => line.startsWith("#EXTINF")), [
    "#EXTINF:5.000000,",
    "#EXTINF:5.000000,",
    "#EXTINF:1.000000,",
  ]);
  assertEquals(lines.at(-2), "#EXT-X-ENDLIST");
  const one = publishTitle({ ...plan, addressing: "base" }, 0);
  const rendition = one.sets[0]!.renditions[0]!;
  const ranges = [
    ...writePlaylist(one, one.sets[0]!, rendition)
      .matchAll(/^#EXT-X-BYTERANGE:(\d+)@(\d+)$/gm),
  ].map(([, length, offset]) => [Number(length), Number(offset)]);
  const { head, segmentBytes } = wholeFile(
    { ...plan, addressing: "base" },
    plan.rungs[0]!,
  );
  assertEquals(ranges[0], [segmentBytes[0]!, head.length]);
  assertEquals(ranges[1]![1], head.length + segmentBytes[0]!);
});

Deno.test("the manifest tells the shape of the pictures", () => {
  const title = publishTitle(lecturePlan(), 0);
  const shape = (...sizes: [number, number][]) => {
    const renditions = sizes.map(([width, height]) => ({
      ...title.sets[0]!.renditions[0]!,
      video: { width, height, frameRate: "24" },
    }));
    const sets = [{ ...title.sets[0]!, renditions }];
    return / par="([^"]*)"/.exec(writeMpd({ ...title, sets }))?.[1];
  };
  // Widths are even, so not quite what they should be.
  assertEquals(shape([172, 96]), "16:9");
  assertEquals(shape([102, 180], [202, 360]), "9:16");
  assertEquals(shape([480, 360]), "4:3");
  assertEquals(shape([720, 304]), "45:19");
});

Deno.test("a live title lists what has ended, at most two minutes of it", () => {
  const startWallMs = Date.UTC(2026, 10, 26);
  for (const addressing of ["number", "time"] as const) {
    const plan = lecturePlan({ startWallMs, addressing, segmentMs: 2000 });
    const at = (afterMs: number) => {
      const nowWallMs = startWallMs + afterMs;
      const text = writeMpd(publishTitle(plan, nowWallMs));
      return openMpd(text, URL_OF_MPD).at(nowWallMs).periods[0]!
        .adaptationSets[0]!.representations[0]!.segments;
    };
    assertEquals(at(6001).map(({ startMs }) => startMs), [0, 2000, 4000]);
    const later = at(1_000_500);
    assertEquals(later.at(-1)?.startMs, 998_000);
    assertEquals(later.length, 60);
    const file = titleFile(plan, nameOf(later.at(-1)?.urls[0]));
    assert(file?.kind === "segment");
    assertEquals(file.number, 500);
    // Another day's name is none of today.
    assertEquals(titleFile(plan, "video_720_20261125_7.m4s"), null);
  }
});

Deno.test("parseLadder reads heights and rates, sorts them, and names files apart", () => {
  const steps = parseLadder("720p@2.5M, 360p@400k,720p@1M,1080p");
  assertEquals(
    steps.map(({ height, bitsPerSecond }) => [height, bitsPerSecond]),
    [
      [360, 400_000],
      [720, 1_000_000],
      [720, 2_500_000],
      [1080, 5_000_000],
    ],
  );
  assertEquals(stepNames(steps), ["360", "720at1000k", "720at2500k", "1080"]);
  for (
    const text of [
      "",
      "720",
      "721p",
      "10p",
      "9000p",
      "720p@",
      "720p,720p",
      "720p@1",
    ]
  ) assertThrows(() => parseLadder(text), RangeError);
});

Deno.test("trueBandwidth is the least that has every segment there in time", () => {
  const one = { bytes: 1000, seconds: 1 };
  assertEquals(trueBandwidth([one, one, one], 1), 8000);
  // Two seconds are there before the first is due: less would be enough, but is not what it costs.
  assertEquals(trueBandwidth([one, one, one], 2), 8000);
  assertEquals(trueBandwidth([one, { bytes: 4000, seconds: 1 }], 1), 32_000);
});
