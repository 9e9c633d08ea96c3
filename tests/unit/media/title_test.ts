import { assert, assertEquals } from "@std/assert";
import { equalBytes, toHex, viewOf } from "../../../lib/core/bytes.ts";
import {
  FRAMES_PER_SECOND,
  INIT_NAME,
  RUNGS,
  SEGMENT_COUNT,
  SEGMENT_FRAMES,
  segmentBytes,
  segmentFrames,
  SegmentMaker,
  segmentName,
  TITLE_FRAMES,
  titleFile,
  titleInit,
} from "../../../lib/media/title.ts";
import { MIN_BUFFER_SECONDS, titleMpd } from "../../../lib/media/title_mpd.ts";

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
  assertEquals(SEGMENT_COUNT, 127);
  assertEquals(segmentFrames(1), 120);
  assertEquals(segmentFrames(127), 111);
});

Deno.test("titleFile knows the title's names and no others", () => {
  assertEquals(titleFile("manifest.mpd")?.kind, "manifest");
  assertEquals(titleFile(INIT_NAME)?.kind, "init");
  assertEquals(titleFile("video_720_1.m4s"), {
    kind: "segment",
    rung: RUNGS[2]!,
    number: 1,
  });
  assertEquals(titleFile(segmentName(360, 127))?.kind, "segment");
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
  ) assertEquals(titleFile(name), null, name);
});

Deno.test("SegmentMaker makes the same bytes in any order, and keeps them from release to release", async () => {
  const digests: string[] = [];
  for (const rung of RUNGS) {
    const maker = new SegmentMaker("Test card", rung);
    maker.make(9);
    const second = maker.make(2);
    assert(equalBytes(second, new SegmentMaker("Test card", rung).make(2)));
    digests.push(
      toHex(new Uint8Array(await crypto.subtle.digest("SHA-1", second))),
    );
  }
  // A change here means that caches hold other bytes: set TITLE_MODIFIED_AT in lib/media/title.ts to the day of the change.
  assertEquals(digests, [
    "30ef501eb775f2e47f989cfd257c80e4af37e88a",
    "b0dd8fb90e88b6bb040f3b54397ccc7902765b5b",
    "6ffced4a588721737a1bb46d7b837d8859b1d507",
  ]);
});

Deno.test("segments are boxes a player knows, timed without gaps and padded to their size", () => {
  for (const rung of RUNGS) {
    const maker = new SegmentMaker("Test card", rung);
    for (const number of [1, 64, 127]) {
      const segment = maker.make(number);
      assertEquals(segment.length, segmentBytes(rung, number));
      assertEquals(boxes(segment).map((box) => box.type), [
        "styp",
        "moof",
        "mdat",
        "free",
      ]);
      const run = viewOf(inside(segment, "moof", "traf", "trun"));
      const count = run.getUint32(4);
      assertEquals(count, segmentFrames(number));
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

Deno.test("segments hold on average what the MPD names, and each is within 5 % of it", () => {
  for (const rung of RUNGS) {
    let bytes = 0;
    for (let number = 1; number <= SEGMENT_COUNT; number++) {
      const size = segmentBytes(rung, number);
      const nominal = rung.bitsPerSecond / 8 * segmentFrames(number) /
        FRAMES_PER_SECOND;
      assert(Math.abs(size / nominal - 1) <= 0.0501);
      bytes += size;
    }
    const average = 8 * bytes / (TITLE_FRAMES / FRAMES_PER_SECOND);
    assert(Math.abs(average / rung.bitsPerSecond - 1) < 0.001);
  }
});

Deno.test("bandwidth holds as ISO/IEC 23009-1 defines it, from whichever segment one starts", () => {
  for (const rung of RUNGS) {
    const maker = new SegmentMaker("Test card", rung);
    /** Bytes up to the end of each sample of a segment. */
    const ends = (number: number) => {
      const segment = maker.make(number);
      const run = viewOf(inside(segment, "moof", "traf", "trun"));
      let at = 24 + 8 + inside(segment, "moof").length + 8;
      return Array.from(
        { length: segmentFrames(number) },
        (_, sample) => at += run.getUint32(16 + 4 * sample),
      );
    };
    // Sizes repeat every five segments, pictures hardly differ: one round from each start shows the worst case.
    const samples = new Map([1, 2, 3, 4, 5].map((n) => [n, ends(n)]));
    for (let start = 1; start <= 5; start++) {
      let before = 0;
      for (let number = start; number < start + 10; number++) {
        const inRound = (number - 1) % 5 + 1;
        for (const [frame, end] of samples.get(inRound)!.entries()) {
          const playedSeconds = (number - start) * 5 +
            frame / FRAMES_PER_SECOND;
          const received = (MIN_BUFFER_SECONDS + playedSeconds) *
            rung.bitsPerSecond / 8;
          assert(
            before + end <= received,
            `${rung.height} ${start} ${number} ${frame}`,
          );
        }
        before += segmentBytes(rung, inRound);
      }
    }
  }
});

Deno.test("titleInit announces avc3 at the largest size, and that samples are no sync samples by default", () => {
  const init = titleInit();
  assertEquals(boxes(init).map((box) => box.type), ["ftyp", "moov"]);
  const description = inside(init, "moov", "trak", "mdia", "minf", "stbl");
  const entry = boxes(inside(description, "stsd").subarray(8))[0]!;
  assertEquals(entry.type, "avc3");
  assertEquals(viewOf(entry.content).getUint16(24), 1280);
  const trex = viewOf(inside(init, "moov", "mvex", "trex"));
  assertEquals(trex.getUint32(20), 0x01010000);
});

Deno.test("titleMpd lists every segment of every rate and escapes the title", () => {
  const mpd = titleMpd(`Tom & "Jerry" <1>\u0000`);
  for (const rung of RUNGS) {
    for (let number = 1; number <= SEGMENT_COUNT; number++) {
      assert(mpd.includes(`"${segmentName(rung.height, number)}"`));
    }
    assert(mpd.includes(`bandwidth="${rung.bitsPerSecond}"`));
  }
  assertEquals(mpd.match(/<SegmentURL /g)?.length, 3 * SEGMENT_COUNT);
  assert(mpd.includes("Tom &amp; &quot;Jerry&quot; &lt;1&gt;</Title>"));
  assert(mpd.includes('mediaPresentationDuration="PT0H10M34.625S"'));
  assertEquals(SEGMENT_FRAMES / FRAMES_PER_SECOND, 5);
});
