import { assertEquals } from "@std/assert";
import { Chunks } from "../../../lib/dash/chunks.ts";
import { concat, utf8 } from "../../../lib/core/bytes.ts";
import { fragmentMs, readSampleTimes } from "../../../lib/dash/sample_times.ts";
import { SegmentMaker } from "../../../lib/media/title/segment_maker.ts";
import {
  soundInit,
  soundSegment,
  titleInit,
} from "../../../lib/media/title/title.ts";
import { lecturePlan } from "../../../lib/media/title/title_plan.ts";

/** A box of so many bytes. */
function box(type: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, size);
  bytes.set(utf8(type), 4);
  return bytes;
}

/** A chunk of 4000 bytes. */
const CHUNK = concat(box("moof", 100), box("mdat", 3900));

/** Hands over parts, each so long after the one before. */
function idleOf(parts: readonly (readonly [number, Uint8Array])[]): number {
  const gaps = new Chunks();
  let atMs = 0;
  for (const [afterMs, part] of parts) gaps.push(part, atMs += afterMs);
  return gaps.idleMs;
}

Deno.test("Chunks counts the time between chunks in which nothing was there to send", () => {
  assertEquals(
    idleOf([[50, CHUNK], [200, CHUNK], [190, CHUNK]]),
    390,
  );
  const halves = [CHUNK.subarray(0, 2000), CHUNK.subarray(2000)] as const;
  assertEquals(
    idleOf([[0, halves[0]], [5, halves[1]], [200, halves[0]], [5, halves[1]]]),
    200,
  );
  // Boxes before a chunk are its; a wide box is one as well.
  const wide = concat(
    new Uint8Array([0, 0, 0, 1, ...utf8("mdat"), 0, 0, 0, 0, 0, 0, 0, 20]),
    new Uint8Array(4),
  );
  assertEquals(
    idleOf([[0, box("styp", 24)], [10, wide], [100, box("prft", 24)]]),
    100,
  );
});

Deno.test("Chunks takes a slow link for a slow link, however bytes are cut", () => {
  const whole = concat(CHUNK, CHUNK, CHUNK);
  for (const size of [1, 7, 100, 1000, 1448, 4000]) {
    const parts: [number, Uint8Array][] = [];
    for (let at = 0; at < whole.length; at += size) {
      parts.push([10, whole.subarray(at, at + size)]);
    }
    // A part for each chunk tells nothing of what is between two parts of one.
    assertEquals(idleOf(parts), size === 4000 ? 20 : 0, String(size));
  }
});

Deno.test("Chunks has nothing to tell of what is no MP4", () => {
  for (const text of ["<?xml", "\0\0\0\0", "\0\0\0\x03abcdefgh", ""]) {
    const parts = [...utf8(text.padEnd(40, "x"))].map((byte) =>
      [10, new Uint8Array([byte])] as const
    );
    assertEquals(idleOf(parts), 0, JSON.stringify(text));
  }
});

const PLAN = lecturePlan({ segmentMs: 2000, chunkMs: 500, audio: true });

Deno.test("Chunks tells how much media has come whole, however bytes are cut", () => {
  const picture = new SegmentMaker(PLAN, PLAN.rungs[0]!).makePadded(3);
  const sound = soundSegment(PLAN, 3);
  for (
    const [init, { bytes, chunkEnds = [] }] of [
      [titleInit(PLAN), picture],
      [soundInit(PLAN), sound],
    ] as const
  ) {
    const times = readSampleTimes(init);
    assertEquals(chunkEnds.length, 4);
    for (const size of [1, 100, 1448, bytes.length]) {
      const chunks = new Chunks(times);
      let whole = 0;
      for (let at = 0; at < bytes.length; at += size) {
        chunks.push(bytes.subarray(at, at + size), at);
        const end = Math.min(at + size, bytes.length);
        whole = chunkEnds.filter((each) => each <= end).length;
        assertEquals(chunks.mediaMs, whole * 500, `${size} ${at}`);
      }
      assertEquals(whole, 4);
    }
  }
  const untold = new Chunks();
  untold.push(picture.bytes, 0);
  assertEquals(untold.mediaMs, 0);
});

/** A box with content. */
function boxOf(type: string, ...words: readonly (number | Uint8Array)[]) {
  const content = concat(...words.map((word) => {
    if (typeof word !== "number") return word;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, word);
    return bytes;
  }));
  const whole = box(type, 8 + content.length);
  whole.set(content, 8);
  return whole;
}

Deno.test("fragmentMs adds up what trun, tfhd or trex say of samples", () => {
  const times = { timescale: 1000, sampleTicks: 40 };
  const moof = (...track: Uint8Array[]) =>
    boxOf("moof", boxOf("traf", ...track));
  const plain = boxOf("tfhd", 0x020000, 1);
  // With base data offset, description index and default duration.
  const told = boxOf("tfhd", 0x00000b, 1, 0, 0, 1, 20);
  const run = boxOf("trun", 0x000205, 3, 0, 0, 1, 1, 1);
  // Data offset, then duration and size of each.
  const each = boxOf("trun", 0x000301, 2, 0, 33, 1, 34, 1);
  assertEquals(fragmentMs(moof(plain, run), times), 120);
  assertEquals(fragmentMs(moof(told, run), times), 60);
  assertEquals(fragmentMs(moof(told, each), times), 67);
  assertEquals(fragmentMs(moof(plain, each, run), times), 187);
  assertEquals(fragmentMs(boxOf("moof", boxOf("mfhd", 0, 1)), times), 0);
});

Deno.test("readSampleTimes and fragmentMs make nothing of what is cut off or none", () => {
  const times = { timescale: 1000, sampleTicks: 40 };
  const init = titleInit(PLAN);
  assertEquals(readSampleTimes(init), { timescale: 12_288, sampleTicks: 512 });
  for (let end = 0; end < init.length; end++) {
    assertEquals(readSampleTimes(init.subarray(0, end)), undefined);
  }
  const { bytes } = new SegmentMaker(PLAN, PLAN.rungs[0]!).makePadded(3);
  for (let at = 0; at < 400; at++) {
    fragmentMs(bytes.subarray(at), times);
    fragmentMs(bytes.subarray(0, at), times);
  }
});
