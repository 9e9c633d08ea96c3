import { assert, assertEquals } from "@std/assert";
import { equalBytes, toHex, viewOf } from "../../../../lib/core/bytes.ts";
import { writeMpd } from "../../../../lib/media/manifests/mpd_writer.ts";
import { SegmentMaker } from "../../../../lib/media/title/segment_maker.ts";
import { titleFile, titleInit } from "../../../../lib/media/title/title.ts";
import {
  FRAMES_PER_SECOND,
  INIT_NAME,
  lecturePlan,
  minBufferSeconds,
  segmentBytes,
  segmentCount,
  segmentFrames,
} from "../../../../lib/media/title/title_plan.ts";
import { publishTitle } from "../../../../lib/media/title/title_published.ts";
import {
  RUNGS,
  SEGMENT_COUNT,
  segmentName,
  TITLE_FRAMES,
} from "../../../support/lecture_title.ts";

const PLAN = lecturePlan();

interface Box {
  readonly type: string;
  readonly content: Uint8Array;
}

function boxes(bytes: Uint8Array): Box[] {
  const found: Box[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = viewOf(bytes).getUint32(at);
    assert(size >= 8 && at + size <= bytes.length);
    found.push({
      type: String.fromCharCode(...bytes.subarray(at + 4, at + 8)),
      content: bytes.subarray(at + 8, at + size),
    });
    at += size;
  }
  return found;
}

function inside(bytes: Uint8Array, ...path: readonly string[]): Uint8Array {
  return path.reduce(
    (content, type) => boxes(content).find((box) => box.type === type)!.content,
    bytes,
  );
}

Deno.test("the title is as long as the slide's: 126 segments of 5 s and one of 4.625 s", () => {
  assertEquals(TITLE_FRAMES / FRAMES_PER_SECOND, 634.625);
  assertEquals(segmentCount(PLAN), 127);
  assertEquals(segmentFrames(PLAN, 1), 120);
  assertEquals(segmentFrames(PLAN, 127), 111);
  assertEquals(PLAN.totalFrames, TITLE_FRAMES);
});

Deno.test("titleFile knows the title's names and no others", () => {
  assertEquals(titleFile(PLAN, "manifest.mpd")?.kind, "manifest");
  assertEquals(titleFile(PLAN, INIT_NAME)?.kind, "init");
  assertEquals(titleFile(PLAN, "video_720_1.m4s"), {
    kind: "segment",
    rung: RUNGS[2]!,
    number: 1,
  });
  assertEquals(titleFile(PLAN, segmentName(360, 127))?.kind, "segment");
  for (
    const name of [
      "",
      "video_720_0.m4s",
      "video_720_01.m4s",
      "video_720_128.m4s",
      "video_1080_1.m4s",
      "video_720_1.M4S",
      "xvideo_720_1.m4s",
      "video_720_1.m4s/",
      "video_720_1e1.m4s",
      "video_720_99999999999999999999.m4s",
    ]
  ) assertEquals(titleFile(PLAN, name), null, name);
});

Deno.test("SegmentMaker makes the same bytes in any order, and keeps them from release to release", async () => {
  const digests: string[] = [];
  for (const rung of RUNGS) {
    const maker = new SegmentMaker(PLAN, rung);
    maker.make(9);
    const second = maker.make(2);
    assert(equalBytes(second, new SegmentMaker(PLAN, rung).make(2)));
    digests.push(
      toHex(new Uint8Array(await crypto.subtle.digest("SHA-1", second))),
    );
  }
  // A change here means that caches hold other bytes: set TITLE_MODIFIED_AT in lib/media/title/title_plan.ts to the day of the change.
  assertEquals(digests, [
    "3c35c14c8c72ba7b2814216c366496c6f31554c2",
    "47e47c3c3593ac3cf4a417ff4baca8713efa8359",
    "436b09476865c5419d47e384a834bb42977a40bb",
  ]);
});

