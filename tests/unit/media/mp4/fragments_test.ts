import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, equalBytes } from "../../../../lib/core/bytes.ts";
import { seededRng } from "../../../../lib/core/rng.ts";
import {
  FragmentError,
  FragmentReader,
} from "../../../../lib/media/mp4/fragments.ts";
import { readInit } from "../../../../lib/media/mp4/init_codecs.ts";
import { SegmentMaker } from "../../../../lib/media/title/segment_maker.ts";
import { soundSegment, titleInit } from "../../../../lib/media/title/title.ts";
import { lecturePlan } from "../../../../lib/media/title/title_plan.ts";

const PLAN = lecturePlan({ segmentMs: 500, audio: true });
const INIT = titleInit(PLAN);
const MAKER = new SegmentMaker(PLAN, PLAN.rungs[0]!);
const FILE = concat(INIT, MAKER.make(1), MAKER.make(2));

Deno.test("FragmentReader finds initialisation and fragments, however the file is split", () => {
  for (const seed of [1, 2, 3, 4]) {
    const rng = seededRng(seed);
    const reader = new FragmentReader();
    const parts = [];
    for (let at = 0; at < FILE.length;) {
      const length = 1 + Math.floor(rng() ** 3 * 20_000);
      parts.push(...reader.push(FILE.slice(at, at + length)));
      at += length;
    }
    assertEquals(parts.map(({ kind }) => kind), [
      "init",
      "fragment",
      "fragment",
    ]);
    const [init, first, second] = parts;
    assert(equalBytes(init!.bytes, INIT));
    assert(first?.kind === "fragment" && second?.kind === "fragment");
    assertEquals([first.startTicks, first.durationTicks], [0, 12 * 512]);
    assertEquals([second.startTicks, second.durationTicks], [6144, 6144]);
    assertEquals(first.sampleBytes.length, 12);
    assertEquals(
      first.headBytes + 8 + first.sampleBytes.reduce((sum, n) => sum + n, 0),
      first.bytes.length,
    );
  }
});

Deno.test("FragmentReader throws nothing but FragmentError when bytes are damaged", () => {
  const start = FILE.slice(0, INIT.length + 900);
  let refused = 0;
  for (let at = 0; at < start.length; at++) {
    for (const value of [0, 0xff]) {
      const damaged = start.slice();
      damaged[at] = value;
      try {
        const reader = new FragmentReader();
        reader.push(damaged);
        reader.push(FILE.subarray(start.length));
      } catch (error) {
        if (!(error instanceof FragmentError)) throw error;
        refused += 1;
      }
    }
  }
  assert(refused > 50);
  assertThrows(
    () => new FragmentReader().push(soundSegment(PLAN, 1).bytes),
    FragmentError,
  );
});

Deno.test("readInit reads codecs, size and timescale of an initialisation segment", () => {
  assertEquals(readInit(INIT), {
    codecs: "avc3.42c01f",
    timescale: 12_288,
    width: 1280,
    height: 720,
  });
  for (let length = 0; length < INIT.length; length++) {
    assertThrows(() => readInit(INIT.subarray(0, length)), FragmentError);
  }
});
