import { assertEquals, assertThrows } from "@std/assert";
import { concat, utf8 } from "../../../../lib/core/bytes.ts";
import { parseMpd } from "../../../../lib/dash/mpd/mpd.ts";
import {
  IndexReading,
  parseSidx,
  SidxError,
} from "../../../../lib/dash/mpd/sidx.ts";

interface Reference {
  readonly index?: boolean;
  readonly bytes: number;
  readonly units: number;
}

/** A sidx box as ISO/IEC 14496-12 §8.16.3 has it. */
function sidx(
  references: readonly Reference[],
  { wide = false, time = 0, offset = 0, timescale = 1000 } = {},
): Uint8Array<ArrayBuffer> {
  const counts = wide ? 28 : 20;
  const bytes = new Uint8Array(8 + counts + 4 + 12 * references.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length);
  bytes.set(utf8("sidx"), 4);
  view.setUint8(8, wide ? 1 : 0);
  view.setUint32(12, 1);
  view.setUint32(16, timescale);
  if (wide) {
    view.setBigUint64(20, BigInt(time));
    view.setBigUint64(28, BigInt(offset));
  } else {
    view.setUint32(20, time);
    view.setUint32(24, offset);
  }
  view.setUint16(8 + counts + 2, references.length);
  references.forEach(({ index = false, bytes, units }, at) => {
    const from = 8 + counts + 4 + 12 * at;
    view.setUint32(from, bytes + (index ? 2 ** 31 : 0));
    view.setUint32(from + 4, units);
    view.setUint8(from + 8, 0x90);
  });
  return bytes;
}

const TWO = [{ bytes: 700, units: 5000 }, { bytes: 300, units: 2500 }];

Deno.test("parseSidx counts byte ranges from the end of the box, times from the earliest", () => {
  for (const wide of [false, true]) {
    const box = sidx(TWO, { wide, time: 1000, offset: 10 });
    const styp = concat(Uint8Array.of(0, 0, 0, 12), utf8("stypmsdh"));
    const { timescale, references } = parseSidx(concat(styp, box), 800);
    const first = 800 + 12 + box.length + 10;
    assertEquals(timescale, 1000);
    assertEquals(references, [
      {
        kind: "media",
        range: { first, last: first + 699 },
        time: 1000n,
        duration: 5000,
        startsWithSap: true,
      },
      {
        kind: "media",
        range: { first: first + 700, last: first + 999 },
        time: 6000n,
        duration: 2500,
        startsWithSap: true,
      },
    ]);
  }
});

Deno.test("parseSidx throws nothing but SidxError when it is cut off or damaged", () => {
  const box = sidx(TWO, { wide: true });
  for (let length = 0; length < box.length; length++) {
    assertThrows(() => parseSidx(box.subarray(0, length), 0), SidxError);
  }
  for (let at = 0; at < box.length; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const damaged = box.slice();
      damaged[at] = value;
      try {
        parseSidx(damaged, 0);
      } catch (error) {
        if (!(error instanceof SidxError)) throw error;
      }
    }
  }
  const codeOf = (bytes: Uint8Array) =>
    assertThrows(() => parseSidx(bytes, 0), SidxError).code;
  assertEquals(codeOf(utf8("<html></html>")), "no-index");
  assertEquals(codeOf(box.subarray(0, 30)), "cut-off");
  assertEquals(codeOf(sidx(TWO, { timescale: 0 })), "bad-index");
  assertEquals(codeOf(sidx([{ bytes: 0, units: 1 }])), "bad-index");
});

const [onDemand] = parseMpd(
  `<MPD mediaPresentationDuration="PT10S"><BaseURL>http://a.example/</BaseURL><BaseURL>http://b.example/</BaseURL><Period><AdaptationSet><Representation id="1" bandwidth="9"><BaseURL>v.mp4</BaseURL><SegmentBase indexRange="800-899"/></Representation></AdaptationSet></Period></MPD>`,
  "http://m.example/",
).periods[0]!.adaptationSets[0]!.representations;

Deno.test("IndexReading turns SegmentBase into segments at every BaseURL, with what stands before the index as initialization", () => {
  const urls = ["http://a.example/v.mp4", "http://b.example/v.mp4"];
  const reading = new IndexReading(onDemand!);
  assertEquals(reading.next, { urls, range: { first: 800, last: 899 } });
  reading.take(sidx(TWO, { time: 3000 }));
  assertEquals(reading.next, undefined);
  const { initialization, index, segments } = reading.representation;
  assertEquals(index, undefined);
  assertEquals(initialization, { urls, range: { first: 0, last: 799 } });
  const first = 800 + sidx(TWO).length;
  assertEquals(segments, [
    {
      urls,
      range: { first, last: first + 699 },
      number: 1,
      startMs: 0,
      durationMs: 5000,
    },
    {
      urls,
      range: { first: first + 700, last: first + 999 },
      number: 2,
      startMs: 5000,
      durationMs: 2500,
    },
  ]);
});

Deno.test("IndexReading follows an index of indexes in order, and bounds how many", () => {
  const reading = new IndexReading(onDemand!);
  reading.take(sidx([
    { index: true, bytes: 60, units: 5000 },
    { index: true, bytes: 60, units: 5000 },
  ]));
  reading.take(sidx([{ bytes: 5, units: 5000 }]));
  reading.take(sidx([{ bytes: 6, units: 5000 }], { time: 5000 }));
  assertEquals(
    reading.representation.segments.map((segment) => segment.startMs),
    [0, 5000],
  );
  const endless = new IndexReading(onDemand!);
  const bomb = sidx(
    Array.from({ length: 900 }, () => ({ index: true, bytes: 1, units: 1 })),
  );
  endless.take(bomb);
  assertEquals(
    assertThrows(() => endless.take(bomb), SidxError).code,
    "too-large",
  );
});