Deno.test("segments are boxes a player knows, timed without gaps and padded to their size", () => {
  for (const rung of RUNGS) {
    const maker = new SegmentMaker(PLAN, rung);
    for (const number of [1, 64, 127]) {
      const segment = maker.make(number);
      assertEquals(segment.length, segmentBytes(PLAN, rung, number));
      assertEquals(boxes(segment).map((box) => box.type), [
        "styp",
        "moof",
        "mdat",
        "free",
      ]);
      const run = viewOf(inside(segment, "moof", "traf", "trun"));
      const count = run.getUint32(4);
      assertEquals(count, segmentFrames(PLAN, number));
      const time = viewOf(inside(segment, "moof", "traf", "tfdt"));
      assertEquals(Number(time.getBigUint64(4)), (number - 1) * 61_440);
      const moof = segment.length - 24 - 8 -
        inside(segment, "mdat").length - 8 - inside(segment, "free").length;
      assertEquals(run.getUint32(8), moof + 8);
      let sampleBytes = 0;
      for (let at = 0; at < count; at++) {
        sampleBytes += run.getUint32(16 + 4 * at);
      }
      assertEquals(sampleBytes, inside(segment, "mdat").length);
    }
  }
});

Deno.test("every segment is within 1 % of its nominal size, all together 310 MB", () => {
  let bytes = 0;
  for (const rung of RUNGS) {
    for (let number = 1; number <= SEGMENT_COUNT; number++) {
      const size = segmentBytes(PLAN, rung, number);
      const nominal = rung.bitsPerSecond / 8 * segmentFrames(PLAN, number) /
        FRAMES_PER_SECOND;
      assert(Math.abs(size / nominal - 1) <= 0.01);
      bytes += size;
    }
  }
  assert(Math.abs(bytes / 310e6 - 1) < 0.01);
});

Deno.test("with --vbr sizes vary by seed, hold on average what the MPD names, and bandwidth holds as ISO/IEC 23009-1 defines it", () => {
  for (const seed of [1, 2, 3]) {
    const plan = lecturePlan({ variation: 0.4, seed });
    const rung = plan.rungs[1]!;
    const sizes = Array.from(
      { length: SEGMENT_COUNT },
      (_, at) => segmentBytes(plan, rung, at + 1),
    );
    const nominal = rung.bitsPerSecond / 8 * 5;
    assert(Math.max(...sizes) > 1.3 * nominal);
    assert(Math.min(...sizes.slice(0, -1)) < 0.7 * nominal);
    const even = sizes.slice(0, 126).reduce((sum, size) => sum + size, 0);
    assert(Math.abs(even / (126 * nominal) - 1) < 0.001);
    // Whole segments, each when its first picture is due, from wherever one starts.
    for (let start = 0; start < sizes.length; start++) {
      let received = 0;
      for (let at = start; at < sizes.length; at++) {
        received += sizes[at]!;
        const dueSeconds = minBufferSeconds(plan) + 5 * (at - start);
        // All but the padding: the pictures come first, and take a tenth.
        const needed = received - 0.75 * sizes[at]!;
        assert(needed <= dueSeconds * rung.bitsPerSecond / 8, `${start} ${at}`);
      }
    }
  }
  const other = lecturePlan({ variation: 0.4, seed: 2 });
  const one = lecturePlan({ variation: 0.4, seed: 1 });
  assert(
    segmentBytes(one, RUNGS[0]!, 1) !== segmentBytes(other, RUNGS[0]!, 1),
  );
});

Deno.test("titleInit announces avc3 at the largest size, and that samples are no sync samples by default", () => {
  const init = titleInit(PLAN);
  assertEquals(boxes(init).map((box) => box.type), ["ftyp", "moov"]);
  const description = inside(init, "moov", "trak", "mdia", "minf", "stbl");
  const entry = boxes(inside(description, "stsd").subarray(8))[0]!;
  assertEquals(entry.type, "avc3");
  assertEquals(viewOf(entry.content).getUint16(24), 1280);
  const trex = viewOf(inside(init, "moov", "mvex", "trex"));
  assertEquals(trex.getUint32(20), 0x01010000);
});

Deno.test("the manifest lists every segment of every rate and escapes the title", () => {
  const plan = lecturePlan({ title: `Tom & "Jerry" <1>\u0000` });
  const mpd = writeMpd(publishTitle(plan, 0));
  for (const rung of RUNGS) {
    for (let number = 1; number <= SEGMENT_COUNT; number++) {
      assert(mpd.includes(`"${segmentName(rung.height, number)}"`));
    }
    assert(mpd.includes(`bandwidth="${rung.bitsPerSecond}"`));
  }
  assertEquals(mpd.match(/<SegmentURL /g)?.length, 3 * SEGMENT_COUNT);
  assert(mpd.includes("Tom &amp; &quot;Jerry&quot; &lt;1&gt;</Title>"));
  assert(mpd.includes('mediaPresentationDuration="PT0H10M34.625S"'));
});
